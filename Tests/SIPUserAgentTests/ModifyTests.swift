import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Hold, resume and other changes of a call that stands.
@Suite struct ModifyTests {
    @Test(.proves(.row(46), .clause("RFC 3264 §8.4")))
    func holdsAndResumes() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(100))
        #expect(world.steps(from: 4) == ["alice>bob INVITE", "bob>alice 200 INVITE", "alice>bob ACK"])
        #expect(world.agreements(at: "alice").last?.media.direction == .sendOnly)
        #expect(world.agreements(at: "bob").last?.media.direction == .receiveOnly)
        // Who is told of the success finds the new direction in place.
        #expect(world.story(of: "alice").suffix(2) == ["mediaAgreed", "modified"])
        #expect(world.story(of: "bob").suffix(2) == ["mediaAgreed", "heldByPeer"])
        world.perform(.resume(caller), by: "alice")
        world.run(for: .milliseconds(100))
        #expect(world.agreements(at: "alice").last?.media.direction == .sendReceive)
        #expect(world.story(of: "bob").last == "resumedByPeer")
    }

    @Test(.proves(.row(46), .clause("RFC 3264 §8.4")))
    func calleeHoldsToo() throws {
        var world = aliceAndBob()
        let callee = try world.talk()
        world.perform(.hold(callee), by: "bob")
        world.run(for: .milliseconds(100))
        #expect(world.steps(from: 4) == ["bob>alice INVITE", "alice>bob 200 INVITE", "bob>alice ACK"])
        #expect(world.story(of: "alice").last == "heldByPeer")
    }

    @Test(.proves(.clause("RFC 3261 §14.1")))
    func holdAskedBeforeTheAcknowledgementWaitsForIt() throws {
        var world = World()
        let (invite, handle) = try world.carolCallsBob()
        world.perform(.answer(handle, World.media), by: "bob")
        world.perform(.hold(handle), by: "bob")
        world.run(for: .seconds(1))
        #expect(world.requests(.invite, from: "bob").isEmpty)
        let answer = try #require(world.received(200, at: "carol").first)
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
        #expect(world.requests(.invite, from: "bob").count == 1)
    }

    @Test(.proves(.row(21), .clause("RFC 3261 §14.1"), .clause("RFC 3261 §14.2")))
    func crossedReinvitesAreRefusedAndTriedAgainApart() throws {
        var world = aliceAndBob()
        let callee = try world.talk()
        let start = world.now
        world.perform(.hold(caller), by: "alice")
        world.perform(.hold(callee), by: "bob")
        world.run(for: .seconds(10))
        #expect(world.responses(491, from: "alice").count == 1)
        #expect(world.responses(491, from: "bob").count == 1)
        #expect(world.story(of: "alice").filter { $0 == "modified" }.count == 1)
        #expect(world.story(of: "bob").filter { $0 == "modified" }.count == 1)
        #expect(world.agreements(at: "alice").last?.media.direction == .inactive)
        let again = world.ladder.filter { $0.at > start && $0.summary.hasSuffix(" INVITE") && isRequest($0) }
        let alice = try #require(again.first { $0.from == "alice" }).at - start
        let bob = try #require(again.first { $0.from == "bob" }).at - start
        // The 491 came after 20 ms; the owner of the Call-ID waits 2.1 to 4 s, the other up to 2 s.
        #expect((2120...4020).contains(alice.milliseconds))
        #expect((20...2020).contains(bob.milliseconds))
        #expect(Int(alice.milliseconds) % 10 == 0 && Int(bob.milliseconds) % 10 == 0)
    }

    private func isRequest(_ step: World.Step) -> Bool {
        if case .request = step.message { true } else { false }
    }

    /// A call between Alice and a scripted Carol, and Carol's first response.
    private func standing() throws -> (World, Request) {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        return (world, invite)
    }

    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")), arguments: [488, 486, 500, 603] as [Int])
    func refusedReinviteLeavesTheCallUp(status: Int) throws {
        var (world, _) = try standing()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let reinvite = try #require(world.last(.invite, at: "carol"))
        try world.reply(try #require(StatusCode(status)), to: reinvite, from: "carol")
        #expect(world.story(of: "alice").last == "modifyFailed")
        #expect(world.ends(at: "alice").isEmpty)
        #expect(world.agreements(at: "alice").last?.media.direction == .sendReceive)
    }

    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")))
    func refusedHoldGoesBackToWhatTheReinviteBeforeItAgreedOn() throws {
        var (world, _) = try standing()
        // The hold is asked for while another change is on its way, so that it leaves when that one is accepted.
        world.perform(.reinvite(caller, nil), by: "alice")
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let first = try #require(world.last(.invite, at: "carol"))
        let answer = World.answerText.replacing("o=- 1 1", with: "o=- 1 2")
        try world.reply(200, to: first, from: "carol", contact: carolContact, body: answer)
        world.run(for: .milliseconds(20))
        let hold = try #require(world.last(.invite, at: "carol"))
        #expect(String(decoding: hold.body, as: UTF8.self).contains("a=sendonly"))
        try world.reply(488, to: hold, from: "carol")
        #expect(world.story(of: "alice").last == "modifyFailed")
        world.perform(.reinvite(caller, nil), by: "alice")
        world.run(for: .milliseconds(20))
        let next = try #require(world.last(.invite, at: "carol"))
        #expect(next.cSeq.number > hold.cSeq.number)
        #expect(!String(decoding: next.body, as: UTF8.self).contains("a=sendonly"))
    }

    /// The phone moves while its hold is on its way, so that there is an offer to make besides.
    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")), arguments: [false, true])
    func aHoldThatCameToNothingIsNotOfferedAgainFromANewAddress(isRefused: Bool) throws {
        var (world, _) = try standing()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let hold = try #require(world.last(.invite, at: "carol"))
        #expect(String(decoding: hold.body, as: UTF8.self).contains("a=sendonly"))
        let flow = Flow(
            transport: .udp, local: try #require(world.addresses["alice"]),
            remote: try #require(world.addresses["carol"]))
        world.move("alice", to: "192.0.2.21")
        world.receive(.localAddressesChanged, by: "alice")
        if isRefused {
            try world.reply(488, to: hold, from: "carol")
        } else {
            world.receive(.transmitFailed(flow, cause: nil, .hostUnreachable), by: "alice")
        }
        world.run(for: .milliseconds(20))
        #expect(world.story(of: "alice").contains("modifyFailed"))
        let next = try #require(world.last(.invite, at: "carol"))
        #expect(next.cSeq.number > hold.cSeq.number)
        let offer = String(decoding: next.body, as: UTF8.self)
        #expect(offer.contains("192.0.2.21") && !offer.contains("a=sendonly"))
    }

    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")))
    func whoAcceptsAHoldThatWasGivenUpIsOfferedWhatHolds() throws {
        var (world, _) = try standing()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let hold = try #require(world.last(.invite, at: "carol"))
        let flow = Flow(
            transport: .udp, local: try #require(world.addresses["alice"]),
            remote: try #require(world.addresses["carol"]))
        world.receive(.transmitFailed(flow, cause: nil, .hostUnreachable), by: "alice")
        #expect(world.story(of: "alice").last == "modifyFailed")
        // It had arrived all the same.
        let answer = World.answerText.replacing("o=- 1 1", with: "o=- 1 2") + "a=recvonly\r\n"
        try world.reply(200, to: hold, from: "carol", contact: carolContact, body: answer)
        world.run(for: .milliseconds(20))
        #expect(world.last(.ack, at: "carol")?.cSeq.number == hold.cSeq.number)
        let next = try #require(world.last(.invite, at: "carol"))
        #expect(next.cSeq.number > hold.cSeq.number)
        #expect(!String(decoding: next.body, as: UTF8.self).contains("a=sendonly"))
        try world.reply(200, to: hold, from: "carol", contact: carolContact, body: answer)
        world.run(for: .milliseconds(20))
        #expect(world.last(.invite, at: "carol")?.cSeq == next.cSeq)
    }

    /// Else the re-INVITE would still be sent again beside the next one.
    @Test(.proves(.clause("RFC 3261 §14.1"), .clause("RFC 3261 §17.1.3")))
    func anAnswerUnderAnotherBranchIsNoneWhileTheReinviteWaits() throws {
        var (world, _) = try standing()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let hold = try #require(world.last(.invite, at: "carol"))
        var foreign = hold
        foreign.vias[0].branch = "z9hG4bK-other"
        let answer = World.answerText.replacing("o=- 1 1", with: "o=- 1 2") + "a=recvonly\r\n"
        try world.reply(200, to: foreign, from: "carol", contact: carolContact, body: answer)
        #expect(world.cores["alice"]?.counters[.strayResponse] == 1)
        #expect(world.requests(.ack, from: "alice").count == 1 && world.story(of: "alice").last != "modified")
        try world.reply(200, to: hold, from: "carol", contact: carolContact, body: answer)
        #expect(world.requests(.ack, from: "alice").count == 2 && world.story(of: "alice").last == "modified")
        // From then on the same peer may say it by any branch: it has not heard the ACK.
        try world.reply(200, to: foreign, from: "carol", contact: carolContact, body: answer)
        #expect(world.requests(.ack, from: "alice").count == 3)
    }

    @Test(.proves(.row(20), .row(23), .clause("RFC 3261 §12.2.1.2")), arguments: [481, 408] as [Int])
    func reinviteThatFindsNoDialogEndsTheCall(status: Int) throws {
        var (world, _) = try standing()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let reinvite = try #require(world.last(.invite, at: "carol"))
        try world.reply(try #require(StatusCode(status)), to: reinvite, from: "carol")
        #expect(world.ends(at: "alice").map(\.cause) == [.dialogLost])
        #expect(world.requests(.bye, from: "alice").count == 1)
    }

    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")))
    func reinviteWithoutAnswerEndsTheCall() throws {
        var (world, _) = try standing()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .seconds(33))
        #expect(world.ends(at: "alice") == [World.silence])
        #expect(world.requests(.bye, from: "alice").count > 0)
    }

    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")))
    func faxIsRefusedAndTheCallStays() throws {
        var (world, _) = try standing()
        let tag = try #require(world.last(.ack, at: "carol")?.from.tag)
        let callID = try #require(world.last(.ack, at: "carol")?.callID)
        let fax = World.answerText.replacing("o=- 1 1", with: "o=- 1 2").replacing(
            "m=audio 20000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", with: "m=image 20000 udptl t38")
        let reinvite = try world.request(
            .invite, from: "carol", to: "alice", callID: callID, sequence: 7, toTag: tag, body: fax)
        world.send(.request(reinvite), from: "carol", to: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.received(488, at: "carol").count == 1)
        #expect(world.ends(at: "alice").isEmpty)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.requests(.bye, from: "alice").count == 1)
    }

    @Test(.proves(.row(26), .clause("RFC 3261 §14.2")))
    func offerlessReinviteIsOfferedAndAnsweredInTheAcknowledgement() throws {
        var (world, _) = try standing()
        let acknowledgement = try #require(world.last(.ack, at: "carol"))
        let reinvite = try world.request(
            .invite, from: "carol", to: "alice", callID: acknowledgement.callID, sequence: 7,
            toTag: acknowledgement.from.tag)
        world.ask(reinvite, from: "carol", to: "alice")
        let offer = try #require(world.received(200, at: "carol").last)
        #expect(!offer.body.isEmpty)
        var answer = try world.request(
            .ack, from: "carol", to: "alice", callID: acknowledgement.callID, sequence: 7,
            toTag: acknowledgement.from.tag, body: World.answerText.replacing("20000", with: "22222"))
        answer.cSeq.method = .ack
        world.ask(answer, from: "carol", to: "alice")
        #expect(world.agreements(at: "alice").last?.media.remoteRTP?.port == 22222)
    }

    @Test(.proves(.row(26), .clause("RFC 3261 §14.1")))
    func offerlessReinviteThatGetsNoAnswerLeavesTheCallAsItWas() throws {
        var (world, _) = try standing()
        let before = world.agreements(at: "alice").last
        let acknowledgement = try #require(world.last(.ack, at: "carol"))
        let reinvite = try world.request(
            .invite, from: "carol", to: "alice", callID: acknowledgement.callID, sequence: 7,
            toTag: acknowledgement.from.tag)
        world.ask(reinvite, from: "carol", to: "alice")
        let answer = try #require(world.received(200, at: "carol").last)
        world.acknowledge(answer, of: reinvite, from: "carol", to: "alice")
        #expect(world.ends(at: "alice").isEmpty)
        #expect(world.agreements(at: "alice").last?.media == before?.media)
        // Nothing is left unanswered: the next change is offered at once.
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.requests(.invite, from: "alice").count == 2)
    }

    @Test(.proves(.row(22), .clause("RFC 3261 §14.2")))
    func secondInviteBeforeTheFirstIsAnsweredGets500WithRetryAfter() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        world.perform(.ring(handle), by: "bob")
        world.run(for: .milliseconds(20))
        let tag = try #require(world.received(180, at: "carol").first?.to.tag)
        let second = try world.request(
            .invite, from: "carol", to: "bob", sequence: 2, toTag: tag, body: World.answerText)
        world.ask(second, from: "carol", to: "bob")
        let refusal = try #require(world.received(500, at: "carol").first)
        let wait = try #require(try refusal.headers.first(RetryAfter.self))
        #expect((0...10).contains(wait.seconds))
    }

    @Test(.proves(.rule(1)))
    func callThatLastsTooLongIsEndedWhereNoPersonAnswered() throws {
        var configuration = World.configuration(user: "bob")
        configuration.maximumCallDuration = .seconds(60)
        configuration.automaticAnswer = AutomaticAnswerRules(loopback: true, registrarFlows: true, anybody: true)
        var world = aliceAndBob(bob: configuration)
        let handle = try world.dial()
        world.perform(.answer(handle, World.media, automatic: true), by: "bob")
        world.run(for: .seconds(59))
        #expect(world.ends(at: "bob").isEmpty)
        world.run(for: .seconds(2))
        #expect(world.ends(at: "bob").map(\.cause) == [.tooLong])
        #expect(world.ends(at: "alice") == [CallEnd(cause: .hungUp, by: .remote)])
    }

    @Test func peopleTalkAsLongAsTheyLike() throws {
        var configuration = World.configuration(user: "bob")
        configuration.maximumCallDuration = .seconds(60)
        var world = aliceAndBob(alice: configuration, bob: configuration)
        _ = try world.talk()
        world.run(for: .seconds(7200))
        #expect(world.ends(at: "bob").isEmpty && world.ends(at: "alice").isEmpty)
    }

    @Test(.proves(.rule(6), .row(36)))
    func inDialogRequestsAreTakenFromAnyAddress() throws {
        var (world, _) = try standing()
        world.addScripted("mallory", at: "192.0.2.66")
        let acknowledgement = try #require(world.last(.ack, at: "carol"))
        var bye = try world.request(
            .bye, from: "carol", to: "alice", callID: acknowledgement.callID, sequence: 7,
            toTag: acknowledgement.from.tag)
        bye.vias[0].host = .address(try #require(IPAddress("192.0.2.66")))
        world.send(.request(bye), from: "mallory", to: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.received(200, at: "mallory").count == 1)
        #expect(world.story(of: "alice").contains("peerMoved"))
        #expect(world.ends(at: "alice") == [CallEnd(cause: .hungUp, by: .remote)])
    }

    @Test func whatIsWantedMeanwhileFollowsAReinviteThatCouldNotBeSent() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        world.perform(.resume(caller), by: "alice")
        let flow = Flow(
            transport: .udp, local: try #require(world.addresses["alice"]),
            remote: try #require(world.addresses["carol"]))
        world.receive(.transmitFailed(flow, cause: nil, .refused), by: "alice")
        world.run(for: .milliseconds(20))
        let last = try #require(world.last(.invite, at: "carol"))
        #expect(last.cSeq.number == 3)
        #expect(String(decoding: last.body, as: UTF8.self).contains("a=sendrecv"))
    }
}
