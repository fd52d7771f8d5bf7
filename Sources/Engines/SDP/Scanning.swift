// Reading the ASCII of an SDP value without a trap: every function is total over any bytes.

extension ArraySlice<UInt8> {
    /// The runs between blanks. Some phones write two spaces where the grammar has one.
    var words: [ArraySlice<UInt8>] {
        split(whereSeparator: { $0 == 0x20 || $0 == 0x09 })
    }

    var text: String { String(decoding: self, as: UTF8.self) }

    /// The slice without blanks at its ends.
    var trimmed: ArraySlice<UInt8> {
        var rest = self
        while let byte = rest.first, byte == 0x20 || byte == 0x09 { rest = rest.dropFirst() }
        while let byte = rest.last, byte == 0x20 || byte == 0x09 { rest = rest.dropLast() }
        return rest
    }

    /// What stands before and behind the first `separator`; nothing behind where there is none.
    func cut(at separator: Character) -> (head: ArraySlice<UInt8>, tail: ArraySlice<UInt8>?) {
        guard let byte = separator.asciiValue, let index = firstIndex(of: byte) else { return (self, nil) }
        return (self[startIndex..<index], self[(index + 1)...])
    }

    /// An unsigned decimal number of digits alone that fits `Value`.
    func decimal<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
        guard !isEmpty else { return nil }
        var value: Value = 0
        for byte in self {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Value(byte - UInt8(ascii: "0")))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// Whether every byte may stand in a `token` (RFC 8866 §9); false for none at all.
    var isToken: Bool {
        !isEmpty && allSatisfy(\.isTokenByte)
    }

    /// Whether every byte may stand in a `byte-string` (RFC 8866 §9).
    var isByteString: Bool {
        allSatisfy { $0 != 0 && $0 != 0x0a && $0 != 0x0d }
    }
}

extension UInt8 {
    /// `token-char` of RFC 8866 §9.
    fileprivate var isTokenByte: Bool {
        switch self {
        case 0x21, 0x23...0x27, 0x2a...0x2b, 0x2d...0x2e, 0x30...0x39, 0x41...0x5a, 0x5e...0x7e: true
        default: false
        }
    }
}

extension String {
    /// Whether two tokens are the same, letter case aside (ASCII alone).
    func isSameToken(as other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.lowered == $1.lowered }
    }
}

extension UInt8 {
    fileprivate var lowered: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
