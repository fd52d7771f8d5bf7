import EngineKit

/// What the loudspeaker played in the last second, found by when the microphone heard: the reference of an echo canceller.
///
/// Sound is played and captured in periods whose times are known to some milliseconds only, while a canceller's filter
/// needs what it compares to stay in step to the sample. So once the two are in step, samples are counted, and times
/// only tell when the step was lost: an overrun, a device that stood still, two cards whose clocks run apart.
struct PlayedSound: ~Copyable {
    /// Samples in a second.
    static let rate = 48_000
    /// By how much the reference is ahead: a filter finds no echo that comes before it, and the times are uncertain.
    static let lead = Duration.milliseconds(10)
    /// By how many samples times may contradict the count more than they usually do, and for how many periods.
    private static let tolerance = 144.0
    private static let patience = 25
    /// Of how many periods the usual error is the mean.
    private static let memory = 64.0
    /// A pause in the playing this long is one: less may be a late thread.
    private static let pause = Duration.milliseconds(60)

    private var samples = FixedBuffer<Int16>(repeating: 0, count: rate)
    /// Samples played since the start.
    private var played = 0
    /// When the next one would be heard; nil before the first.
    private var end: Instant?
    /// The sample that belongs to the next one captured; nil where they are not in step.
    private var next: Int?
    /// By how much times contradict the count usually: the first was no better than another. What the canceller's filter
    /// has learnt by it holds behind a leap, too.
    private var usualError = 0.0
    /// Periods in a row whose times contradicted it more, and the sum of that.
    private var contradictions = (count: 0, sum: 0.0)

    /// Takes what will be heard from `instant` on.
    mutating func append(_ sound: Span<Int16>, heardAt instant: Instant) {
        if let end, instant - end > Self.pause || end - instant > Self.pause { restart() }
        for index in sound.indices {
            samples[played % samples.count] = sound[index]
            played += 1
        }
        end = instant + Self.duration(of: sound.count)
    }

    /// Gives what was played while the microphone heard as many samples from `instant` on; silence where nothing was.
    mutating func read(into sound: inout MutableSpan<Int16>, spokenAt instant: Instant) {
        guard let first = place(of: instant) else {
            for index in sound.indices { sound[index] = 0 }
            return
        }
        for index in sound.indices {
            let place = first + index
            let isKept = place < played && place >= max(0, played - samples.count)
            sound[index] = isKept ? samples[place % samples.count] : 0
        }
        next = first + sound.count
    }

    private mutating func place(of instant: Instant) -> Int? {
        guard let end else { return nil }
        let ideal = played - Self.count(in: end - instant) + Self.count(in: Self.lead)
        guard let next else {
            (usualError, contradictions) = (0, (0, 0))
            return ideal
        }
        let error = Double(ideal - next)
        guard abs(error - usualError) > Self.tolerance else {
            contradictions = (0, 0)
            usualError += (error - usualError) / Self.memory
            return next
        }
        contradictions = (contradictions.count + 1, contradictions.sum + error)
        guard contradictions.count >= Self.patience else { return next }
        let lost = contradictions.sum / Double(contradictions.count) - usualError
        contradictions = (0, 0)
        return next + Int(lost.rounded())
    }

    /// What was played is over, and of no use to what follows.
    private mutating func restart() {
        for index in 0..<samples.count { samples[index] = 0 }
        next = nil
    }

    private static func duration(of count: Int) -> Duration { .nanoseconds(Int64(count) * 1_000_000_000 / Int64(rate)) }

    private static func count(in duration: Duration) -> Int {
        // Beyond what is kept all is the same.
        let bounded = min(max(duration, .seconds(-10)), .seconds(10))
        return Int(bounded.saturatedNanoseconds * Int64(rate) / 1_000_000_000)
    }
}
