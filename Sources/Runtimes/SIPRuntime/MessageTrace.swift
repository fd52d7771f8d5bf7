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

/// Takes out of a message what would let its reader act as somebody else, or try passwords (ROBUSTNESS S18).
///
/// Of credentials, challenges and what follows them (RFC 3261 §20.6, §20.7, §20.27, §20.28, §20.44) only user, realm,
/// URI, algorithm, qop, nonce count and `stale` remain; of `a=crypto` and its kin the key goes, of addresses the password
/// (§19.1.1) and credentials among their headers. Lines keep their order; any bytes are taken.
package enum TraceRedaction {
    private static let shownParameters: Set<String> = ["username", "realm", "uri", "algorithm", "qop", "nc", "stale"]
    /// A scheme and its parameters.
    private static let fieldsWithScheme: Set<String> = [
        "authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate",
    ]
    /// Parameters alone.
    private static let fieldsWithout: Set<String> = ["authentication-info", "proxy-authentication-info"]
    /// Of which the name is shown and nothing else.
    private static let otherSchemes: Set<String> = ["basic", "bearer"]
    private static let secretAttributes = ["a=ice-pwd:", "a=key-mgmt:", "k="]

    package static func redacted(_ message: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(message.count)
        var rest = message[...]
        while !rest.isEmpty {
            // With the lines that are folded onto it.
            var field = rest[..<endOfField(rest)]
            rest = rest[field.endIndex...]
            if let colon = field.firstIndex(of: UInt8(ascii: ":")), let redact = redaction(of: word(field[..<colon])) {
                output += field[...colon]
                output += redact(field[(colon + 1)...])
                continue
            }
            while !field.isEmpty {
                let line = field[..<endOfLine(field)]
                output += attribute(line)
                field = field[line.endIndex...]
            }
        }
        return AddressSecrets.hidden(in: output)
    }

    // MARK: - Fields

    private static func redaction(of name: String) -> ((ArraySlice<UInt8>) -> [UInt8])? {
        if fieldsWithScheme.contains(name) { return scheme }
        if fieldsWithout.contains(name) { return credentials }
        return nil
    }

    /// Behind the line feed that ends the first line.
    private static func endOfLine(_ text: ArraySlice<UInt8>) -> Int {
        text.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.endIndex
    }

    private static func endOfField(_ text: ArraySlice<UInt8>) -> Int {
        var end = endOfLine(text)
        while end < text.endIndex, text[end] == UInt8(ascii: " ") || text[end] == UInt8(ascii: "\t") {
            end = endOfLine(text[end...])
        }
        return end
    }

    /// A field value up to its parameters: the scheme is shown, and behind any but Digest nothing else.
    private static func scheme(_ value: ArraySlice<UInt8>) -> [UInt8] {
        guard let start = value.firstIndex(where: { !isBlank($0) }) else { return Array(value) }
        let end = value[start...].firstIndex(where: isBlank) ?? value.endIndex
        let name = word(value[start..<end])
        if name == "digest" { return value[..<end] + credentials(value[end...]) }
        let shown = otherSchemes.contains(name) ? end : start
        return value[..<shown] + stars + blanks(endOf: value[shown...])
    }

    /// `name=value` pairs between commas, of which the secret ones lose their value.
    private static func credentials(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var rest = text
        while !rest.isEmpty {
            let parameter = rest[..<endOfParameter(rest)]
            rest = rest[parameter.endIndex...]
            if let equals = parameter.firstIndex(of: UInt8(ascii: "=")) {
                let isShown =
                    shownParameters.contains(word(parameter[..<equals])) && isValue(parameter[(equals + 1)...])
                output += isShown ? parameter : parameter[...equals] + stars + blanks(endOf: parameter)
            } else if parameter.allSatisfy(isBlank) {
                output += parameter
            } else {
                output += parameter.prefix(while: isBlank) + stars + blanks(endOf: parameter)
            }
            if rest.first == UInt8(ascii: ",") {
                output.append(UInt8(ascii: ","))
                rest = rest.dropFirst()
            }
        }
        return output
    }

    /// Whether it is one token, address or quoted string: behind a quote that is missing or too many there may be more
    /// than the name says.
    private static func isValue(_ text: ArraySlice<UInt8>) -> Bool {
        let quote = UInt8(ascii: "\"")
        let value = text.drop(while: isBlank)
        let trimmed = value.dropLast(blanks(endOf: value).count)
        guard trimmed.first == quote else {
            return !trimmed.contains { isBlank($0) || $0 == quote || $0 == UInt8(ascii: "=") }
        }
        var isEscaped = false
        for index in trimmed.indices.dropFirst() {
            if isEscaped {
                isEscaped = false
            } else if trimmed[index] == UInt8(ascii: "\\") {
                isEscaped = true
            } else if trimmed[index] == quote {
                return index == trimmed.endIndex - 1
            }
        }
        return false
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
            return line.prefix(name.utf8.count) + stars + blanks(endOf: line)
        }
        guard lowered.starts(with: Array("a=crypto:".utf8)) else { return Array(line) }
        // a=crypto:TAG SUITE KEY-PARAMETERS (RFC 4568 §9.1)
        let words = line.split(maxSplits: 2, whereSeparator: isBlank)
        guard words.count == 3 else { return line.prefix(9) + stars + blanks(endOf: line) }
        return words[0] + [UInt8(ascii: " ")] + words[1] + [UInt8(ascii: " ")] + stars + blanks(endOf: line)
    }

    private static let stars = Array("***".utf8)

    /// What stands behind the last visible byte: the end of the line, mostly.
    private static func blanks(endOf text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        text[(text.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? text.startIndex)...]
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.filter { !isBlank($0) }.map(lowercased), as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || isLineEnd(byte)
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
