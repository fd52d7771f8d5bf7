import AudioCodecs
import EngineKit
import RTPMedia
import Testing

struct TimeStretchTests {
    /// A voice at a pitch, from a sample on.
    private func voice(_ pitch: Double, from first: Int, count: Int, level: Double = 6_000) -> [Int16] {
        (first..<first + count).map { index in
            let phase = pitch * Double(index) / 48_000
            let sum = (1...8).reduce(0.0) { $0 + AudioMath.sine(turns: phase * Double($1) + 0.1) / Double($1) }
            return AudioMath.sample(level * sum)
        }
    }

    private func noise(_ count: Int, level: Int, seed: UInt64) -> [Int16] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in Int16(Int.random(in: -level...level, using: &random)) }
    }

    private func largestStep(_ samples: some Collection<Int16>) -> Int {
        zip(samples, samples.dropFirst()).map { abs(Int($1) - Int($0)) }.max() ?? 0
    }

    private func shrunk(_ samples: [Int16], atMost limit: Int, urgency: TimeStretch.Urgency = .none) -> [Int16] {
        let stretch = FixedStretch()
        return stretch.shrink(samples, atMost: limit, urgency: urgency)
    }

    @Test(arguments: [75.0, 110, 160, 220, 380])
    func aVoiceBecomesShorterByWholePeriodsAndKeepsItsForm(pitch: Double) {
        let said = voice(pitch, from: 0, count: 1_920)
        let heard = shrunk(said, atMost: TimeStretch.longestPeriod)
        let cut = said.count - heard.count
        let period = 48_000 / pitch
        let periods = (Double(cut) / period).rounded()
        #expect(periods >= 1 && abs(Double(cut) - periods * period) <= 2, "\(cut) samples at \(pitch) Hz")
        #expect(largestStep(heard) <= largestStep(said) * 11 / 10)
        // What is left is the same voice, without what was cut out.
        let expected = voice(pitch, from: cut, count: heard.count)
        #expect(zip(heard, expected).allSatisfy { abs(Int($0) - Int($1)) < 900 })
    }

    @Test(arguments: [75.0, 110, 160, 220, 380])
    func aVoiceBecomesLongerByWholePeriodsAndGoesOnFromWhatWasPlayed(pitch: Double) {
        let before = voice(pitch, from: 0, count: 1_920)
        let said = voice(pitch, from: 1_920, count: 960)
        let heard = FixedStretch(played: before).extend(said, atMost: TimeStretch.longestPeriod)
        let added = heard.count - said.count
        let period = 48_000 / pitch
        let periods = (Double(added) / period).rounded()
        #expect(periods >= 1 && abs(Double(added) - periods * period) <= 2, "\(added) samples at \(pitch) Hz")
        #expect(largestStep(before + heard) <= largestStep(before + said) * 11 / 10)
        #expect(heard.suffix(said.count - TimeStretch.seam).elementsEqual(said.suffix(said.count - TimeStretch.seam)))
    }

    @Test func whatDoesNotRepeatItselfIsLeftAlone() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let said = noise(1_920, level: 8_000, seed: seed)
            #expect(shrunk(said, atMost: 720) == said)
            let heard = FixedStretch(played: noise(1_920, level: 8_000, seed: seed + 100)).extend(said, atMost: 720)
            #expect(heard == said)
        }
    }

    @Test func whatNobodyHearsIsCutWhereverItIs() {
        for samples in [[Int16](repeating: 0, count: 1_920), noise(1_920, level: 20, seed: 3)] {
            #expect(shrunk(samples, atMost: 720).count < samples.count)
            #expect(FixedStretch(played: samples).extend(samples, atMost: 720).count > samples.count)
        }
    }

    @Test func noMoreIsCutOutOrPutInThanWasAskedForAndThereIs() {
        var random = RandomSource(seed: 9)
        for _ in 0..<500 {
            let count = Int.random(in: 0...2_400, using: &random)
            let limit = Int.random(in: -10...1_000, using: &random)
            let said = voice(Double.random(in: 60...420, using: &random), from: 0, count: count)
            let shorter = shrunk(said, atMost: limit, urgency: .high).count
            #expect((max(0, count - max(0, limit))...count).contains(shorter))
            let longer = FixedStretch(played: said).extend(said, atMost: limit, urgency: .high).count
            #expect((count...count + max(0, limit)).contains(longer))
        }
    }
}

/// One use of a `TimeStretch`, over arrays.
private struct FixedStretch {
    var played: [Int16] = []

    func shrink(_ samples: [Int16], atMost limit: Int, urgency: TimeStretch.Urgency) -> [Int16] {
        change(samples) { stretch, memory in
            stretch.shrink(memory, count: samples.count, atMost: limit, urgency: urgency)
        }
    }

    func extend(_ samples: [Int16], atMost limit: Int, urgency: TimeStretch.Urgency = .none) -> [Int16] {
        change(samples) { stretch, memory in
            stretch.extend(memory, count: samples.count, atMost: limit, urgency: urgency)
        }
    }

    private func change(
        _ samples: [Int16], _ body: (inout TimeStretch, UnsafeMutableBufferPointer<Int16>) -> Int
    ) -> [Int16] {
        var stretch = TimeStretch()
        var before = played
        before.withUnsafeMutableBufferPointer { stretch.remember($0) }
        var memory = samples + [Int16](repeating: 0, count: 5_760)
        let count = memory.withUnsafeMutableBufferPointer { body(&stretch, $0) }
        return Array(memory[..<count])
    }
}
