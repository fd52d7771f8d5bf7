import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// An INVITE that wants to be let into a call (RFC 3911 §4, ROBUSTNESS S4).
@Suite struct JoinTests {
    /// Bob's phone, beside which a person sits; anybody may be answered without it.
    private static func attended() -> UserAgentConfiguration {
        var configuration = World.configuration(user: "bob")
        configuration.transfers.joins = true
        configuration.automaticAnswer = AutomaticAnswerRules(loopback: false, registrarFlows: false, anybody: true)
        return configuration
    }

    private func join(_ tag: String, callID: String = "call-1", from peer: String = "peer") -> (HeaderName, String) {
        (.join, "\(callID);to-tag=\(tag);from-tag=\(peer)")
    }

    private func calls(_ world: World) -> [IncomingCall] {
        (world.events["bob"] ?? []).compactMap { event in
            if case .incomingCall(_, let call) = event { call } else { nil }
        }
    }

    @Test(.proves(.rule(4), .clause("RFC 3911 §4")))
    func thePhoneRingsAndNamesTheCall() throws {
        var world = World()
        let (old, tag) = try world.carolTalksToBob(Self.attended())
        #expect(try world.daveCallsBob([join(tag), (.require, "join")]) == nil)
        #expect(calls(world).map(\.joining) == [nil, old])
        #expect(calls(world).last?.replacement == nil)
        world.perform(.answer(try #require(world.incoming(at: "bob", 1)), World.media), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.lastAnswer(to: .invite, at: "dave")?.status == 200)
        // Both stand.
        #expect(world.ends(at: "bob").isEmpty && world.last(.bye, at: "carol") == nil)
    }

    @Test(.proves(.rule(4), .rule(1), .clause("RFC 3911 §4")))
    func onlyAPersonLetsACallerIn() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob(Self.attended())
        #expect(try world.daveCallsBob([join(tag), (.answerMode, "Auto")]) == nil)
        #expect(calls(world).map(\.mayAnswerAutomatically) == [true, false])
        #expect(calls(world).map(\.isToBeAnsweredAtOnce) == [false, false])
        let new = try #require(world.incoming(at: "bob", 1))
        world.perform(.answer(new, World.media, automatic: true), by: "bob")
        world.run(for: .milliseconds(20))
        let warnings = (world.events["bob"] ?? []).compactMap {
            if case .warning(let warning) = $0 { warning } else { nil }
        }
        #expect(warnings == [.automaticAnswerDenied(new)])
        #expect(world.lastAnswer(to: .invite, at: "dave") == nil)
        world = World()
        let (_, other) = try world.carolTalksToBob(Self.attended())
        #expect(try world.daveCallsBob([join(other), (.answerMode, "Auto;require")]) == 403)
    }

    @Test(.proves(.clause("RFC 3911 §4")))
    func whoeverIsRefusedLeavesTheCallAsItIs() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob(Self.attended())
        _ = try world.daveCallsBob([join(tag)])
        world.perform(.reject(try #require(world.incoming(at: "bob", 1)), 603), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.lastAnswer(to: .invite, at: "dave")?.status == 603)
        #expect(world.last(.bye, at: "carol") == nil)
        #expect(world.ends(at: "bob").map(\.status) == [603])
    }

    @Test(.proves(.rule(4), .clause("RFC 3911 §4")))
    func refusesWhatMatchesNothing() throws {
        for wrong: (String) -> (HeaderName, String) in [
            { _ in join("other") }, { join($0, callID: "call-7") }, { join($0, from: "other") },
            { join("peer", from: $0) },
        ] {
            var world = World()
            let (_, tag) = try world.carolTalksToBob(Self.attended())
            #expect(try world.daveCallsBob([wrong(tag)]) == 481)
        }
    }

    @Test(.proves(.rule(4), .clause("RFC 3911 §4")))
    func refusesWhatIsMalformed() throws {
        for headers: (String) -> [(HeaderName, String)] in [
            { _ in [(.join, "call-1")] }, { [join($0), join($0)] },
            { [join($0), (.replaces, "call-1;to-tag=\($0);from-tag=peer")] },
        ] {
            var world = World()
            let (_, tag) = try world.carolTalksToBob(Self.attended())
            #expect(try world.daveCallsBob(headers(tag)) == 400)
        }
        var world = World()
        let (_, tag) = try world.carolTalksToBob(Self.attended())
        try world.carolSends(.options, sequence: 2, bobTag: tag, headers: [join(tag)])
        #expect(world.lastAnswer(to: .options, at: "carol")?.status == 400)
    }

    @Test(.proves(.clause("RFC 3911 §4")))
    func aCallThatEndedIsDeclined() throws {
        var world = World()
        let (handle, tag) = try world.carolTalksToBob(Self.attended())
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .milliseconds(5))
        #expect(try world.daveCallsBob([join(tag)]) == 603)
    }

    /// Unlike Replaces, Join may name an early dialog of either side.
    @Test(.proves(.clause("RFC 3911 §4")))
    func aCallThatRingsMayBeJoinedWhoeverBeganIt() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob(Self.attended())
        world.perform(.ring(handle), by: "bob")
        world.run(for: .milliseconds(20))
        let tag = try #require(world.received(180, at: "carol").first?.to.tag)
        #expect(try world.daveCallsBob([join(tag)]) == nil)
        #expect(calls(world).map(\.joining) == [nil, handle])

        world = bobAndCarol(Self.attended())
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:carol@192.0.2.9"), media: World.media)), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "carol"))
        world.send(.response(invite.response(180, toTag: "desk")), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        let field = join(invite.from.tag ?? "", callID: invite.callID, from: "desk")
        #expect(try world.daveCallsBob([field]) == nil)
        #expect(calls(world).map(\.joining) == [caller])
    }

    /// Three phones, all ours: Dave is let into the call of Alice and Bob by Bob's person, and each call ends by itself.
    @Test(.proves(.clause("RFC 3911 §4"), .clause("RFC 3911 §5")))
    func aThirdPhoneIsLetIntoTheCallOfTwo() throws {
        var world = World()
        for (name, address) in [("alice", "192.0.2.1"), ("dave", "192.0.2.4")] { world.add(name, at: address) }
        world.add("bob", at: "192.0.2.2", configuration: Self.attended())
        let bob = try target("sip:bob@192.0.2.2")
        world.perform(.call(caller, OutgoingCall(target: bob, media: World.media)), by: "alice")
        world.run(for: .milliseconds(20))
        let first = try #require(world.incoming(at: "bob"))
        world.perform(.answer(first, World.media), by: "bob")
        world.run(for: .milliseconds(50))
        guard case .request(let acknowledgement)? = world.ladder.last?.message else {
            Issue.record("Alice acknowledged nothing")
            return
        }
        var headers = Headers()
        let (name, value) = join(
            acknowledgement.to.tag ?? "", callID: acknowledgement.callID, from: acknowledgement.from.tag ?? "")
        try headers.append(name, value)
        let start = world.steps().count
        world.perform(.call(caller, OutgoingCall(target: bob, headers: headers, media: World.media)), by: "dave")
        world.run(for: .milliseconds(20))
        #expect(calls(world).map(\.joining) == [nil, first])
        world.perform(.answer(try #require(world.incoming(at: "bob", 1)), World.media), by: "bob")
        world.run(for: .seconds(1))
        #expect(
            world.steps(from: start) == [
                "dave>bob INVITE", "bob>dave 200 INVITE", "dave>bob ACK",
            ])
        for name in ["alice", "dave"] { world.perform(.hangUp(caller), by: name) }
        world.run(for: .seconds(200))
        for name in ["alice", "bob", "dave"] { #expect(world.cores[name]?.occupancy == .empty) }
    }

    @Test(.proves(.rule(4), .clause("RFC 3911 §4")))
    func nobodyIsLetInWhereNoPersonIs() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        #expect(try world.daveCallsBob([join(tag)]) == 488)
        #expect(world.ends(at: "bob").isEmpty)
        world = World()
        _ = try world.carolTalksToBob()
        #expect(try world.daveCallsBob([(.require, "join")]) == 420)
    }

    @Test(.proves(.clause("RFC 3911 §7.2")), arguments: [true, false])
    func whatIsSupportedSaysWhetherAPersonIsThere(isAttended: Bool) throws {
        var configuration = World.configuration(user: "alice")
        configuration.transfers.joins = isAttended
        var world = World()
        let invite = try world.aliceCallsCarol(configuration)
        #expect(try invite.headers.first(Supported.self)?.contains("join") == isAttended)
    }
}
