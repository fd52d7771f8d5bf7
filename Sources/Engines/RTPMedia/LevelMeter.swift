import AudioCodecs

/// The RMS level of a stream over its last 100 ms, for meters and statistics.
package struct LevelMeter: Sendable {
    /// What digital silence reads, dBFS: half a bit of 16.
    package static let floor = -96.0

    private static let window = AudioCodec.sampleRate / 10

    private var sum: Int64 = 0
    private var count = 0
    private var peak: Int = 0

    /// dBFS as AES17 counts: the RMS of a full-scale sine is 0. The last whole 100 ms.
    package private(set) var level = LevelMeter.floor
    /// The largest sample of the last whole 100 ms, dBFS.
    package private(set) var peakLevel = LevelMeter.floor

    package init() {}

    package mutating func measure(_ samples: Span<Int16>) {
        for index in samples.indices {
            let sample = Int(samples[index])
            sum += Int64(sample * sample)
            peak = max(peak, abs(sample))
            count += 1
            if count == Self.window { finishWindow() }
        }
    }

    private mutating func finishWindow() {
        let meanSquare = Double(sum) / Double(count)
        let rms = (2 * meanSquare).squareRoot() / 32768
        level = max(Self.floor, AudioMath.decibels(amplitude: rms))
        peakLevel = max(Self.floor, AudioMath.decibels(amplitude: Double(peak) / 32768))
        (sum, count, peak) = (0, 0, 0)
    }
}
