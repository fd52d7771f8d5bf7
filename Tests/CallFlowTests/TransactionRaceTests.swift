import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Stray and mismatched messages and silent peers: rows 15 to 18 of the races.
@Suite struct TransactionRaceTests {
    @Test(.proves(.row(15), .clause("RFC 3261 §17.1.1.3")))
    func row15StrayAcknowledgementsAreDroppedSilently() throws {
        var (world, alice, bob) = World.agentAndPhone()
        world.say(world.request(.ack, bob, from: alice), from: alice, to: bob)
        let invite = world.invite(bob, from: alice)
        world.say(invite, from: alice, to: bob)
        let ringing = try world.expect(180, to: .invite, at: alice)
        let dialog = ScriptedDialog(calling: invite, answeredBy: ringing)
        world.say(dialog.acknowledgement(of: 1, via: world.via(of: alice)), from: alice, to: bob)
        #expect(world.hear(at: alice, for: .seconds(5)) == [])
        #expect(world.ends(at: bob) == [] && !world.story(of: bob).contains("established"))
        world.perform(.reject(world.incomingCalls(at: bob)[0], 486), at: bob)
        _ = try world.expect(486, to: .invite, at: alice)
        // An ACK with a branch of its own does not stop the 486; the one with the INVITE's does.
        world.say(dialog.acknowledgement(of: 1, via: world.via(of: alice)), from: alice, to: bob)
        #expect(world.hear(at: alice, for: .milliseconds(1_600)) == ["486 INVITE", "486 INVITE"])
        world.say(dialog.acknowledgement(of: 1, via: invite.vias[0]), from: alice, to: bob)
        #expect(world.hear(at: alice, for: .seconds(30)) == [])
        world.finish(bob)
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.2.1")))
    func row16ARefusalOverTCPIsSentOnceAndKeepsNothingAfterItsAcknowledgement() throws {
        var (world, alice, bob) = World.agentAndPhone(behaviour: Behaviour(ringAfter: nil))
        let invite = world.invite(bob, from: alice, transport: .tcp)
        world.say(invite.bytes(), from: alice, to: bob, over: .tcp)
        world.run(for: .seconds(1))
        world.perform(.reject(world.incomingCalls(at: bob)[0], 486), at: bob)
        let refusal = try world.expect(486, to: .invite, at: alice)
        #expect(world.hear(at: alice, for: .seconds(10)) == [])
        let dialog = ScriptedDialog(calling: invite, answeredBy: refusal)
        world.say(
            dialog.acknowledgement(of: 1, via: invite.vias[0]).bytes(), from: alice, to: bob, over: .tcp)
        world.run(for: .milliseconds(20))
        #expect(world.isAtRest(bob))
        world.finish(bob)
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.1.2")))
    func row17ASilentPeerEndsTheCallAfter64T1() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        _ = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let isOver = world.run(upTo: .seconds(33)) { !$0.ends(at: alice).isEmpty }
        #expect(isOver && world.now == .zero + .seconds(32))
        #expect(world.count("INVITE +sdp", from: alice) == 7)
        #expect(world.ends(at: alice).map(\.cause) == [.timedOut])
        world.finish(alice)
    }

    @Test(.proves(.row(18), .clause("RFC 3261 §17.1.3")))
    func row18ResponsesOfAnotherMethodBranchOrSentByAreDiscarded() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        world.say(invite.response(180, toTag: "bob"), from: bob, to: alice)
        world.run(for: .seconds(1))
        let before = world.story(of: alice).filter { $0 != "refused" }
        var wrong = invite.response(603, toTag: "bob")
        wrong.cSeq.method = .bye
        world.say(wrong, from: bob, to: alice)
        wrong = invite.response(603, toTag: "bob")
        wrong.vias[0].branch = "z9hG4bK-other"
        world.say(wrong, from: bob, to: alice)
        wrong = invite.response(603, toTag: "bob")
        wrong.vias[0].port = 5099
        world.say(wrong, from: bob, to: alice)
        wrong = invite.response(603, toTag: "bob")
        wrong.vias.append(world.via(of: bob))
        world.say(wrong, from: bob, to: alice)
        #expect(world.hear(at: bob, for: .seconds(5)) == [])
        #expect(world.story(of: alice).filter { $0 != "refused" } == before)
        #expect(world.ends(at: alice) == [])
        world.perform(.hangUp(handle), at: alice)
        let cancel = try world.expect(.cancel, at: bob)
        world.say(cancel.response(200), from: bob, to: alice)
        world.say(invite.response(487, toTag: "bob"), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        world.finish(alice)
    }

    @Test func anAnswerUnderAnotherBranchLeavesNoInviteThatWaits() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        world.say(invite.response(180, toTag: "bob"), from: bob, to: alice)
        var answer = world.answer(200, to: invite, from: bob, tag: "bob")
        answer.vias[0].branch = "z9hG4bK-other"
        world.say(answer, from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        world.perform(.hangUp(handle), at: alice)
        world.say(try world.expect(.bye, at: bob).response(200), from: bob, to: alice)
        world.finish(alice)
    }

    @Test func aVeryLateRepetitionOfTheAnswerIsAcknowledgedAndEndsNothing() throws {
        var (world, alice, bob, handle, invite, _) = try World.establishedWithAgent()
        for _ in 0..<3 {
            world.perform(.reinvite(handle, nil), at: alice)
            let reinvite = try world.expect(.invite, at: bob)
            world.say(world.answer(200, to: reinvite, from: bob, tag: "bob"), from: bob, to: alice)
            _ = try world.expect(.ack, at: bob)
        }
        world.say(world.answer(200, to: invite, from: bob, tag: "bob"), from: bob, to: alice)
        #expect(try world.expect(.ack, at: bob).cSeq.number == invite.cSeq.number)
        #expect(world.hear(at: bob, for: .seconds(10)) == [])
        world.perform(.hangUp(handle), at: alice)
        world.say(try world.expect(.bye, at: bob).response(200), from: bob, to: alice)
        world.finish(alice)
    }
}
