import EngineKit
import Proofs
import RTPMedia
import Testing

struct SynchronizationSourcesTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test(.proves(.row(50), .clause("RFC 3550 §8.2")))
    func theFirstSourceIsTakenAtOnceAndAnotherAfterTwoInSequence() {
        var sources = SynchronizationSources()
        check(sources.receive(1, sequence: SequenceNumber(10), at: at(0)), .began)
        check(sources.receive(1, sequence: SequenceNumber(11), at: at(20)), .active)
        check(sources.receive(2, sequence: SequenceNumber(500), at: at(40)), .dropped)
        #expect(sources.active == 1)
        check(sources.receive(2, sequence: SequenceNumber(501), at: at(60)), .began)
        #expect(sources.active == 2)
    }

    @Test(.proves(.row(50), .clause("RFC 3550 §8.2")))
    func afterAGoodbyeOrANewDescriptionTheNextOneIsTakenAtOnce() {
        var sources = SynchronizationSources()
        _ = sources.receive(1, sequence: SequenceNumber(10), at: at(0))
        check(sources.goodbye(9, at: at(10)), false)
        check(sources.goodbye(1, at: at(10)), true)
        check(sources.receive(2, sequence: SequenceNumber(500), at: at(40)), .began)
        check(sources.receive(3, sequence: SequenceNumber(900), at: at(60)), .dropped)
        sources.believeNext(at: at(100))
        check(sources.receive(4, sequence: SequenceNumber(70), at: at(120)), .began)
        sources.believeNext(at: at(200))
        check(sources.receive(5, sequence: SequenceNumber(70), at: at(9_000)), .dropped)
    }

    @Test(.proves(.row(50), .clause("RFC 3550 §8.2")))
    func twoStreamsSideBySideDoNotTakeTurns() {
        var sources = SynchronizationSources()
        var changes = 0
        for step in 0..<200 {
            for source in [1, 2] as [UInt32] {
                let verdict = sources.receive(
                    source, sequence: SequenceNumber(UInt16(step)), at: at(Int64(step) * 20))
                if verdict == .began { changes += 1 }
            }
        }
        #expect(changes == 2 && sources.active == 2)
        // The second one stops: the first comes back.
        for step in 200..<240 {
            _ = sources.receive(1, sequence: SequenceNumber(UInt16(step)), at: at(Int64(step) * 20))
        }
        #expect(sources.active == 1)
    }

    @Test(.proves(.row(50), .rule(16)))
    func manySourcesDoNotPushOutTheOneThatIsPlayed() {
        var sources = SynchronizationSources()
        _ = sources.receive(1, sequence: SequenceNumber(0), at: at(0))
        for step in 1..<1_000 {
            _ = sources.receive(UInt32(1_000 + step), sequence: SequenceNumber(7), at: at(Int64(step)))
            check(sources.receive(1, sequence: SequenceNumber(UInt16(step)), at: at(Int64(step))), .active)
        }
        #expect(sources.active == 1)
    }
}
