import RTPMedia

/// What is to be listened for in a call.
package struct Listening: Hashable, Sendable {
    /// Hz.
    package var tone: Double?
    package var speech: Bool
    /// Any sound, however short.
    package var sound: Bool

    package init(tone: Double? = nil, speech: Bool = false, sound: Bool = false) {
        self.tone = tone
        self.speech = speech
        self.sound = sound
    }
}

/// What was listened for and heard. Levels in dBFS, a full-scale sine being 0.
package enum HeardSound: Equatable, Sendable {
    /// The tone, once.
    case tone(level: Double)
    /// Somebody speaking, once.
    case speech
    /// Something, at most once a second.
    case sound(level: Double)
}

/// Listens to one call, and holds what it heard until it is asked.
struct Listener: ~Copyable {
    /// What is louder than that is a sound; the noise that stands in for silence is not.
    private static let silence = -50.0
    private static let periodsBetweenSounds = 100

    private let listensForSound: Bool
    private var toneDetector: ToneDetector?
    private var hasToldTone = false
    private var speechDetector: SpeechDetector?
    private var hasToldSpeech = false
    private var meter = LevelMeter()
    private var periods = 0
    private var toldSoundAt: Int?

    init(_ listening: Listening) {
        toneDetector = listening.tone.map { ToneDetector(frequency: $0) }
        if listening.speech { speechDetector = SpeechDetector() } else { speechDetector = nil }
        listensForSound = listening.sound
    }

    mutating func hear(_ period: UnsafeMutableBufferPointer<Int16>) {
        let samples = UnsafeBufferPointer(period).span
        toneDetector?.receive(samples)
        speechDetector?.receive(samples)
        if listensForSound { meter.measure(samples) }
        periods &+= 1
    }

    mutating func next() -> HeardSound? {
        if !hasToldTone, let toneDetector, toneDetector.isFound {
            hasToldTone = true
            return .tone(level: toneDetector.level)
        }
        if !hasToldSpeech, speechDetector?.isFound == true {
            hasToldSpeech = true
            return .speech
        }
        guard listensForSound, meter.level > Self.silence,
            toldSoundAt.map({ periods &- $0 >= Self.periodsBetweenSounds }) ?? true
        else { return nil }
        toldSoundAt = periods
        return .sound(level: meter.level)
    }
}
