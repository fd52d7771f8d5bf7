/// One of the two bands of ITU-T G.722: a predictor of two poles and six zeros, and the scale of what it did not foretell.
///
/// Names and order of the steps are those of the Recommendation's blocks (§6); every number has 16 bits and saturates.
struct G722Band: BitwiseCopyable, Sendable {
    /// The scale factor of the quantizer (DETL, DETH).
    private(set) var scale: Int
    /// What the predictor expects next (SL, SH).
    private(set) var expected = 0

    private var logarithmicScale = 0
    /// What the six zeros expect (SZ).
    private var ofZeros = 0
    private var reconstructed = 0
    private var partials: (Int, Int) = (0, 0)
    private var poles: (Int, Int) = (0, 0)
    private var zeros = InlineArray<6, Int>(repeating: 0)
    private var differences = InlineArray<7, Int>(repeating: 0)

    init(scale: Int) {
        self.scale = scale
    }

    /// Blocks 3L and 3H: the scale for the next sample, on a logarithmic one that forgets by 127/128 (LOGSCL, SCALEL).
    mutating func adapt(by step: Int, limit: Int, shift: Int) {
        logarithmicScale = max(0, min(limit, (logarithmicScale * 127) >> 7 + step))
        let mantissa = Self.inverseLogarithm[logarithmicScale >> 6 & 31]
        let exponent = shift - logarithmicScale >> 11
        scale = (exponent < 0 ? mantissa << -exponent : mantissa >> exponent) << 2
    }

    /// Blocks 4L and 4H: what comes next, after a difference as the other end knows it.
    mutating func predict(after difference: Int) {
        let sample = Self.saturated(expected + difference)
        let partial = Self.saturated(ofZeros + difference)
        adaptPoles(to: partial)
        let ofPoles = Self.saturated(
            (poles.0 * Self.saturated(2 * sample)) >> 15 + (poles.1 * Self.saturated(2 * reconstructed)) >> 15)
        reconstructed = sample
        partials = (partial, partials.0)
        adaptZeros(to: difference)
        expected = Self.saturated(ofPoles + ofZeros)
    }

    /// UPPOL2 and UPPOL1, each held to where the predictor is stable.
    private mutating func adaptPoles(to partial: Int) {
        let isLikeLast = (partial < 0) == (partials.0 < 0)
        let isLikeBefore = (partial < 0) == (partials.1 < 0)
        let first = Self.saturated(poles.0 << 2)
        let step = min(32_767, isLikeLast ? -first : first) >> 7
        let second = (isLikeBefore ? 128 : -128) + step + (poles.1 * 32_512) >> 15
        poles.1 = max(-12_288, min(12_288, second))
        let bound = Self.saturated(15_360 - poles.1)
        poles.0 = max(-bound, min(bound, Self.saturated((isLikeLast ? 192 : -192) + (poles.0 * 32_640) >> 15)))
    }

    /// UPZERO, DELAYA and FILTEZ.
    private mutating func adaptZeros(to difference: Int) {
        let step = difference == 0 ? 0 : 128
        differences[0] = difference
        var sum = 0
        for index in stride(from: 5, through: 0, by: -1) {
            let isAlike = (differences[index + 1] < 0) == (difference < 0)
            zeros[index] = Self.saturated((isAlike ? step : -step) + (zeros[index] * 32_640) >> 15)
            sum += (zeros[index] * Self.saturated(2 * differences[index])) >> 15
            differences[index + 1] = differences[index]
        }
        ofZeros = Self.saturated(sum)
    }

    static func saturated(_ value: Int) -> Int { max(-32_768, min(32_767, value)) }

    /// ILB of table 14: 2048 by powers of the 32nd root of two.
    private static let inverseLogarithm: InlineArray<32, Int> = [
        2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656, 2_714, 2_774, 2_834,
        2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520, 3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
    ]
}
