import EngineKit

// Reading the ASCII of an SDP value without a trap: every function is total over any bytes.

extension Span<UInt8> {
    /// The line from `start`: where its text ends, how, and whether it is a `byte-string` (RFC 8866 §9).
    @inline(__always)
    func line(from start: Int) -> (end: Int, kind: SDPLine.End, isClean: Bool) {
        var isClean = true
        var index = start
        while true {
            index = firstControl(from: index)
            guard index < count else { return (count, .none, isClean) }
            switch self[index] {
            case 0x0a:
                return (index, .lf, isClean)
            case 0x0d:
                if index + 1 < count, self[index + 1] == 0x0a { return (index, .crlf, isClean) }
                isClean = false
            case 0:
                isClean = false
            default:
                break
            }
            index += 1
        }
    }

    /// Where the last line ends that has something in it, with its end; 0 where none has.
    var endOfText: Int {
        var end = count
        while end > 0, self[end - 1] == 0x0a || self[end - 1] == 0x0d { end -= 1 }
        // The first line end behind the text belongs to its line: LF, or CRLF.
        if end == 0 || end == count { return end }
        if self[end] == 0x0a { return end + 1 }
        return end + 1 < count && self[end + 1] == 0x0a ? end + 2 : end
    }

    /// The next run between blanks from `position` on; some phones write two spaces where the grammar has one.
    @inline(__always)
    func nextWord(_ position: inout Int) -> Range<Int>? {
        while position < count, self[position].isBlank { position &+= 1 }
        let start = position
        while position < count, !self[position].isBlank { position &+= 1 }
        return start < position ? start..<position : nil
    }

    /// Whether the value of an `a=` line has this name, blanks around it aside.
    @inline(__always)
    func isAttribute(_ value: Range<Int>, named name: StaticString) -> Bool {
        var index = value.lowerBound
        while index < value.upperBound, self[index].isBlank { index &+= 1 }
        for offset in 0..<name.utf8CodeUnitCount {
            guard index < value.upperBound, self[index] == name.utf8Start[offset] else { return false }
            index &+= 1
        }
        while index < value.upperBound, self[index].isBlank { index &+= 1 }
        return index == value.upperBound || self[index] == UInt8(ascii: ":")
    }
}

extension [UInt8] {
    /// Adds a number in digits.
    mutating func append(decimal number: some UnsignedInteger) {
        let (tens, ones) = number.quotientAndRemainder(dividingBy: 10)
        if tens > 0 { append(decimal: tens) }
        append(UInt8(truncatingIfNeeded: ones) + UInt8(ascii: "0"))
    }
}

extension ArraySlice<UInt8> {
    /// The runs between blanks.
    var words: [ArraySlice<UInt8>] {
        split(whereSeparator: \.isBlank)
    }

    /// The runs between blanks, found one by one.
    var lazyWords: some Sequence<ArraySlice<UInt8>> {
        sequence(state: 0) { position in
            self.span.nextWord(&position).map { range in
                self[self.startIndex + range.lowerBound..<self.startIndex + range.upperBound]
            }
        }
    }

    /// How many runs there are between blanks.
    var wordCount: Int {
        let text = span
        var (position, count) = (0, 0)
        while text.nextWord(&position) != nil { count += 1 }
        return count
    }

    /// The run between blanks of that number, from 0; empty where there are fewer.
    func word(_ number: Int) -> ArraySlice<UInt8> {
        let text = span
        var position = 0
        for _ in 0..<number { _ = text.nextWord(&position) }
        guard let range = text.nextWord(&position) else { return [] }
        return self[startIndex + range.lowerBound..<startIndex + range.upperBound]
    }

    var text: String { String(decoding: self, as: UTF8.self) }

    /// The slice without blanks at its ends.
    var trimmed: ArraySlice<UInt8> {
        var (start, end) = (startIndex, endIndex)
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return self[start..<end]
    }

    /// What stands before and behind the first `separator`; nothing behind where there is none.
    func cut(at separator: UInt8) -> (head: ArraySlice<UInt8>, tail: ArraySlice<UInt8>?) {
        guard let index = firstIndex(of: separator) else { return (self, nil) }
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

    /// Whether the bytes are that token, letter case aside (ASCII alone).
    func isSameToken(as other: StaticString) -> Bool {
        count == other.utf8CodeUnitCount
            && UnsafeBufferPointer(start: other.utf8Start, count: count).elementsEqual(self) {
                $0.lowered == $1.lowered
            }
    }
}

extension UInt8 {
    @inline(__always) var isBlank: Bool { self == 0x20 || self == 0x09 }

    /// `token-char` of RFC 8866 §9.
    fileprivate var isTokenByte: Bool {
        switch self {
        case 0x21, 0x23...0x27, 0x2a...0x2b, 0x2d...0x2e, 0x30...0x39, 0x41...0x5a, 0x5e...0x7e: true
        default: false
        }
    }

    fileprivate var lowered: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}

extension String {
    /// Whether two tokens are the same, letter case aside (ASCII alone).
    func isSameToken(as other: String) -> Bool {
        let (left, right) = (utf8.span, other.utf8.span)
        guard left.count == right.count else { return false }
        var index = 0
        while index < left.count, left[index].lowered == right[index].lowered { index &+= 1 }
        return index == left.count
    }
}
