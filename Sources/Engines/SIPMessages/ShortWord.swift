/// A word of the grammar of at most eight ASCII characters, to be compared in one step: the compiler makes numbers of
/// it. A longer one is like no text.
struct ShortWord: ExpressibleByStringLiteral {
    let count: Int
    /// The characters from the lowest octet on, zeros behind them.
    private let octets: UInt64
    /// All bits of the octets that there are.
    private let mask: UInt64
    /// In the place of each small letter the bit that tells it from the large one.
    private let caseBits: UInt64

    @inline(__always)
    init(stringLiteral word: StaticString) {
        count = word.utf8CodeUnitCount
        guard count <= 8 else {
            (octets, mask, caseBits) = (1, 0, 0)
            return
        }
        var (octets, mask, caseBits): (UInt64, UInt64, UInt64) = (0, 0, 0)
        for index in 0..<count {
            let byte = word.utf8Start[index]
            let shift = UInt64(index &* 8)
            octets |= UInt64(byte) &<< shift
            mask |= 0xff &<< shift
            if byte &- 0x61 < 26 { caseBits |= 0x20 &<< shift }
        }
        (self.octets, self.mask, self.caseBits) = (octets, mask, caseBits)
    }

    /// Whether `text` begins with the word.
    @inline(__always)
    func isExactly(_ text: UInt64) -> Bool { text & mask == octets }

    /// Whether `text` begins with the word, which is lower case, in any case (RFC 3261 §7.3.1).
    @inline(__always)
    func isAnyCase(of text: UInt64) -> Bool { (text | caseBits) & mask == octets }
}
