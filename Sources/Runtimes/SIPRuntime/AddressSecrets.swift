/// The secrets of addresses in a text: the password of `sip:me:secret@x` (RFC 3261 §19.1.1) and `http://me:secret@x`, and
/// what headers of an address hold of credentials, challenges, keys or such addresses. Any bytes are taken, in time that
/// grows with them.
enum AddressSecrets {
    private static let openers = ["sips:", "sip:", "//"].map { Array($0.utf8) }
    /// Headers of which nothing is shown.
    private static let secretHeaders: Set<String> = [
        "authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate", "authentication-info",
        "proxy-authentication-info", "body",
    ]
    private static let longestName = 64
    private static let stars = Array("***".utf8)

    static func hidden(in text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var place = 0
        // The next `@`, or what ends an address before one, as far as it is known.
        var userEnd = 0
        // Nor is there, up to here, an address in a header.
        var plainEnd = 0
        while place < text.count {
            let rest = text[place...]
            if let secret = password(beginning: rest, &userEnd) ?? headerValue(beginning: rest, &plainEnd) {
                output += text[place..<secret.lowerBound] + stars
                place = secret.upperBound
            } else {
                output.append(text[place])
                place += 1
            }
        }
        return output
    }

    // MARK: - Passwords

    /// Where the password is of an address that the text begins with.
    private static func password(beginning text: ArraySlice<UInt8>, _ userEnd: inout Int) -> Range<Int>? {
        guard let opener = openers.first(where: { text.starts(with: $0, by: { lowercased($0) == $1 }) }) else {
            return nil
        }
        let start = text.startIndex + opener.count
        if userEnd < start { userEnd = text[start...].firstIndex { $0 == at || endsAddress($0) } ?? text.endIndex }
        let end = userEnd
        // Every opener has a colon or a slash, so that no search goes beyond the next one.
        guard end < text.endIndex, text[end] == at,
            let first = text[start..<end].firstIndex(where: { $0 == colon || $0 == slash }), text[first] == colon
        else { return nil }
        // A password that holds an `@` of its own, as none should, ends at the last.
        let host = text[end...].prefix { !endsHost($0) && !endsAddress($0) }
        return first + 1..<(host.lastIndex(of: at) ?? end)
    }

    // MARK: - Headers

    /// Where the value is of a header `?name=value` or `&name=value` that the text begins with, if it is not to be shown.
    private static func headerValue(beginning text: ArraySlice<UInt8>, _ plainEnd: inout Int) -> Range<Int>? {
        guard text.first == UInt8(ascii: "?") || text.first == UInt8(ascii: "&"),
            let equals = text.prefix(longestName).firstIndex(of: UInt8(ascii: "="))
        else { return nil }
        let value = text[(equals + 1)...]
        if secretHeaders.contains(unescaped(text[..<equals].dropFirst())) {
            return value.startIndex..<(value.firstIndex(where: endsHeader) ?? text.endIndex)
        }
        guard equals >= plainEnd else { return nil }
        let shown = value.prefix { !endsHeader($0) && !endsAddress($0) }
        plainEnd = shown.endIndex
        // An address of its own, with a password.
        let plain = shown.contains(UInt8(ascii: "%")) ? unescaped(shown) : ""
        return plain.contains("@") && plain.contains(":") ? shown.indices : nil
    }

    /// With the octets for which `%XX` stands (§19.1.2), in lower case.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> String {
        var octets: [UInt8] = []
        var place = text.startIndex
        while place < text.endIndex {
            if text[place] == UInt8(ascii: "%"), place + 2 < text.endIndex,
                let octet = UInt8(String(decoding: text[place + 1...place + 2], as: UTF8.self), radix: 16)
            {
                octets.append(lowercased(octet))
                place += 3
            } else {
                octets.append(lowercased(text[place]))
                place += 1
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }

    // MARK: - Octets

    private static let at = UInt8(ascii: "@")
    private static let colon = UInt8(ascii: ":")
    /// Before a user there is no path.
    private static let slash = UInt8(ascii: "/")

    private static func endsAddress(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "\"")
    }

    private static func endsHost(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ";") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: ",") || byte == slash
    }

    /// Credentials have blanks and quotes in them, where nobody escaped those.
    private static func endsHeader(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "&") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\n")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
