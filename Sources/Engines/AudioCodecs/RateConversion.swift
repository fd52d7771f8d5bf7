import EngineKit

/// A band of speech, and the low-pass filter that both directions between its rate and 48 kHz share: a sinc under a
/// Kaiser window, 192 taps at 48 kHz. Each direction delays by 2 ms.
package enum SpeechBand: Sendable {
    /// Of 8 kHz: flat to 3.4 kHz and down by 50 dB from 4.2 kHz on.
    case narrow
    /// Of 16 kHz: flat to 7.1 kHz and down by 50 dB from 8 kHz on.
    case wide

    static let tapCount = 192
    private static let kaiserBeta = 4.55

    /// Samples at 48 kHz for each of the band's.
    package var ratio: Int { self == .narrow ? 6 : 3 }

    /// The band's samples in a millisecond.
    package var samplesPerMillisecond: Int { 48 / ratio }

    var tapsPerPhase: Int { Self.tapCount / ratio }

    /// The band's samples that are filtered at once: 10 ms.
    var blockLength: Int { 10 * samplesPerMillisecond }

    private var cutoff: Double { (self == .narrow ? 3_780 : 7_560) / 48_000 }

    // All calls have the same.
    private static let narrowTaps = SpeechBand.narrow.makeTaps()
    private static let wideTaps = SpeechBand.wide.makeTaps()

    /// The prototype, whose taps sum to 1. It is its own mirror image, so that one product is enough for two samples:
    /// with their sum; or, where branches of it are the mirror images of each other, with sum and difference.
    var taps: UnsafeMutableBufferPointer<Float> {
        self == .narrow ? Self.narrowTaps.elements : Self.wideTaps.elements
    }

    private func makeTaps() -> FixedBuffer<Float> {
        var taps = FixedBuffer<Float>(repeating: 0, count: Self.tapCount)
        var sum = 0.0
        for index in 0..<Self.tapCount { sum += tap(index) }
        for index in 0..<Self.tapCount { taps[index] = Float(tap(index) / sum) }
        return taps
    }

    private func tap(_ index: Int) -> Double {
        let x = Double(index) - Double(Self.tapCount - 1) / 2
        let sinc = AudioMath.sine(turns: cutoff * x) / (Double.pi * x)
        let place = 2 * x / Double(Self.tapCount - 1)
        let window =
            Self.besselI0(Self.kaiserBeta * max(0, 1 - place * place).squareRoot()) / Self.besselI0(Self.kaiserBeta)
        return sinc * window
    }

    /// The modified Bessel function of order zero, by its series.
    private static func besselI0(_ x: Double) -> Double {
        var term = 1.0
        var sum = 1.0
        for n in 1..<24 {
            term *= x * x / (4 * Double(n * n))
            sum += term
        }
        return sum
    }
}

extension Int16 {
    /// The nearest sample; what is louder than full scale is full scale.
    @inline(__always)
    init(nearest value: Float) {
        let limited = Swift.max(-32_768, Swift.min(32_767, value))
        // In a number of this size the last bit counts whole samples: the sum is rounded to them, and ends with them.
        self = Int16(truncatingIfNeeded: (limited + 12_582_912).bitPattern)
    }
}
