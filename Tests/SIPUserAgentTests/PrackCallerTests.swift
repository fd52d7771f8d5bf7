import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Reliable provisional responses to our INVITE (RFC 3262 §4, §5).
@Suite struct PrackCallerTests {
    /// The header fields of a reliable response.
    static func reliable(_ number: UInt32) -> [(HeaderName, String)] {
        [(.require, "100rel"), (.rSeq, "\(number)")]
    }

    private func pracks(of world: World) -> [String] {
        world.requests(.prack, from: "alice").map { request in
            let rack = (try? request.headers.first(RAck.self)).map { "\($0.responseNumber) \($0.cSeq)" } ?? "-"
            return "\(request.to.tag ?? "-") \(request.cSeq.number): \(rack)"
        }
    }

    @Test(.proves(.row(57), .clause("RFC 3262 §4")))
    func inviteSaysThatReliableResponsesAreUnderstood() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        #expect(try invite.headers.first(Supported.self)?.contains("100rel") == true)
        #expect(try invite.headers.first(Require.self) == nil)
        #expect(try invite.headers.first(Allow.self)?.methods.contains(.prack) == true)
    }

    @Test(.proves(.row(57), .clause("RFC 3262 §4")))
    func inviteRequiresReliableResponsesWhereTheUserDoes() throws {
        var configuration = World.configuration(user: "alice")
        configuration.reliableProvisionals = .required
        var world = World()
        let invite = try world.aliceCallsCarol(configuration)
        #expect(try invite.headers.first(Require.self)?.tags == ["100rel"])
        #expect(try invite.headers.first(Supported.self)?.contains("100rel") == true)
    }

    @Test(.proves(.row(57), .clause("RFC 3262 §4")))
    func nothingIsSaidOfReliableResponsesWhereTheyAreOff() throws {
        var configuration = World.configuration(user: "alice")
        configuration.reliableProvisionals = .off
        var world = World()
        let invite = try world.aliceCallsCarol(configuration)
        #expect(try invite.headers.first(Supported.self)?.contains("100rel") != true)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §4")))
    func acknowledgesEachReliableResponseInItsOrderAndDialog() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        for (tag, number) in [("a", 7), ("b", 900), ("a", 8), ("a", 8), ("a", 10), ("b", 900), ("a", 9)] {
            try world.reply(
                180, to: invite, from: "carol", tag: tag, contact: carolContact,
                headers: Self.reliable(UInt32(number)))
        }
        // The repeated ones and the one that came too early get none.
        #expect(pracks(of: world) == ["a 2: 7 1 INVITE", "b 2: 900 1 INVITE", "a 3: 8 1 INVITE", "a 4: 9 1 INVITE"])
        #expect(world.story(of: "alice").filter { $0 == "ringing" }.count == 4)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §4")))
    func prackTakesTheRouteOfItsEarlyDialogAndTheCallTheOneOfThe2xx() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        let route: [(HeaderName, String)] = [(.recordRoute, "<sip:192.0.2.9;lr>")]
        try world.reply(
            183, to: invite, from: "carol", contact: "<sip:desk@192.0.2.9:5060>",
            headers: Self.reliable(1) + route)
        let prack = try #require(world.last(.prack, at: "carol"))
        #expect(prack.uri.description == "sip:desk@192.0.2.9:5060")
        #expect(try prack.headers.all(Route.self).map(\.address.uri.description) == ["sip:192.0.2.9;lr"])
        #expect(!prack.headers.contains(.contact))
        try world.reply(200, to: prack, from: "carol")
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        let acknowledgement = try #require(world.last(.ack, at: "carol"))
        #expect(acknowledgement.headers.values(.route).isEmpty)
        #expect(acknowledgement.uri.description == "sip:carol@192.0.2.9:5060")
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        // The numbers of the early dialog count on.
        #expect(world.last(.bye, at: "carol")?.cSeq.number == 3)
    }

    /// Behind a proxy that forks, one branch refused and another answers all the same, or the same one does.
    @Test(.proves(.row(14), .clause("RFC 3261 §12.2.1.1")))
    func answerThatComesAfterTheRefusalCountsOnFromItsPracks() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol", contact: carolContact, headers: Self.reliable(1))
        try world.reply(180, to: invite, from: "carol", contact: carolContact, headers: Self.reliable(2))
        try world.reply(486, to: invite, from: "carol", tag: "other")
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        #expect(pracks(of: world) == ["peer 2: 1 1 INVITE", "peer 3: 2 1 INVITE"])
        #expect(world.requests(.bye, from: "alice").map(\.cSeq.number) == [4])
    }

    @Test(.proves(.row(14), .clause("RFC 3261 §12.2.1.1")))
    func answerThatComesAfterTheByeOfItsEarlyDialogCountsOnFromItsPracks() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol", contact: carolContact, headers: Self.reliable(1))
        let bye = try world.request(
            .bye, from: "carol", to: "alice", callID: invite.callID, sequence: 70, toTag: invite.from.tag)
        world.ask(bye, from: "carol", to: "alice")
        #expect(world.received(200, at: "carol").map(\.cSeq.method) == [.bye])
        world.perform(.hangUp(caller), by: "alice")
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        #expect(world.requests(.bye, from: "alice").map(\.cSeq.number) == [3])
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §5")))
    func answerInAReliableResponseIsTheAnswer() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: World.answerText, headers: Self.reliable(1))
        let other = World.answerText.replacing("20000", with: "30000")
        try world.reply(180, to: invite, from: "carol", contact: carolContact, body: other, headers: Self.reliable(2))
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: other)
        #expect(world.agreements(at: "alice").map(\.media.remoteRTP?.port) == [20000])
        #expect(world.story(of: "alice").filter { $0 == "earlyMedia" }.count == 1)
        #expect(world.ends(at: "alice").isEmpty)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §5")))
    func answeredCallNeedsNoDescriptionAfterAReliableOne() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: World.answerText, headers: Self.reliable(1))
        try world.reply(200, to: invite, from: "carol", contact: carolContact)
        #expect(world.agreements(at: "alice").map(\.media.remoteRTP?.port) == [20000])
        #expect(world.last(.ack, at: "carol")?.body.isEmpty == true)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §5")))
    func unusableAnswerIsAcknowledgedAndEndsTheCallAtThe2xx() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        let alien = World.answerText.replacing("RTP/AVP 0\r\na=rtpmap:0 PCMU", with: "RTP/AVP 9\r\na=rtpmap:9 G722")
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: alien, headers: Self.reliable(1))
        #expect(pracks(of: world).count == 1)
        #expect(world.ends(at: "alice").isEmpty)
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        #expect(world.ends(at: "alice").map(\.cause) == [.mediaRefused])
        #expect(world.requests(.bye, from: "alice").count == 1)
    }

    private var offerless: OutgoingCall {
        get throws {
            try OutgoingCall(target: target("sip:carol@192.0.2.9"), media: World.media, offersInInvite: false)
        }
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §5")))
    func offerOfAReliableResponseIsAnsweredInThePrack() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(call: offerless)
        #expect(invite.body.isEmpty)
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: World.answerText, headers: Self.reliable(1))
        let prack = try #require(world.last(.prack, at: "carol"))
        let answer = try SessionDescription(parsing: prack.body)
        #expect(answer.media.map(\.port) == [16384])
        try world.reply(200, to: prack, from: "carol")
        try world.reply(200, to: invite, from: "carol", contact: carolContact)
        #expect(world.last(.ack, at: "carol")?.body.isEmpty == true)
        #expect(world.agreements(at: "alice").map(\.media.remoteRTP?.port) == [20000])
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §5")))
    func offerThatCanNotBeMetIsRefusedStreamByStream() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(call: offerless)
        let video = World.answerText.replacing(
            "m=audio 20000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", with: "m=video 9 RTP/AVP 99")
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: video, headers: Self.reliable(1))
        let prack = try #require(world.last(.prack, at: "carol"))
        #expect(try SessionDescription(parsing: prack.body).media.map(\.port) == [0])
        try world.reply(200, to: invite, from: "carol", contact: carolContact)
        #expect(world.ends(at: "alice").map(\.cause) == [.mediaRefused])
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §4")), arguments: [nil, 100] as [Int?])
    func responseThatCanNotBeReliableIsNotAcknowledged(status: Int?) throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        // Without RSeq, or a 100, which is of one hop (§4).
        let headers = status == nil ? [(HeaderName.require, "100rel")] : Self.reliable(1)
        try world.reply(
            try #require(StatusCode(status ?? 180)), to: invite, from: "carol", contact: carolContact, headers: headers)
        #expect(pracks(of: world).isEmpty)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §4")), arguments: [481, 408, nil] as [Int?])
    func prackThatFindsNoDialogEndsTheCall(status: Int?) throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol", contact: carolContact, headers: Self.reliable(1))
        if let status {
            let prack = try #require(world.last(.prack, at: "carol"))
            try world.reply(try #require(StatusCode(status)), to: prack, from: "carol")
        } else {
            world.run(for: .seconds(33))
        }
        #expect(world.ends(at: "alice").map(\.cause) == [status == nil ? .timedOut : .dialogLost])
        #expect(world.requests(.cancel, from: "alice").count > 0)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §4")))
    func oneLostForkLeavesTheOthers() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            180, to: invite, from: "carol", tag: "a", contact: carolContact, headers: Self.reliable(1))
        let prack = try #require(world.last(.prack, at: "carol"))
        try world.reply(180, to: invite, from: "carol", tag: "b", contact: carolContact, headers: Self.reliable(5))
        try world.reply(481, to: prack, from: "carol", tag: "a")
        #expect(world.ends(at: "alice").isEmpty)
        try world.reply(200, to: invite, from: "carol", tag: "b", contact: carolContact, body: World.answerText)
        #expect(world.story(of: "alice").contains("established"))
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §4")), arguments: [400, 500, 501] as [Int])
    func refusedPrackIsTheCalleesAffair(status: Int) throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol", contact: carolContact, headers: Self.reliable(1))
        let prack = try #require(world.last(.prack, at: "carol"))
        try world.reply(try #require(StatusCode(status)), to: prack, from: "carol")
        #expect(world.ends(at: "alice").isEmpty)
    }

    @Test(.proves(.row(25), .clause("RFC 3261 §22.2")))
    func challengedPrackIsSentAgainWithCredentials() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(try AuthenticationTests.account())
        try world.reply(
            180, to: invite, from: "carol", contact: carolContact,
            headers: Self.reliable(3) + [(.recordRoute, "<sip:192.0.2.9;lr>")])
        let prack = try #require(world.last(.prack, at: "carol"))
        try world.reply(407, to: prack, from: "carol", headers: [AuthenticationTests.proxyChallenge])
        #expect(pracks(of: world) == ["peer 2: 3 1 INVITE", "peer 3: 3 1 INVITE"])
        #expect(world.last(.prack, at: "carol")?.headers.contains(.proxyAuthorization) == true)
    }

    @Test(.proves(.row(25), .incident(51), .clause("RFC 3262 §4")))
    func cancelledCallStillAcknowledges() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol", contact: carolContact)
        world.perform(.hangUp(caller), by: "alice")
        try world.reply(183, to: invite, from: "carol", contact: carolContact, headers: Self.reliable(1))
        #expect(pracks(of: world).count == 1)
        #expect(!world.story(of: "alice").contains("earlyMedia"))
        // It crosses: the call is ended by BYE, whose number is above that of the PRACK.
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        #expect(world.last(.bye, at: "carol")?.cSeq.number == 3)
    }

    @Test(.proves(.row(10), .clause("RFC 3261 §13.2.2.4")))
    func answerOfAnotherForkIsEndedWithNumbersThatGoOn() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        for tag in ["a", "b"] {
            try world.reply(
                180, to: invite, from: "carol", tag: tag, contact: carolContact, headers: Self.reliable(1))
        }
        try world.reply(200, to: invite, from: "carol", tag: "a", contact: carolContact, body: World.answerText)
        try world.reply(200, to: invite, from: "carol", tag: "b", contact: carolContact, body: World.answerText)
        let bye = try #require(world.last(.bye, at: "carol"))
        #expect(bye.to.tag == "b" && bye.cSeq.number == 3)
    }
}
