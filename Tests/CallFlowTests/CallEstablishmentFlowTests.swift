import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// The flows of RFC 3665 §3 as a user agent sees them.
@Suite struct CallEstablishmentFlowTests {
    @Test(.proves(.clause("RFC 3665 §3.1")))
    func successfulSession() {
        var (world, alice, bob) = World.twoPhones()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(for: .seconds(5))
        world.perform(.hangUp(handle), at: alice)
        world.run(for: .seconds(1))
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.010 Bob -> Alice  180 INVITE
                1.010 Bob -> Alice  200 INVITE +sdp
                1.020 Alice -> Bob  ACK
                5.000 Alice -> Bob  BYE
                5.010 Bob -> Alice  200 BYE
                """)
        #expect(world.ends(at: alice) == [CallEnd(cause: .hungUp, by: .local)])
        #expect(world.ends(at: bob) == [CallEnd(cause: .hungUp, by: .remote)])
        world.finish(alice, bob)
    }

    @Test(.proves(.clause("RFC 3665 §3.8")))
    func noAnswerAndCancel() {
        var (world, alice, bob) = World.twoPhones(bob: .rings)
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(for: .seconds(5))
        world.perform(.hangUp(handle), at: alice)
        world.run(for: .seconds(1))
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.010 Bob -> Alice  180 INVITE
                5.000 Alice -> Bob  CANCEL
                5.010 Bob -> Alice  200 CANCEL
                5.010 Bob -> Alice  487 INVITE
                5.020 Alice -> Bob  ACK
                """)
        #expect(world.ends(at: alice).map(\.cause) == [.cancelled])
        #expect(world.ends(at: bob).map(\.cause) == [.cancelled])
        world.finish(alice, bob)
    }

    @Test(.proves(.clause("RFC 3665 §3.9")))
    func busy() {
        var (world, alice, bob) = World.twoPhones(bob: Behaviour(ringAfter: nil))
        _ = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(for: .milliseconds(50))
        world.perform(.reject(world.incomingCalls(at: bob)[0], 486), at: bob)
        world.run(for: .seconds(1))
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.050 Bob -> Alice  486 INVITE
                0.060 Alice -> Bob  ACK
                """)
        #expect(world.ends(at: alice).map(\.status) == [486])
        world.finish(alice, bob)
    }

    @Test(.proves(.clause("RFC 3665 §3.11")))
    func temporarilyUnavailableAfterRinging() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        _ = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        world.say(invite.response(180, toTag: "bob"), from: bob, to: alice)
        world.run(for: .seconds(30))
        world.say(invite.response(480, toTag: "bob"), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.010 Bob -> Alice  180 INVITE
                30.010 Bob -> Alice  480 INVITE
                30.020 Alice -> Bob  ACK
                """)
        #expect(world.ends(at: alice).map(\.status) == [480])
        world.finish(alice)
    }

    @Test(.proves(.clause("RFC 3665 §3.3")))
    func throughTwoProxiesWithAuthentication() throws {
        var world = World()
        let alice = world.addPhone("Alice", at: Scene.alice) { $0.accounts = [Scene.account("alice")] }
        let proxy = world.addAgent("Proxy", at: Scene.proxy)
        let bob = world.addAgent("Bob", at: Scene.bob)
        world.directory["proxy.example.com"] = [Scene.proxy]
        let handle = world.call(Scene.uri("sip:bob@example.org"), from: alice)

        let first = try world.expect(.invite, at: proxy)
        #expect(first.uri == Scene.uri("sip:bob@example.org"))
        let challenge = #"Digest realm="example.com", qop="auth", nonce="f84f1cec41e6cbe5aea9c8e88d359", algorithm=MD5"#
        world.say(
            first.response(407, toTag: "p1").with(.proxyAuthenticate, challenge), from: proxy, to: alice)
        _ = try world.expect(.ack, at: proxy)
        let second = try world.expect(.invite, at: proxy)
        #expect(second.headers.contains(.proxyAuthorization))
        #expect(second.callID == first.callID && second.cSeq.number == first.cSeq.number + 1)
        world.say(second.response(100), from: proxy, to: alice)
        let recorded = second.with(.recordRoute, "<sip:192.0.2.4;lr>, <sip:192.0.2.3;lr>")
        world.say(world.answer(180, to: recorded, from: bob, tag: "bob", describes: false), from: proxy, to: alice)
        world.say(world.answer(200, to: recorded, from: bob, tag: "bob"), from: proxy, to: alice)
        let acknowledgement = try world.expect(.ack, at: proxy)
        #expect(acknowledgement.uri == Scene.uri("sip:Bob@192.0.2.2:5060"))
        #expect(
            acknowledgement.headers.values(.route).joined(separator: ", ") == "<sip:192.0.2.3;lr>, <sip:192.0.2.4;lr>")
        world.perform(.hangUp(handle), at: alice, after: .seconds(3))
        let bye = try world.expect(.bye, at: proxy)
        #expect(bye.headers.values(.route).joined(separator: ", ") == "<sip:192.0.2.3;lr>, <sip:192.0.2.4;lr>")
        world.say(bye.response(200), from: proxy, to: alice)
        world.run(for: .seconds(1))
        #expect(
            world.ladder.description == """
                0.000 Alice -> Proxy  INVITE +sdp
                0.010 Proxy -> Alice  407 INVITE
                0.020 Alice -> Proxy  ACK
                0.020 Alice -> Proxy  INVITE +sdp
                0.030 Proxy -> Alice  100 INVITE
                0.030 Proxy -> Alice  180 INVITE
                0.030 Proxy -> Alice  200 INVITE +sdp
                0.040 Alice -> Proxy  ACK
                3.050 Alice -> Proxy  BYE
                3.060 Proxy -> Alice  200 BYE
                """)
        world.finish(alice)
    }

    @Test(.proves(.clause("RFC 3665 §3.4")))
    func failsOverToTheSecondProxy() throws {
        var world = World()
        let alice = world.addPhone("Alice", at: Scene.alice) { $0.accounts = [Scene.account("alice")] }
        let dead = world.addAgent("Dead", at: Scene.proxy)
        let proxy = world.addAgent("Proxy", at: Scene.secondProxy)
        world.directory["proxy.example.com"] = [Scene.proxy, Scene.secondProxy]
        _ = world.call(Scene.uri("sip:bob@example.org"), from: alice)
        let first = try world.expect(.invite, at: dead)
        world.reportUnreachable(world.address(of: dead), to: alice)
        let second = try world.expect(.invite, at: proxy)
        #expect(second.callID == first.callID)
        #expect(second.vias.first?.branch != first.vias.first?.branch)
        world.say(second.response(486, toTag: "bob"), from: proxy, to: alice)
        _ = try world.expect(.ack, at: proxy)
        #expect(
            world.ladder.description == """
                0.000 Alice -> Dead  INVITE +sdp
                0.010 Alice -> Proxy  INVITE +sdp
                0.020 Proxy -> Alice  486 INVITE
                0.030 Alice -> Proxy  ACK
                """)
        world.finish(alice)
    }

    @Test(.proves(.clause("RFC 3665 §3.6")))
    func redirectionWithTheDescriptionInTheAcknowledgement() throws {
        var (world, alice, redirect) = World.phoneAndAgent()
        let bob = world.addAgent("Robert", at: Scene.proxy)
        let call = OutgoingCall(
            target: world.uri(of: redirect, user: "bob"), media: World.media(), offersInInvite: false,
            redirectionLimit: 3)
        let handle = CallHandle(rawValue: 1)
        world.perform(.call(handle, call), at: alice)
        let first = try world.expect(.invite, at: redirect)
        #expect(first.body.isEmpty)
        world.say(
            first.response(302, toTag: "r").with(.contact, "<sip:bob@192.0.2.3:5060>"), from: redirect, to: alice)
        _ = try world.expect(.ack, at: redirect)
        let second = try world.expect(.invite, at: bob)
        world.say(world.answer(200, to: second, from: bob, tag: "bob"), from: bob, to: alice)
        let acknowledgement = try world.expect(.ack, at: bob)
        #expect(!acknowledgement.body.isEmpty)
        world.perform(.hangUp(handle), at: alice, after: .seconds(1))
        let bye = try world.expect(.bye, at: bob)
        world.say(bye.response(200), from: bob, to: alice)
        world.run(for: .seconds(1))
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE
                0.010 Bob -> Alice  302 INVITE
                0.020 Alice -> Bob  ACK
                0.020 Alice -> Robert  INVITE
                0.030 Robert -> Alice  200 INVITE +sdp
                0.040 Alice -> Robert  ACK +sdp
                1.050 Alice -> Robert  BYE
                1.060 Robert -> Alice  200 BYE
                """)
        world.finish(alice)
    }

    @Test(.proves(.clause("RFC 3665 §3.7")))
    func reinviteOfTheCalleeWithAnotherAddress() throws {
        var (world, alice, bob, _, _, dialog) = try World.establishedWithAgent()
        world.run(for: .seconds(1))
        var reinvite = dialog.request(.invite, via: world.via(of: bob))
            .carrying(world.description(of: bob, port: 47_000, version: 2))
        reinvite.headers.append(world.contact(of: bob))
        world.say(reinvite, from: bob, to: alice)
        _ = try world.expect(200, to: .invite, at: bob)
        world.say(dialog.acknowledgement(of: dialog.sequence, via: world.via(of: bob)), from: bob, to: alice)
        world.run(for: .seconds(1))
        let bye = dialog.request(.bye, via: world.via(of: bob))
        world.say(bye, from: bob, to: alice)
        _ = try world.expect(200, to: .bye, at: bob)
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.010 Bob -> Alice  200 INVITE +sdp
                0.020 Alice -> Bob  ACK
                1.030 Bob -> Alice  INVITE +sdp
                1.040 Alice -> Bob  200 INVITE +sdp
                1.050 Bob -> Alice  ACK
                2.050 Bob -> Alice  BYE
                2.060 Alice -> Bob  200 BYE
                """)
        let agreements = world.notices(of: alice).compactMap { notice in
            if case .mediaAgreed(_, let agreement) = notice.event { agreement.media.remoteRTP?.port } else { nil }
        }
        #expect(agreements == [40_000, 47_000])
        world.finish(alice)
    }
}
