import EngineKit

/// Whether sound at 48 kHz has anything above 10 kHz. What was recorded at 16 kHz, or came through a telephone, has not,
/// and an encoder that knows spends no bits there, which libopus does not see by itself.
///
/// Wide from the first sound that is, narrow after ten seconds of sound without any.
struct FullBandDetector: Sendable {
    /// Elliptic high-pass of order 6: 0.5 dB of ripple from 10 kHz on, 45 dB down at 8 kHz, 60 dB at 7 kHz; in three
    /// sections of two zeros and two poles.
    private static let numerators: InlineArray<3, SIMD2<Float>> = [
        SIMD2(0.065_299_69, -0.123_602_16), SIMD2(1, -1.400_487_54), SIMD2(1, -1.111_287_81),
    ]
    private static let denominators: InlineArray<3, SIMD2<Float>> = [
        SIMD2(0.555_370_74, 0.224_213_13), SIMD2(-0.131_393_03, 0.633_857_55), SIMD2(-0.509_263_38, 0.903_581_51),
    ]
    /// 35 dB below the loudest piece of the last seconds, and 70 dB below full scale.
    private static let relativeThreshold: Float = 3.16e-4
    private static let absoluteThreshold: Float = 100
    /// The loudest piece counts for half after 7 s.
    private static let forgetting: Float = 0.1
    private static let patience = 480_000

    private var states = InlineArray<3, SIMD2<Float>>(repeating: SIMD2(0, 0))
    private var loudest: Float = 0
    private var soundWithout = 0
    private(set) var isFullBand = false

    mutating func reset() { self = FullBandDetector() }

    /// Looks at the next piece; 10 to 60 ms tell best.
    mutating func observe(_ samples: Span<Int16>) {
        guard !samples.isEmpty else { return }
        var (total, high): (Float, Float) = (0, 0)
        let (numerators, denominators) = (Self.numerators, Self.denominators)
        for index in samples.indices {
            let sample = Float(samples[index])
            // Transposed direct form II; the zeros lie on the unit circle, so that the third coefficient is the first.
            var value = sample
            for section in states.indices {
                let (b, a) = (numerators[section], denominators[section])
                let output = b.x * value + states[section].x
                states[section] = SIMD2(b.y * value - a.x * output + states[section].y, b.x * value - a.y * output)
                value = output
            }
            total += sample * sample
            high += value * value
        }
        // In silence they would fade into numbers that processors are slow with.
        for section in states.indices where abs(states[section].x) < 1e-20 { states[section] = SIMD2(0, 0) }
        let count = Float(samples.count)
        (total, high) = (total / count, high / count)
        loudest = max(total, loudest * (1 - Self.forgetting * count / 48_000))
        if high > Self.absoluteThreshold, high > loudest * Self.relativeThreshold {
            isFullBand = true
            soundWithout = 0
        } else if total > Self.absoluteThreshold {
            soundWithout = min(soundWithout + samples.count, Self.patience)
            if soundWithout == Self.patience { isFullBand = false }
        }
    }
}
