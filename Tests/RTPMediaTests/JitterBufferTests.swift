import AudioCodecs
import EngineKit
import Proofs
import Testing

@testable import RTPMedia

/// A jitter buffer with G.711 packets of 20 ms, whose playout asks every 20 ms.
private struct Bench: ~Copyable {
    var buffer: JitterBuffer
    /// When the next step is due.
    var position = Instant.zero
    var played: [UInt8] = []
    var steps: [JitterBuffer.Step] = []

    init(target: Int? = 40) {
        buffer = JitterBuffer(target: target.map { .milliseconds($0) })
    }

    /// Packet `index` of a stream that was sent at 20 ms a packet; its first octet is the low byte of `index`.
    mutating func receive(
        _ index: Int, at milliseconds: Double, timestamp: UInt32? = nil, from first: UInt16 = 0
    ) -> JitterBuffer.Insertion {
        let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 160)
        return buffer.insert(
            payload.span, sequence: SequenceNumber(first).advanced(by: index),
            timestamp: timestamp ?? UInt32(truncatingIfNeeded: index * 160), codec: .pcmu,
            at: Instant(nanoseconds: Int64(milliseconds * 1e6)))
    }

    /// Plays all that is due before an instant.
    mutating func play(until milliseconds: Double) {
        let end = Instant(nanoseconds: Int64(milliseconds * 1e6))
        while position < end {
            let step = buffer.next(at: position)
            steps.append(step)
            let samples: Int
            switch step {
            case .play(let slot):
                played.append(buffer.payload(of: slot).bytes[0])
                buffer.played(samples: 960)
                // As speech can be made longer or shorter: by 5 ms in a packet.
                let correction = max(-240, min(240, buffer.correction))
                buffer.stretched(by: correction)
                samples = 960 + correction
            case .absorb: samples = 0
            case .silence(let count): samples = min(count, 960)
            case .recover(_, let count), .conceal(let count), .pause(let count): samples = count
            }
            position += .nanoseconds(Int64(samples) * 1_000_000 / 48)
        }
    }

    var concealed: Int {
        steps.count { if case .conceal = $0 { true } else { false } }
    }
}

struct JitterBufferTests {
    @Test func theFirstPacketPlaysOneTargetAfterItCame() {
        var bench = Bench(target: 40)
        check(bench.receive(0, at: 7.5), .anchored)
        bench.play(until: 7.5 + 39.9)
        let early = bench.played
        bench.play(until: 7.5 + 40.1)
        let late = bench.played
        #expect(early.isEmpty && late == [0])
    }

    @Test func steadyPacketsPlayInOrderWithoutAGap() {
        var bench = Bench()
        for index in 0..<200 {
            bench.play(until: Double(index) * 20)
            check(bench.receive(index, at: Double(index) * 20, from: 65_500), index == 0 ? .anchored : .stored)
        }
        bench.play(until: 4_000)
        let (played, concealed, counters) = (bench.played, bench.concealed, bench.buffer.counters)
        #expect(played == (0..<198).map { UInt8(truncatingIfNeeded: $0) })
        #expect(concealed == 0 && counters == JitterBuffer.Counters())
    }

    @Test(.proves(.row(49)), arguments: [1, 2, 5, 10, 20, 50])
    func reorderingWithinTheBufferPlaysInOrderAndBeyondItIsLate(distance: Int) {
        var bench = Bench(target: 100)
        // Every tenth packet comes `distance` places later.
        var arrivals = (0..<300).map {
            (index: $0, at: Double($0) * 20 + ($0 % 10 == 7 ? Double(distance) * 20 + 1 : 0))
        }
        arrivals.sort { $0.at < $1.at }
        for arrival in arrivals {
            bench.play(until: arrival.at)
            _ = bench.receive(arrival.index, at: arrival.at)
        }
        let (played, counters) = (bench.played, bench.buffer.counters)
        #expect(zip(played, played.dropFirst()).allSatisfy { Int8(bitPattern: $1 &- $0) > 0 })
        #expect(counters.reordered >= 25)
        #expect(distance < 5 ? counters.late == 0 : counters.late >= 24)
        #expect(counters.duplicate == 0 && counters.adjusted == 0)
    }

    @Test(.proves(.row(49)))
    func duplicatesAreCountedAndPlayedOnceAlsoAfterTheirTime() {
        var bench = Bench()
        for index in 0..<50 {
            bench.play(until: Double(index) * 20)
            _ = bench.receive(index, at: Double(index) * 20)
            check(bench.receive(index, at: Double(index) * 20), .duplicate)
            if index > 10 { check(bench.receive(index - 10, at: Double(index) * 20), .duplicate) }
        }
        let (played, counters) = (bench.played, bench.buffer.counters)
        #expect(played == (0..<47).map { UInt8($0) })
        #expect(counters.duplicate == 89 && counters.late == 0)
    }

    @Test(.proves(.row(49)))
    func aBurstOfLossIsConcealedAndTheDelayStays() {
        var bench = Bench()
        for index in 0..<100 where !(40..<50).contains(index) {
            bench.play(until: Double(index) * 20)
            _ = bench.receive(index, at: Double(index) * 20)
        }
        bench.play(until: 2_000)
        let (concealed, counters, delay) = (bench.concealed, bench.buffer.counters, bench.buffer.delay)
        #expect(concealed == 10 && counters.concealedSamples == 9_600)
        #expect(counters.late == 0 && counters.adjusted == 0)
        #expect(abs(delay.milliseconds - 40) < 1)
    }

    @Test(.proves(.row(51), .clause("RFC 3551 §4.1")), arguments: [96_000, 4_000_000, -96_000, 0x7fff_0000] as [Int64])
    func aTimestampJumpAnchorsAtOnceAndTheDelayReturns(jump: Int64) {
        var bench = Bench()
        for index in 0..<150 {
            bench.play(until: Double(index) * 20)
            let offset = index < 75 ? 0 : jump
            _ = bench.receive(
                index, at: Double(index) * 20, timestamp: UInt32(truncatingIfNeeded: Int64(index * 160) + offset))
        }
        bench.play(until: 3_000)
        let (played, delay) = (bench.played, bench.buffer.delay)
        #expect(played.suffix(70) == ArraySlice((78..<148).map { UInt8($0) }))
        #expect(abs(delay.milliseconds - 40) < 1)
    }

    @Test(.proves(.row(51), .clause("RFC 3551 §4.1")))
    func aPauseOfTenSecondsIsSilenceAndNoLoss() {
        var bench = Bench()
        for index in 0..<50 {
            bench.play(until: Double(index) * 20)
            _ = bench.receive(index, at: Double(index) * 20)
        }
        // Numbers go on, timestamps and time jump by ten seconds: discontinuous transmission.
        for index in 50..<100 {
            bench.play(until: Double(index) * 20 + 10_000)
            _ = bench.receive(index, at: Double(index) * 20 + 10_000, timestamp: UInt32(index * 160 + 80_000))
        }
        bench.play(until: 12_000)
        let (played, counters) = (bench.played, bench.buffer.counters)
        #expect(played == (0..<98).map { UInt8($0) })
        #expect(counters.concealedSamples == 0 && counters.late == 0)
    }

    @Test func aSlowerRouteIsFollowedWithinASecondAndAFasterOneToo() {
        for extra in [200.0, -25, 35] {
            var bench = Bench(target: 40)
            for index in 0..<200 {
                let arrival = Double(index) * 20 + 30 + (index < 50 ? 0 : extra)
                bench.play(until: arrival)
                _ = bench.receive(index, at: arrival)
            }
            let (played, delay) = (bench.played, bench.buffer.delay)
            // From one second after the change on, every packet plays, and within the target and less than a frame.
            let missing = Set((105..<195).map { UInt8($0) }).subtracting(played)
            #expect(missing.isEmpty, "\(missing) at \(extra)")
            #expect((29...55).contains(delay.milliseconds), "\(delay.milliseconds) ms at \(extra)")
        }
    }

    @Test func aBurstAfterAGapDoesNotLeaveItsDelayBehind() {
        var bench = Bench()
        for index in 0..<200 {
            // The network stops for one second, then delivers all at once.
            let arrival = (50..<100).contains(index) ? 2_000 : Double(index) * 20
            bench.play(until: arrival)
            _ = bench.receive(index, at: arrival)
        }
        bench.play(until: 4_000)
        let delay = bench.buffer.delay
        #expect(abs(delay.milliseconds - 40) < 11)
    }

    @Test func packetsThatAreNoAudioAreNotMissed() {
        var bench = Bench()
        for index in 0..<100 {
            bench.play(until: Double(index) * 20)
            if (40..<45).contains(index) {
                bench.buffer.passOver(SequenceNumber(UInt16(index)))
            } else {
                _ = bench.receive(index, at: Double(index) * 20)
            }
        }
        let counters = bench.buffer.counters
        #expect(counters.concealedSamples == 0 && counters.late == 0)
    }

    @Test func ticksOfAnyLengthAreATime() {
        // 60 hours of Opus, and as many as there are.
        #expect(JitterBuffer.duration(ticks: 216_000 * 48_000 + 24_000, of: .opus) == .milliseconds(216_000_500))
        #expect(JitterBuffer.duration(ticks: .min, of: .pcmu) < .zero)
        #expect(JitterBuffer.samples(in: .seconds(100 * 365 * 86_400)) == 100 * 365 * 86_400 * 48_000)
    }

    @Test(.proves(.rule(16)))
    func anyOrderOfAnyPacketsEndsInBoundedWork() {
        var random = RandomSource(seed: 5)
        var bench = Bench()
        for step in 0..<20_000 {
            let now = Double(step) * 2
            let index = Int.random(in: 0...70_000, using: &random)
            let timestamp = UInt32.random(in: 0...UInt32.max, using: &random)
            switch step % 5 {
            case 0: bench.buffer.passOver(SequenceNumber(UInt16(truncatingIfNeeded: index)))
            case 1: _ = bench.receive(index, at: now, timestamp: timestamp)
            case 2: _ = bench.receive(step, at: now, timestamp: timestamp % 500_000)
            default: _ = bench.receive(step + index % 60, at: now)
            }
            bench.play(until: now)
        }
        let steps = bench.steps.count
        #expect(steps > 1_000)
    }
}
