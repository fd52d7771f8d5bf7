import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Several phones behind one address, early media, and answers that can't be used.
@Suite struct ForkTests {
    private func progress(of world: World) -> [String] {
        (world.events["alice"] ?? []).compactMap { event in
            switch event {
            case .ringing(_, let progress):
                "\(progress.status.value) \(progress.earlyDialog?.remoteTag ?? "-") \(progress.hasDescription)"
            case .earlyMedia(_, let dialog, let agreement):
                "media \(dialog.remoteTag) \(agreement.media.remoteRTP?.port ?? 0)"
            case .answered(_, let answer): "answered \(answer.dialog?.remoteTag ?? "-")"
            case .mediaAgreed(_, let agreement): "agreed \(agreement.media.remoteRTP?.port ?? 0)"
            default: nil
            }
        }
    }

    @Test(.proves(.row(11), .clause("RFC 3261 §12.1.2")))
    func tellsEarlyDialogsAndTheirMediaApart() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        let other = World.answerText.replacing("20000", with: "30000")
        try world.reply(180, to: invite, from: "carol", tag: "a", contact: carolContact)
        try world.reply(183, to: invite, from: "carol", tag: "b", contact: carolContact, body: World.answerText)
        try world.reply(183, to: invite, from: "carol", tag: "b", contact: carolContact, body: World.answerText)
        try world.reply(183, to: invite, from: "carol", tag: "c", contact: carolContact, body: other)
        try world.reply(200, to: invite, from: "carol", tag: "b", contact: carolContact)
        #expect(
            progress(of: world) == [
                "180 a false", "183 b true", "media b 20000", "183 b true", "183 c true", "media c 30000",
                "answered b", "agreed 20000",
            ])
    }

    @Test(.proves(.row(10), .clause("RFC 3261 §13.2.2.4")))
    func endsTheSecondAnswer() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(200, to: invite, from: "carol", tag: "a", contact: carolContact, body: World.answerText)
        try world.reply(200, to: invite, from: "carol", tag: "b", contact: carolContact, body: World.answerText)
        try world.reply(200, to: invite, from: "carol", tag: "b", contact: carolContact, body: World.answerText)
        #expect(world.requests(.ack, from: "alice").map(\.to.tag) == ["a", "b", "b"])
        #expect(world.requests(.bye, from: "alice").map(\.to.tag) == ["b"])
        let bye = try #require(world.last(.bye, at: "carol"))
        try world.reply(200, to: bye, from: "carol")
        #expect(world.ends(at: "alice").isEmpty)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.bye, at: "carol")?.to.tag == "a")
    }

    /// Alice's call, which that many phones of Carol's answer and whose BYEs they answer as well.
    private func answered(byPhones count: Int) throws -> (world: World, invite: Request) {
        var world = World()
        let invite = try world.aliceCallsCarol()
        for index in 0..<count {
            try answer(invite, as: index, in: &world)
            if let bye = world.last(.bye, at: "carol"), bye.to.tag == "t\(index)" {
                try world.reply(200, to: bye, from: "carol", tag: nil)
            }
        }
        return (world, invite)
    }

    private func answer(_ invite: Request, as index: Int, in world: inout World) throws {
        try world.reply(
            200, to: invite, from: "carol", tag: "t\(index)", contact: carolContact, body: World.answerText)
    }

    @Test(.proves(.row(10), .clause("RFC 3261 §13.2.2.4")), arguments: [10, 16, 40])
    func endsEveryAnswerButTheFirstHoweverManyThereAre(count: Int) throws {
        var (world, invite) = try answered(byPhones: count)
        let tags = (0..<count).map { "t\($0)" }
        #expect(world.requests(.ack, from: "alice").map(\.to.tag) == tags)
        #expect(world.requests(.bye, from: "alice").map(\.to.tag) == Array(tags.dropFirst()))
        for index in 0..<count { try answer(invite, as: index, in: &world) }
        #expect(world.requests(.ack, from: "alice").map(\.to.tag) == tags + tags)
        #expect(world.requests(.bye, from: "alice").count == count - 1)
        #expect(world.ends(at: "alice").isEmpty)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(200, to: try #require(world.last(.bye, at: "carol")), from: "carol", tag: nil)
        world.run(for: .seconds(200))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(14)))
    func keepsSixtyFourAnswersToBeEnded() throws {
        let (world, _) = try answered(byPhones: 100)
        #expect(Set(world.requests(.ack, from: "alice").map(\.to.tag)).count == 65)
        #expect(Set(world.requests(.bye, from: "alice").map(\.to.tag)).count == 64)
    }

    @Test(.proves(.rule(14)))
    func answersThatAreEndedLeaveRoomForCalls() throws {
        var (world, _) = try answered(byPhones: 100)
        world.ask(
            try world.request(.invite, from: "carol", to: "alice", body: World.answerText), from: "carol", to: "alice")
        #expect(world.incoming(at: "alice") != nil)
    }

    @Test(.proves(.row(11), .rule(14), .incident(45)))
    func keepsEightEarlyDialogs() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        for index in 0..<20 {
            try world.reply(183, to: invite, from: "carol", tag: "t\(index)", contact: carolContact)
        }
        let dialogs = Set(
            (world.events["alice"] ?? []).compactMap { event -> String? in
                if case .ringing(_, let progress) = event { progress.earlyDialog?.remoteTag } else { nil }
            })
        #expect(dialogs.count == 8)
        #expect(world.story(of: "alice").count == 20)
    }

    @Test(.proves(.row(60), .clause("RFC 3261 §12.1.2")))
    func ringsWithoutTagButFailsOnAnAnswerWithoutOne() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol", tag: nil)
        #expect(progress(of: world) == ["180 - false"])
        try world.reply(200, to: invite, from: "carol", tag: nil, contact: carolContact, body: World.answerText)
        #expect(world.ends(at: "alice") == [CallEnd(cause: .protocolFault, by: .remote, status: 502)])
        #expect(world.requests(.ack, from: "alice").isEmpty)
        world.run(for: .seconds(200))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(30), .clause("RFC 3261 §12.1.2")), arguments: [nil, "<tel:+15551234>", "*"])
    func answerWithoutUsableContactIsEnded(contact: String?) throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            200, to: invite, from: "carol", body: World.answerText,
            headers: contact.map { [(.contact, $0)] } ?? [])
        #expect(world.ends(at: "alice").map(\.cause) == [.protocolFault])
        #expect(world.requests(.ack, from: "alice").map(\.uri.description) == ["sip:carol@192.0.2.9"])
        #expect(world.requests(.bye, from: "alice").count == 1)
    }

    @Test(.proves(.clause("RFC 3261 §13.2.2.4")))
    func answerWithNothingInCommonIsAcknowledgedAndEnded() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        let body = World.answerText.replacing("AVP 0", with: "AVP 18").replacing(
            "rtpmap:0 PCMU", with: "rtpmap:18 G729")
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: body)
        #expect(world.requests(.ack, from: "alice").count == 1)
        #expect(world.requests(.bye, from: "alice").count == 1)
        #expect(world.ends(at: "alice").map(\.cause) == [.mediaRefused])
    }

    @Test(.proves(.row(26), .clause("RFC 3261 §13.2.1")))
    func offerInTheAnswerIsAnsweredInTheAcknowledgement() throws {
        var world = aliceAndBob()
        let call = OutgoingCall(
            target: try target("sip:bob@192.0.2.2"), media: World.media, offersInInvite: false)
        _ = try world.talk(call)
        let invite = try #require(world.requests(.invite, from: "alice").first)
        let acknowledgement = try #require(world.requests(.ack, from: "alice").first)
        #expect(invite.body.isEmpty)
        #expect(!acknowledgement.body.isEmpty)
        #expect(world.agreements(at: "alice").count == 1)
        #expect(world.agreements(at: "bob").count == 1)
        #expect(world.agreements(at: "bob").first?.media.remoteRTP == SocketAddress("192.0.2.1:16384"))
    }

    @Test(.proves(.row(26), .clause("RFC 3261 §13.2.1")))
    func offerWithoutAnswerInTheAcknowledgementIsEnded() throws {
        var world = World()
        let (invite, handle) = try world.carolCallsBob(body: nil)
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let answer = try #require(world.received(200, at: "carol").first)
        #expect(!answer.body.isEmpty)
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
        #expect(world.ends(at: "bob").map(\.cause) == [.mediaRefused])
        #expect(world.requests(.bye, from: "bob").count == 1)
    }

    @Test(.proves(.clause("RFC 3261 §13.2.1")))
    func earlyMediaOfOursIsRepeatedInTheAnswer() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        world.perform(.progress(handle, World.media), by: "bob")
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let early = try #require(world.received(183, at: "carol").first)
        let answer = try #require(world.received(200, at: "carol").first)
        #expect(!early.body.isEmpty)
        #expect(early.body == answer.body)
        #expect(early.to.tag == answer.to.tag)
        #expect(world.story(of: "bob") == ["incomingCall", "earlyMedia", "answered", "mediaAgreed"])
    }

    @Test(.proves(.row(31), .clause("RFC 3261 §8.1.3.4")))
    func redirectionIsReportedUnlessItMayBeFollowed() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            302, to: invite, from: "carol",
            headers: [(.contact, "<sip:dave@192.0.2.7>;q=0.2, <sip:erin@192.0.2.8>;q=0.9")])
        let end = try #require(world.ends(at: "alice").first)
        #expect(end.status == 302)
        #expect(end.redirections.map(\.description) == ["sip:erin@192.0.2.8", "sip:dave@192.0.2.7"])
    }

    @Test(.proves(.row(31), .clause("RFC 3261 §8.1.3.4")))
    func followsAtMostSoManyRedirectionsAndNoneTwice() throws {
        var world = World()
        let call = OutgoingCall(
            target: try target("sip:carol@192.0.2.9"), media: World.media, redirectionLimit: 5)
        var invite = try world.aliceCallsCarol(call: call)
        for index in 1...8 {
            let before = world.requests(.invite, from: "alice").count
            let contacts = "<sip:carol@192.0.2.9>, <sip:c\(index)@192.0.2.9>"
            try world.reply(302, to: invite, from: "carol", headers: [(.contact, contacts)])
            guard world.requests(.invite, from: "alice").count > before else { break }
            invite = try #require(world.last(.invite, at: "carol"))
        }
        #expect(
            world.requests(.invite, from: "alice").map(\.uri.description) == [
                "sip:carol@192.0.2.9", "sip:c1@192.0.2.9", "sip:c2@192.0.2.9", "sip:c3@192.0.2.9",
                "sip:c4@192.0.2.9", "sip:c5@192.0.2.9",
            ])
        #expect(world.requests(.invite, from: "alice").map(\.cSeq.number) == [1, 2, 3, 4, 5, 6])
        #expect(world.ends(at: "alice").map(\.status) == [302])
    }

    /// The first target thinks that it is called, and is told that it is not.
    @Test(.proves(.row(18), .clause("RFC 3261 §13.2.2.4")))
    func aLateAnswerOfATargetThatSentUsAwayIsEnded() throws {
        var world = World()
        world.addScripted("dave", at: "192.0.2.7")
        let call = OutgoingCall(target: try target("sip:carol@192.0.2.9"), media: World.media, redirectionLimit: 5)
        let first = try world.aliceCallsCarol(call: call)
        try world.reply(302, to: first, from: "carol", headers: [(.contact, "<sip:dave@192.0.2.7>")])
        for _ in 0..<2 {
            try world.reply(200, to: first, from: "carol", contact: carolContact, body: World.answerText)
        }
        #expect(world.last(.bye, at: "carol")?.to.tag != nil)
        #expect(world.requests(.ack, from: "alice").filter { $0.to.tag != nil && $0.cSeq.number == 1 }.count >= 2)
        let second = try #require(world.last(.invite, at: "dave"))
        let contact = "<sip:dave@192.0.2.7>"
        try world.reply(200, to: second, from: "dave", tag: "dave", contact: contact, body: World.answerText)
        #expect(world.last(.ack, at: "dave")?.cSeq.number == 2)
        #expect(world.last(.bye, at: "dave") == nil && world.ends(at: "alice").isEmpty)
    }

    @Test(.proves(.row(31), .clause("RFC 3261 §8.1.3.4")))
    func anotherTargetIsTriedWhereTheFirstRefusesOrIsNotThere() throws {
        var world = World()
        world.addScripted("dave", at: "192.0.2.7")
        let call = OutgoingCall(
            target: try target("sip:carol@192.0.2.9"), media: World.media, redirectionLimit: 5)
        let invite = try world.aliceCallsCarol(call: call)
        let contacts = "<sip:carol@192.0.2.9:5062>, <sip:nobody@nowhere.example>, <sip:dave@192.0.2.7>"
        try world.reply(302, to: invite, from: "carol", headers: [(.contact, contacts)])
        try world.reply(404, to: try #require(world.last(.invite, at: "carol")), from: "carol")
        let last = try #require(world.last(.invite, at: "dave"))
        #expect(last.uri.description == "sip:dave@192.0.2.7")
        #expect(world.ends(at: "alice").isEmpty)
        try world.reply(486, to: last, from: "dave")
        #expect(world.ends(at: "alice").map(\.status) == [486])
    }

    @Test(.proves(.row(31), .clause("RFC 3261 §26.2.2"), .clause("RFC 3261 §19.1.4")))
    func neitherALessSecureTargetNorOneInOtherWordsIsTried() throws {
        var world = World()
        let server = try #require(SocketAddress("192.0.2.9:5060"))
        world.names["secure.example"] = [server]
        world.acceptsTCP = [server]
        world.transports = [.udp, .tcp, .tls]
        let call = OutgoingCall(
            target: try target("sips:carol@secure.example"), media: World.media, redirectionLimit: 5)
        let invite = try world.aliceCallsCarol(call: call)
        try world.reply(
            302, to: invite, from: "carol",
            headers: [(.contact, "<sip:carol@192.0.2.9>, <sips:%63arol@SECURE.example>")])
        #expect(world.requests(.invite, from: "alice").count == 1)
        #expect(world.ends(at: "alice").map(\.status) == [302])
    }

    @Test(.proves(.clause("RFC 3261 §21.3")), arguments: [StatusCode(305), 380])
    func aProxyOrAnotherServiceIsNoOtherTarget(_ status: StatusCode?) throws {
        var world = World()
        let call = OutgoingCall(target: try target("sip:carol@192.0.2.9"), media: World.media, redirectionLimit: 5)
        let invite = try world.aliceCallsCarol(call: call)
        try world.reply(
            try #require(status), to: invite, from: "carol", headers: [(.contact, "<sip:proxy@192.0.2.9>")])
        #expect(world.requests(.invite, from: "alice").count == 1)
        #expect(world.ends(at: "alice").map(\.status) == [status])
    }

    @Test(.proves(.row(31), .clause("RFC 3261 §21.6")))
    func nobodyElseIsAskedAfterARefusalEverywhere() throws {
        var world = World()
        let call = OutgoingCall(
            target: try target("sip:carol@192.0.2.9"), media: World.media, redirectionLimit: 5)
        let invite = try world.aliceCallsCarol(call: call)
        try world.reply(
            302, to: invite, from: "carol", headers: [(.contact, "<sip:a@192.0.2.9>, <sip:b@192.0.2.9>")])
        try world.reply(603, to: try #require(world.last(.invite, at: "carol")), from: "carol")
        #expect(world.requests(.invite, from: "alice").count == 2)
        #expect(world.ends(at: "alice").map(\.status) == [603])
    }

    @Test(.proves(.clause("RFC 3261 §13.2.2.4")))
    func offerOfAnUnwantedAnswerIsRefusedInItsAcknowledgement() throws {
        var world = World()
        let call = OutgoingCall(
            target: try target("sip:carol@192.0.2.9"), media: World.media, offersInInvite: false)
        let invite = try world.aliceCallsCarol(call: call)
        for tag in ["one", "two"] {
            try world.reply(
                200, to: invite, from: "carol", tag: tag, contact: carolContact, body: World.answerText)
        }
        let bodies = world.requests(.ack, from: "alice").map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies.count == 2)
        #expect(bodies.first?.contains("m=audio 16384 ") == true)
        #expect(bodies.last?.contains("m=audio 0 ") == true)
        #expect(world.requests(.bye, from: "alice").map(\.to.tag) == ["two"])
        #expect(world.ends(at: "alice").isEmpty)
    }
}
