import EngineKit

/// Makes speech shorter or longer by one period of it at a time, by waveform similarity (WSOLA): what is cut out or put
/// in begins and ends where the waveform repeats itself, and a cross-fade closes the seam. Pitch and timbre stay.
///
/// 16-bit mono at 48 kHz. Speech that does not repeat itself, a consonant or an onset, is left alone until there is
/// something better to change.
package struct TimeStretch: ~Copyable, Sendable {
    /// 2.5 ms to 15 ms: 400 Hz to 67 Hz.
    package static let shortestPeriod = 120
    package static let longestPeriod = 720
    /// The length of the seam, over which similarity is asked for: 5 ms.
    package static let seam = 240

    /// How far off the delay is: a seam that may be heard becomes the smaller evil.
    package enum Urgency: Sendable {
        case none, high
        /// Whatever is least unlike is joined, as music and noise have no period.
        case highest

        /// How alike two pieces are that may be joined: 1 is the same form, whatever the level.
        fileprivate var likeness: Double {
            switch self {
            case .none: 0.85
            case .high: 0.5
            case .highest: -1
            }
        }
    }
    /// Mean square below which nobody hears a seam: 60 dB under full scale.
    private static let silence = 1_000.0
    /// The coarse search looks at every fourth sample and lag.
    private static let stride = 4

    /// What was played last, the newest at the end.
    private var history = FixedBuffer<Int16>(repeating: 0, count: Self.longestPeriod + Self.seam)
    private var kept = FixedBuffer<Int16>(repeating: 0, count: Self.seam)

    package init() {}

    package mutating func reset() {
        for index in 0..<history.count { history[index] = 0 }
    }

    /// Takes note of what is played.
    package mutating func remember(_ samples: UnsafeMutableBufferPointer<Int16>) {
        history.push(UnsafeBufferPointer(samples))
    }

    /// Cuts a period of at most `limit` samples out of the first `count`, where one can be cut out unheard.
    ///
    /// - Returns: how many samples are left.
    package mutating func shrink(
        _ samples: UnsafeMutableBufferPointer<Int16>, count: Int, atMost limit: Int, urgency: Urgency
    ) -> Int {
        let longest = min(Self.longestPeriod, limit, count - Self.seam)
        guard longest >= Self.shortestPeriod else { return count }
        let first = UnsafeMutableBufferPointer(rebasing: samples[..<count])
        guard
            let period = Self.period(
                of: first, at: 0, in: first, from: Self.shortestPeriod, through: longest, urgency: urgency)
        else { return count }
        for index in 0..<Self.seam {
            samples[index] = Waveform.blend(samples[index], samples[index + period], at: index, of: Self.seam)
        }
        for index in Self.seam..<count - period { samples[index] = samples[index + period] }
        return count - period
    }

    /// Puts a period of at most `limit` samples before the first `count`, which go on from what was played last.
    /// There has to be room for them behind.
    ///
    /// - Returns: how many samples there are now.
    package mutating func extend(
        _ samples: UnsafeMutableBufferPointer<Int16>, count: Int, atMost limit: Int, urgency: Urgency
    ) -> Int {
        let longest = min(Self.longestPeriod, limit, samples.count - count)
        guard longest >= Self.shortestPeriod, count >= Self.seam else { return count }
        let past = history.elements
        // A period ago, and the seam from there on: before now, as the shortest period may be shorter than the seam.
        let least = max(Self.shortestPeriod, Self.seam)
        guard longest >= least,
            let period = Self.period(
                of: UnsafeMutableBufferPointer(rebasing: samples[..<Self.seam]), at: past.count, in: past,
                from: -longest, through: -least, urgency: urgency)
        else { return count }
        let start = past.count + period
        for index in 0..<Self.seam { kept[index] = samples[index] }
        var index = count - 1
        while index >= 0 {
            samples[index - period] = samples[index]
            index -= 1
        }
        for index in 0..<Self.seam {
            samples[index] = Waveform.blend(kept[index], past[start + index], at: index, of: Self.seam)
        }
        for index in Self.seam..<max(Self.seam, -period) { samples[index] = past[start + index] }
        return count - period
    }

    /// The lag, of those asked for, at which `other` from `origin` on is most like the seam's length of `piece`; nil
    /// where it is not like enough.
    private static func period(
        of piece: UnsafeMutableBufferPointer<Int16>, at origin: Int, in other: UnsafeMutableBufferPointer<Int16>,
        from first: Int, through last: Int, urgency: Urgency
    ) -> Int? {
        var best = (lag: first, likeness: -Double.infinity)
        for lag in Swift.stride(from: first, through: last, by: stride) {
            let likeness = Waveform.likeness(of: piece, at: 0, and: other, at: origin + lag, count: seam, by: stride)
            if likeness > best.likeness { best = (lag, likeness) }
        }
        for lag in max(first, best.lag - stride + 1)...min(last, best.lag + stride - 1) {
            let likeness = Waveform.likeness(of: piece, at: 0, and: other, at: origin + lag, count: seam, by: 1)
            if likeness > best.likeness || lag == best.lag { best = (lag, likeness) }
        }
        let isQuiet = energy(piece, at: 0) < silence && energy(other, at: origin + best.lag) < silence
        return isQuiet || best.likeness >= urgency.likeness ? best.lag : nil
    }

    private static func energy(_ samples: UnsafeMutableBufferPointer<Int16>, at start: Int) -> Double {
        var sum = 0.0
        for index in 0..<seam { sum += Double(samples[start + index]) * Double(samples[start + index]) }
        return sum / Double(seam)
    }
}
