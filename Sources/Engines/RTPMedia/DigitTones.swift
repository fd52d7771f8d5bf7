import EngineKit

/// Puts digits into the sound that is sent, one after another, in the place of what is said meanwhile.
struct DigitTones: Sendable {
    static let capacity = TelephoneEventSender.capacity
    /// As much as ITU-T Q.24 has receivers tell apart, and half as much again.
    private static let shortest = Duration.milliseconds(60)
    private static let longest = Duration.seconds(10)
    private static let pause = Duration.milliseconds(70)

    private var queue = InlineArray<32, (digit: DTMFDigit, duration: Duration)?>(repeating: nil)
    private var first = 0
    private var count = 0
    private var generator: ToneGenerator?
    /// Samples of silence still to come behind the last digit.
    private var silence = 0

    init() {}

    /// Whether nothing is to be sent.
    var isIdle: Bool { count == 0 && silence == 0 }

    /// False where so many wait.
    mutating func append(_ digit: DTMFDigit, duration: Duration) -> Bool {
        guard count < Self.capacity else { return false }
        queue[(first + count) % Self.capacity] = (digit, max(Self.shortest, min(duration, Self.longest)))
        count += 1
        return true
    }

    mutating func removeAll() {
        (count, silence) = (0, 0)
        generator = nil
    }

    /// What was cut off in the middle begins anew: two pieces of a digit would be two digits.
    mutating func restart() { generator = nil }

    /// The next sample, and the digit that is over with it; nil where there is nothing to be sent.
    mutating func next() -> (sample: Int16, over: (digit: DTMFDigit, milliseconds: Int)?)? {
        if silence > 0 {
            silence -= 1
            return (0, nil)
        }
        guard count > 0, let current = queue[first] else { return nil }
        var tone = generator ?? ToneGenerator(.dtmf(current.digit, duration: current.duration))
        let sample = tone.next()
        generator = tone
        guard tone.isFinished else { return (sample, nil) }
        generator = nil
        first = (first + 1) % Self.capacity
        count -= 1
        silence = JitterBuffer.samples(in: Self.pause)
        return (sample, (current.digit, Int(current.duration.milliseconds)))
    }
}
