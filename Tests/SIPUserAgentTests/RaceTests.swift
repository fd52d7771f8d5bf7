import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// What happens when messages cross, are lost or come late.
@Suite struct RaceTests {
    /// Nobody waits for it any more, so that only its Via tells whom it is for.
    @Test(.proves(.row(18), .row(14), .clause("RFC 3261 §18.1.2")))
    func lateAnswerUnderTheViaOfSomebodyElseIsDropped() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(33))
        var foreign = invite
        foreign.vias[0].host = .address(try #require(IPAddress("192.0.2.77")))
        try world.reply(200, to: foreign, from: "carol", contact: carolContact, body: World.answerText)
        #expect(world.requests(.ack, from: "alice").isEmpty && world.requests(.bye, from: "alice").isEmpty)
        #expect(world.cores["alice"]?.counters[.strayResponse] == 1)
    }

    /// Servers fork, and forget under which branch.
    @Test(.proves(.row(18)))
    func answerUnderAnotherBranchEndsTheWait() throws {
        for rings in [false, true] {
            var world = World()
            let invite = try world.aliceCallsCarol()
            if rings { try world.reply(180, to: invite, from: "carol", contact: carolContact) }
            var foreign = invite
            foreign.vias[0].parameters["branch"] = "z9hG4bKanother"
            try world.reply(200, to: foreign, from: "carol", contact: carolContact, body: World.answerText)
            #expect(world.count("alice>carol ACK") == 1)
            world.run(for: .seconds(240))
            #expect(world.count("alice>carol INVITE") == 1 && world.count("alice>carol CANCEL") == 0)
            #expect(world.ends(at: "alice").isEmpty)
            #expect(world.failedServers["alice"] == nil)
            #expect(world.cores["alice"]?.transactionCount == 0)
        }
    }

    /// The late answer of another INVITE of the call is none to the one that is under way.
    @Test(.proves(.row(18)))
    func answerToAnotherINVITEOfTheCallEndsNoWait() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        var other = invite
        other.vias[0].parameters["branch"] = "z9hG4bKanother"
        other.cSeq.number += 7
        try world.reply(200, to: other, from: "carol", contact: carolContact, body: World.answerText)
        world.run(for: .seconds(3))
        #expect(world.count("alice>carol INVITE") == 3)
    }

    /// Whoever tells the core what to do with a call hears of its end later than the core.
    @Test func aCommandThatTheEndOfItsCallCrossedIsNoFault() throws {
        var world = World()
        let (invite, handle) = try world.carolCallsBob()
        world.ask(invite.bare(.cancel), from: "carol", to: "bob")
        for elapsed in [Duration.zero, .seconds(100)] {
            world.run(for: elapsed)
            world.perform(.ring(handle), by: "bob")
            world.perform(.answer(handle, World.media), by: "bob")
            world.perform(.reject(handle, 486, reason: nil, headers: Headers()), by: "bob")
            world.perform(.hold(handle), by: "bob")
        }
        #expect(world.story(of: "bob") == ["incomingCall", "ended"])
        // A call that never was is a fault.
        world.perform(.ring(CallHandle(rawValue: handle.rawValue + 1)), by: "bob")
        world.perform(.hold(caller), by: "bob")
        #expect(world.story(of: "bob") == ["incomingCall", "ended", "warning", "warning"])
    }

    @Test(.proves(.row(1), .clause("RFC 3261 §9.1")))
    func holdsCancelUntilAProvisionalResponse() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(2))
        #expect(world.count("alice>carol CANCEL") == 0)
        #expect(world.count("alice>carol INVITE") == 3)
        #expect(world.ends(at: "alice") == [CallEnd(cause: .cancelled, by: .local)])
        try world.reply(180, to: invite, from: "carol")
        let cancel = try #require(world.last(.cancel, at: "carol"))
        #expect(cancel.vias == invite.vias)
        #expect(cancel.cSeq == CSeq(number: 1, method: .cancel))
        #expect(cancel.to.tag == nil)
        try world.reply(200, to: cancel, from: "carol")
        try world.reply(487, to: invite, from: "carol")
        #expect(world.last(.ack, at: "carol")?.vias == invite.vias)
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(2), .incident(51), .clause("RFC 3261 §9.1")))
    func answerThatCrossesCancelIsAcknowledgedAndEnded() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol")
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.cancel, at: "carol") != nil)
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        let acknowledgement = try #require(world.last(.ack, at: "carol"))
        #expect(acknowledgement.vias != invite.vias)
        let bye = try #require(world.last(.bye, at: "carol"))
        #expect(bye.to.tag == "peer")
        #expect(bye.cSeq.number == 2)
        #expect(world.story(of: "alice") == ["ringing", "ended"])
        try world.reply(200, to: bye, from: "carol")
        world.run(for: .seconds(200))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(3), .incident(51), .clause("RFC 3261 §9.1")))
    func givesUpACancelledInviteAfter64T1() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol")
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(31_900))
        #expect(world.cores["alice"]?.occupancy.invites == 1)
        world.run(for: .milliseconds(200))
        #expect(world.cores["alice"]?.occupancy.invites == 0)
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(1)))
    func cancelBeforeTheInviteLeftSendsNothing() throws {
        var world = World()
        world.add("alice", at: "192.0.2.1")
        var core = try #require(world.cores["alice"])
        core.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@slow.example"), media: World.media)), at: .zero)
        core.perform(.hangUp(caller), at: .zero)
        var outputs: [Output] = []
        while let output = core.nextOutput() { outputs.append(output) }
        #expect(outputs.count == 3)
        guard case .event(.placed) = outputs.first else {
            Issue.record("the call was not announced")
            return
        }
        core.receive(.resolved(ResolveID(rawValue: 1), []), at: .zero)
        #expect(core.nextOutput() == nil)
    }

    @Test(.proves(.row(5), .incident(51), .clause("RFC 3261 §9.2")))
    func cancelAfterTheAnswerChangesNothing() throws {
        var world = World()
        let (invite, handle) = try world.carolCallsBob()
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        var cancel = try world.request(.cancel, from: "carol", to: "bob")
        cancel.vias = invite.vias
        world.ask(cancel, from: "carol", to: "bob")
        #expect(world.received(200, at: "carol").map(\.cSeq.method) == [.invite, .cancel])
        #expect(world.received(487, at: "carol").isEmpty)
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test(.proves(.row(4), .clause("RFC 3261 §9.2")))
    func unknownCancelGets481() throws {
        var world = bobAndCarol()
        world.ask(try world.request(.cancel, from: "carol", to: "bob"), from: "carol", to: "bob")
        #expect(world.received(481, at: "carol").count == 1)
    }

    @Test(.proves(.row(6), .incident(50), .clause("RFC 3261 §13.3.1.4")))
    func repeatsTheAnswerUntil64T1ThenHangsUp() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        let start = world.now
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .seconds(40))
        let times = world.ladder.filter { $0.summary == "bob>carol 200 INVITE" }.map { ($0.at - start).milliseconds }
        #expect(times == [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500])
        let bye = try #require(world.ladder.first { $0.summary == "bob>carol BYE" })
        #expect((bye.at - start).milliseconds == 32000)
        #expect(world.ends(at: "bob") == [CallEnd(cause: .notAcknowledged, by: .local)])
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.row(7), .clause("RFC 3261 §13.2.2.4")))
    func repeatsTheSameAcknowledgement() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        for _ in 0..<3 {
            try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        }
        let acknowledgements = world.requests(.ack, from: "alice")
        #expect(acknowledgements.count == 3)
        #expect(Set(acknowledgements.map { $0.bytes() }).count == 1)
        #expect(world.story(of: "alice") == ["answered", "mediaAgreed", "established"])
    }

    @Test(.proves(.row(8), .clause("RFC 3261 §15")))
    func acceptsByeBeforeTheAcknowledgement() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let tag = try #require(world.received(200, at: "carol").first?.to.tag)
        let bye = try world.request(.bye, from: "carol", to: "bob", sequence: 2, toTag: tag)
        world.send(.request(bye), from: "carol", to: "bob")
        world.run(for: .seconds(5))
        #expect(world.received(200, at: "carol").map(\.cSeq.method) == [.invite, .bye])
        #expect(world.ends(at: "bob") == [CallEnd(cause: .hungUp, by: .remote)])
    }

    @Test(.proves(.row(9), .incident(51), .clause("RFC 3261 §15")))
    func hangUpBeforeTheAcknowledgementWaitsForIt() throws {
        var world = World()
        let (invite, handle) = try world.carolCallsBob()
        world.perform(.answer(handle, World.media), by: "bob")
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .seconds(3))
        #expect(world.count("bob>carol BYE") == 0)
        #expect(world.ends(at: "bob") == [CallEnd(cause: .hungUp, by: .local)])
        let answer = try #require(world.received(200, at: "carol").first)
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
        #expect(world.count("bob>carol BYE") == 1)
    }

    @Test(.proves(.row(9), .incident(51), .clause("RFC 3261 §15")))
    func hangUpWithoutAnyAcknowledgementIsSentAt64T1() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        world.perform(.answer(handle, World.media), by: "bob")
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .milliseconds(31_990))
        #expect(world.count("bob>carol BYE") == 0)
        world.run(for: .milliseconds(20))
        #expect(world.count("bob>carol BYE") == 1)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.row(14), .clause("RFC 6026 §7.2")))
    func lateAnswerAfterTheTransactionIsAcknowledgedAndEnded() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        world.run(for: .seconds(33))
        let end = CallEnd(cause: .timedOut, by: .local, reason: "timed out, udp 192.0.2.9:5060")
        #expect(world.ends(at: "alice") == [end])
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        #expect(world.requests(.ack, from: "alice").count == 1)
        #expect(world.requests(.bye, from: "alice").count == 1)
        world.run(for: .seconds(200))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(15)))
    func strayAcknowledgementIsDropped() throws {
        var world = bobAndCarol()
        world.send(
            .request(try world.request(.ack, from: "carol", to: "bob", toTag: "none")), from: "carol", to: "bob")
        world.run(for: .seconds(1))
        #expect(world.steps().count == 1)
        #expect(world.cores["bob"]?.counters[.strayAcknowledgement] == 1)
    }

    @Test(.proves(.row(56), .clause("RFC 3261 §15.1.1")))
    func bothHangUpAtOnce() throws {
        var world = aliceAndBob()
        let callee = try world.talk()
        world.perform(.hangUp(caller), by: "alice")
        world.perform(.hangUp(callee), by: "bob")
        world.run(for: .seconds(1))
        #expect(
            world.steps(from: 4).sorted() == [
                "alice>bob 200 BYE", "alice>bob BYE", "bob>alice 200 BYE", "bob>alice BYE",
            ])
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.row(56), .clause("RFC 3261 §15.1.1")))
    func byeWithoutAnAnswerIsGivenUp() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(70))
        #expect(world.count("alice>carol BYE") == 11)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(19), .clause("RFC 3261 §12.2.2")))
    func lowerSequenceNumberGets500() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        for sequence in [9, 8] as [UInt32] {
            let options = try world.request(.options, from: "carol", to: "bob", sequence: sequence, toTag: tag)
            world.ask(options, from: "carol", to: "bob")
        }
        #expect(world.received(200, at: "carol").map(\.cSeq.number) == [1, 9])
        #expect(world.received(500, at: "carol").map(\.cSeq.number) == [8])
    }

    @Test func losesNoCallAtTwentyPercentLoss() throws {
        var established = 0
        for seed in 1...20 as ClosedRange<UInt64> {
            var world = World()
            world.add("alice", at: "192.0.2.1", seed: seed)
            world.add("bob", at: "192.0.2.2", seed: seed + 1000)
            world.loses = { _, index in
                var source = RandomSource(seed: seed &* 7919 &+ UInt64(index))
                return source.next() % 5 == 0
            }
            world.perform(
                .call(caller, OutgoingCall(target: try target("sip:bob@192.0.2.2"), media: World.media)), by: "alice")
            world.run(for: .seconds(20))
            let handle = try #require(world.incoming(at: "bob"))
            world.perform(.answer(handle, World.media), by: "bob")
            world.run(for: .seconds(20))
            if world.story(of: "alice").contains("established"), world.story(of: "bob").contains("established") {
                established += 1
            }
            world.perform(.hangUp(caller), by: "alice")
            world.run(for: .seconds(200))
            #expect(world.cores["alice"]?.occupancy == .empty)
            #expect(world.cores["bob"]?.occupancy == .empty)
        }
        #expect(established == 20)
    }

    @Test(.proves(.row(14), .incident(76)))
    func acceptancesOfNothingThatWasAskedAreNotAcknowledged() throws {
        var world = World()
        var invite = try world.aliceCallsCarol()
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        for sequence in (500...600 as ClosedRange<UInt32>).reversed() {
            invite.cSeq.number = sequence
            invite.vias[0].branch = "z9hG4bKnone\(sequence)"
            try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        }
        #expect(world.count("alice>carol ACK") == 1)
    }

    @Test(.proves(.row(7), .clause("RFC 3261 §13.2.2.4")))
    func acknowledgementThatFoundNoWayIsSentWithTheRepeatedAnswer() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        let contact = "<sip:carol@carol.example>"
        try world.reply(200, to: invite, from: "carol", contact: contact, body: World.answerText)
        #expect(world.count("alice>carol ACK") == 0)
        world.names["carol.example"] = [SocketAddress("192.0.2.9:5060")].compactMap(\.self)
        try world.reply(200, to: invite, from: "carol", contact: contact, body: World.answerText)
        #expect(world.count("alice>carol ACK") == 1)
        try world.reply(200, to: invite, from: "carol", contact: contact, body: World.answerText)
        #expect(world.count("alice>carol ACK") == 2)
        #expect(Set(world.requests(.ack, from: "alice").map { $0.vias.first?.branch }).count == 1)
        #expect(world.ends(at: "alice").isEmpty)
    }

    @Test(.proves(.row(30)), arguments: [false, true])
    func aCallThatNothingCanReachEndsAndSaysWhy(hangsUp: Bool) throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        let call = CallHandle(rawValue: 1)
        for time in 1...3 {
            try world.reply(
                200, to: invite, from: "carol", contact: "<sip:carol@carol.example>", body: World.answerText)
            #expect(world.ends(at: "alice").isEmpty == (time < 3))
            if hangsUp { break }
        }
        if hangsUp { world.perform(.hangUp(call), by: "alice") }
        let end = try #require(world.ends(at: "alice").first)
        #expect(end.cause == .unreachable && end.by == .local)
        #expect(end.reason == "no such host, carol.example")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }
}
