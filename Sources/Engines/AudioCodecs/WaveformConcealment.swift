import EngineKit

/// Makes up lost speech of one band by repeating the last pitch period, after ITU-T G.711 Appendix I.
///
/// The first 10 ms repeat at full level, then the level falls by a fifth every 10 ms to silence at 60 ms. Unlike the
/// appendix it adds no delay of its own: the seam to the last good sample is closed by fading out the step there.
package struct WaveformConcealment: ~Copyable, Sendable {
    /// 5 ms, 200 Hz.
    private var shortestPitch: Int { rate * 5 }
    /// 15 ms, 66 Hz.
    private var longestPitch: Int { rate * 15 }
    /// Samples in a millisecond.
    private let rate: Int
    private let historyCount: Int  // 48.75 ms
    private let matchCount: Int  // 20 ms
    private let fullLevelCount: Int  // 10 ms
    private let fadeCount: Int  // 50 ms

    /// The last samples that were heard, the newest last.
    private var history: FixedBuffer<Int16>
    /// One pitch period that can be repeated without a seam.
    private var period: FixedBuffer<Int16>
    private var pitch = 0
    private var phase = 0
    /// Samples concealed since the last good one; 0 while all is well.
    private var concealedCount = 0
    private var step = 0

    package init(_ band: SpeechBand = .narrow) {
        rate = band.samplesPerMillisecond
        historyCount = rate * 195 / 4
        matchCount = rate * 20
        fullLevelCount = rate * 10
        fadeCount = rate * 50
        history = FixedBuffer(repeating: 0, count: historyCount)
        period = FixedBuffer(repeating: 0, count: rate * 15)
    }

    package mutating func reset() {
        for index in 0..<history.count { history[index] = 0 }
        concealedCount = 0
    }

    /// Takes a good frame; after a gap its begin is blended with the continued concealment.
    package mutating func receive(_ frame: inout MutableSpan<Int16>) {
        if concealedCount > 0 {
            // Appendix I.2.7: a quarter period, and 4 ms more for each 10 ms that were lost, at most 10 ms.
            let gaps = (concealedCount + 10 * rate - 1) / (10 * rate)
            let overlap = min(frame.count, min(10 * rate, pitch / 4 + 4 * rate * (gaps - 1)))
            for index in 0..<overlap {
                let weight = Double(index + 1) / Double(overlap + 1)
                let blended = Double(frame[index]) * weight + Double(nextConcealed()) * (1 - weight)
                frame[index] = AudioMath.sample(blended)
            }
            concealedCount = 0
        }
        remember(frame.span)
    }

    /// Fills `frame` with what might have been said.
    package mutating func conceal(_ frame: inout MutableSpan<Int16>) {
        if concealedCount == 0 { beginGap() }
        for index in frame.indices { frame[index] = nextConcealed() }
        remember(frame.span)
    }

    private mutating func remember(_ frame: Span<Int16>) {
        frame.withUnsafeBufferPointer { history.push($0) }
    }

    /// Finds the pitch of the last 20 ms and cuts out one period whose end runs on into its begin.
    private mutating func beginGap() {
        pitch = pitchOfHistory()
        phase = 0
        let end = historyCount
        let overlap = pitch / 4
        for index in 0..<pitch {
            var sample = Double(history[end - pitch + index])
            let intoOverlap = index - (pitch - overlap)
            if intoOverlap >= 0 {
                let weight = Double(intoOverlap + 1) / Double(overlap + 1)
                sample = sample * (1 - weight) + Double(history[end - 2 * pitch + index]) * weight
            }
            period[index] = AudioMath.sample(sample)
        }
        step = Int(history[end - 1]) - Int(history[end - pitch - 1])
    }

    /// The lag at which the last 20 ms are most like what went before them.
    private func pitchOfHistory() -> Int {
        let start = historyCount - matchCount
        var best = (lag: shortestPitch, likeness: -Double.infinity)
        for lag in shortestPitch...longestPitch {
            var product = 0.0
            var energy = 1.0
            for index in start..<historyCount {
                let earlier = Double(history[index - lag])
                product += Double(history[index]) * earlier
                energy += earlier * earlier
            }
            let likeness = product / energy.squareRoot()
            if likeness > best.likeness { best = (lag, likeness) }
        }
        return best.lag
    }

    private mutating func nextConcealed() -> Int16 {
        let fading = max(0, concealedCount - fullLevelCount)
        guard fading < fadeCount else { return 0 }
        var sample = Double(period[phase])
        let seam = max(1, pitch / 4)
        if concealedCount < seam { sample += Double(step) * (1 - Double(concealedCount + 1) / Double(seam + 1)) }
        phase = phase + 1 == pitch ? 0 : phase + 1
        concealedCount += 1
        return AudioMath.sample(sample * (1 - Double(fading) / Double(fadeCount)))
    }
}
