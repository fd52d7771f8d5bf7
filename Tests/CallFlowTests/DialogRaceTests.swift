import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Sequence, identity and modification of dialogs: rows 19 to 24 of the races.
@Suite struct DialogRaceTests {
    @Test(.proves(.row(19), .clause("RFC 3261 §12.2.2")))
    func row19AnOlderSequenceNumberGets500AndAGapIsFine() throws {
        var (world, alice, bob, handle, _, dialog) = try World.establishedWithAgent()
        dialog.sequence = 500
        world.say(dialog.request(.options, via: world.via(of: bob)), from: bob, to: alice)
        _ = try world.expect(200, to: .options, at: bob)
        dialog.sequence = 400
        world.say(dialog.request(.options, via: world.via(of: bob)), from: bob, to: alice)
        _ = try world.expect(500, to: .options, at: bob)
        dialog.sequence = 9_000
        world.say(dialog.request(.options, via: world.via(of: bob)), from: bob, to: alice)
        _ = try world.expect(200, to: .options, at: bob)
        #expect(world.ends(at: alice) == [])
        try Self.hangUp(handle, at: alice, against: bob, in: &world)
    }

    @Test(.proves(.row(20), .clause("RFC 3261 §12.2.2")))
    func row20ARequestOfAnUnknownDialogGets481() throws {
        var (world, alice, bob, handle, _, dialog) = try World.establishedWithAgent()
        var stranger = dialog
        stranger.localParty.tag = "mallory"
        world.say(stranger.request(.bye, via: world.via(of: bob)), from: bob, to: alice)
        _ = try world.expect(481, to: .bye, at: bob)
        stranger = dialog
        stranger.callID = "another"
        world.say(stranger.request(.bye, via: world.via(of: bob)), from: bob, to: alice)
        _ = try world.expect(481, to: .bye, at: bob)
        #expect(world.ends(at: alice) == [])
        world.say(dialog.request(.options, via: world.via(of: bob)), from: bob, to: alice)
        _ = try world.expect(200, to: .options, at: bob)
        try Self.hangUp(handle, at: alice, against: bob, in: &world)
    }

    @Test(.proves(.row(20), .clause("RFC 3261 §12.2.2")), arguments: [481, 408] as [StatusCode])
    func row20ADialogThatThePeerForgotEnds(status: StatusCode) throws {
        var (world, alice, bob, handle, _, _) = try World.establishedWithAgent()
        world.perform(.hold(handle), at: alice)
        let reinvite = try world.expect(.invite, at: bob)
        world.say(reinvite.response(status), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        world.run(for: .seconds(1))
        #expect(world.ends(at: alice).map(\.cause) == [.dialogLost])
        // A last BYE, which RFC 5057 allows, may be left without an answer.
        world.finish(alice)
    }

    /// A BYE that the peer answers with 481, or with an error, ended the dialog all the same (RFC 3261 §15.1.1).
    @Test(.proves(.row(56), .clause("RFC 3261 §15.1.1")), arguments: [481, 408, 500, 603] as [StatusCode])
    func row56AByeThatIsRefusedEndsTheCallAndIsNotSentAgain(status: StatusCode) throws {
        var (world, alice, bob, handle, _, _) = try World.establishedWithAgent()
        world.perform(.hangUp(handle), at: alice)
        let bye = try world.expect(.bye, at: bob)
        world.say(bye.response(status), from: bob, to: alice)
        world.run(for: .seconds(1))
        #expect(world.ends(at: alice).map(\.cause) == [.hungUp])
        world.finish(alice)
    }

    /// The peer's own BYE crosses ours, and its answer to ours says that it knows no such dialog any more.
    @Test(.proves(.row(56)))
    func row56ByesThatCrossEndBothSides() throws {
        var (world, alice, bob, handle, _, dialog) = try World.establishedWithAgent()
        world.perform(.hangUp(handle), at: alice)
        world.say(dialog.request(.bye, via: world.via(of: bob)), from: bob, to: alice)
        let bye = try world.expect(.bye, at: bob)
        _ = try world.expect(200, to: .bye, at: bob)
        world.say(bye.response(481), from: bob, to: alice)
        world.run(for: .seconds(1))
        #expect(world.ends(at: alice).map(\.cause) == [.hungUp])
        world.finish(alice)
    }

    @Test(.proves(.row(21), .clause("RFC 3261 §14.1")))
    func row21CrossedReinvitesAreRefusedAndTriedAgainApart() {
        var (world, alice, bob) = World.twoPhones()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(for: .seconds(3))
        let callee = world.incomingCalls(at: bob)[0]
        world.perform(.hold(handle), at: alice)
        world.perform(.hold(callee), at: bob)
        world.run(for: .seconds(1))
        #expect(world.count("491 INVITE", from: alice) == 1 && world.count("491 INVITE", from: bob) == 1)
        world.run(for: .seconds(10))
        #expect(world.count("INVITE +sdp", from: alice) == 3 && world.count("INVITE +sdp", from: bob) == 2)
        #expect(world.story(of: alice).contains("modified") && world.story(of: bob).contains("modified"))
        #expect(world.ends(at: alice) == [] && world.ends(at: bob) == [])
        world.perform(.hangUp(handle), at: alice)
        world.finish(alice, bob)
    }

    /// An ACK was lost or late, and the call was changed twice since.
    @Test(.proves(.row(7), .clause("RFC 3261 §13.2.2.4")))
    func row7ARepeatedAnswerToAReinviteIsAcknowledgedAlsoAfterLaterOnes() throws {
        var (world, alice, bob, handle, _, _) = try World.establishedWithAgent()
        var answers: [Response] = []
        for number in 0..<4 {
            world.perform(number.isMultiple(of: 2) ? .hold(handle) : .resume(handle), at: alice)
            let reinvite = try world.expect(.invite, at: bob)
            answers.append(world.answer(200, to: reinvite, from: bob, tag: "bob"))
            world.say(answers[number], from: bob, to: alice)
            _ = try world.expect(.ack, at: bob)
        }
        for answer in answers {
            world.say(answer, from: bob, to: alice)
            #expect(try world.expect(.ack, at: bob).cSeq.number == answer.cSeq.number)
        }
        try Self.hangUp(handle, at: alice, against: bob, in: &world)
    }

    @Test(.proves(.row(22), .clause("RFC 3261 §14.2")))
    func row22ASecondInviteBeforeTheFirstIsAnsweredGets500WithRetryAfter() throws {
        var (world, alice, bob) = World.agentAndPhone()
        let invite = world.invite(bob, from: alice)
        world.say(invite, from: alice, to: bob)
        let ringing = try world.expect(180, to: .invite, at: alice)
        var second = invite
        second.to = ringing.to
        second.vias = [world.via(of: alice)]
        second.cSeq.number = 2
        world.say(second, from: alice, to: bob)
        let refusal = try world.expect(500, to: .invite, at: alice)
        let retryAfter = try #require(refusal.headers.first(.retryAfter).flatMap { Int($0) })
        #expect((0...10).contains(retryAfter))
        #expect(world.incomingCalls(at: bob).count == 1 && world.ends(at: bob) == [])
        world.say(second.bare(.ack), from: alice, to: bob)
        world.perform(.reject(world.incomingCalls(at: bob)[0], 486), at: bob)
        _ = try world.expect(486, to: .invite, at: alice)
        world.finish(bob)
    }

    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")))
    func row23ARefusedReinviteLeavesTheCallAsItWas() throws {
        var (world, alice, bob, handle, _, _) = try World.establishedWithAgent()
        world.perform(.hold(handle), at: alice)
        let reinvite = try world.expect(.invite, at: bob)
        world.say(reinvite.response(488), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        #expect(world.story(of: alice).last == "modifyFailed")
        #expect(world.ends(at: alice) == [])
        try Self.hangUp(handle, at: alice, against: bob, in: &world)
    }

    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")))
    func row23AReinviteWithoutAnswerEndsTheCall() throws {
        var (world, alice, bob, handle, _, _) = try World.establishedWithAgent()
        world.perform(.hold(handle), at: alice)
        _ = try world.expect(.invite, at: bob)
        world.run(for: .seconds(40))
        #expect(world.ends(at: alice).count == 1)
        world.finish(alice)
    }

    /// Ends a call of the phone with an agent, and checks that nothing is left.
    static func hangUp(
        _ handle: CallHandle, at phone: HostID, against agent: HostID, in world: inout World
    ) throws {
        world.perform(.hangUp(handle), at: phone)
        world.say(try world.expect(.bye, at: agent).response(200), from: agent, to: phone)
        world.finish(phone)
    }
}
