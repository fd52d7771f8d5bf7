/// The bytes of a message as they are put together.
///
/// Every text goes through `write(_: String)`, which makes a space of each CR, LF and NUL: whatever a typed value was
/// given, it can't end its line and start another. Line ends are written by `endLine` alone.
package struct MessageWriter {
    package private(set) var bytes: [UInt8]

    package init(reserving capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Where the next octet goes.
    @inline(__always) var end: UInt32 { UInt32(truncatingIfNeeded: bytes.count) }

    /// Writes on behind `bytes`.
    init(continuing bytes: consuming [UInt8]) {
        self.bytes = bytes
    }

    @inline(__always)
    package mutating func write(_ text: String) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        neutralise(from: start)
    }

    /// Text of our own, line ends and all.
    @inline(__always)
    package mutating func write(fixed text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func write(byte: UInt8) {
        bytes.append(byte)
    }

    package mutating func write(number: UInt64) {
        if number < 10 {
            bytes.append(UInt8(truncatingIfNeeded: number) &+ 0x30)
            return
        }
        // The highest digit first, so that none moves.
        var unit: UInt64 = 10
        while number / unit >= 10 { unit *= 10 }
        while unit > 0 {
            bytes.append(UInt8(truncatingIfNeeded: number / unit % 10) &+ 0x30)
            unit /= 10
        }
    }

    /// Bytes that are known to hold no line end.
    @inline(__always)
    mutating func write(raw: ArraySlice<UInt8>) {
        bytes.append(contentsOf: raw)
    }

    /// A range of bytes that is known to hold no line end; nothing where it does not lie within them.
    @inline(__always)
    mutating func write(raw text: [UInt8], _ range: Range<Int>) {
        guard range.lowerBound >= 0, range.upperBound <= text.count else { return }
        text.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    mutating func write(body: [UInt8]) {
        bytes.append(contentsOf: body)
    }

    @inline(__always)
    mutating func endLine() {
        bytes.append(0x0d)
        bytes.append(0x0a)
    }

    /// A quoted string: quotes around, backslash before each quote and backslash (§25.1).
    package mutating func write(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        let start = bytes.count
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        neutralise(from: start)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Text of a URI part: `%HH` for each octet outside `set` (§19.1.2).
    mutating func write(escaping text: String, keeping set: ByteSet) {
        for byte in text.utf8 {
            if set.contains(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(Self.hexadecimalDigit(byte >> 4))
                bytes.append(Self.hexadecimalDigit(byte & 15))
            }
        }
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? value &+ 0x30 : value &- 10 &+ UInt8(ascii: "A")
    }

    @inline(__always)
    private mutating func neutralise(from start: Int) {
        for index in start..<bytes.count where bytes[index] <= 0x0d && Self.endsLine(bytes[index]) {
            bytes[index] = 0x20
        }
    }

    @inline(__always)
    static func endsLine(_ byte: UInt8) -> Bool { byte == 0x0d || byte == 0x0a || byte == 0 }
}
