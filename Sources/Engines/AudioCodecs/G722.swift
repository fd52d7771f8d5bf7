// ITU-T G.722 at 64 kbit/s: speech at 16 kHz is split into a lower and an upper band; of each the difference to what was
// foretold is sent, in six bits and in two. Every octet is a code.

/// The quantizers of both bands, and how their scales follow what they gave (tables 7 to 16 of the Recommendation).
private enum G722 {
    /// From samples into bands and back: half of a symmetric filter of 24 taps (table 11).
    static let filter: InlineArray<12, Int> = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11]

    /// The decision levels of the lower band, for a scale of 4096; the last are never passed.
    static let levels: InlineArray<30, Int> = [
        0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1_023, 1_121, 1_219,
        1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
    ]

    /// What the six bits of the lower band stand for, for a scale of 32768 (QQ6).
    static let sixBits: InlineArray<64, Int> = [
        -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232, -9_360,
        -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008, -3_576, -3_168, -2_776, -2_400, -2_032,
        -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360,
        8_576, 7_856, 7_192, 6_576, 6_000, 5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360,
        1_040, 728, 432, 136, -432, -136,
    ]

    /// The first four of them, by which both ends foretell, so that others may take the last two bits (QQ4).
    static let fourBits: InlineArray<16, Int> = [
        0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288, 4_240, 2_584, 1_200,
        0,
    ]

    /// The two bits of the upper band (QQ2).
    static let twoBits: InlineArray<4, Int> = [-7_408, -1_616, 7_408, 1_616]

    /// How the scales grow by what was sent (WL by RL42, WH by RH2).
    static let lowerSteps: InlineArray<16, Int> = [
        -60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60,
    ]
    static let upperSteps: InlineArray<4, Int> = [798, -214, 798, -214]

    static var lower: G722Band { G722Band(scale: 32) }
    static var upper: G722Band { G722Band(scale: 8) }

    static func follow(lower band: inout G722Band, fourBits code: Int) {
        let difference = (band.scale * fourBits[code]) >> 15
        band.adapt(by: lowerSteps[code], limit: 18_432, shift: 8)
        band.predict(after: difference)
    }

    /// Gives the difference that the code stands for.
    @discardableResult
    static func follow(upper band: inout G722Band, twoBits code: Int) -> Int {
        let difference = (band.scale * twoBits[code]) >> 15
        band.adapt(by: upperSteps[code], limit: 22_528, shift: 10)
        band.predict(after: difference)
        return difference
    }
}

/// The last 24 samples of the filter that both directions share.
private struct G722Filter: BitwiseCopyable, Sendable {
    private var history = InlineArray<24, Int>(repeating: 0)

    /// Takes two samples in; gives the two sums of every second one.
    mutating func pass(_ first: Int, _ second: Int) -> (even: Int, odd: Int) {
        for index in 0..<22 { history[index] = history[index + 2] }
        (history[22], history[23]) = (first, second)
        var (even, odd) = (0, 0)
        for index in 0..<12 {
            odd += history[2 * index] * G722.filter[index]
            even += history[2 * index + 1] * G722.filter[11 - index]
        }
        return (even, odd)
    }
}

struct G722Encoder: BitwiseCopyable, Sendable {
    private var lower = G722.lower
    private var upper = G722.upper
    private var filter = G722Filter()

    mutating func reset() { self = Self() }

    /// Writes an octet for each two of `samples`, an even number of them; `output` has to have room.
    mutating func encode(_ samples: Span<Int16>, into output: inout MutableSpan<UInt8>) {
        precondition(samples.count.isMultiple(of: 2) && samples.count / 2 <= output.count, "no room for the code")
        for index in 0..<samples.count / 2 {
            let (even, odd) = filter.pass(Int(samples[2 * index]), Int(samples[2 * index + 1]))
            let low = code(lower: (even + odd) >> 14)
            output[index] = UInt8(truncatingIfNeeded: code(upper: (even - odd) >> 14) << 6 | low)
        }
    }

    /// Block 1L (QUANTL): 4 ... 63, as 0 to 3 are not sent.
    private mutating func code(lower sample: Int) -> Int {
        let difference = G722Band.saturated(sample - lower.expected)
        let size = difference >= 0 ? difference : -(difference + 1)
        var level = 1
        while level < 30, size >= (G722.levels[level] * lower.scale) >> 12 { level += 1 }
        let code = difference >= 0 ? 62 - level : level > 2 ? 34 - level : 64 - level
        G722.follow(lower: &lower, fourBits: code >> 2)
        return code
    }

    /// Block 1H (QUANTH).
    private mutating func code(upper sample: Int) -> Int {
        let difference = G722Band.saturated(sample - upper.expected)
        let size = difference >= 0 ? difference : -(difference + 1)
        let isLarge = size >= (564 * upper.scale) >> 12
        let code = difference >= 0 ? (isLarge ? 2 : 3) : (isLarge ? 0 : 1)
        G722.follow(upper: &upper, twoBits: code)
        return code
    }
}

struct G722Decoder: BitwiseCopyable, Sendable {
    private var lower = G722.lower
    private var upper = G722.upper
    private var filter = G722Filter()

    mutating func reset() { self = Self() }

    /// Writes two samples for each octet; `output` has to have room.
    mutating func decode(_ bytes: Span<UInt8>, into output: inout MutableSpan<Int16>) {
        precondition(2 * bytes.count <= output.count, "no room for the speech")
        for index in bytes.indices {
            let code = Int(bytes[index])
            let low = limited(lower.expected + (lower.scale * G722.sixBits[code & 63]) >> 15)
            G722.follow(lower: &lower, fourBits: code >> 2 & 15)
            let expected = upper.expected
            let high = limited(expected + G722.follow(upper: &upper, twoBits: code >> 6))
            let (even, odd) = filter.pass(low + high, low - high)
            output[2 * index] = Int16(G722Band.saturated(even >> 11))
            output[2 * index + 1] = Int16(G722Band.saturated(odd >> 11))
        }
    }

    /// The output of a band has 15 bits (LIMIT).
    private func limited(_ value: Int) -> Int { max(-16_384, min(16_383, value)) }
}
