import AudioCodecs
import EngineKit
import MediaRuntime
import RTPMedia

/// What one phone of the loopback test says to the other: a pause, a chirp that shows when, and a tone that shows who,
/// how loud and whether without a gap.
struct LoopbackSignal: Equatable, Sendable {
    /// Hertz.
    var tone: Double
    /// dBFS of tone and chirp, a full-scale sine being 0.
    var level = -12.0

    private static let pause = AudioCodec.sampleRate / 4
    /// Where the chirp begins.
    static let chirpStart = pause
    /// Where the tone begins.
    static let toneStart = pause + Chirp.length + pause
    static let toneLength = 3 * AudioCodec.sampleRate
    static let length = toneStart + toneLength

    /// 48 kHz mono.
    var samples: [Int16] {
        let silence = [Int16](repeating: 0, count: Self.pause)
        var generator = ToneGenerator(.sine(tone, level: level))
        var sine = [Int16](repeating: 0, count: Self.toneLength)
        var span = sine.mutableSpan
        generator.fill(&span)
        return silence + Chirp.samples(level: level) + silence + sine
    }
}

/// What the other phone heard of a signal.
struct LoopbackHearing: Equatable, Sendable {
    /// Mouth to ear, by the chirp's place; nil where it was not found.
    var latency: Duration?
    /// How many windows of 100 ms of the tone were expected, and how many held it.
    var windows: Int
    var windowsWithTone: Int
    /// The tone's mean level in dBFS.
    var level: Double
    /// Windows with the tone of the other direction.
    var windowsWithForeignTone: Int

    /// - Parameters:
    ///   - samples: what came out at the loudspeaker since the signal began.
    ///   - latency: of a chirp that was found at an offset in `samples`.
    init(
        _ signal: LoopbackSignal, in samples: [Int16], foreign: Double, latency: (Chirp.Match) -> Duration?
    ) {
        let match = Chirp.locate(in: Array(samples.prefix(2 * AudioCodec.sampleRate)))
        self.latency = match.flatMap(latency)
        // Without a chirp the tone is looked for where it would come with the usual delay.
        let shift = match.map { Int($0.offset) - LoopbackSignal.chirpStart } ?? AudioCodec.sampleRate / 10
        // The edges of the tone are left out: codecs smear them.
        let edge = AudioCodec.sampleRate / 20
        let start = max(0, min(samples.count, LoopbackSignal.toneStart + shift + edge))
        let end = max(start, min(samples.count, LoopbackSignal.toneStart + shift + LoopbackSignal.toneLength - edge))
        var wanted = ToneDetector(frequency: signal.tone)
        var other = ToneDetector(frequency: foreign)
        let stretch = Array(samples[start..<end])
        wanted.receive(stretch.span)
        other.receive(stretch.span)
        windows = (LoopbackSignal.toneLength - 2 * edge) / ToneDetector.window
        windowsWithTone = wanted.windowsWithTone
        level = wanted.level
        windowsWithForeignTone = other.windowsWithTone
    }
}
