import EngineKit

/// The low-pass filter that both directions between 8 and 48 kHz share: a sinc under a Kaiser window, 192 taps at
/// 48 kHz, flat to 3.4 kHz and down by 50 dB from 4.2 kHz on. Each direction delays by 2 ms.
enum TelephoneBand {
    static let ratio = 6
    static let tapCount = 192
    static let tapsPerPhase = tapCount / ratio

    private static let cutoff = 3_780.0 / 48_000
    private static let kaiserBeta = 4.55

    /// Tap `index` of the prototype, whose taps sum to 1.
    static func taps() -> FixedBuffer<Float> {
        var taps = FixedBuffer<Float>(repeating: 0, count: tapCount)
        var sum = 0.0
        for index in 0..<tapCount { sum += tap(index) }
        for index in 0..<tapCount { taps[index] = Float(tap(index) / sum) }
        return taps
    }

    private static func tap(_ index: Int) -> Double {
        let x = Double(index) - Double(tapCount - 1) / 2
        let sinc = AudioMath.sine(turns: cutoff * x) / (Double.pi * x)
        let place = 2 * x / Double(tapCount - 1)
        let window = besselI0(kaiserBeta * max(0, 1 - place * place).squareRoot()) / besselI0(kaiserBeta)
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

/// 8 kHz to 48 kHz: six polyphase branches of 32 taps.
package struct Upsampler: ~Copyable, Sendable {
    private let taps = TelephoneBand.taps()
    /// The last inputs, written twice so that any window of them lies in one piece.
    private var history = FixedBuffer<Float>(repeating: 0, count: 2 * TelephoneBand.tapsPerPhase)
    private var position = 0

    package init() {}

    package mutating func reset() {
        for index in 0..<history.count { history[index] = 0 }
        position = 0
    }

    /// Writes six samples for each of `input`; `output` has to have room for them.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) {
        precondition(output.count >= input.count * TelephoneBand.ratio, "no room for the upsampled signal")
        let length = TelephoneBand.tapsPerPhase
        for index in input.indices {
            position = position == 0 ? length - 1 : position - 1
            let sample = Float(input[index])
            history[position] = sample
            history[position + length] = sample
            // history[position + k] is the input k samples ago.
            let window = history.elements(position..<position + length)
            let coefficients = taps.elements
            for phase in 0..<TelephoneBand.ratio {
                var sum: Float = 0
                for k in 0..<length { sum += window[k] * coefficients[phase + TelephoneBand.ratio * k] }
                let scaled = sum * Float(TelephoneBand.ratio)
                output[index * TelephoneBand.ratio + phase] = Int16(max(-32_768, min(32_767, scaled.rounded())))
            }
        }
    }
}

/// 48 kHz to 8 kHz: the same filter, computed for every sixth sample only.
package struct Downsampler: ~Copyable, Sendable {
    private let taps = TelephoneBand.taps()
    private var history = FixedBuffer<Float>(repeating: 0, count: 2 * TelephoneBand.tapCount)
    private var position = 0

    package init() {}

    package mutating func reset() {
        for index in 0..<history.count { history[index] = 0 }
        position = 0
    }

    /// Writes one sample for each six of `input`, whose count has to be a multiple of six.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) {
        precondition(input.count % TelephoneBand.ratio == 0, "not a multiple of the ratio")
        precondition(output.count >= input.count / TelephoneBand.ratio, "no room for the downsampled signal")
        let length = TelephoneBand.tapCount
        var next = 0
        for index in input.indices {
            position = position == 0 ? length - 1 : position - 1
            let sample = Float(input[index])
            history[position] = sample
            history[position + length] = sample
            guard index % TelephoneBand.ratio == TelephoneBand.ratio - 1 else { continue }
            let window = history.elements(position..<position + length)
            let coefficients = taps.elements
            var sum: Float = 0
            for k in 0..<length { sum += window[k] * coefficients[k] }
            output[next] = Int16(max(-32_768, min(32_767, sum.rounded())))
            next += 1
        }
    }
}
