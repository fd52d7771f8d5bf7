import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// CANCEL and what it crosses: rows 1 to 5 of the races.
@Suite struct CancelRaceTests {
    @Test(.proves(.row(1), .clause("RFC 3261 §9.1")))
    func row1CancelWaitsForAProvisionalResponseWhileTheInviteIsRepeated() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.perform(.hangUp(handle), at: alice, after: .milliseconds(100))
        let invite = try world.expect(.invite, at: bob)
        #expect(world.hear(at: bob, for: .seconds(2)) == ["INVITE +sdp", "INVITE +sdp"])
        world.say(invite.response(100), from: bob, to: alice)
        let cancel = try world.expect(.cancel, at: bob)
        #expect(cancel.vias == invite.vias && cancel.cSeq.number == invite.cSeq.number && cancel.uri == invite.uri)
        world.say(cancel.response(200), from: bob, to: alice)
        world.say(invite.response(487, toTag: "bob"), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        #expect(world.ends(at: alice).map(\.cause) == [.cancelled])
        world.finish(alice)
    }

    @Test(.proves(.row(2), .clause("RFC 3261 §9.1")))
    func row2CancelThatCrossesAnAnswerEndsTheCallByBye() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        world.say(invite.response(180, toTag: "bob"), from: bob, to: alice)
        world.run(for: .seconds(1))
        world.say(world.answer(200, to: invite, from: bob, tag: "bob"), from: bob, to: alice)
        world.perform(.hangUp(handle), at: alice)
        let cancel = try world.expect(.cancel, at: bob)
        world.say(cancel.response(481), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        let bye = try world.expect(.bye, at: bob)
        world.say(bye.response(200), from: bob, to: alice)
        world.run(for: .seconds(1))
        #expect(world.ends(at: alice).map(\.cause) == [.cancelled])
        #expect(!world.story(of: alice).contains("established"))
        world.finish(alice)
    }

    @Test(.proves(.row(3), .clause("RFC 3261 §9.1")))
    func row3CancelWithoutAFinalResponseGivesUpAfter64T1() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        world.say(invite.response(180, toTag: "bob"), from: bob, to: alice)
        world.run(for: .seconds(1))
        let began = world.now
        world.perform(.hangUp(handle), at: alice)
        let cancel = try world.expect(.cancel, at: bob)
        world.say(cancel.response(200), from: bob, to: alice)
        let isOver = world.run(upTo: .seconds(33)) { $0.isAtRest(alice) || $0.now - began >= .seconds(32) }
        #expect(isOver)
        world.run(for: .seconds(1))
        #expect(world.ends(at: alice).map(\.cause) == [.cancelled])
        #expect(world.now - began < .seconds(34))
        world.finish(alice)
    }

    @Test(.proves(.row(4), .clause("RFC 3261 §9.2")))
    func row4RepeatedCancelGetsTheSameAnswerAndAnUnknownOne481() throws {
        var (world, alice, bob) = World.agentAndPhone()
        let invite = world.invite(bob, from: alice)
        world.say(invite, from: alice, to: bob)
        _ = try world.expect(180, to: .invite, at: alice)
        let cancel = invite.bare(.cancel)
        world.say(cancel, from: alice, to: bob)
        let first = try world.expect(200, to: .cancel, at: alice)
        let refusal = try world.expect(487, to: .invite, at: alice)
        #expect(first.to.tag == refusal.to.tag)
        world.say(cancel, from: alice, to: bob)
        #expect(try world.expect(200, to: .cancel, at: alice) == first)
        var unknown = cancel
        unknown.vias = [world.via(of: alice)]
        world.say(unknown, from: alice, to: bob)
        _ = try world.expect(481, to: .cancel, at: alice)
        #expect(world.ends(at: bob).map(\.cause) == [.cancelled])
        world.finish(bob)
    }

    @Test(.proves(.row(5), .clause("RFC 3261 §9.2")))
    func row5CancelAfterTheAnswerChangesNothing() throws {
        var (world, alice, bob) = World.agentAndPhone(behaviour: Behaviour(answerAfter: .milliseconds(100)))
        let invite = world.invite(bob, from: alice)
        var dialog = try world.place(invite, from: alice, to: bob)
        world.say(invite.bare(.cancel), from: alice, to: bob)
        _ = try world.expect(200, to: .cancel, at: alice)
        world.say(dialog.acknowledgement(of: 1, via: world.via(of: alice)), from: alice, to: bob)
        world.run(for: .seconds(40))
        #expect(world.ends(at: bob) == [])
        #expect(world.story(of: bob).contains("established"))
        try world.hangUp(&dialog, from: alice, to: bob)
        #expect(world.ends(at: bob).map(\.cause) == [.hungUp])
        world.finish(bob)
    }
}
