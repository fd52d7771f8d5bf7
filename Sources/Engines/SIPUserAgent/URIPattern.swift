import SIPMessages

/// The addresses that a rule names: `sip:alice@example.com`, or with `*` in the place of any run of characters,
/// `sip:*@example.com`. Scheme and host compare without case, the user part with it (RFC 3261 §19.1.4).
package struct URIPattern: Hashable, Sendable, CustomStringConvertible {
    private let scheme: String
    /// nil: the URI has none.
    private let user: [UInt8]?
    private let host: [UInt8]
    package let description: String

    /// Reads a pattern; `*` alone is every SIP and SIPS address, and without a scheme `sip` is meant.
    package init?(_ text: String) {
        description = text
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        guard text != "*" else {
            (scheme, user, host) = ("*", Array("*".utf8), Array("*".utf8))
            return
        }
        var rest = text[...]
        if let colon = text.firstIndex(of: ":"), ["sip", "sips"].contains(text[..<colon].lowercased()) {
            scheme = text[..<colon].lowercased()
            rest = text[text.index(after: colon)...]
        } else {
            scheme = "sip"
        }
        if let at = rest.lastIndex(of: "@") {
            user = Array(rest[..<at].utf8)
            rest = rest[rest.index(after: at)...]
        } else {
            user = nil
        }
        guard !rest.isEmpty, user?.isEmpty != true, !rest.contains(";"), !rest.contains("?") else { return nil }
        host = Array(String(rest).asciiLowercased.utf8)
    }

    package func matches(_ uri: URI) -> Bool {
        guard case .sip(let uri) = uri else { return false }
        if scheme == "*" { return true }
        guard (scheme == "sips") == uri.isSecure, Self.matches(host, Array(uri.host.description.asciiLowercased.utf8))
        else { return false }
        guard let user else { return uri.user == nil }
        return uri.user.map { Self.matches(user, Array($0.utf8)) } ?? false
    }

    /// Goes back to the last `*` alone, so that the time is at most the product of both lengths.
    private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var (place, index) = (0, 0)
        var star: (place: Int, index: Int)?
        while index < text.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, index)
                place += 1
            } else if place < pattern.count, pattern[place] == text[index] {
                place += 1
                index += 1
            } else if let last = star {
                star = (last.place, last.index + 1)
                (place, index) = (last.place + 1, last.index + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
