import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// What requests and responses are made of and where they go: rows 26 to 35 of the races.
@Suite struct RoutingRaceTests {
    @Test(.proves(.row(26), .clause("RFC 3261 §13.2.1")))
    func row26AnInviteWithoutOfferIsOfferedInTheAnswerAndNeedsOneInTheAcknowledgement() throws {
        for answers in [true, false] {
            var (world, alice, bob) = World.agentAndPhone(behaviour: AnswerRaceTests.answersAtOnce)
            let invite = world.invite(bob, from: alice, offers: false)
            world.say(invite, from: alice, to: bob)
            let offer = try world.expect(200, to: .invite, at: alice)
            #expect(!offer.body.isEmpty)
            var dialog = ScriptedDialog(calling: invite, answeredBy: offer)
            var acknowledgement = dialog.acknowledgement(of: 1, via: world.via(of: alice))
            if answers { acknowledgement = acknowledgement.carrying(world.description(of: alice)) }
            world.say(acknowledgement, from: alice, to: bob)
            if answers {
                world.run(for: .seconds(1))
                #expect(world.story(of: bob).contains("mediaAgreed"))
                try world.hangUp(&dialog, from: alice, to: bob)
            } else {
                world.say(try world.expect(.bye, at: alice).response(200), from: alice, to: bob)
            }
            world.finish(bob)
        }
    }

    @Test(.proves(.row(27), .clause("RFC 3261 §8.2.2.3")))
    func row27UnknownExtensionsAreNamedIn420() throws {
        var (world, alice, bob) = World.agentAndPhone()
        world.say(world.invite(bob, from: alice).with(.require, "nothing, else"), from: alice, to: bob)
        let refusal = try world.expect(420, to: .invite, at: alice)
        #expect(refusal.headers.values(.unsupported).joined(separator: ", ") == "nothing, else")
        #expect(world.incomingCalls(at: bob) == [])
    }

    @Test(.proves(.row(28), .clause("RFC 3261 §8.2.3")))
    func row28UnknownBodiesGet415UnlessTheyAreOptional() throws {
        var (world, alice, bob) = World.agentAndPhone()
        var strange = world.invite(bob, from: alice, offers: false).with(.contentType, "text/plain")
        strange.body = Array("hello".utf8)
        world.say(strange, from: alice, to: bob)
        let refusal = try world.expect(415, to: .invite, at: alice)
        #expect(refusal.headers.contains(.accept))
        var optional = world.invite(bob, from: alice, offers: false).with(.contentType, "text/plain")
            .with(.contentDisposition, "icon;handling=optional")
        optional.body = Array("hello".utf8)
        world.say(optional, from: alice, to: bob)
        _ = try world.expect(180, to: .invite, at: alice)
    }

    @Test(.proves(.row(29), .clause("RFC 3261 §12.2.1.1")), arguments: [true, false])
    func row29RequestsInADialogFollowLooseAndStrictRoutes(isLoose: Bool) throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        let route = isLoose ? "<sip:192.0.2.2:5060;lr>" : "<sip:192.0.2.2:5060>"
        let answer = world.answer(200, to: invite, from: bob, tag: "bob").with(.recordRoute, route)
        world.say(answer, from: bob, to: alice)
        let acknowledgement = try world.expect(.ack, at: bob)
        let target = "sip:Bob@192.0.2.2:5060"
        if isLoose {
            #expect(acknowledgement.uri.description == target)
            #expect(acknowledgement.headers.values(.route) == [route])
        } else {
            #expect(acknowledgement.uri.description == "sip:192.0.2.2:5060")
            #expect(acknowledgement.headers.values(.route) == ["<\(target)>"])
        }
        try DialogRaceTests.hangUp(handle, at: alice, against: bob, in: &world)
    }

    @Test(.proves(.row(30), .clause("RFC 3261 §12.1.2")), arguments: [nil, "*", "<tel:+15551234>"])
    func row30AnAnswerWithoutUsableContactIsAcknowledgedAndEnded(contact: String?) throws {
        var (world, alice, bob) = World.phoneAndAgent()
        _ = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        var answer = invite.response(200, toTag: "bob").carrying(world.description(of: bob))
        if let contact { answer = answer.with(.contact, contact) }
        world.say(answer, from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        world.say(try world.expect(.bye, at: bob).response(200), from: bob, to: alice)
        #expect(world.ends(at: alice).map(\.cause) == [.protocolFault])
        world.finish(alice)
    }

    @Test(.proves(.row(31), .clause("RFC 3261 §8.1.3.4")))
    func row31ARedirectionThatLeadsBackIsNotFollowed() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let target = world.uri(of: bob, user: "bob")
        let call = OutgoingCall(target: target, media: World.media(), redirectionLimit: 5)
        world.perform(.call(CallHandle(rawValue: 1), call), at: alice)
        let invite = try world.expect(.invite, at: bob)
        world.say(invite.response(302, toTag: "r").with(.contact, "<\(target)>"), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        #expect(world.hear(at: bob, for: .seconds(10)) == [])
        #expect(world.ends(at: alice).map(\.status) == [302])
        world.finish(alice)
    }

    @Test(.proves(.row(32), .clause("RFC 3261 §16.3")))
    func row32ExhaustedMaxForwardsDoesNotMatterToTheEnd() throws {
        var (world, alice, bob) = World.agentAndPhone()
        var options = world.request(.options, bob, from: alice)
        options.maxForwards = 0
        world.say(options, from: alice, to: bob)
        _ = try world.expect(200, to: .options, at: alice)
    }

    @Test(.proves(.row(34), .clause("RFC 3261 §18.1.1")))
    func row34ALongRequestTravelsOverTCP() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        var headers = Headers()
        try headers.append(.subject, String(repeating: "x", count: 1_400))
        let call = OutgoingCall(target: world.uri(of: bob, user: "bob"), headers: headers, media: World.media())
        world.perform(.call(CallHandle(rawValue: 1), call), at: alice)
        let received = try world.expect("INVITE", at: bob) { _ in true }
        #expect(received.flow.transport == .tcp)
        #expect(received.message.vias.first?.transport == .tcp)
        #expect(world.hear(at: bob, for: .seconds(10)) == [])
        world.perform(.hangUp(CallHandle(rawValue: 1)), at: alice)
        world.run(for: .seconds(40))
        #expect(world.ends(at: alice).count == 1)
        world.finish(alice)
    }

    @Test(.proves(.row(35), .clause("RFC 3581 §4")))
    func row35ResponsesFollowReceivedRportAndSentBy() throws {
        var world = World()
        let bob = world.addPhone("Bob", at: Scene.bob)
        let behindNAT = world.addAgent("Nat", at: Scene.alice, port: 41_000)
        let listener = world.addAgent("Listener", at: Scene.alice, port: 5060)
        var options = world.request(.options, bob, from: behindNAT)
        options.vias[0].host = .address(.v4(0x0a00_0001))
        options.vias[0].port = 5060
        options.vias[0].rport = .requested
        world.say(options, from: behindNAT, to: bob)
        let answer = try world.expect(200, to: .options, at: behindNAT)
        #expect(answer.vias.first?.received == Scene.alice && answer.vias.first?.rport == .value(41_000))
        world.run(for: .seconds(2))
        var plain = world.request(.options, bob, from: behindNAT)
        plain.vias[0].port = 5060
        world.say(plain, from: behindNAT, to: bob)
        _ = try world.expect(200, to: .options, at: listener)
    }
}
