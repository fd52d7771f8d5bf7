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
    /// By how much times may contradict the count, and for how many periods.
    private static let tolerance = Duration.milliseconds(15)
    private static let patience = 25
    /// A pause in the playing this long is one: less may be a late thread.
    private static let pause = Duration.milliseconds(60)

    private var samples = FixedBuffer<Int16>(repeating: 0, count: rate)
    /// Samples played since the start.
    private var played = 0
    /// When the next one would be heard; nil before the first.
    private var end: Instant?
    /// The sample that belongs to the next one captured; nil where they are not in step.
    private var next: Int?
    /// Periods in a row whose times contradicted the count.
    private var contradictions = 0

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
            contradictions = 0
            return ideal
        }
        contradictions = abs(ideal - next) > Self.count(in: Self.tolerance) ? contradictions + 1 : 0
        guard contradictions >= Self.patience else { return next }
        contradictions = 0
        return ideal
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
