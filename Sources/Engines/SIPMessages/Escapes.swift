// The `%HH` escapes of URIs (RFC 3261 §19.1.2).

extension FieldCursor {
    /// The text in `range` with each `%HH` made the octet it stands for, once (RFC 4475 §3.1.1.3).
    func unescaped(_ range: Range<Int>) -> String {
        guard range.upperBound <= bytes.count, bytes[range].contains(UInt8(ascii: "%")) else { return text(range) }
        return Self.unescaped(bytes[range])
    }

    fileprivate static func unescaped(_ text: ArraySlice<UInt8>) -> String {
        String(decoding: unescapedOctets(text), as: UTF8.self)
    }

    static func unescapedOctets(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.endIndex,
                let high = text[index + 1].hexadecimalValue, let low = text[index + 2].hexadecimalValue
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(text[index])
                index += 1
            }
        }
        return decoded
    }
}

extension String {
    var unescaped: String {
        utf8.contains(UInt8(ascii: "%")) ? FieldCursor.unescaped(Array(utf8)[...]) : self
    }

    func escaped(keeping set: ByteSet) -> String {
        if set.containsAll(self) { return self }
        var writer = MessageWriter()
        writer.write(escaping: self, keeping: set)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
