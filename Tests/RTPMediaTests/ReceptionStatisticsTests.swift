import EngineKit
import Proofs
import RTPMedia
import Testing

struct ReceptionStatisticsTests {
    private func statistics(from first: UInt16, count: Int) -> ReceptionStatistics {
        var statistics = ReceptionStatistics(first: SequenceNumber(first), isBelieved: true)
        for step in 0..<count { _ = statistics.receive(SequenceNumber(first).advanced(by: step)) }
        return statistics
    }

    @Test func sequenceNumbersCompareTheShorterWayAround() {
        #expect(SequenceNumber(65_535).distance(to: SequenceNumber(1)) == 2)
        #expect(SequenceNumber(1).distance(to: SequenceNumber(65_535)) == -2)
        #expect(SequenceNumber(0).distance(to: SequenceNumber(32_768)) == -32_768)
        #expect(SequenceNumber(65_530).advanced(by: 10).rawValue == 4)
        #expect(SequenceNumber(4).advanced(by: -10).rawValue == 65_530)
    }

    @Test(.proves(.row(49), .clause("RFC 3550 §A.1")))
    func aSourceIsBelievedAfterTwoPacketsInSequence() {
        var statistics = ReceptionStatistics(first: SequenceNumber(100), isBelieved: false)
        let outcomes = [100, 105, 106].map { statistics.receive(SequenceNumber($0)) }
        #expect(outcomes == [.onProbation, .onProbation, .valid])
        #expect(statistics.isBelieved && statistics.expected == 1 && statistics.missing == 0)
    }

    @Test(.proves(.row(49), .clause("RFC 3550 §A.1")))
    func wrapsCountAsCycles() {
        let statistics = statistics(from: 65_000, count: 70_000)
        #expect(statistics.extendedMaximum == 65_000 + 69_999)
        #expect(statistics.expected == 70_000 && statistics.missing == 0)
    }

    @Test(.proves(.row(49), .clause("RFC 3550 §A.1")))
    func aJumpIsRefusedOnceAndBelievedWhenItGoesOn() {
        var statistics = statistics(from: 10, count: 20)
        check(statistics.receive(SequenceNumber(5_000)), .outOfRange)
        check(statistics.receive(SequenceNumber(30)), .valid)
        check(statistics.receive(SequenceNumber(5_000)), .outOfRange)
        check(statistics.receive(SequenceNumber(5_001)), .restarted)
        #expect(statistics.expected == 1 && statistics.cumulativeLost == 0)
    }

    @Test(.proves(.row(49), .clause("RFC 3550 §A.1")))
    func reorderingWithinAHundredIsNoLossAndBeyondItIsRefused() {
        var statistics = statistics(from: 1_000, count: 200)
        check(statistics.receive(SequenceNumber(1_101)), .valid)
        check(statistics.receive(SequenceNumber(1_080)), .outOfRange)
    }

    @Test(.proves(.clause("RFC 3550 §A.3")))
    func lossIsExpectedLessReceivedAndAFractionOfTheInterval() {
        var statistics = ReceptionStatistics(first: SequenceNumber(0), isBelieved: true)
        for sequence in 0..<100 where sequence % 4 != 3 || sequence == 99 {
            _ = statistics.receive(SequenceNumber(UInt16(sequence)))
        }
        #expect(statistics.cumulativeLost == 24 && statistics.missing == 24)
        check(statistics.takeFractionLost(), UInt8(24 * 256 / 100))
        check(statistics.takeFractionLost(), 0)
    }

    @Test(.proves(.clause("RFC 3550 §A.3")))
    func duplicatesHideLossInTheReportAndNotInTheStatistics() {
        var statistics = statistics(from: 0, count: 10)
        for _ in 0..<3 {
            _ = statistics.receive(SequenceNumber(9))
            statistics.noteDuplicate()
        }
        _ = statistics.receive(SequenceNumber(12))
        #expect(statistics.cumulativeLost == -1)
        #expect(statistics.missing == 2)
    }

    @Test(.proves(.clause("RFC 3550 §A.8")))
    func jitterOfAlternatingArrivalsConvergesToTheirDifference() {
        var jitter = JitterEstimate()
        for index in 0..<500 as Range<UInt32> {
            jitter.receive(timestamp: index * 160, arrival: index * 160 + (index % 2) * 80)
        }
        #expect(abs(jitter.ticks - 80) < 0.5)
        #expect(jitter.reported == UInt32(jitter.ticks))
    }

    @Test(.proves(.incident(19)))
    func clocksAtTheEndOfTimeDoNotTrap() {
        var jitter = JitterEstimate()
        var random = RandomSource(seed: 1)
        for nanoseconds in [0, 1 << 32, 1 << 48, Int64.max - 1, .max, .min] {
            for rate in [1, 8_000, 48_000, UInt32.max] {
                let ticks = JitterEstimate.ticks(of: Instant(nanoseconds: nanoseconds), rate: rate)
                jitter.receive(timestamp: UInt32.random(in: 0...UInt32.max, using: &random), arrival: ticks)
            }
        }
        #expect(jitter.ticks.isFinite)
        _ = jitter.reported
    }

    @Test(.proves(.rule(16)))
    func bucketLetsTwoAndAHalfTimesThePacketRatePass() {
        #expect(TokenBucket.rate(packetTime: 20) == 125)
        #expect(TokenBucket.rate(packetTime: 10) == 250)
        #expect(TokenBucket.rate(packetTime: 0) == 2_500)
        var bucket = TokenBucket(rate: 125, at: .zero)
        var passed = 0
        for millisecond in 0..<10_000 {
            for _ in 0..<3 where bucket.take(at: Instant(nanoseconds: Int64(millisecond) * 1_000_000)) { passed += 1 }
        }
        #expect((1_300...1_315).contains(passed))
        // A clock that goes back gives nothing.
        let before = bucket.take(at: .zero)
        #expect(!before)
    }
}
