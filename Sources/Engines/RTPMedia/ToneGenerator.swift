import AudioCodecs
import EngineKit

/// What a tone sounds like: up to four pieces of one or two sines each, over and over or once.
package struct Tone: Equatable, Sendable {
    package struct Piece: Equatable, Sendable {
        /// Hz; 0 is no sine.
        package var frequencies: (Double, Double)
        /// dBFS of each sine; a full-scale sine is 0.
        package var level: Double
        /// Nil: for ever.
        package var duration: Duration?

        package init(_ first: Double, _ second: Double = 0, level: Double, duration: Duration? = nil) {
            frequencies = (first, second)
            self.level = level
            self.duration = duration
        }

        package static func pause(_ duration: Duration) -> Piece {
            Piece(0, level: LevelMeter.floor, duration: duration)
        }

        package static func == (left: Piece, right: Piece) -> Bool {
            left.frequencies == right.frequencies && left.level == right.level && left.duration == right.duration
        }
    }

    var pieces = InlineArray<4, Piece?>(repeating: nil)
    var count = 0
    package var repeats: Bool

    /// One piece, without a list of them: also on the media thread.
    init(_ piece: Piece) {
        pieces[0] = piece
        count = 1
        repeats = false
    }

    package init(_ pieces: Piece..., repeats: Bool = false) {
        self.repeats = repeats
        for piece in pieces.prefix(4) {
            self.pieces[count] = piece
            count += 1
        }
    }

    package static func == (left: Tone, right: Tone) -> Bool {
        guard left.count == right.count, left.repeats == right.repeats else { return false }
        for index in 0..<left.count where left.pieces[index] != right.pieces[index] { return false }
        return true
    }

    /// A sine without end.
    package static func sine(_ frequency: Double, level: Double) -> Tone {
        Tone(Piece(frequency, level: level))
    }

    /// A key's pair of frequencies (ITU-T Q.23), -10 dBFS each.
    package static func dtmf(_ digit: DTMFDigit, duration: Duration) -> Tone {
        let (low, high) = digit.frequencies
        return Tone(Piece(low, high, level: -10, duration: duration))
    }

    /// The other side rings: 440 and 480 Hz, 2 s of 6 s.
    package static let ringback = Tone(
        Piece(440, 480, level: -19, duration: .seconds(2)), .pause(.seconds(4)), repeats: true)
    /// This side rings: a double ring of a bright pair, every 3 s.
    package static let ring = Tone(
        Piece(784, 988, level: -12, duration: .milliseconds(400)), .pause(.milliseconds(200)),
        Piece(784, 988, level: -12, duration: .milliseconds(400)), .pause(.seconds(2)), repeats: true)
    /// A second call waits: a short 440 Hz every 10 s.
    package static let callWaiting = Tone(
        Piece(440, level: -16, duration: .milliseconds(300)), .pause(.milliseconds(9_700)), repeats: true)
    /// Busy: 480 and 620 Hz, half a second of each second.
    package static let busy = Tone(
        Piece(480, 620, level: -24, duration: .milliseconds(500)), .pause(.milliseconds(500)), repeats: true)
}

/// Plays a `Tone`: sines of continuous phase, with edges of 5 ms so that nothing clicks.
package struct ToneGenerator: Sendable {
    private static var edge: Int { AudioCodec.sampleRate / 200 }

    private let tone: Tone
    private var index = 0
    /// Samples of the current piece that were played, and how many it has.
    private var position = 0
    private var length = 0
    private var first = Oscillator(frequency: 0)
    private var second = Oscillator(frequency: 0)
    private var amplitude = 0.0
    private var stopsAt: Int?
    /// Nothing more will come.
    package private(set) var isFinished = false

    package init(_ tone: Tone) {
        self.tone = tone
        begin(0)
    }

    private mutating func begin(_ index: Int) {
        guard index < tone.count, let piece = tone.pieces[index] else {
            guard tone.repeats, index > 0 else {
                isFinished = true
                return
            }
            return begin(0)
        }
        self.index = index
        position = 0
        length = piece.duration.map { max(1, JitterBuffer.samples(in: $0)) } ?? .max
        first = Oscillator(frequency: piece.frequencies.0)
        second = Oscillator(frequency: piece.frequencies.1)
        amplitude = piece.frequencies.0 == 0 ? 0 : 32_767 * AudioMath.amplitude(decibels: piece.level)
    }

    /// Ends the tone within 5 ms instead of at once, which would click.
    package mutating func stop() {
        guard !isFinished else { return }
        length = min(length, position + Self.edge)
        stopsAt = length
    }

    /// Writes the next samples; silence after the end.
    package mutating func fill(_ samples: inout MutableSpan<Int16>) {
        for place in samples.indices { samples[place] = next() }
    }

    /// The next sample; silence after the end.
    mutating func next() -> Int16 {
        guard !isFinished else { return 0 }
        let value = (first.next() + second.next()) * amplitude
        let fade = min(1, Double(min(position, length - 1 - position)) / Double(Self.edge))
        position += 1
        if position >= length {
            if stopsAt != nil { isFinished = true } else { begin(index + 1) }
        }
        return AudioMath.sample(value * fade)
    }
}

/// A sine that is turned on by one rotation a sample.
struct Oscillator: Sendable {
    private var sine = 0.0
    private var cosine = 1.0
    private let stepSine: Double
    private let stepCosine: Double

    /// - Parameter frequency: Hz at 48 kHz; 0 is silence.
    init(frequency: Double) {
        let turns = frequency / Double(AudioCodec.sampleRate)
        stepSine = AudioMath.sine(turns: turns)
        stepCosine = AudioMath.cosine(turns: turns)
    }

    mutating func next() -> Double {
        let value = sine
        let turned = sine * stepCosine + cosine * stepSine
        cosine = cosine * stepCosine - sine * stepSine
        sine = turned
        // Holds the length at 1 against rounding, which would otherwise grow over hours.
        let correction = 1.5 - 0.5 * (sine * sine + cosine * cosine)
        sine *= correction
        cosine *= correction
        return value
    }
}
