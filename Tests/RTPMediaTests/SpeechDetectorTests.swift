import AudioCodecs
import EngineKit
import RTPMedia
import Testing

/// What is no speech, and what is nearly.
@Suite struct SpeechDetectorTests {
    private func isSpeech(_ samples: [Int16]) -> Bool {
        var detector = SpeechDetector()
        detector.receive(samples.span)
        return detector.isFound
    }

    private func samples(_ tone: Tone, seconds: Int = 6) -> [Int16] {
        var generator = ToneGenerator(tone)
        var samples = [Int16](repeating: 0, count: seconds * AudioCodec.sampleRate)
        var span = samples.mutableSpan
        generator.fill(&span)
        return samples
    }

    /// A pulse train whose pitch moves around 120 Hz, in syllables that swell and fade four times a second.
    private func voice(level: Double, gliding: Double = 0.15, swelling: Bool = true, seconds: Int = 4) -> [Int16] {
        var phase = 0.0
        let amplitude = 32_767 * AudioMath.amplitude(decibels: level)
        return (0..<seconds * AudioCodec.sampleRate).map { index in
            let time = Double(index) / Double(AudioCodec.sampleRate)
            phase += 120 * (1 + gliding * AudioMath.sine(turns: 1.3 * time)) / Double(AudioCodec.sampleRate)
            let sound = (1...12).reduce(0.0) { $0 + AudioMath.sine(turns: phase * Double($1)) / Double($1) }
            let swell = swelling ? (1 + AudioMath.sine(turns: 4 * time)) / 2 : 1
            return AudioMath.sample(amplitude * swell * sound)
        }
    }

    @Test(arguments: [-32.0, -20, -6]) func aVoiceGlidesAndSwells(level: Double) {
        let (voice, flat, steady) = (
            isSpeech(voice(level: level)), isSpeech(voice(level: level, gliding: 0)),
            isSpeech(voice(level: level, swelling: false))
        )
        #expect(voice && !flat && !steady)
    }

    @Test func tonesAndNoiseAreNoSpeech() {
        for tone in [
            Tone.ringback, .ring, .busy, .callWaiting, .sine(200, level: -12), .sine(1_000, level: -12),
            Tone(.init(350, 440, level: -12)), Tone(.init(100, 200, level: -12)),
        ] {
            #expect(!isSpeech(samples(tone)))
        }
        var digits: [Int16] = []
        for digit in "123A456B789C*0#D".compactMap({ DTMFDigit($0) }) {
            digits += samples(.dtmf(digit, duration: .milliseconds(100)), seconds: 1)[..<9_600]
        }
        #expect(!isSpeech(digits))
        var random = RandomSource(seed: 3)
        #expect(!isSpeech((0..<240_000).map { _ in Int16(truncatingIfNeeded: random.next()) / 8 }))
        // Noise that swells as speech does.
        #expect(
            !isSpeech(
                (0..<240_000).map { index in
                    let swell = 1 + AudioMath.sine(turns: 4 * Double(index) / 48_000)
                    return AudioMath.sample(Double(Int16(truncatingIfNeeded: random.next())) / 8 * swell)
                }))
        #expect(!isSpeech([Int16](repeating: 0, count: 240_000)))
        #expect(!isSpeech([Int16](repeating: .min, count: 240_000)))
    }

    @Test func whatIsTooQuietIsNotHeard() {
        #expect(!isSpeech(voice(level: -70)))
    }
}
