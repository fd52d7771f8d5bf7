/// The randomness of an engine: a ChaCha20 key stream (RFC 8439 §2.3) under a key that the runtime gives.
///
/// In production the key is 256 bits from the system, so that tags, branches and Call-IDs can't be guessed; in tests
/// and under `--seed` it is expanded from a small seed, and the same code then repeats the same run.
package struct RandomSource: RandomNumberGenerator, Sendable {
    private typealias Block = InlineArray<16, UInt32>

    private var state: Block
    private var block: Block
    private var position = 16

    /// A source under a key of eight 32-bit words.
    package init(key: InlineArray<8, UInt32>) {
        state = Block(repeating: 0)
        block = Block(repeating: 0)
        state[0] = 0x6170_7865
        state[1] = 0x3320_646e
        state[2] = 0x7962_2d32
        state[3] = 0x6b20_6574
        for index in 0..<8 { state[4 + index] = key[index] }
    }

    /// A repeatable source. Different seeds give unrelated streams.
    package init(seed: UInt64) {
        var key = InlineArray<8, UInt32>(repeating: 0)
        key[0] = UInt32(truncatingIfNeeded: seed)
        key[1] = UInt32(truncatingIfNeeded: seed >> 32)
        self.init(key: key)
    }

    /// A source of its own for one component, so that what one draws does not shift what another draws.
    package mutating func split() -> RandomSource {
        var key = InlineArray<8, UInt32>(repeating: 0)
        for index in 0..<8 { key[index] = nextWord() }
        return RandomSource(key: key)
    }

    package mutating func next() -> UInt64 {
        let low = nextWord()
        let high = nextWord()
        return UInt64(high) << 32 | UInt64(low)
    }

    /// `count` lower-case hexadecimal digits, 4 bits of randomness each.
    package mutating func hexadecimal(_ count: Int) -> String {
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: count) { buffer in
            var word: UInt64 = 0
            for index in 0..<count {
                if index % 16 == 0 { word = next() }
                buffer[index] = digits.utf8Start[Int(word & 15)]
                word >>= 4
            }
            return count
        }
    }

    private mutating func nextWord() -> UInt32 {
        if position == 16 { refill() }
        defer { position += 1 }
        return block[position]
    }

    private mutating func refill() {
        var block = state
        for _ in 0..<10 {
            Self.quarterRound(&block, 0, 4, 8, 12)
            Self.quarterRound(&block, 1, 5, 9, 13)
            Self.quarterRound(&block, 2, 6, 10, 14)
            Self.quarterRound(&block, 3, 7, 11, 15)
            Self.quarterRound(&block, 0, 5, 10, 15)
            Self.quarterRound(&block, 1, 6, 11, 12)
            Self.quarterRound(&block, 2, 7, 8, 13)
            Self.quarterRound(&block, 3, 4, 9, 14)
        }
        for index in 0..<16 { block[index] &+= state[index] }
        self.block = block
        state[12] &+= 1
        if state[12] == 0 { state[13] &+= 1 }
        position = 0
    }

    @inline(__always)
    private static func quarterRound(_ block: inout Block, _ a: Int, _ b: Int, _ c: Int, _ d: Int) {
        block[a] &+= block[b]
        block[d] = Self.rotated(block[d] ^ block[a], by: 16)
        block[c] &+= block[d]
        block[b] = Self.rotated(block[b] ^ block[c], by: 12)
        block[a] &+= block[b]
        block[d] = Self.rotated(block[d] ^ block[a], by: 8)
        block[c] &+= block[d]
        block[b] = Self.rotated(block[b] ^ block[c], by: 7)
    }

    @inline(__always)
    private static func rotated(_ word: UInt32, by count: UInt32) -> UInt32 {
        word &<< count | word &>> (32 &- count)
    }
}
