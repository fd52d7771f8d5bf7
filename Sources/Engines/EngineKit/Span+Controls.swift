extension Span<UInt8> {
    /// The first octet below 16 at or behind `start`, or the end: where lines of text may end or be broken.
    ///
    /// Eight octets are looked at in one step: an octet below 16 is one that borrows when 16 is taken off and whose own
    /// top bit is clear.
    @inlinable
    @inline(__always)
    package func firstControl(from start: Int) -> Int {
        let octets = bytes
        var index = start
        while index &+ 8 <= count {
            let word = UInt64(littleEndian: octets.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
            let below = (word &- 0x1010_1010_1010_1010) & ~word & 0x8080_8080_8080_8080
            if below != 0 { return index &+ below.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count, self[index] >= 16 { index &+= 1 }
        return index
    }
}
