import EngineKit
import Proofs
import RTPMedia
import Testing

struct SourcePolicyTests {
    private let negotiated = SocketAddress(.v4(0xcb00_7105), port: 4_000)  // 203.0.113.5
    private let rebound = SocketAddress(.v4(0xcb00_7105), port: 61_000)
    private let signalling = SocketAddress(.v4(0xc633_6407), port: 30_000)  // 198.51.100.7
    private let stranger = SocketAddress(.v4(0xc633_6499), port: 30_000)
    private let inside = SocketAddress(.v4(0x0a00_0005), port: 4_000)  // 10.0.0.5

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private func policy(
        _ negotiated: SocketAddress?, signalling: SocketAddress? = nil, symmetric: SymmetricPolicy = .auto
    ) -> SourcePolicy {
        SourcePolicy(negotiated: negotiated, signalling: signalling?.address, symmetric: symmetric, at: .zero)
    }

    /// Sends `count` packets 20 ms apart; gives the verdict on the last one.
    private func send(
        _ count: Int, from source: SocketAddress, to policy: inout SourcePolicy, start: Int64 = 0, ssrc: UInt32 = 1,
        sequence: Int = 0, isNegotiated: Bool = true, step: Int = 1
    ) -> SourcePolicy.Verdict {
        var verdict = SourcePolicy.Verdict.refused
        for index in 0..<count {
            let evidence = SourcePolicy.Evidence(
                source: source, synchronizationSource: ssrc,
                sequence: SequenceNumber(UInt16(truncatingIfNeeded: sequence + index * step)),
                isNegotiated: isNegotiated)
            verdict = policy.judge(evidence, at: at(start + Int64(index) * 20))
        }
        return verdict
    }

    @Test(.proves(.rule(7), .incident(68)))
    func theNegotiatedAddressIsTakenAtOnce() {
        var policy = policy(negotiated)
        check(send(1, from: negotiated, to: &policy), .accepted)
        #expect(policy.destination == negotiated)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func anotherPortOfItIsLearntAfterFivePacketsAndOursFollow() {
        var policy = policy(negotiated)
        check(send(4, from: rebound, to: &policy), .refused)
        #expect(policy.destination == negotiated)
        check(send(1, from: rebound, to: &policy, start: 80, sequence: 4), .changed)
        #expect(policy.destination == rebound)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func packetsOutOfSequenceOrOfUnknownTypesTeachNothing() {
        var policy = policy(negotiated)
        check(send(50, from: rebound, to: &policy, step: 2), .refused)
        check(send(50, from: rebound, to: &policy, isNegotiated: false), .refused)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func theAddressOfTheSignallingIsLearntAndAStrangersIsNot() {
        var policy = policy(negotiated, signalling: signalling)
        check(send(50, from: stranger, to: &policy), .refused)
        check(send(5, from: signalling, to: &policy, start: 1_000), .changed)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func behindANATAnyAddressMayBeLearntInTheFirstFiveSeconds() {
        var early = policy(inside, signalling: signalling)
        check(send(5, from: stranger, to: &early), .changed)
        // Beside each other in the private network there is no NAT to explain it.
        var beside = policy(inside, signalling: inside)
        check(send(50, from: stranger, to: &beside), .refused)
        // The window opens with the first media and closes five seconds later.
        var late = policy(inside, signalling: signalling)
        check(send(4, from: stranger, to: &late, start: 60_000), .refused)
        check(send(50, from: stranger, to: &late, start: 65_100, sequence: 900), .refused)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func whileTheTrueSourceIsHeardNoOtherIsFollowed() {
        var policy = policy(negotiated, signalling: signalling)
        var verdicts: [SourcePolicy.Verdict] = []
        for step in 0..<500 {
            _ = send(1, from: negotiated, to: &policy, start: Int64(step) * 20, sequence: step)
            verdicts.append(
                send(1, from: signalling, to: &policy, start: Int64(step) * 20, ssrc: 9, sequence: step))
        }
        #expect(verdicts.allSatisfy { $0 == .refused })
        #expect(policy.destination == negotiated)
    }

    @Test(.proves(.rule(7), .incident(70)))
    func whenTheTrueSourceFallsSilentAStrangerIsStillNotFollowed() {
        var policy = policy(negotiated, signalling: signalling)
        _ = send(50, from: negotiated, to: &policy)
        check(send(500, from: stranger, to: &policy, start: 4_000, ssrc: 9), .refused)
        check(send(500, from: signalling, to: &policy, start: 4_000, ssrc: 9), .refused)
        #expect(policy.destination == negotiated)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func aNewPortAfterTwoSecondsOfSilenceIsFollowed() {
        var policy = policy(negotiated)
        _ = send(50, from: negotiated, to: &policy)
        check(send(20, from: rebound, to: &policy, start: 1_500, ssrc: 9), .refused)
        check(send(5, from: rebound, to: &policy, start: 3_500, ssrc: 9, sequence: 70), .changed)
        #expect(policy.destination == rebound)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func theSameStreamFromAnotherAddressIsFollowedAfterSilence() {
        var policy = policy(negotiated)
        _ = send(50, from: negotiated, to: &policy, ssrc: 5, sequence: 100)
        check(send(5, from: stranger, to: &policy, start: 4_000, ssrc: 5, sequence: 200), .changed)
        #expect(policy.destination == stranger)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func anOldOrFarSequenceOfTheSameStreamIsNot() {
        for sequence in [50, 120, 20_000] {
            var policy = policy(negotiated)
            _ = send(50, from: negotiated, to: &policy, ssrc: 5, sequence: 100)
            check(send(20, from: stranger, to: &policy, start: 4_000, ssrc: 5, sequence: sequence), .refused)
        }
    }

    @Test(.proves(.rule(7), .incident(68)))
    func aNewDescriptionOpensTheLockAndTheOldSourceKeepsItWhileHeard() {
        var policy = policy(negotiated, signalling: signalling)
        _ = send(50, from: negotiated, to: &policy)
        policy.reopen(negotiated: negotiated, signalling: signalling.address, symmetric: .auto, at: at(10_000))
        #expect(policy.destination == negotiated)
        check(send(5, from: signalling, to: &policy, start: 10_000, ssrc: 3), .changed)
        let moved = SocketAddress(negotiated.address, port: 7_000)
        policy.reopen(negotiated: moved, signalling: nil, symmetric: .auto, at: at(20_000))
        #expect(policy.destination == moved)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func theNegotiatedSourceTakesItsPlaceBack() {
        var policy = policy(negotiated, signalling: signalling)
        _ = send(50, from: signalling, to: &policy)
        #expect(policy.destination == signalling)
        check(send(1, from: negotiated, to: &policy, start: 1_000), .changed)
        #expect(policy.destination == negotiated)
    }

    @Test(.proves(.rule(7), .incident(68)))
    func neverFollowsUnderNeverAndFromAnywhereUnderAlways() {
        var never = policy(negotiated, symmetric: .never)
        check(send(5, from: rebound, to: &never), .changed)
        #expect(never.destination == negotiated)
        var always = policy(negotiated, symmetric: .always)
        check(send(5, from: stranger, to: &always), .changed)
        #expect(always.destination == stranger)
    }

    @Test(.proves(.row(45)))
    func withoutANegotiatedAddressNothingIsSent() {
        var policy = policy(nil, signalling: signalling)
        #expect(policy.destination == nil)
        check(send(5, from: signalling, to: &policy), .changed)
        #expect(policy.destination == nil)
    }

    // MARK: - Several early dialogs

    private func forked() -> SourcePolicy {
        var policy = policy(negotiated)
        var alternates = AlternateSources()
        alternates.insert(stranger)
        policy.setAlternates(alternates)
        return policy
    }

    @Test(.proves(.row(11)))
    func theEarlyDialogThatBeganLastIsHeardOnceItIsSteady() {
        var policy = forked()
        check(send(10, from: negotiated, to: &policy), .accepted)
        check(send(4, from: stranger, to: &policy, start: 200, ssrc: 2), .refused)
        check(send(1, from: stranger, to: &policy, start: 280, ssrc: 2, sequence: 4), .changed)
        check(send(1, from: stranger, to: &policy, start: 300, ssrc: 2, sequence: 5), .accepted)
    }

    @Test(.proves(.row(11)))
    func anEarlyDialogThatGoesOnDoesNotTakeItsPlaceBack() {
        var policy = forked()
        check(send(10, from: negotiated, to: &policy), .accepted)
        check(send(5, from: stranger, to: &policy, start: 200, ssrc: 2), .changed)
        for round in 0..<100 {
            let start = 300 + Int64(round) * 20
            check(send(1, from: stranger, to: &policy, start: start, ssrc: 2, sequence: 5 + round), .accepted)
            check(send(1, from: negotiated, to: &policy, start: start + 10, sequence: 10 + round), .refused)
        }
    }

    @Test(.proves(.row(11)))
    func anEarlyDialogFollowsOneThatFellSilent() {
        var policy = forked()
        check(send(10, from: negotiated, to: &policy), .accepted)
        check(send(5, from: stranger, to: &policy, start: 200, ssrc: 2), .changed)
        check(send(45, from: negotiated, to: &policy, start: 300, sequence: 10), .refused)
        check(send(10, from: negotiated, to: &policy, start: 1_300, sequence: 55), .accepted)
    }

    @Test(.proves(.row(11)))
    func withTheAnswerOnlyItsDialogIsHeard() {
        var policy = forked()
        check(send(10, from: negotiated, to: &policy), .accepted)
        policy.setAlternates(AlternateSources())
        check(send(50, from: stranger, to: &policy, start: 200, ssrc: 2), .refused)
    }
}
