/// UTF-8 that comes a byte at a time, as from a keyboard: scalars as they are complete, U+FFFD for what is none.
///
/// Every byte has its answer, so that one that is no UTF-8 costs nothing of what follows it.
package struct UTF8Reader: Hashable, Sendable {
    private var value: UInt32 = 0
    /// Bytes that the open scalar still lacks.
    private var missing = 0
    /// What its next byte may be: narrower after some first bytes, lest a scalar have two spellings (RFC 3629 §4).
    private var next: ClosedRange<UInt8> = tail

    private static let tail: ClosedRange<UInt8> = 0x80...0xBF

    package init() {}

    /// The scalars that are known with this byte: none while one is open, two where the byte breaks the open one off.
    package mutating func take(_ byte: UInt8) -> [Unicode.Scalar] {
        guard missing > 0 else { return first(byte) }
        guard next.contains(byte) else { return breakOff() + first(byte) }
        next = Self.tail
        value = value << 6 | UInt32(byte & 0x3F)
        missing -= 1
        return missing == 0 ? [Unicode.Scalar(value) ?? "\u{FFFD}"] : []
    }

    /// Nothing follows: U+FFFD for a scalar that is open.
    package mutating func breakOff() -> [Unicode.Scalar] {
        defer { missing = 0 }
        return missing > 0 ? ["\u{FFFD}"] : []
    }

    private mutating func first(_ byte: UInt8) -> [Unicode.Scalar] {
        switch byte {
        case 0..<0x80: return [Unicode.Scalar(byte)]
        case 0xC2...0xDF: open(byte & 0x1F, missing: 1)
        case 0xE0: open(0, missing: 2, next: 0xA0...0xBF)
        case 0xED: open(0xD, missing: 2, next: 0x80...0x9F)
        case 0xE1...0xEF: open(byte & 0x0F, missing: 2)
        case 0xF0: open(0, missing: 3, next: 0x90...0xBF)
        case 0xF1...0xF3: open(byte & 0x07, missing: 3)
        case 0xF4: open(4, missing: 3, next: 0x80...0x8F)
        default: return ["\u{FFFD}"]
        }
        return []
    }

    private mutating func open(_ bits: UInt8, missing: Int, next: ClosedRange<UInt8> = tail) {
        value = UInt32(bits)
        self.missing = missing
        self.next = next
    }
}
