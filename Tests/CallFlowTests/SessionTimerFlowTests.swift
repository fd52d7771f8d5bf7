import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Calls with session timers and changes before the answer, as ladders (RFC 4028, RFC 3311).
@Suite struct SessionTimerFlowTests {
    private static func timed(_ configuration: inout UserAgentConfiguration) {
        configuration.sessionTimers = SessionTimerPolicy(use: .wanted, interval: 100)
    }

    @Test(.proves(.row(42)))
    func refreshes() {
        var (world, alice, bob) = World.twoPhones(configure: Self.timed)
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.perform(.hangUp(handle), at: alice, after: .seconds(120))
        world.run(for: .seconds(130))
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.010 Bob -> Alice  180 INVITE
                1.010 Bob -> Alice  200 INVITE +sdp
                1.020 Alice -> Bob  ACK
                51.020 Alice -> Bob  UPDATE
                51.030 Bob -> Alice  200 UPDATE
                101.040 Alice -> Bob  UPDATE
                101.050 Bob -> Alice  200 UPDATE
                120.000 Alice -> Bob  BYE
                120.010 Bob -> Alice  200 BYE
                """)
        world.finish(alice, bob)
    }

    @Test(.proves(.row(42), .clause("RFC 4028 §10")))
    func expiryWhenTheRefresherIsGone() throws {
        var (world, alice, bob) = World.agentAndPhone(behaviour: .answersAfterOneSecond)
        let invite = world.invite(bob, from: alice).with(.supported, "timer").with(.sessionExpires, "120")
        let dialog = try world.place(invite, from: alice, to: bob)
        world.say(dialog.acknowledgement(of: 1, via: world.via(of: alice)), from: alice, to: bob)
        let bye = try world.expect(.bye, at: alice, within: .seconds(100))
        world.say(bye.response(200), from: alice, to: bob)
        world.run(for: .seconds(1))
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.010 Bob -> Alice  180 INVITE
                1.010 Bob -> Alice  200 INVITE +sdp
                1.020 Alice -> Bob  ACK
                89.010 Bob -> Alice  BYE
                89.020 Alice -> Bob  200 BYE
                """)
        #expect(world.ends(at: bob).map(\.cause) == [.sessionExpired])
        world.finish(bob)
    }

    @Test(.proves(.row(46), .clause("RFC 3311 §5.1")))
    func holdBeforeTheAnswer() {
        var (world, alice, bob) = World.twoPhones(bob: Behaviour(ringAfter: nil))
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(for: .milliseconds(50))
        let call = world.incomingCalls(at: bob)[0]
        world.perform(.progress(call, World.media(rtpPort: 30_000)), at: bob)
        world.perform(.hold(handle), at: alice, after: .seconds(1))
        world.perform(.answer(call, World.media(rtpPort: 30_000)), at: bob, after: .seconds(2))
        world.perform(.resume(handle), at: alice, after: .seconds(3))
        world.perform(.hangUp(handle), at: alice, after: .seconds(4))
        world.run(for: .seconds(5))
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.050 Bob -> Alice  183 INVITE +sdp
                0.060 Alice -> Bob  PRACK
                0.070 Bob -> Alice  200 PRACK
                1.050 Alice -> Bob  UPDATE +sdp
                1.060 Bob -> Alice  200 UPDATE +sdp
                2.050 Bob -> Alice  200 INVITE
                2.060 Alice -> Bob  ACK
                3.050 Alice -> Bob  INVITE +sdp
                3.060 Bob -> Alice  200 INVITE +sdp
                3.070 Alice -> Bob  ACK
                4.050 Alice -> Bob  BYE
                4.060 Bob -> Alice  200 BYE
                """)
        world.finish(alice, bob)
    }

    /// A call with a hold before the answer and two refreshes, hung up after 120 s.
    private static func call(losing numbers: Set<Int> = []) -> (world: World, alice: HostID, bob: HostID) {
        var (world, alice, bob) = World.twoPhones(bob: Behaviour(ringAfter: nil), configure: timed)
        world.lose(numbers)
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(upTo: .seconds(5)) { !$0.incomingCalls(at: bob).isEmpty }
        for call in world.incomingCalls(at: bob) {
            world.perform(.progress(call, World.media(rtpPort: 30_000)), at: bob)
            world.perform(.answer(call, World.media(rtpPort: 30_000)), at: bob, after: .seconds(4))
        }
        world.perform(.hold(handle), at: alice, after: .milliseconds(2500))
        world.perform(.hangUp(handle), at: alice, after: .seconds(120))
        world.run(for: .seconds(300))
        return (world, alice, bob)
    }

    @Test func losingAnyOneMessageStillGivesACallThatIsHeldAndRefreshedAndEnds() {
        let whole = Self.call().world.datagrams
        #expect(whole == 14)
        for number in 0..<whole {
            let (world, alice, bob) = Self.call(losing: [number])
            let lost = "lost \(number)\n\(world.ladder)"
            #expect(world.story(of: alice).contains("modified"), "\(lost)")
            #expect(world.agreedDirections(at: alice).last == .sendOnly, "\(lost)")
            #expect(world.agreedDirections(at: bob).last == .receiveOnly, "\(lost)")
            #expect(world.ends(at: alice).map(\.cause) == [.hungUp], "\(lost)")
            #expect(world.ends(at: bob).map(\.cause) == [.hungUp], "\(lost)")
            #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty, "\(lost)")
        }
    }

    @Test func losingAnyTwoMessagesStillGivesACallThatEnds() {
        for first in 0..<15 {
            for second in first + 1..<16 {
                let (world, alice, bob) = Self.call(losing: [first, second])
                let lost = "lost \(first) and \(second)"
                #expect(world.ends(at: alice).count == 1 && world.ends(at: bob).count == 1, "\(lost)")
                #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty, "\(lost)")
            }
        }
    }
}

extension World {
    fileprivate func agreedDirections(at host: HostID) -> [Direction] {
        notices(of: host).compactMap { notice in
            if case .mediaAgreed(_, let agreement) = notice.event { agreement.media.direction } else { nil }
        }
    }
}
