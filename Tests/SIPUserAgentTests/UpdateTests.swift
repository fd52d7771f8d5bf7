import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// UPDATE in both roles, before and after the call is answered (RFC 3311).
@Suite struct UpdateTests {
    private static let allows: [(HeaderName, String)] = [(.allow, "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE")]

    /// Alice calls Carol, whose 183 settled the media of the early dialog.
    private func early() throws -> (World, Request) {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: World.answerText,
            headers: PrackCallerTests.reliable(1) + Self.allows)
        return (world, invite)
    }

    /// A call between Alice and Carol that stands.
    private func standing(_ headers: [(HeaderName, String)] = allows) throws -> World {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            200, to: invite, from: "carol", contact: carolContact, body: World.answerText, headers: headers)
        return world
    }

    /// Carol sends an UPDATE in her dialog with Alice.
    private func update(
        _ world: inout World, sequence: UInt32 = 7, tag: String = "peer", body: String? = nil,
        headers: [(HeaderName, String)] = [(.contact, carolContact)]
    ) throws -> Response? {
        let invite = try #require(world.last(.invite, at: "carol"))
        let request = try world.request(
            .update, from: "carol", to: "alice", callID: invite.callID, sequence: sequence, fromTag: tag,
            toTag: invite.from.tag, body: body, headers: headers)
        world.ask(request, from: "carol", to: "alice")
        return world.mailbox["carol"]?.reversed().lazy.compactMap { message in
            if case .response(let answer) = message, answer.cSeq == request.cSeq { answer } else { nil }
        }.first
    }

    private static func version(_ version: Int, port: Int = 20000, direction: String = "sendrecv") -> String {
        World.answerText.replacing("o=- 1 1", with: "o=- 1 \(version)").replacing("20000", with: "\(port)")
            + "a=\(direction)\r\n"
    }

    private func earlyMedia(of name: String, in world: World) -> [(tag: String, media: AgreedMedia)] {
        (world.events[name] ?? []).compactMap { event in
            if case .earlyMedia(_, let dialog, let agreement) = event {
                (dialog.remoteTag, agreement.media)
            } else {
                nil
            }
        }
    }

    // MARK: - Ours

    @Test(.proves(.row(46), .clause("RFC 3311 §5.1")))
    func holdInAnEarlyDialogGoesByUpdate() throws {
        var (world, invite) = try early()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let update = try #require(world.last(.update, at: "carol"))
        #expect(try SessionDescription(parsing: update.body).media.first?.direction == .sendOnly)
        #expect(update.headers.contains(.contact))
        try world.reply(
            200, to: update, from: "carol", contact: carolContact, body: Self.version(2, direction: "recvonly"))
        #expect(earlyMedia(of: "alice", in: world).map(\.media.direction) == [.sendReceive, .sendOnly])
        #expect(world.story(of: "alice").last == "modified")
        try world.reply(200, to: invite, from: "carol", contact: carolContact)
        #expect(world.agreements(at: "alice").map(\.media.direction) == [.sendOnly])
        #expect(world.requests(.invite, from: "alice").count == 1)
    }

    @Test(.proves(.clause("RFC 3311 §5.1")))
    func answerThatOvertakesTheUpdateOfTheEarlyDialogLeavesItsOfferOutstanding() throws {
        var (world, invite) = try early()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let update = try #require(world.last(.update, at: "carol"))
        try world.reply(200, to: invite, from: "carol", contact: carolContact)
        #expect(world.ends(at: "alice").isEmpty)
        #expect(world.agreements(at: "alice").map(\.media.direction) == [.sendReceive])
        try world.reply(
            200, to: update, from: "carol", contact: carolContact, body: Self.version(2, direction: "recvonly"))
        #expect(world.agreements(at: "alice").map(\.media.direction) == [.sendReceive, .sendOnly])
    }

    @Test func holdIsSaidAgainToAnotherForkThatAnswers() throws {
        var (world, invite) = try early()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(
            200, to: invite, from: "carol", tag: "other", contact: carolContact, body: World.answerText)
        let reinvite = try #require(world.last(.invite, at: "carol"))
        #expect(reinvite.to.tag == "other" && reinvite.cSeq.number == 2)
        #expect(try SessionDescription(parsing: reinvite.body).media.first?.direction == .sendOnly)
    }

    @Test(.proves(.clause("RFC 3311 §5.1")))
    func nothingIsOfferedBeforeTheFirstOfferIsAnsweredReliably() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: World.answerText, headers: Self.allows)
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.requests(.update, from: "alice").isEmpty)
        #expect(world.story(of: "alice").last == "warning")
    }

    @Test func peerThatDoesNotSayThatItTakesUpdateIsSentNone() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: World.answerText,
            headers: PrackCallerTests.reliable(1))
        world.perform(.hold(caller), by: "alice")
        #expect(world.requests(.update, from: "alice").isEmpty)
        var other = try standing([(.allow, "INVITE, ACK, BYE, CANCEL")])
        other.perform(.update(caller, nil), by: "alice")
        #expect(other.requests(.update, from: "alice").isEmpty)
        #expect(other.requests(.invite, from: "alice").count == 2)
    }

    @Test func calleeHoldsItsEarlyCallerByUpdate() throws {
        var world = aliceAndBob()
        let handle = try world.dial()
        world.perform(.progress(handle, World.media), by: "bob")
        world.run(for: .milliseconds(100))
        world.perform(.hold(handle), by: "bob")
        world.run(for: .milliseconds(100))
        #expect(world.requests(.update, from: "bob").count == 1)
        #expect(earlyMedia(of: "alice", in: world).map(\.media.isHeldByPeer) == [false, true])
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(100))
        #expect(world.agreements(at: "alice").map(\.media.isHeldByPeer) == [true])
        #expect(world.agreements(at: "bob").map(\.media.direction) == [.sendOnly])
        #expect(world.ends(at: "alice").isEmpty && world.ends(at: "bob").isEmpty)
    }

    @Test func updateMovesTheMediaOfACallThatStands() throws {
        var world = try standing()
        world.perform(.update(caller, LocalMedia(rtpPort: 17000)), by: "alice")
        world.run(for: .milliseconds(20))
        let update = try #require(world.last(.update, at: "carol"))
        #expect(try SessionDescription(parsing: update.body).media.map(\.port) == [17000])
        try world.reply(
            200, to: update, from: "carol", contact: "<sip:desk@192.0.2.9:5060>", body: Self.version(2, port: 20500))
        #expect(world.agreements(at: "alice").last?.media.remoteRTP?.port == 20500)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        // Its 2xx refreshed the target.
        #expect(world.last(.bye, at: "carol")?.uri.description == "sip:desk@192.0.2.9:5060")
        #expect(world.requests(.ack, from: "alice").count == 1)
    }

    @Test(.proves(.row(23), .clause("RFC 3311 §5.3")), arguments: [488, 486, 500, 603, 504] as [Int])
    func refusedUpdateLeavesTheCallUp(status: Int) throws {
        var world = try standing()
        world.perform(.update(caller, LocalMedia(rtpPort: 17000)), by: "alice")
        world.run(for: .milliseconds(20))
        let update = try #require(world.last(.update, at: "carol"))
        try world.reply(try #require(StatusCode(status)), to: update, from: "carol")
        #expect(world.story(of: "alice").last == "modifyFailed")
        #expect(world.ends(at: "alice").isEmpty)
        world.run(for: .seconds(20))
        #expect(world.requests(.update, from: "alice").count == 1)
    }

    @Test(.proves(.row(20), .clause("RFC 3311 §5.3")), arguments: [481, 408, nil] as [Int?])
    func updateThatFindsNoDialogEndsTheCall(status: Int?) throws {
        var world = try standing()
        world.perform(.update(caller, nil), by: "alice")
        world.run(for: .milliseconds(20))
        if let status {
            let update = try #require(world.last(.update, at: "carol"))
            try world.reply(try #require(StatusCode(status)), to: update, from: "carol")
        } else {
            world.run(for: .seconds(33))
        }
        #expect(world.ends(at: "alice").map(\.cause) == [status == nil ? .timedOut : .dialogLost])
        #expect(world.requests(.bye, from: "alice").count > 0)
    }

    @Test func earlyUpdateThatFindsNoDialogEndsTheCallByCancel() throws {
        var (world, _) = try early()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let update = try #require(world.last(.update, at: "carol"))
        try world.reply(481, to: update, from: "carol")
        #expect(world.ends(at: "alice").map(\.cause) == [.dialogLost])
        #expect(world.requests(.cancel, from: "alice").count == 1)
    }

    @Test(.proves(.row(24), .clause("RFC 3311 §5.3")))
    func updateThatMeetsGlareIsTriedAgain() throws {
        var world = try standing()
        world.perform(.update(caller, LocalMedia(rtpPort: 17000)), by: "alice")
        world.run(for: .milliseconds(20))
        let start = world.now
        try world.reply(491, to: try #require(world.last(.update, at: "carol")), from: "carol")
        world.run(for: .seconds(5))
        let again = try #require(world.ladder.first { $0.summary == "alice>carol UPDATE" && $0.at > start }).at - start
        #expect((2100...4020).contains(again.milliseconds))
        let second = try #require(world.last(.update, at: "carol"))
        #expect(second.cSeq.number == 3)
        let next = world.now
        try world.reply(500, to: second, from: "carol", headers: [(.retryAfter, "3")])
        world.run(for: .seconds(4))
        let third = try #require(world.ladder.first { $0.summary == "alice>carol UPDATE" && $0.at > next }).at - next
        #expect((3000...3020).contains(third.milliseconds))
    }

    @Test func peerThatRefusesTheMethodIsOfferedByReinvite() throws {
        var world = try standing()
        for status in [405, 501] as [StatusCode] {
            world.perform(.update(caller, LocalMedia(rtpPort: 17000)), by: "alice")
            world.run(for: .milliseconds(20))
            if let update = world.last(.update, at: "carol"), world.requests(.invite, from: "alice").count == 1 {
                try world.reply(status, to: update, from: "carol")
            }
        }
        #expect(world.requests(.update, from: "alice").count == 1)
        #expect(world.requests(.invite, from: "alice").count == 2)
    }

    // MARK: - The peer's

    @Test(.proves(.clause("RFC 3311 §5.2")))
    func offerOfThePeerIsAnsweredAtOnce() throws {
        var world = try standing()
        let answer = try #require(
            try update(&world, body: Self.version(2, port: 20500), headers: [(.contact, "<sip:desk@192.0.2.9:5060>")]))
        #expect(answer.status == 200)
        #expect(try SessionDescription(parsing: answer.body).media.map(\.port) == [16384])
        #expect(answer.headers.contains(.contact) && answer.headers.contains(.allow))
        #expect(world.agreements(at: "alice").last?.media.remoteRTP?.port == 20500)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.bye, at: "carol")?.uri.description == "sip:desk@192.0.2.9:5060")
    }

    @Test(.proves(.clause("RFC 3311 §5.2")))
    func updateWithoutOfferOnlyRefreshesTheTarget() throws {
        var world = try standing()
        let answer = try #require(try update(&world, headers: [(.contact, "<sip:desk@192.0.2.9:5060>")]))
        #expect(answer.status == 200 && answer.body.isEmpty)
        #expect(world.agreements(at: "alice").count == 1)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.bye, at: "carol")?.uri.description == "sip:desk@192.0.2.9:5060")
    }

    @Test func offerOfThePeerInAnEarlyDialogMovesItsMedia() throws {
        var (world, invite) = try early()
        #expect(try update(&world, body: Self.version(2, port: 20500))?.status == 200)
        #expect(earlyMedia(of: "alice", in: world).map(\.media.remoteRTP?.port) == [20000, 20500])
        try world.reply(200, to: invite, from: "carol", contact: carolContact)
        #expect(world.agreements(at: "alice").map(\.media.remoteRTP?.port) == [20500])
    }

    @Test(.proves(.row(11), .clause("RFC 3311 §5.2")))
    func eachForkHasItsOwnNegotiation() throws {
        var (world, invite) = try early()
        try world.reply(
            183, to: invite, from: "carol", tag: "other", contact: carolContact,
            body: World.answerText.replacing("20000", with: "21000"),
            headers: PrackCallerTests.reliable(30) + Self.allows)
        #expect(try update(&world, tag: "other", body: Self.version(2, port: 21500))?.status == 200)
        #expect(try update(&world, sequence: 8, tag: "peer", body: Self.version(2, port: 20500))?.status == 200)
        #expect(
            earlyMedia(of: "alice", in: world).map { "\($0.tag) \($0.media.remoteRTP?.port ?? 0)" } == [
                "peer 20000", "other 21000", "other 21500", "peer 20500",
            ])
        try world.reply(200, to: invite, from: "carol", tag: "other", contact: carolContact)
        #expect(world.agreements(at: "alice").map(\.media.remoteRTP?.port) == [21500])
    }

    @Test(.proves(.row(24), .clause("RFC 3311 §5.2")))
    func offerWhileOursIsUnansweredGets491() throws {
        // The offer of the INVITE, then one of an UPDATE.
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(183, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        #expect(try update(&world, body: Self.version(2))?.status == 491)
        #expect(try update(&world, sequence: 8)?.status == 200)
        var other = try standing()
        other.perform(.update(caller, nil), by: "alice")
        other.run(for: .milliseconds(20))
        #expect(try update(&other, body: Self.version(2))?.status == 491)
        #expect(try update(&other, sequence: 8)?.status == 200)
    }

    @Test(.proves(.row(24), .clause("RFC 3311 §5.2")))
    func offerWhileThePeersOwnIsUnansweredGets500() throws {
        for isAnsweredUnreliably in [false, true] {
            var world = World()
            let (_, handle) = try world.carolCallsBob()
            if isAnsweredUnreliably {
                world.perform(.progress(handle, World.media), by: "bob")
            } else {
                world.perform(.ring(handle), by: "bob")
            }
            world.run(for: .milliseconds(20))
            let tag = try #require(world.received(isAnsweredUnreliably ? 183 : 180, at: "carol").first?.to.tag)
            let request = try world.request(
                .update, from: "carol", to: "bob", sequence: 2, toTag: tag, body: Self.version(2))
            world.ask(request, from: "carol", to: "bob")
            let refusal = try #require(world.received(500, at: "carol").first)
            let wait = try #require(try refusal.headers.first(RetryAfter.self))
            #expect((0...10).contains(wait.seconds))
            world.perform(.answer(handle, World.media), by: "bob")
            #expect(world.agreements(at: "bob").map(\.media.remoteRTP?.port) == [20000])
        }
    }

    @Test(.proves(.clause("RFC 3311 §5.2")))
    func faxIsRefusedAndTheCallStays() throws {
        var world = try standing()
        let fax = World.answerText.replacing("o=- 1 1", with: "o=- 1 2").replacing(
            "m=audio 20000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", with: "m=image 20000 udptl t38")
        let refusal = try #require(try update(&world, body: fax))
        #expect(refusal.status == 488)
        #expect(refusal.headers.contains(.warning))
        #expect(world.ends(at: "alice").isEmpty && world.agreements(at: "alice").count == 1)
        #expect(try update(&world, sequence: 8, body: "v=")?.status == 400)
        #expect(try update(&world, sequence: 9, body: Self.version(3, port: 20500))?.status == 200)
    }

    @Test func updateOfNoDialogGets481() throws {
        var world = try standing()
        #expect(try update(&world, tag: "stranger")?.status == 481)
        var late = try standing()
        late.perform(.hangUp(caller), by: "alice")
        late.run(for: .milliseconds(20))
        #expect(try update(&late)?.status == 481)
        // A fork that did not answer is no dialog of the call any more.
        var (forked, invite) = try early()
        try forked.reply(200, to: invite, from: "carol", tag: "other", contact: carolContact, body: World.answerText)
        #expect(try update(&forked)?.status == 481)
    }

    @Test(.proves(.row(24), .clause("RFC 3311 §5.2")))
    func twoUpdatesThatCrossAreBothSettledInTheEnd() throws {
        var world = aliceAndBob()
        let handle = try world.talk()
        world.perform(.update(caller, LocalMedia(rtpPort: 17000)), by: "alice")
        world.perform(.update(handle, LocalMedia(rtpPort: 18000)), by: "bob")
        world.run(for: .seconds(10))
        #expect(world.responses(491, from: "alice").count == 1)
        #expect(world.responses(491, from: "bob").count == 1)
        #expect(world.agreements(at: "alice").last?.media.remoteRTP?.port == 18000)
        #expect(world.agreements(at: "bob").last?.media.remoteRTP?.port == 17000)
    }
}
