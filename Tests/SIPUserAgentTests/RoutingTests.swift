import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Where requests go: route sets, targets, transports, and leaving.
@Suite struct RoutingTests {
    /// A call that Carol answered with that route and target.
    private func standing(recordRoute: String, contact: String = "<sip:carol@192.0.2.50>") throws -> World {
        var world = World()
        world.addScripted("proxy", at: "192.0.2.40")
        world.addScripted("target", at: "192.0.2.50")
        let invite = try world.aliceCallsCarol()
        try world.reply(
            200, to: invite, from: "carol", contact: contact, body: World.answerText,
            headers: recordRoute.isEmpty ? [] : [(.recordRoute, recordRoute)])
        return world
    }

    @Test(.proves(.row(29), .clause("RFC 3261 §12.2.1.1")))
    func looseRoutesAreVisitedInReverseOrder() throws {
        var world = try standing(recordRoute: "<sip:192.0.2.41;lr>, <sip:192.0.2.40;lr>")
        let acknowledgement = try #require(world.last(.ack, at: "proxy"))
        #expect(acknowledgement.uri.description == "sip:carol@192.0.2.50")
        #expect(acknowledgement.headers.values(.route) == ["<sip:192.0.2.40;lr>", "<sip:192.0.2.41;lr>"])
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.bye, at: "proxy")?.headers.values(.route).count == 2)
    }

    @Test(.proves(.clause("RFC 3261 §19.1.1"), .clause("RFC 3261 §12.2.1.1")))
    func aTargetIsAskedForWithoutHeadersAndMethod() throws {
        let contact = "<sip:carol@192.0.2.50;method=REFER;x=y?Subject=z&Route=%3Csip:evil%3E>"
        var world = try standing(recordRoute: "", contact: contact)
        #expect(world.last(.ack, at: "target")?.uri.description == "sip:carol@192.0.2.50;x=y")
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.bye, at: "target")?.uri.description == "sip:carol@192.0.2.50;x=y")
        // At the end of the routes of a strict router it is no other.
        world = try standing(recordRoute: "<sip:192.0.2.40>", contact: contact)
        #expect(world.last(.ack, at: "proxy")?.headers.values(.route) == ["<sip:carol@192.0.2.50;x=y>"])
    }

    @Test(.proves(.row(29), .clause("RFC 3261 §12.2.1.1")))
    func strictRouterTakesTheRequestURI() throws {
        let world = try standing(recordRoute: "<sip:192.0.2.41;lr>, <sip:192.0.2.40>")
        let acknowledgement = try #require(world.last(.ack, at: "proxy"))
        #expect(acknowledgement.uri.description == "sip:192.0.2.40")
        #expect(
            acknowledgement.headers.values(.route) == ["<sip:192.0.2.41;lr>", "<sip:carol@192.0.2.50>"])
    }

    @Test(.proves(.clause("RFC 3261 §12.2.1.1")))
    func withoutRoutesTheTargetIsAskedDirectly() throws {
        let world = try standing(recordRoute: "")
        #expect(world.last(.ack, at: "target")?.uri.description == "sip:carol@192.0.2.50")
    }

    @Test(.proves(.row(29), .clause("RFC 3261 §12.2.1.1")))
    func calleeFollowsTheRecordedRouteAndCopiesIt() throws {
        var world = World()
        world.addScripted("proxy", at: "192.0.2.40")
        let (_, handle) = try world.carolCallsBob(headers: [(.recordRoute, "<sip:192.0.2.40;lr>, <sip:192.0.2.41;lr>")])
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let answer = try #require(world.received(200, at: "carol").first)
        #expect(
            answer.headers.values(.recordRoute).joined(separator: ", ") == "<sip:192.0.2.40;lr>, <sip:192.0.2.41;lr>")
        #expect(answer.headers.first(.contact) == "<sip:bob@192.0.2.2:5060>")
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .seconds(33))
        #expect(
            world.last(.bye, at: "proxy")?.headers.values(.route) == ["<sip:192.0.2.40;lr>", "<sip:192.0.2.41;lr>"])
    }

    @Test(.proves(.row(29), .clause("RFC 3261 §12.2.1.2")))
    func reinviteMovesTheTarget() throws {
        var world = try standing(recordRoute: "", contact: carolContact)
        let acknowledgement = try #require(world.last(.ack, at: "carol"))
        var reinvite = try world.request(
            .invite, from: "carol", to: "alice", callID: acknowledgement.callID, sequence: 7,
            toTag: acknowledgement.from.tag, body: World.answerText)
        reinvite.headers.set(Contact.address(try NameAddress(parsing: "<sip:carol@192.0.2.50>")))
        world.ask(reinvite, from: "carol", to: "alice")
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.bye, at: "target") != nil)
    }

    // MARK: - Size and transport

    private func longCall() throws -> OutgoingCall {
        var headers = Headers()
        try headers.append(.subject, String(repeating: "a long subject ", count: 80))
        return OutgoingCall(target: try target("sip:bob@192.0.2.2"), headers: headers, media: World.media)
    }

    @Test(.proves(.row(34), .clause("RFC 3261 §18.1.1")))
    func longRequestsTravelOverTCP() throws {
        var world = aliceAndBob()
        world.acceptsTCP = [try #require(world.addresses["bob"])]
        _ = try world.talk(try longCall())
        let invite = try #require(world.ladder.first)
        #expect(invite.transport == .tcp)
        #expect(invite.message.vias.first?.transport == .tcp)
        #expect(world.requests(.invite, from: "alice").count == 1)
        #expect(
            world.requests(.invite, from: "alice").first?.headers.first(.contact)?.contains("transport=tcp") == true)
        #expect(world.story(of: "bob").contains("established"))
    }

    @Test(.proves(.row(34), .clause("RFC 3261 §18.1.1")))
    func longRequestsFallBackToUDPOnceWhereTCPIsRefused() throws {
        var world = aliceAndBob()
        _ = try world.talk(try longCall())
        let invites = world.requests(.invite, from: "alice")
        #expect(invites.count == 1)
        #expect(invites.first?.vias.first?.transport == .udp)
        #expect(world.ladder.first?.transport == .udp)
        #expect(world.story(of: "bob").contains("established"))
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func otherDestinationIsTriedAfterAFailure() throws {
        var world = aliceAndBob()
        world.names["bob.example"] = [
            try #require(SocketAddress("192.0.2.77:5060")), try #require(SocketAddress("192.0.2.2:5060")),
        ]
        let call = OutgoingCall(target: try target("sip:bob@bob.example;transport=tcp"), media: World.media)
        world.acceptsTCP = [try #require(world.addresses["bob"])]
        _ = try world.talk(call)
        #expect(world.story(of: "bob").contains("established"))
        #expect(world.requests(.invite, from: "alice").count == 1)
    }

    // MARK: - Leaving

    @Test func shutDownEndsEveryCall() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        world.perform(.shutDown, by: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.steps(from: 4) == ["alice>bob BYE", "bob>alice 200 BYE"])
        #expect(world.story(of: "alice").suffix(2) == ["ended", "shutDownFinished"])
        #expect(world.ends(at: "alice") == [CallEnd(cause: .shutDown, by: .local)])
    }

    @Test func shutDownLeavesASilentPeerAfterThreeByes() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        world.loses = { step, _ in step.from == "alice" }
        let start = world.now
        world.perform(.shutDown, by: "alice")
        world.run(for: .seconds(2))
        let byes = world.ladder.filter { $0.summary == "alice>bob BYE" }.map { ($0.at - start).milliseconds }
        #expect(byes == [0, 500, 1500])
        #expect(world.story(of: "alice").last == "shutDownFinished")
    }

    @Test(.proves(.row(9), .clause("RFC 3261 §15")))
    func shutDownSendsTheWaitingByeAtTheEndOfTheGrace() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        world.perform(.answer(handle, World.media), by: "bob")
        let start = world.now
        world.perform(.shutDown, by: "bob")
        world.run(for: .seconds(3))
        let byes = world.ladder.filter { $0.summary == "bob>carol BYE" }.map { ($0.at - start).milliseconds }
        #expect(byes.first == 1700)
        #expect(world.story(of: "bob").suffix(3) == ["ended", "warning", "shutDownFinished"])
    }

    /// The last words are heard out: the answer to that BYE may come within them.
    @Test(.proves(.row(9), .row(56)))
    func aHangUpAtTheEndOfTheGraceMayBeTaken() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        world.perform(.answer(handle, World.media), by: "bob")
        world.perform(.shutDown, by: "bob")
        world.run(for: .milliseconds(1720))
        #expect(!world.story(of: "bob").contains("shutDownFinished"))
        world.send(.response(try #require(world.last(.bye, at: "carol")).response(200)), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.story(of: "bob").last == "shutDownFinished")
        #expect(world.warnings(at: "bob").isEmpty)
    }

    @Test func shutDownCancelsAndRefuses() throws {
        var world = aliceAndBob()
        let callee = try world.dial()
        world.perform(.shutDown, by: "bob")
        world.run(for: .milliseconds(50))
        #expect(world.steps(from: 2) == ["bob>alice 480 INVITE", "alice>bob ACK"])
        #expect(world.ends(at: "bob").map(\.cause) == [.shutDown])
        #expect(callee.isIncoming)
        #expect(world.story(of: "bob").last == "shutDownFinished")
    }

    /// Who leaves at once would leave a refusal that is lost unrepeated (RFC 3261 §17.2.1).
    @Test(.proves(.row(9), .clause("RFC 3261 §17.2.1")))
    func shutDownWaitsForTheAcknowledgementOfARefusal() throws {
        var world = aliceAndBob()
        let callee = try world.dial()
        let start = world.now
        world.loses = { step, _ in step.summary == "bob>alice 486 INVITE" && (step.at - start).milliseconds < 500 }
        world.perform(.reject(callee, 486), by: "bob")
        world.perform(.shutDown, by: "bob")
        world.run(for: .milliseconds(400))
        #expect(world.story(of: "bob").last == "ended")
        world.run(for: .milliseconds(200))
        #expect(world.ends(at: "alice").map(\.status) == [486])
        #expect(world.story(of: "bob").last == "shutDownFinished")
    }

    @Test(.proves(.row(9)))
    func shutDownWaitsTwoSecondsAtMostForAnAcknowledgement() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        let start = world.now
        world.perform(.reject(handle, 486), by: "bob")
        world.perform(.shutDown, by: "bob")
        world.run(for: .seconds(3))
        let refusals = world.ladder.filter { $0.summary == "bob>carol 486 INVITE" }
        #expect(refusals.map { ($0.at - start).milliseconds } == [0, 500, 1500])
        #expect(world.story(of: "bob").last == "shutDownFinished")
    }
}
