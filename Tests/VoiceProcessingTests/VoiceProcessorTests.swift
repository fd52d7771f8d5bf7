import EngineKit
import Testing

@testable import VoiceProcessing

/// What the library behind it does to made-up sound in virtual time, through our knowledge of when what was heard.
struct VoiceProcessorTests {
    private static let second = 48_000

    /// A phone whose loudspeaker and microphone share a room. Threads wake up to 2 ms late, so that times are uncertain.
    private struct Desk: ~Copyable {
        var processor: VoiceProcessor
        var random = RandomSource(seed: 3)
        var now = Instant(nanoseconds: 5_000_000_000)
        let room = Room(seed: 4, loss: 6)

        init(_ features: VoiceFeatures) throws {
            processor = try VoiceProcessor(features)
        }

        /// - Parameters:
        ///   - far: what is played.
        ///   - near: what is said meanwhile.
        ///   - stall: at this period both directions stand still for 400 ms, and the card plays 70 ms later from then on.
        /// - Returns: what is sent.
        mutating func run(far: [Double], near: [Double], stall: Int? = nil) -> [Double] {
            let echo = room.reflect(far)
            var sent: [Double] = []
            // Samples from when a period is made until it is heard, and from when sound is heard until it is given.
            var (playback, capture) = (1_440, 720)
            for period in 0..<far.count / 480 {
                if period == stall {
                    now += .milliseconds(400)
                    playback += 3_360
                }
                let woken = now + .nanoseconds(Int64.random(in: 0...2_000_000, using: &random))
                let played = far[period * 480..<period * 480 + 480].map(Self.sample)
                processor.play(played.span, heardAt: woken + Self.duration(playback))
                let heard = (period - 1) * 480 - capture
                var microphone = (heard..<heard + 480).map { place in
                    Self.sample(
                        (near.indices.contains(place) ? near[place] : 0)
                            + (echo.indices.contains(place - playback) ? echo[place - playback] : 0))
                }
                microphone.withUnsafeMutableBufferPointer {
                    processor.process($0, spokenAt: woken - .milliseconds(10) - Self.duration(capture))
                }
                sent += microphone.map(Double.init)
                now += .milliseconds(10)
            }
            return sent
        }

        static func duration(_ samples: Int) -> Duration { .nanoseconds(Int64(samples) * 1_000_000_000 / 48_000) }

        static func sample(_ value: Double) -> Int16 { Int16(max(-32_768, min(32_767, value.rounded()))) }
    }

    private func silence(_ seconds: Int) -> [Double] { [Double](repeating: 0, count: seconds * Self.second) }

    private func level(_ sound: [Double], from first: Int, to last: Int) -> Double {
        Decibels.level(sound[first * Self.second..<last * Self.second])
    }

    @Test func takesTheEchoOutOfASilentRoom() throws {
        var desk = try Desk(.echoCancellation)
        var voice = Voice(seed: 1)
        let far = voice.speak(10 * Self.second, level: -20)
        let sent = desk.run(far: far, near: silence(10))
        let echo = desk.room.reflect(far)
        let loss = [(2, 5), (5, 10)].map { level(echo, from: $0, to: $1) - level(sent, from: $0, to: $1) }
        #expect(loss[0] >= 25, "\(loss) dB")
        #expect(loss[1] >= 45, "\(loss) dB")
    }

    @Test func findsTheEchoAgainBehindAPause() throws {
        var desk = try Desk(.echoCancellation)
        var voice = Voice(seed: 1)
        let far = voice.speak(12 * Self.second, level: -20)
        let sent = desk.run(far: far, near: silence(12), stall: 600)
        let echo = desk.room.reflect(far)
        let loss = [(5, 6), (8, 12)].map { level(echo, from: $0, to: $1) - level(sent, from: $0, to: $1) }
        #expect(loss[0] >= 40 && loss[1] >= 40, "\(loss) dB")
    }

    @Test func leavesWhoSpeaksAlone() throws {
        var desk = try Desk(.echoCancellation)
        var (voice, other) = (Voice(seed: 1), Voice(seed: 2))
        let far = voice.speak(14 * Self.second, level: -20)
        let near = silence(6) + other.speak(8 * Self.second, level: -20)
        let sent = desk.run(far: far, near: near)
        let (said, heard) = (level(near, from: 7, to: 14), level(sent, from: 7, to: 14))
        #expect(abs(said - heard) < 2, "\(said) dBFS became \(heard)")
        #expect(likeness(near, sent) > 0.9)
    }

    /// How much of what is sent behind 7 s is what was said, 0 to 1.
    private func likeness(_ said: [Double], _ sent: [Double]) -> Double {
        let delay = 480 + 720 + VoiceProcessor.blockLength
        var (product, left, right) = (0.0, 0.0, 0.0)
        for index in 7 * Self.second..<14 * Self.second {
            let (a, b) = (said[index - delay], sent[index])
            product += a * b
            left += a * a
            right += b * b
        }
        return product / (left * right).squareRoot()
    }

    @Test func makesEvenNoiseQuieterAndSpeechNot() throws {
        var desk = try Desk(.noiseSuppression)
        var random = RandomSource(seed: 9)
        var voice = Voice(seed: 2)
        let noise = (0..<10 * Self.second).map { _ in Double.random(in: -180...180, using: &random) }
        let speech = silence(5) + voice.speak(5 * Self.second, level: -20)
        let sent = desk.run(far: silence(10), near: zip(noise, speech).map { $0 + $1 })
        let drop = level(noise, from: 3, to: 5) - level(sent, from: 3, to: 5)
        let change = level(sent, from: 6, to: 10) - level(speech, from: 6, to: 10)
        #expect(drop >= 12, "\(drop) dB")
        #expect(abs(change) < 1.5, "\(change) dB")
    }

    @Test(arguments: [-45.0, -35, -20, -10])
    func levelsVoices(level said: Double) throws {
        var desk = try Desk(.gainControl)
        var voice = Voice(seed: 2)
        let near = voice.speak(20 * Self.second, level: said)
        let sent = desk.run(far: silence(20), near: near)
        let heard = level(sent, from: 12, to: 20)
        #expect(heard > -32 && heard < -20)
    }

    /// A silent room is not made to roar.
    @Test func doesNotRaiseNoise() throws {
        var desk = try Desk([.gainControl, .noiseSuppression])
        var random = RandomSource(seed: 9)
        let noise = (0..<10 * Self.second).map { _ in Double.random(in: -60...60, using: &random) }
        let sent = desk.run(far: silence(10), near: noise)
        let change = level(sent, from: 5, to: 10) - level(noise, from: 5, to: 10)
        #expect(change < 0, "\(change) dB")
    }

    @Test func takesWhatIsNotWholeBlocks() throws {
        var processor = try VoiceProcessor([.echoCancellation, .noiseSuppression, .gainControl])
        for count in [0, 1, 239, 241, 479, 481, 1_000] {
            var sound = [Int16](repeating: 1_000, count: count)
            let rest = count % VoiceProcessor.blockLength
            sound.withUnsafeMutableBufferPointer { processor.process($0, spokenAt: .distantFuture) }
            #expect(sound[(count - rest)...].allSatisfy { $0 == 1_000 })
        }
    }
}
