import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// An INVITE that takes the place of a call (RFC 3891 §3, ROBUSTNESS S4).
@Suite struct ReplacesTests {
    private func replaces(_ tag: String, _ rest: String = "") -> [(HeaderName, String)] {
        [(.replaces, "call-1;to-tag=\(tag);from-tag=peer\(rest)")]
    }

    private func replacements(_ world: World) -> [Replacement] {
        (world.events["bob"] ?? []).compactMap { event in
            if case .incomingCall(_, let call) = event { call.replacement } else { nil }
        }
    }

    @Test(.proves(.rule(4), .clause("RFC 3891 §3")))
    func endsTheOldCallWhenTheNewOneIsAnswered() throws {
        var world = World()
        let (old, tag) = try world.carolTalksToBob()
        #expect(try world.daveCallsBob(replaces(tag)) == nil)
        #expect(replacements(world) == [Replacement(call: old, isAllowed: false)])
        #expect(world.last(.bye, at: "carol") == nil)
        let new = try #require(world.incoming(at: "bob", 1))
        world.perform(.answer(new, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.lastAnswer(to: .invite, at: "dave")?.status == 200)
        let bye = try #require(world.last(.bye, at: "carol"))
        #expect(bye.to.tag == "peer")
        #expect(world.ends(at: "bob") == [CallEnd(cause: .replaced, by: .remote)])
    }

    @Test(.proves(.clause("RFC 3891 §3")))
    func leavesTheOldCallWhenTheNewOneIsRefused() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        _ = try world.daveCallsBob(replaces(tag))
        world.perform(.reject(try #require(world.incoming(at: "bob", 1)), 488), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.last(.bye, at: "carol") == nil)
        #expect(world.ends(at: "bob").map(\.status) == [488])
    }

    @Test(.proves(.rule(4)))
    func rulesSayWhoTakesAPlaceUnasked() throws {
        var configuration = World.configuration(user: "bob")
        configuration.automaticAnswer.ranges = [AddressRange(network: try #require(IPAddress("192.0.2.4")), prefix: 32)]
        var world = World()
        var (old, tag) = try world.carolTalksToBob(configuration)
        _ = try world.daveCallsBob(replaces(tag))
        #expect(replacements(world) == [Replacement(call: old, isAllowed: true)])

        configuration = World.configuration(user: "bob")
        configuration.transfers.replaces = .allow
        world = World()
        (old, tag) = try world.carolTalksToBob(configuration)
        _ = try world.daveCallsBob(replaces(tag))
        #expect(replacements(world) == [Replacement(call: old, isAllowed: true)])

        configuration.transfers.replaces = .deny
        world = World()
        (old, tag) = try world.carolTalksToBob(configuration)
        #expect(try world.daveCallsBob(replaces(tag)) == 603)
    }

    @Test(.proves(.rule(4), .clause("RFC 3891 §3")))
    func refusesWhatMatchesNothing() throws {
        var world = World()
        let (handle, tag) = try world.carolTalksToBob()
        #expect(try world.daveCallsBob([(.replaces, "call-9;to-tag=\(tag);from-tag=peer")]) == 481)
        world = World()
        let (_, second) = try world.carolTalksToBob()
        #expect(try world.daveCallsBob([(.replaces, "call-1;to-tag=\(second);from-tag=other")]) == 481)
        world = World()
        _ = try world.carolTalksToBob()
        #expect(try world.daveCallsBob([(.replaces, "call-1;to-tag=peer;from-tag=peer")]) == 481)
        _ = handle
    }

    @Test(.proves(.rule(4), .clause("RFC 3891 §3")))
    func refusesWhatIsMalformed() throws {
        for headers: [(HeaderName, String)] in [
            [(.replaces, "call-1")], [(.replaces, "call-1;to-tag=1")],
            [(.replaces, "call-1;to-tag=1;from-tag=2"), (.replaces, "call-2;to-tag=1;from-tag=2")],
            [(.replaces, "call-1;to-tag=1;from-tag=2"), (.join, "call-1;to-tag=1;from-tag=2")],
        ] {
            var world = World()
            _ = try world.carolTalksToBob()
            #expect(try world.daveCallsBob(headers) == 400)
        }
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        try world.carolSends(.options, sequence: 2, bobTag: tag, headers: replaces(tag))
        #expect(world.lastAnswer(to: .options, at: "carol")?.status == 400)
    }

    @Test(
        .proves(.rule(4), .clause("RFC 3891 §6.1"), .clause("RFC 3911 §7.1")), arguments: [HeaderName.replaces, .join])
    func aCallIsNamedByExactlyTwoTags(name: HeaderName) throws {
        for second in ["to-tag=other", "From-Tag=peer", "to-tag=0;from-tag=0"] {
            var world = World()
            let (_, tag) = try world.carolTalksToBob()
            #expect(try world.daveCallsBob([(name, "call-1;to-tag=\(tag);from-tag=peer;\(second)")]) == 400)
            #expect(world.incoming(at: "bob", 1) == nil)
        }
    }

    @Test(.proves(.clause("RFC 3891 §3")))
    func aConfirmedCallIsBusyForWhoWantsAnEarlyOne() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        #expect(try world.daveCallsBob(replaces(tag, ";early-only")) == 486)
    }

    @Test(.proves(.rule(4), .clause("RFC 3891 §3")))
    func aCallThatSomebodyElseBeganIsNotReplacedWhileItRings() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        world.perform(.ring(handle), by: "bob")
        world.run(for: .milliseconds(20))
        let tag = try #require(world.received(180, at: "carol").last?.to.tag)
        #expect(try world.daveCallsBob(replaces(tag)) == 481)
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test(.proves(.clause("RFC 3891 §3")))
    func aCallThatEndedIsDeclined() throws {
        var world = World()
        let (handle, tag) = try world.carolTalksToBob()
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .milliseconds(5))
        #expect(try world.daveCallsBob(replaces(tag)) == 603)
    }

    @Test(.proves(.rule(4), .clause("RFC 3891 §3"), .clause("RFC 3911 §4")), arguments: [HeaderName.replaces, .join])
    func aCallOfWhichNothingIsLeftIsKnownToHaveEndedFor32Seconds(name: HeaderName) throws {
        var configuration = World.configuration(user: "bob")
        configuration.transfers.joins = true
        for (delay, peer, status) in [(1, "peer", 603), (31, "peer", 603), (33, "peer", 481), (1, "other", 481)] {
            var world = World()
            let (_, tag) = try world.carolTalksToBob(configuration)
            try world.carolSends(.bye, sequence: 2, bobTag: tag)
            #expect(world.ends(at: "bob").count == 1)
            world.run(for: .seconds(delay))
            #expect(world.cores["bob"]?.occupancy.calls == 0)
            #expect(try world.daveCallsBob([(name, "call-1;to-tag=\(tag);from-tag=\(peer)")]) == status)
        }
    }

    @Test(.proves(.rule(4), .clause("RFC 3891 §3")))
    func aCallThatThePeerMayNotReplaceIsDeclinedAlsoAfterItsEnd() throws {
        var configuration = World.configuration(user: "bob")
        configuration.transfers.replaces = .deny
        var world = World()
        let (_, tag) = try world.carolTalksToBob(configuration)
        try world.carolSends(.bye, sequence: 2, bobTag: tag)
        #expect(try world.daveCallsBob(replaces(tag)) == 603)
    }

    @Test(.proves(.clause("RFC 3891 §7.1")))
    func ourOwnRingingCallIsCancelledWhenTheNewOneIsAnswered() throws {
        var world = bobAndCarol()
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:carol@192.0.2.9"), media: World.media)), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "carol"))
        let ringing = invite.response(180, toTag: "desk")
        world.send(.response(ringing), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        let field = "\(invite.callID);to-tag=\(invite.from.tag ?? "");from-tag=desk;early-only"
        #expect(try world.daveCallsBob([(.replaces, field)]) == nil)
        world.perform(.answer(try #require(world.incoming(at: "bob")), World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let cancel = try #require(world.last(.cancel, at: "carol"))
        #expect(cancel.cSeq.number == invite.cSeq.number)
        #expect(world.ends(at: "bob") == [CallEnd(cause: .replaced, by: .remote)])
    }

    @Test func saysThatItCanBeReplaced() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        let supported = try #require(try invite.headers.first(Supported.self))
        #expect(supported.contains("replaces"))
        #expect(supported.contains("norefersub"))
    }

    /// The three phones of an attended transfer, all ours: Alice talks to Bob and to Dave, and puts them together.
    @Test(.proves(.clause("RFC 5589 §7")))
    func attendedTransferPutsTwoPeersTogether() throws {
        var world = World()
        for (name, address) in [("alice", "192.0.2.1"), ("bob", "192.0.2.2"), ("dave", "192.0.2.4")] {
            world.add(name, at: address)
        }
        let consultation = CallHandle(rawValue: 2)
        for (handle, name, address) in [(caller, "bob", "192.0.2.2"), (consultation, "dave", "192.0.2.4")] {
            world.perform(
                .call(handle, OutgoingCall(target: try target("sip:\(name)@\(address)"), media: World.media)),
                by: "alice")
            world.run(for: .milliseconds(50))
            world.perform(.answer(try #require(world.incoming(at: name)), World.media), by: name)
            world.run(for: .milliseconds(50))
        }
        let start = world.steps().count
        world.perform(.transfer(caller, .attended(consultation)), by: "alice")
        world.run(for: .milliseconds(50))
        let asked = try #require(world.transferRequests(at: "bob").first)
        #expect(asked.isAttended)
        world.perform(
            .acceptTransfer(try #require(world.incoming(at: "bob")), as: CallHandle(rawValue: 7), World.media),
            by: "bob")
        world.run(for: .milliseconds(50))
        world.perform(.answer(try #require(world.incoming(at: "dave", 1)), World.media), by: "dave")
        world.run(for: .seconds(1))
        #expect(
            world.steps(from: start) == [
                "alice>bob REFER", "bob>alice 202 REFER", "bob>alice NOTIFY", "alice>bob 200 NOTIFY",
                "bob>dave INVITE", "dave>bob 200 INVITE", "dave>alice BYE", "bob>dave ACK", "bob>alice NOTIFY",
                "alice>dave 200 BYE", "alice>bob 200 NOTIFY", "alice>bob BYE", "bob>alice 200 BYE",
            ])
        #expect(world.ends(at: "alice").map(\.cause) == [.hungUp, .transferred])
        #expect(world.ends(at: "dave").map(\.cause) == [.replaced])
        #expect(world.ends(at: "bob").map(\.cause) == [.hungUp])
        world.perform(.hangUp(CallHandle(rawValue: 7)), by: "bob")
        world.run(for: .seconds(200))
        for name in ["alice", "bob", "dave"] { #expect(world.cores[name]?.occupancy == .empty) }
    }
}
