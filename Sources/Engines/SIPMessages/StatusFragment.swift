/// The status line that a `message/sipfrag` body begins with (RFC 3420, RFC 3515 §2.4.5): how a request went that
/// somebody was asked to send.
package struct StatusFragment: Hashable, Sendable {
    package var status: StatusCode
    package var reason: String

    package init(_ status: StatusCode, reason: String? = nil) {
        self.status = status
        self.reason = reason ?? status.reason
    }

    /// Reads the first line of a body; what follows it is not looked at.
    package init?(parsing body: [UInt8]) {
        let line = body.prefix(Self.lineLimit).prefix { $0 != 0x0d && $0 != 0x0a }
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].elementsEqual("SIP/2.0".utf8), parts[1].count == 3,
            let status = Int(String(decoding: parts[1], as: UTF8.self)).flatMap({ StatusCode($0) })
        else { return nil }
        self.status = status
        reason = parts.count > 2 ? String(decoding: parts[2], as: UTF8.self) : ""
    }

    /// The line with its end, as a body. What would end the line early is left out of the phrase.
    package var bytes: [UInt8] {
        let phrase = reason.utf8.prefix(Self.lineLimit / 2).filter { $0 >= 0x20 }
        return Array("SIP/2.0 \(status.value) ".utf8) + phrase + [0x0d, 0x0a]
    }

    private static let lineLimit = 512
}

extension ContentType {
    package static let sipFragment = ContentType(
        "message", "sipfrag", parameters: Parameters(.field, [("version", "2.0")]))
}
