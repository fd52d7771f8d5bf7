/// The passwords of addresses (RFC 3261 §19.1.1), of `sip:me:secret@x` and `http://me:secret@x`, and credentials among the
/// headers of one. Any bytes are taken, each at most twice.
enum AddressSecrets {
    private static let openers = ["sips:", "sip:", "//"].map { Array($0.utf8) }
    private static let credentialHeader = Array("authorization=".utf8)
    private static let stars = Array("***".utf8)

    static func hidden(in text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var place = 0
        // Up to here there is no `@` that a user would go before.
        var barrenEnd = 0
        while place < text.count {
            let rest = text[place...]
            if place >= barrenEnd, let opener = openers.lazy.compactMap({ length(of: $0, beginning: rest) }).first {
                let user = user(in: rest.dropFirst(opener))
                barrenEnd = user.text.endIndex
                guard user.isEnded, let colon = user.text.firstIndex(where: { $0 == colon || $0 == slash }),
                    text[colon] == Self.colon
                else {
                    output.append(text[place])
                    place += 1
                    continue
                }
                output += text[place...colon] + stars
                place = barrenEnd
            } else if let length = length(of: credentialHeader, beginning: rest) {
                output += rest.prefix(length) + stars
                place = rest.dropFirst(length).firstIndex(where: endsHeader) ?? text.count
            } else {
                output.append(text[place])
                place += 1
            }
        }
        return output
    }

    /// What goes before the host, and whether its `@` does. A password that holds an `@` of its own ends at the last.
    private static func user(in text: ArraySlice<UInt8>) -> (text: ArraySlice<UInt8>, isEnded: Bool) {
        let end = text.firstIndex { $0 == at || endsAddress($0) } ?? text.endIndex
        guard end < text.endIndex, text[end] == at else { return (text[..<end], false) }
        let host = text[end...].prefix { !endsHost($0) && !endsAddress($0) }
        return (text[..<(host.lastIndex(of: at) ?? end)], true)
    }

    /// How many octets of the text are that name, with letters in any case and escaped or not (§19.1.2); nil where it is
    /// another.
    private static func length(of name: [UInt8], beginning text: ArraySlice<UInt8>) -> Int? {
        var place = text.startIndex
        for byte in name {
            guard place < text.endIndex else { return nil }
            if text[place] == UInt8(ascii: "%"), let octet = escaped(text[place...].prefix(3)) {
                guard lowercased(octet) == byte else { return nil }
                place += 3
            } else {
                guard lowercased(text[place]) == byte else { return nil }
                place += 1
            }
        }
        return place - text.startIndex
    }

    private static func escaped(_ text: ArraySlice<UInt8>) -> UInt8? {
        guard text.count == 3 else { return nil }
        return UInt8(String(decoding: text.dropFirst(), as: UTF8.self), radix: 16)
    }

    private static let at = UInt8(ascii: "@")
    private static let colon = UInt8(ascii: ":")
    /// Before a user there is no path.
    private static let slash = UInt8(ascii: "/")

    private static func endsAddress(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "\"")
    }

    private static func endsHost(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ";") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "/")
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
