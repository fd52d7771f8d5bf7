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
        samples.withUnsafeBufferPointer { samples in
            var start = 0
            while start < samples.count {
                let end = min(start + Self.window - count, samples.count)
                take(UnsafeBufferPointer(rebasing: samples[start..<end]))
                start = end
                if count == Self.window { finishWindow() }
            }
        }
    }

    /// No more than the window still wants, so that the loop need not look for its end and can take many at a time.
    private mutating func take(_ samples: UnsafeBufferPointer<Int16>) {
        var squares: Int64 = 0
        var (lowest, highest): (Int16, Int16) = (0, 0)
        for sample in samples {
            squares &+= Int64(Int32(sample) &* Int32(sample))
            lowest = min(lowest, sample)
            highest = max(highest, sample)
        }
        sum += squares
        peak = max(peak, Int(highest), -Int(lowest))
        count += samples.count
    }

    private mutating func finishWindow() {
        let meanSquare = Double(sum) / Double(count)
        let rms = (2 * meanSquare).squareRoot() / 32768
        level = max(Self.floor, AudioMath.decibels(amplitude: rms))
        peakLevel = max(Self.floor, AudioMath.decibels(amplitude: Double(peak) / 32768))
        (sum, count, peak) = (0, 0, 0)
    }
}
