import EngineKit
import Glibc
import Testing
import VoiceProcessing

@testable import MediaRuntime

/// A phone whose microphone stands in its loudspeaker, and what comes back of what its peer says.
@Suite(.serialized, .onceTheMachineKeepsTime) struct EchoTests {
    /// Says noise in syllables, for some seconds, or until it comes back quieter than was wanted.
    ///
    /// - Returns: how much quieter it comes back in the best second, in dB: a busy machine lets a card run dry, behind which
    ///   the echo has to be found anew.
    private func echoLoss(_ voice: VoiceFeatures, within seconds: Int, wanted: Double) async throws -> Double {
        let cards = (try #require(VirtualCard("f")), try #require(VirtualCard("g")))
        let echoing = try Phone(
            input: .alsa(cards.0.echoingName), output: .alsa(cards.0.echoingName), voice: voice, seed: 31)
        let speaker = try Phone(input: .alsa(cards.1.name), output: .alsa(cards.1.name), seed: 32)
        try echoing.call(speaker)
        try speaker.call(echoing)
        #expect(await speaker.wait { if case .media(.firstPacketPlayed) = $0.event { true } else { false } })
        var random = RandomSource(seed: 33)
        let noise = (0..<seconds * 48_000).map { index in
            Int16.random(in: -4_000...4_000, using: &random) / (index / 9_600 % 3 == 2 ? 40 : 1)
        }
        // The line holds little more than five seconds: what is said is put there as it is needed, and taken as it comes.
        let start = VirtualCard.sample(at: MonotonicClock.now.nanoseconds) + 14_400
        var best = -Double.infinity
        for second in 0..<seconds where best < wanted {
            let said = Array(noise[second * 48_000..<(second + 1) * 48_000])
            VirtualCard.put(said, on: cards.1.microphone, from: start + second * 48_000)
            // To the second by the card's time: pauses that are too long must not add up.
            let ahead = start - 14_400 + (second + 1) * 48_000 - VirtualCard.sample(at: MonotonicClock.now.nanoseconds)
            await pause(.microseconds(max(ahead, 0) * 125 / 6))
            guard second > 0 else { continue }
            // The second before has come back by now: the way is shorter than the head start.
            let heard = VirtualCard.take(48_000, from: cards.1.loudspeaker, at: start + (second - 1) * 48_000)
            best = max(best, level(noise[(second - 1) * 48_000..<second * 48_000]) - level(heard))
        }
        return best
    }

    private func level(_ samples: some Collection<Int16>) -> Double {
        10 * log10(samples.reduce(1) { $0 + Double($1) * Double($1) } / Double(samples.count))
    }

    @Test func comesBackWithoutCancellation() async throws {
        let loss = try await echoLoss([], within: 10, wanted: 6)
        #expect(loss < 6, "\(loss) dB")
    }

    @Test func isTakenOut() async throws {
        let loss = try await echoLoss(.echoCancellation, within: 40, wanted: 30)
        print("echo comes back \(loss) dB quieter")
        #expect(loss > 30, "\(loss) dB")
    }
}
