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

    private var cutoff: Double { (self == .narrow ? 3_780 : 7_560) / 48_000 }

    /// The prototype, whose taps sum to 1.
    func taps() -> FixedBuffer<Float> {
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

/// A band's rate to 48 kHz, by as many polyphase branches as there are samples more.
package struct Upsampler: ~Copyable, Sendable {
    private let band: SpeechBand
    private let taps: FixedBuffer<Float>
    /// The last inputs, written twice so that any window of them lies in one piece.
    private var history: FixedBuffer<Float>
    private var position = 0

    package init(_ band: SpeechBand = .narrow) {
        self.band = band
        taps = band.taps()
        history = FixedBuffer(repeating: 0, count: 2 * band.tapsPerPhase)
    }

    package mutating func reset() {
        for index in 0..<history.count { history[index] = 0 }
        position = 0
    }

    /// Writes `ratio` samples for each of `input`; `output` has to have room for them.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) {
        let ratio = band.ratio
        precondition(output.count >= input.count * ratio, "no room for the upsampled signal")
        let length = band.tapsPerPhase
        for index in input.indices {
            position = position == 0 ? length - 1 : position - 1
            let sample = Float(input[index])
            history[position] = sample
            history[position + length] = sample
            // history[position + k] is the input k samples ago.
            let window = history.elements(position..<position + length)
            let coefficients = taps.elements
            for phase in 0..<ratio {
                var sum: Float = 0
                for k in 0..<length { sum += window[k] * coefficients[phase + ratio * k] }
                let scaled = sum * Float(ratio)
                output[index * ratio + phase] = Int16(max(-32_768, min(32_767, scaled.rounded())))
            }
        }
    }
}

/// 48 kHz to a band's rate: the same filter, computed only for the samples that stay.
package struct Downsampler: ~Copyable, Sendable {
    private let band: SpeechBand
    private let taps: FixedBuffer<Float>
    private var history = FixedBuffer<Float>(repeating: 0, count: 2 * SpeechBand.tapCount)
    private var position = 0

    package init(_ band: SpeechBand = .narrow) {
        self.band = band
        taps = band.taps()
    }

    package mutating func reset() {
        for index in 0..<history.count { history[index] = 0 }
        position = 0
    }

    /// Writes one sample for each `ratio` of `input`, whose count has to be a multiple of that.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) {
        let ratio = band.ratio
        precondition(input.count % ratio == 0, "not a multiple of the ratio")
        precondition(output.count >= input.count / ratio, "no room for the downsampled signal")
        let length = SpeechBand.tapCount
        var next = 0
        for index in input.indices {
            position = position == 0 ? length - 1 : position - 1
            let sample = Float(input[index])
            history[position] = sample
            history[position + length] = sample
            guard index % ratio == ratio - 1 else { continue }
            let window = history.elements(position..<position + length)
            let coefficients = taps.elements
            var sum: Float = 0
            for k in 0..<length { sum += window[k] * coefficients[k] }
            output[next] = Int16(max(-32_768, min(32_767, sum.rounded())))
            next += 1
        }
    }
}
