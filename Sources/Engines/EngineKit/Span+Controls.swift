extension Span<UInt8> {
    /// The first octet below 16 at or behind `start`, or the end: where lines of text may end or be broken.
    ///
    /// Twice eight octets are looked at in one step.
    @inlinable
    @inline(__always)
    package func firstControl(from start: Int) -> Int {
        var index = start
        while index &+ 16 <= count {
            let (low, high) = (controls(at: index), controls(at: index &+ 8))
            if low | high != 0 {
                let bits = low != 0 ? low.trailingZeroBitCount : 64 &+ high.trailingZeroBitCount
                return index &+ bits &>> 3
            }
            index &+= 16
        }
        if index &+ 8 <= count {
            let low = controls(at: index)
            if low != 0 { return index &+ low.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count, self[index] >= 16 { index &+= 1 }
        return index
    }

    /// The top bit of each of the eight octets from `index`, which must be there, that are below 16: those that borrow
    /// when 16 is taken off and whose own top bit is clear. Only the first is certain, as it may borrow from the next.
    @inlinable
    @inline(__always)
    func controls(at index: Int) -> UInt64 {
        let word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
        return (word &- 0x1010_1010_1010_1010) & ~word & 0x8080_8080_8080_8080
    }
}
