import AudioCodecs

/// A sweep from 500 to 3000 Hz in 250 ms, which every codec carries, and whose place in a recording can be told to a
/// few microseconds: for measuring latency. Not for the media thread, as it works on arrays.
package enum Chirp {
    package static let length = AudioCodec.sampleRate / 4
    private static let lowest = 500.0
    private static let highest = 3_000.0
    private static let decimation = 6

    /// Where the chirp begins in a recording.
    package struct Match: Equatable, Sendable {
        /// In samples at 48 kHz, with a fraction.
        package var offset: Double
        /// The normalised correlation, 0...1.
        package var likeness: Double
    }

    /// The samples of one chirp; `level` in dBFS.
    package static func samples(level: Double = -6) -> [Int16] {
        let amplitude = 32_767 * AudioMath.amplitude(decibels: level)
        return waveform().map { AudioMath.sample($0 * amplitude) }
    }

    private static func waveform() -> [Double] {
        let rate = Double(AudioCodec.sampleRate)
        let seconds = Double(length) / rate
        return (0..<length).map { index in
            let time = Double(index) / rate
            let turns = lowest * time + (highest - lowest) * time * time / (2 * seconds)
            let window = (1 - AudioMath.cosine(turns: Double(index) / Double(length - 1))) / 2
            return window * AudioMath.sine(turns: turns)
        }
    }

    /// Finds the chirp in `recording`; nil where nothing is at least 0.5 like it.
    package static func locate(in recording: [Int16]) -> Match? {
        guard recording.count >= length else { return nil }
        let signal = recording.map { Double($0) }
        let reference = waveform()
        // Roughly at 8 kHz, then to the sample, then between samples.
        let coarse = likenesses(of: decimated(reference), in: decimated(signal))
        guard let rough = coarse.indices.max(by: { coarse[$0] < coarse[$1] }), coarse[rough] > 0 else { return nil }
        let from = max(0, (rough - 2) * decimation)
        let to = min(signal.count, (rough + 3) * decimation + length)
        let fine = likenesses(of: reference, in: Array(signal[from..<to]))
        guard let best = fine.indices.max(by: { fine[$0] < fine[$1] }), fine[best] >= 0.5 else { return nil }
        return Match(offset: Double(from + best) + vertex(of: fine, at: best), likeness: fine[best])
    }

    /// The highest point of the parabola through a maximum and its neighbours, relative to it.
    private static func vertex(of values: [Double], at index: Int) -> Double {
        guard index > 0, index < values.count - 1 else { return 0 }
        let (left, middle, right) = (values[index - 1], values[index], values[index + 1])
        let curvature = left - 2 * middle + right
        return curvature < 0 ? (left - right) / (2 * curvature) : 0
    }

    private static func decimated(_ signal: [Double]) -> [Double] {
        (0..<signal.count / decimation).map { index in
            signal[index * decimation..<(index + 1) * decimation].reduce(0, +)
        }
    }

    /// The normalised correlation of `reference` with each place of `signal`.
    private static func likenesses(of reference: [Double], in signal: [Double]) -> [Double] {
        guard signal.count >= reference.count, !reference.isEmpty else { return [] }
        let referenceEnergy = reference.reduce(0) { $0 + $1 * $1 }
        return signal.withUnsafeBufferPointer { signal in
            reference.withUnsafeBufferPointer { reference in
                var energy = 0.0
                for index in reference.indices { energy += signal[index] * signal[index] }
                return (0...signal.count - reference.count).map { offset in
                    var product = 0.0
                    for index in reference.indices { product += signal[offset + index] * reference[index] }
                    let scale = (max(energy, 1) * referenceEnergy).squareRoot()
                    if offset + reference.count < signal.count {
                        let (leaving, entering) = (signal[offset], signal[offset + reference.count])
                        energy += entering * entering - leaving * leaving
                    }
                    return product / scale
                }
            }
        }
    }
}
