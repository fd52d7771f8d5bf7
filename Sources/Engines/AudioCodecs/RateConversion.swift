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

    /// As many as there are branches, or the next more that a vector has.
    var lanes: Int { self == .narrow ? 8 : 4 }

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
    /// The branches side by side, one a lane: what is multiplied with the input k samples ago is at k. Scaled so that the
    /// level stays.
    private let taps: FixedBuffer<Float>
    /// The last inputs, written twice so that any window of them lies in one piece.
    private let history: FixedBuffer<Float>
    private var position = 0

    package init(_ band: SpeechBand = .narrow) {
        self.band = band
        let prototype = band.taps()
        let lanes = band.lanes
        var taps = FixedBuffer<Float>(repeating: 0, count: band.tapsPerPhase * lanes)
        for index in 0..<prototype.count {
            taps[index / band.ratio * lanes + index % band.ratio] = prototype[index] * Float(band.ratio)
        }
        self.taps = taps
        history = FixedBuffer(repeating: 0, count: 2 * band.tapsPerPhase)
    }

    package mutating func reset() {
        history.elements.update(repeating: 0)
        position = 0
    }

    /// Writes `ratio` samples for each of `input`; `output` has to have room for them.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) {
        precondition(output.count >= input.count * band.ratio, "no room for the upsampled signal")
        switch band {
        case .narrow: process(input, into: &output, lanes: SIMD8<Float>.self)
        case .wide: process(input, into: &output, lanes: SIMD4<Float>.self)
        }
    }

    @inline(__always)
    private mutating func process<Lanes: SIMD<Float>>(
        _ input: Span<Int16>, into output: inout MutableSpan<Int16>, lanes: Lanes.Type
    ) {
        let (ratio, length) = (band.ratio, band.tapsPerPhase)
        let (history, taps) = (history.elements, UnsafeRawBufferPointer(taps.elements))
        for index in input.indices {
            position = position == 0 ? length - 1 : position - 1
            let sample = Float(input[index])
            history[position] = sample
            history[position + length] = sample
            var sum = Lanes.zero
            for k in 0..<length {
                // history[position + k] is the input k samples ago.
                let branch = taps.loadUnaligned(fromByteOffset: k * MemoryLayout<Lanes>.stride, as: Lanes.self)
                sum += branch * history[position + k]
            }
            for phase in 0..<ratio { output[index * ratio + phase] = Int16(nearest: sum[phase]) }
        }
    }
}

/// 48 kHz to a band's rate: the same filter, computed only for the samples that stay.
package struct Downsampler: ~Copyable, Sendable {
    private typealias Lanes = SIMD8<Float>

    private let band: SpeechBand
    private let taps: FixedBuffer<Float>
    private let history = FixedBuffer<Float>(repeating: 0, count: 2 * SpeechBand.tapCount)
    private var position = 0

    package init(_ band: SpeechBand = .narrow) {
        self.band = band
        taps = band.taps()
    }

    package mutating func reset() {
        history.elements.update(repeating: 0)
        position = 0
    }

    /// Writes one sample for each `ratio` of `input`, whose count has to be a multiple of that.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) {
        let (ratio, length) = (band.ratio, SpeechBand.tapCount)
        precondition(input.count % ratio == 0, "not a multiple of the ratio")
        precondition(output.count >= input.count / ratio, "no room for the downsampled signal")
        let (history, taps) = (history.elements, UnsafeRawBufferPointer(taps.elements))
        for next in 0..<input.count / ratio {
            for index in next * ratio..<(next + 1) * ratio {
                position = position == 0 ? length - 1 : position - 1
                let sample = Float(input[index])
                history[position] = sample
                history[position + length] = sample
            }
            let window = UnsafeRawBufferPointer(history)
            var sum = Lanes.zero
            for k in stride(from: 0, to: length, by: Lanes.scalarCount) {
                let samples = window.loadUnaligned(fromByteOffset: (position + k) * 4, as: Lanes.self)
                sum += samples * taps.loadUnaligned(fromByteOffset: k * 4, as: Lanes.self)
            }
            output[next] = Int16(nearest: sum.sum())
        }
    }
}

extension Int16 {
    /// The nearest sample; what is louder than full scale is full scale.
    @inline(__always)
    fileprivate init(nearest value: Float) {
        let limited = Swift.max(-32_768, Swift.min(32_767, value))
        self = Int16(truncatingIfNeeded: Int32(limited + (limited < 0 ? -0.5 : 0.5)))
    }
}
