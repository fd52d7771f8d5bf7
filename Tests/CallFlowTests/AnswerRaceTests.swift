import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Answers, their ACKs and hanging up around them: rows 6 to 9 of the races.
@Suite struct AnswerRaceTests {
    static let answersAtOnce = Behaviour(ringAfter: nil, answerAfter: .zero)

    @Test(.proves(.row(6), .clause("RFC 3261 §13.3.1.4")))
    func row6AcceptanceIsRepeatedUpToT2AndAfter64T1ComesABye() throws {
        var (world, alice, bob) = World.agentAndPhone(behaviour: Self.answersAtOnce)
        world.say(world.invite(bob, from: alice), from: alice, to: bob)
        let bye = try world.expect(.bye, at: alice, within: .seconds(60))
        world.say(bye.response(200), from: alice, to: bob)
        let lines = world.ladder.lines.filter { $0.contains("Bob ->") }
        #expect(
            lines == [
                "0.010 Bob -> Alice  200 INVITE +sdp", "0.510 Bob -> Alice  200 INVITE +sdp",
                "1.510 Bob -> Alice  200 INVITE +sdp", "3.510 Bob -> Alice  200 INVITE +sdp",
                "7.510 Bob -> Alice  200 INVITE +sdp", "11.510 Bob -> Alice  200 INVITE +sdp",
                "15.510 Bob -> Alice  200 INVITE +sdp", "19.510 Bob -> Alice  200 INVITE +sdp",
                "23.510 Bob -> Alice  200 INVITE +sdp", "27.510 Bob -> Alice  200 INVITE +sdp",
                "31.510 Bob -> Alice  200 INVITE +sdp", "32.010 Bob -> Alice  BYE",
            ])
        #expect(world.ends(at: bob).map(\.cause) == [.notAcknowledged])
        world.finish(bob)
    }

    @Test(.proves(.row(7), .clause("RFC 3261 §13.2.2.4")))
    func row7EachRepeatedAcceptanceGetsTheSameAcknowledgement() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        let answer = world.answer(200, to: invite, from: bob, tag: "bob")
        world.say(answer, from: bob, to: alice)
        let first = try world.expect(.ack, at: bob)
        for _ in 0..<3 {
            world.run(for: .seconds(4))
            world.say(answer, from: bob, to: alice)
            #expect(try world.expect(.ack, at: bob) == first)
        }
        #expect(world.story(of: alice).count { $0 == "established" } == 1)
        world.perform(.hangUp(handle), at: alice)
        world.say(try world.expect(.bye, at: bob).response(200), from: bob, to: alice)
        world.finish(alice)
    }

    @Test(.proves(.row(8), .clause("RFC 3261 §15")))
    func row8CallerHangsUpAfterItsAcknowledgementWasLost() throws {
        var (world, alice, bob) = World.agentAndPhone(behaviour: Self.answersAtOnce)
        var dialog = try world.place(world.invite(bob, from: alice), from: alice, to: bob)
        try world.hangUp(&dialog, from: alice, to: bob)
        #expect(world.hear(at: alice, for: .seconds(40)) == [])
        #expect(world.ends(at: bob).map(\.cause) == [.hungUp])
        world.finish(bob)
    }

    @Test(.proves(.row(9), .clause("RFC 3261 §15")))
    func row9CalleeHangsUpBeforeTheAcknowledgementAndByeWaitsForIt() throws {
        var (world, alice, bob) = World.agentAndPhone(behaviour: Self.answersAtOnce)
        let dialog = try world.place(world.invite(bob, from: alice), from: alice, to: bob)
        world.perform(.hangUp(world.incomingCalls(at: bob)[0]), at: bob)
        let heard = world.hear(at: alice, for: .seconds(5))
        #expect(!heard.contains("BYE"))
        world.say(dialog.acknowledgement(of: 1, via: world.via(of: alice)), from: alice, to: bob)
        world.say(try world.expect(.bye, at: alice).response(200), from: alice, to: bob)
        world.run(for: .seconds(1))
        #expect(world.ends(at: bob).map(\.by) == [.local])
        world.finish(bob)
    }

    @Test(.proves(.row(9), .clause("RFC 3261 §15")))
    func row9ByeGoesOutAfter64T1WithoutAnAcknowledgement() throws {
        var (world, alice, bob) = World.agentAndPhone(behaviour: Self.answersAtOnce)
        world.say(world.invite(bob, from: alice), from: alice, to: bob)
        _ = try world.expect(200, to: .invite, at: alice)
        world.perform(.hangUp(world.incomingCalls(at: bob)[0]), at: bob)
        let bye = try world.expect(.bye, at: alice, within: .seconds(60))
        #expect(world.now - .zero <= .milliseconds(32_020))
        world.say(bye.response(200), from: alice, to: bob)
        world.finish(bob)
    }

    @Test(.proves(.row(56), .clause("RFC 3261 §15.1.2")))
    func bothSidesHangUpAtOnce() {
        var (world, alice, bob) = World.twoPhones()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(for: .seconds(3))
        world.perform(.hangUp(handle), at: alice)
        world.perform(.hangUp(world.incomingCalls(at: bob)[0]), at: bob)
        world.run(for: .seconds(1))
        #expect(world.count("BYE", from: alice) == 1 && world.count("BYE", from: bob) == 1)
        #expect(world.ends(at: alice).count == 1 && world.ends(at: bob).count == 1)
        world.finish(alice, bob)
    }
}
