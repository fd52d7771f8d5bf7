/// Writes integers in network order into memory of a fixed size. What does not fit is not written, and `overflowed`
/// then says that the bytes are of no use.
package struct ByteWriter: ~Copyable, ~Escapable {
    private var bytes: MutableSpan<UInt8>
    /// How many bytes were written.
    package private(set) var count = 0
    package private(set) var overflowed = false

    @_lifetime(copy bytes)
    package init(_ bytes: consuming MutableSpan<UInt8>) {
        self.bytes = bytes
    }

    @_lifetime(self: copy self)
    package mutating func write(_ byte: UInt8) {
        guard count < bytes.count else {
            overflowed = true
            return
        }
        bytes[count] = byte
        count += 1
    }

    @_lifetime(self: copy self)
    package mutating func write(_ value: UInt16) {
        write(UInt8(truncatingIfNeeded: value >> 8))
        write(UInt8(truncatingIfNeeded: value))
    }

    @_lifetime(self: copy self)
    package mutating func write(_ value: UInt32) {
        write(UInt16(truncatingIfNeeded: value >> 16))
        write(UInt16(truncatingIfNeeded: value))
    }

    @_lifetime(self: copy self)
    package mutating func write(_ value: UInt64) {
        write(UInt32(truncatingIfNeeded: value >> 32))
        write(UInt32(truncatingIfNeeded: value))
    }

    @_lifetime(self: copy self)
    package mutating func write(_ source: Span<UInt8>) {
        for index in source.indices { write(source[index]) }
    }

    /// Writes a 16-bit integer over two bytes that were written before: a length that is known only now.
    @_lifetime(self: copy self)
    package mutating func overwrite(_ value: UInt16, at position: Int) {
        guard position >= 0, position + 2 <= count else { return }
        bytes[position] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[position + 1] = UInt8(truncatingIfNeeded: value)
    }
}
