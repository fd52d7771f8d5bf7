import AudioCodecs
import EngineKit

/// Hears whether somebody speaks. A voice glides in pitch and swells in level from one moment to the next; tones, rings,
/// hum and noise do neither, and music seldom does both.
///
/// It works at 8 kHz in frames of 20 ms, and judges the last 2 s of them every 200 ms.
package struct SpeechDetector: ~Copyable, Sendable {
    private static let frameLength = 160
    private static let capturedLength = 960
    /// The samples that the pitch of a frame is looked for in, and how far back they are compared with themselves: 55 to
    /// 400 Hz.
    private static let windowLength = 320
    private static let lags = 20...145
    private static let historyLength = 3 * frameLength
    /// How alike a voiced frame is to itself one period later.
    private static let leastLikeness: Float = 0.65
    /// By how much a longer period has to be better than a shorter one: every multiple of a period is one, too.
    private static let preference: Float = 0.02
    /// What is quieter is no voice, as mean square: -50 dBFS, a full-scale sine being 0.
    private static let quietest: Float = 0.5e-5

    private static let judgedFrames = 100
    private static let framesBetweenJudgements = 10
    private static let fewestVoiced = 20
    /// The standard deviation of the level of the voiced frames, dB.
    private static let leastSwell = 4.0
    /// By how many samples the period of a voice moves on in 20 ms, and how often it has to.
    private static let glide = 1...6
    private static let leastGliding = 0.6

    /// Not private, as the module that owns a detector frees its buffer of them.
    struct Frame: BitwiseCopyable, Sendable {
        /// Nil: not voiced.
        var period: Int?
        var decibels = 0.0
    }

    private var downsampler = Downsampler(.narrow)
    private var captured = FixedBuffer<Int16>(repeating: 0, count: Self.capturedLength)
    private var capturedCount = 0
    private var narrow = FixedBuffer<Int16>(repeating: 0, count: Self.frameLength)
    /// The last three frames, between -1 and 1.
    private var history = FixedBuffer<Float>(repeating: 0, count: Self.historyLength)
    private var frames = FixedBuffer<Frame>(repeating: Frame(), count: Self.judgedFrames)
    private var frameCount = 0

    /// Somebody spoke.
    package private(set) var isFound = false

    package init() {}

    /// Takes the next samples, at 48 kHz; nothing is looked for any more once speech was found.
    package mutating func receive(_ samples: Span<Int16>) {
        guard !isFound else { return }
        for index in samples.indices {
            captured[capturedCount] = samples[index]
            capturedCount += 1
            guard capturedCount == Self.capturedLength else { continue }
            capturedCount = 0
            takeFrame()
        }
    }

    private mutating func takeFrame() {
        let (input, output) = (captured.elements, narrow.elements)
        var span = output.mutableSpan
        downsampler.process(UnsafeBufferPointer(input).span, into: &span)
        let kept = Self.historyLength - Self.frameLength
        for index in 0..<kept { history[index] = history[index + Self.frameLength] }
        for index in 0..<Self.frameLength { history[kept + index] = Float(output[index]) / 32_768 }
        frames[frameCount % Self.judgedFrames] = measure()
        frameCount += 1
        if frameCount % Self.framesBetweenJudgements == 0 { isFound = isSpeech }
    }

    /// The frame in the middle of the history.
    private func measure() -> Frame {
        let power = product(Self.frameLength, Self.frameLength, Self.frameLength) / Float(Self.frameLength)
        guard power >= Self.quietest else { return Frame() }
        var (best, period): (Float, Int) = (0, 0)
        let energy = product(0, 0, Self.windowLength)
        for lag in Self.lags {
            let other = product(lag, lag, Self.windowLength)
            let likeness = product(0, lag, Self.windowLength) / max((energy * other).squareRoot(), 1e-9)
            if likeness > best + Self.preference { (best, period) = (likeness, lag) }
        }
        guard best >= Self.leastLikeness else { return Frame() }
        return Frame(period: period, decibels: AudioMath.decibels(amplitude: Double(2 * power).squareRoot()))
    }

    /// Of as many samples of the history from one place and from another.
    private func product(_ first: Int, _ second: Int, _ count: Int) -> Float {
        let samples = history.elements
        var sum: Float = 0
        for index in 0..<count { sum += samples[first + index] * samples[second + index] }
        return sum
    }

    private var isSpeech: Bool {
        var (voiced, pairs, gliding) = (0, 0, 0)
        var (sum, squares) = (0.0, 0.0)
        var before: Int?
        for index in max(0, frameCount - Self.judgedFrames)..<frameCount {
            let frame = frames[index % Self.judgedFrames]
            if let period = frame.period {
                voiced += 1
                sum += frame.decibels
                squares += frame.decibels * frame.decibels
                if let before {
                    pairs += 1
                    if Self.glide.contains(abs(period - before)) { gliding += 1 }
                }
            }
            before = frame.period
        }
        guard voiced >= Self.fewestVoiced else { return false }
        let mean = sum / Double(voiced)
        let swell = max(0, squares / Double(voiced) - mean * mean).squareRoot()
        return swell >= Self.leastSwell && Double(gliding) >= Self.leastGliding * Double(pairs)
    }
}
