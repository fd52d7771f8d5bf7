import EngineKit
import SIPTransactions

/// One SIP message as it crossed the wire, for whoever watches.
package struct TracedMessage: Sendable {
    package enum Direction: Hashable, Sendable { case sent, received }

    package var direction: Direction
    /// As on the wire, secrets included: what is shown or kept goes through `TraceRedaction`.
    package var bytes: [UInt8]
    package var flow: Flow
    package var instant: Instant
    /// Nanoseconds since 1970, UTC.
    package var wallNanoseconds: Int64
}

/// Takes out of a message what would let its reader act as somebody else (ROBUSTNESS S18).
///
/// Of credentials only user, realm, URI, algorithm, qop and nonce count remain; of `a=crypto` and its kin the key goes.
/// Lines keep their order; any bytes are taken.
package enum TraceRedaction {
    private static let shownParameters: Set<String> = ["username", "realm", "uri", "algorithm", "qop", "nc"]
    private static let secretFields: Set<String> = ["authorization", "proxy-authorization"]
    private static let secretAttributes = ["a=ice-pwd:", "a=key-mgmt:", "k="]

    package static func redacted(_ message: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(message.count)
        var isInCredentials = false
        for line in message.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if output.count > 0 || line.startIndex > 0 { output.append(UInt8(ascii: "\n")) }
            let isFolded = line.first == UInt8(ascii: " ") || line.first == UInt8(ascii: "\t")
            if isFolded && isInCredentials {
                output += credentials(line)
                continue
            }
            isInCredentials = false
            if let colon = line.firstIndex(of: UInt8(ascii: ":")), secretFields.contains(word(line[..<colon])) {
                isInCredentials = true
                output += line[...colon]
                output += scheme(line[(colon + 1)...])
            } else {
                output += attribute(line)
            }
        }
        return output
    }

    /// A field value up to its parameters: the scheme is shown, and behind any but Digest nothing else.
    private static func scheme(_ value: ArraySlice<UInt8>) -> [UInt8] {
        // An empty first line: what is folded behind it comes by itself.
        guard let start = value.firstIndex(where: { !isBlank($0) }) else { return Array(value) }
        let end = value[start...].firstIndex(where: isBlank) ?? value.endIndex
        guard word(value[start..<end]) == "digest" else {
            return value[..<end] + stars + lineEnd(of: value)
        }
        return value[..<end] + credentials(value[end...])
    }

    /// `name=value` pairs between commas, of which the secret ones lose their value.
    private static func credentials(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var rest = text
        while !rest.isEmpty {
            let parameter = rest[..<endOfParameter(rest)]
            rest = rest[parameter.endIndex...]
            if let equals = parameter.firstIndex(of: UInt8(ascii: "=")) {
                let isShown = shownParameters.contains(word(parameter[..<equals]))
                output += isShown ? parameter : parameter[...equals] + stars + lineEnd(of: parameter)
            } else if parameter.allSatisfy(isBlank) {
                output += parameter
            } else {
                // The rest of a value that was folded, or nonsense.
                output += parameter.prefix(while: isBlank) + stars + lineEnd(of: parameter)
            }
            if rest.first == UInt8(ascii: ",") {
                output.append(UInt8(ascii: ","))
                rest = rest.dropFirst()
            }
        }
        return output
    }

    /// Where the comma is that ends the first parameter; commas in quotes do not.
    private static func endOfParameter(_ text: ArraySlice<UInt8>) -> Int {
        var isQuoted = false
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\\") where isQuoted: index += 1
            case UInt8(ascii: ",") where !isQuoted: return index
            default: break
            }
            index += 1
        }
        return text.endIndex
    }

    /// A line of a body, or a header field without secrets.
    private static func attribute(_ line: ArraySlice<UInt8>) -> [UInt8] {
        let lowered = line.prefix(12).map(lowercased)
        if let name = secretAttributes.first(where: { lowered.starts(with: Array($0.utf8)) }) {
            return line.prefix(name.utf8.count) + stars + lineEnd(of: line)
        }
        guard lowered.starts(with: Array("a=crypto:".utf8)) else { return Array(line) }
        // a=crypto:TAG SUITE KEY-PARAMETERS (RFC 4568 §9.1)
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count == 3 else { return line.prefix(9) + stars + lineEnd(of: line) }
        return words[0] + [UInt8(ascii: " ")] + words[1] + [UInt8(ascii: " ")] + stars + lineEnd(of: line)
    }

    private static let stars = Array("***".utf8)

    private static func lineEnd(of line: ArraySlice<UInt8>) -> [UInt8] {
        line.last == UInt8(ascii: "\r") ? [UInt8(ascii: "\r")] : []
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.filter { !isBlank($0) }.map(lowercased), as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
