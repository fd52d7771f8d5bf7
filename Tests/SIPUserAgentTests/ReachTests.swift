import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// The address that our dialogs name, and peers that name one which nothing of ours can reach.
@Suite struct ReachTests {
    // MARK: - Ours

    /// What Bob's phone, listening there, says in its Contact to a caller who came to `local`.
    private func contact(
        askedAt local: String, over transport: Transport = .udp, listening: [(Transport, String)]
    ) throws -> String? {
        var world = bobAndCarol()
        let listeners = try listening.map { Listener(transport: $0.0, address: try #require(SocketAddress($0.1))) }
        world.receive(.listening(listeners), by: "bob")
        var invite = try world.request(.invite, from: "carol", to: "bob", body: World.answerText)
        invite.vias[0].transport = transport
        let flow = Flow(
            transport: transport, local: try #require(SocketAddress(local)),
            remote: try #require(SocketAddress("192.0.2.9:5060")),
            connection: transport == .udp ? nil : ConnectionID(rawValue: 9))
        var core = try #require(world.cores["bob"])
        core.receive(.received(invite.bytes(), over: flow), at: world.now)
        while let output = core.nextOutput() {
            switch output {
            case .event(.incomingCall(let handle, _)): core.perform(.ring(handle), at: world.now)
            case .transmit(let transmit):
                guard case .response(let response) = try MessageParser.parse(transmit.bytes) else { continue }
                if response.status == 180 { return response.headers.first(.contact) }
            default: break
            }
        }
        return nil
    }

    @Test(.proves(.clause("RFC 3261 §12.1.1")))
    func theListenerThatWasAskedIsNamed() throws {
        let udp = [(Transport.udp, "192.0.2.2:5060"), (.udp, "192.0.2.2:5080"), (.udp, "198.51.100.2:5090")]
        #expect(try contact(askedAt: "192.0.2.2:5060", listening: udp) == "<sip:bob@192.0.2.2:5060>")
        #expect(try contact(askedAt: "192.0.2.2:5080", listening: udp) == "<sip:bob@192.0.2.2:5080>")
        #expect(try contact(askedAt: "198.51.100.2:5090", listening: udp) == "<sip:bob@198.51.100.2:5090>")
    }

    @Test(.proves(.clause("RFC 3261 §12.1.1")))
    func theListenerOfTheFamilyIsNamed() throws {
        let both = [(Transport.udp, "[::]:5060"), (.udp, "0.0.0.0:5062"), (.tcp, "0.0.0.0:5070")]
        #expect(try contact(askedAt: "192.0.2.2:5062", listening: both) == "<sip:bob@192.0.2.2:5062>")
        #expect(try contact(askedAt: "[2001:db8::2]:5060", listening: both) == "<sip:bob@[2001:db8::2]:5060>")
    }

    /// The port of a connection that we opened takes no requests: that of a listener at its address does.
    @Test(.proves(.clause("RFC 3261 §12.1.1"), .clause("RFC 3261 §18.1.1")))
    func aConnectionOfOursNamesTheListenerAtItsAddress() throws {
        let tcp = [(Transport.tcp, "198.51.100.2:5090"), (.tcp, "192.0.2.2:5080"), (.udp, "192.0.2.2:5060")]
        #expect(
            try contact(askedAt: "192.0.2.2:40000", over: .tcp, listening: tcp)
                == "<sip:bob@192.0.2.2:5080;transport=tcp>")
    }

    // MARK: - Theirs

    private func answer(
        toContact contact: String, headers: [(HeaderName, String)] = [], method: Method = .invite,
        by configuration: UserAgentConfiguration? = nil
    ) throws -> Response? {
        var world = bobAndCarol(configuration)
        var invite = try world.request(method, from: "carol", to: "bob", body: World.answerText, headers: headers)
        try invite.headers.set(.contact, contact)
        world.ask(invite, from: "carol", to: "bob")
        world.run(for: .milliseconds(250))
        return world.lastAnswer(to: method, at: "carol")
    }

    /// A call could be neither answered nor ended that nobody can send a BYE in.
    @Test(
        .proves(.clause("RFC 3261 §12.1.1")),
        arguments: [
            "<sip:carol@192.0.2.9;transport=tls>", "<sip:carol@192.0.2.9;transport=sctp>",
            "<sip:carol@192.0.2.9;transport=carrier-pigeon>", "<sips:carol@192.0.2.9>", "<sip:carol@0.0.0.0>",
            "<sip:carol@224.0.1.75>", "<sip:carol@[2001:db8::9]>", "<sip:carol@192.0.2.9;maddr=224.0.1.75>",
        ])
    func aCallerWhomNothingReachesIsRefused(contact: String) throws {
        let response = try #require(try answer(toContact: contact))
        #expect(response.status == 400)
        #expect(response.reason == "Contact Unreachable")
    }

    @Test(
        .proves(.clause("RFC 3261 §12.1.1")),
        arguments: ["<sip:carol@192.0.2.9>", "<sip:carol@pbx.example>", "<sip:carol@192.0.2.9;transport=tcp>"])
    func anyOtherIsTaken(contact: String) throws {
        #expect(try answer(toContact: contact)?.status == 100)
    }

    /// The proxy knows how to reach its phone, and chose how it is reached itself.
    @Test(.proves(.clause("RFC 3261 §12.1.1")))
    func behindAProxyOnlyTheProxyIsToBeReached() throws {
        let route: [(HeaderName, String)] = [(.recordRoute, "<sip:192.0.2.9;lr>")]
        #expect(try answer(toContact: "<sip:carol@203.0.113.5;transport=tls>", headers: route)?.status == 100)
        #expect(try answer(toContact: "<sips:carol@203.0.113.5>", headers: route)?.status == 100)
        let secure: [(HeaderName, String)] = [(.recordRoute, "<sip:192.0.2.9;transport=tls;lr>")]
        #expect(try answer(toContact: "<sip:carol@203.0.113.5>", headers: secure)?.status == 400)
    }

    /// SUBSCRIBE and REFER outside all dialogs make one too.
    @Test(.proves(.clause("RFC 3261 §12.1.1")))
    func whoWatchesOrRefersIsToBeReachedToo() throws {
        var configuration = World.configuration(user: "bob")
        configuration.automaticAnswer.ranges = [
            AddressRange(network: try #require(IPAddress("192.0.2.0")), prefix: 24)
        ]
        let event: [(HeaderName, String)] = [(.event, "dialog")]
        for (contact, status) in [("<sip:carol@192.0.2.9;transport=tls>", 400), ("<sip:carol@192.0.2.9>", 200)] {
            let response = try #require(
                try answer(toContact: contact, headers: event, method: .subscribe, by: configuration))
            #expect(response.status.value == status)
        }
        for (contact, status) in [("<sip:carol@192.0.2.9;transport=tls>", 400), ("<sip:carol@192.0.2.9>", 202)] {
            var world = World()
            let (_, tag) = try world.carolTalksToBob()
            var refer = try world.request(
                .refer, from: "carol", to: "bob", callID: "beside",
                headers: [
                    (.referTo, "<sip:dave@192.0.2.4>"),
                    (.targetDialog, "call-1;local-tag=\(tag);remote-tag=peer"),
                ])
            try refer.headers.set(.contact, contact)
            world.ask(refer, from: "carol", to: "bob")
            #expect(world.lastAnswer(to: .refer, at: "carol")?.status.value == status)
        }
    }

    /// Whoever redirects us to phones that only TLS or SCTP leads to may name others too.
    @Test(.proves(.clause("RFC 3261 §8.1.3.4"), .row(31)))
    func aTargetThatNothingOfOursReachesIsNotCounted() throws {
        var world = World()
        let call = OutgoingCall(target: try target("sip:carol@192.0.2.9"), media: World.media, redirectionLimit: 1)
        let invite = try world.aliceCallsCarol(call: call)
        let contacts = "<sips:c1@192.0.2.9>, <sip:c2@192.0.2.9;transport=sctp>, <tel:+4912>, <sip:c3@192.0.2.9>"
        try world.reply(302, to: invite, from: "carol", headers: [(.contact, contacts)])
        let second = try #require(world.last(.invite, at: "carol"))
        #expect(second.uri.description == "sip:c3@192.0.2.9")
        try world.reply(302, to: second, from: "carol", headers: [(.contact, "<sip:c4@192.0.2.9>")])
        #expect(world.ends(at: "alice").map(\.status) == [302])
    }

    // MARK: - Telephone numbers

    /// The number of an account is an address of ours, however it is written; no other is (RFC 3966 §4).
    @Test(
        .proves(.clause("RFC 3261 §8.2.2.1"), .clause("RFC 3966 §4")),
        arguments: [("tel:+4912", 100), ("tel:+49-1.2", 100), ("tel:+4913", 416), ("tel:+4912;ext=3", 416)])
    func theNumberOfAnAccountIsCalled(uri: String, status: Int) throws {
        var configuration = World.configuration(user: "bob")
        configuration.accounts.append(
            Account(
                id: AccountID(rawValue: 7), name: "number", address: NameAddress(uri: try target("tel:+4912")),
                isPeerToPeer: true))
        var world = bobAndCarol(configuration)
        var invite = try world.request(.invite, from: "carol", to: "bob", body: World.answerText)
        invite.uri = try target(uri)
        world.ask(invite, from: "carol", to: "bob")
        world.run(for: .milliseconds(250))
        #expect(world.lastAnswer(to: .invite, at: "carol")?.status.value == status)
        let accounts = (world.events["bob"] ?? []).compactMap { event in
            if case .incomingCall(_, let call) = event { call.account } else { nil }
        }
        #expect(accounts == (status == 100 ? [AccountID(rawValue: 7)] : []))
    }

    // MARK: - SIPS

    /// A phone behind TLS may call itself so although it was called by `sip`: its proxy leads there.
    @Test(.proves(.clause("RFC 3261 §12.1.2"), .clause("RFC 3261 §26.2.2")), arguments: [true, false])
    func aDialogThatDidNotBeginSecureGoesAsItWasRecorded(hasProxy: Bool) throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            200, to: invite, from: "carol", contact: "<sips:carol@203.0.113.5>", body: World.answerText,
            headers: hasProxy ? [(.recordRoute, "<sip:192.0.2.9;lr>")] : [])
        #expect(world.count("alice>carol ACK") == (hasProxy ? 1 : 0))
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.count("alice>carol BYE") == (hasProxy ? 1 : 0))
        #expect(world.ends(at: "alice").map(\.cause) == [hasProxy ? .hungUp : .unreachable])
    }

    @Test(.proves(.clause("RFC 3261 §8.2.2.1"), .clause("RFC 3261 §26.2.2")))
    func aRequestToASIPSAddressOfOursIsNotAnsweredInTheClear() throws {
        var world = bobAndCarol()
        var invite = try world.request(.invite, from: "carol", to: "bob", body: World.answerText)
        invite.uri = try target("sips:bob@192.0.2.2")
        world.ask(invite, from: "carol", to: "bob")
        #expect(world.lastAnswer(to: .invite, at: "carol")?.status == 416)
    }

    /// Neither straight nor by a proxy that is reached in the clear.
    @Test(
        .proves(.clause("RFC 3261 §26.2.2"), .rule(10)),
        arguments: [nil, "sip:192.0.2.9;lr", "sip:192.0.2.9;transport=tcp;lr"] as [String?])
    func nothingForASIPSAddressLeavesInTheClear(proxy: String?) throws {
        var world = World()
        var configuration = World.configuration(user: "alice")
        configuration.accounts[0].outboundProxy = try proxy.map { try target($0) }
        world.acceptsTCP = [try #require(SocketAddress("192.0.2.9:5060"))]
        world.add("alice", at: "192.0.2.1", configuration: configuration)
        world.addScripted("carol", at: "192.0.2.9")
        let call = OutgoingCall(target: try target("sips:carol@192.0.2.9"), media: World.media)
        world.perform(.call(caller, call), by: "alice")
        world.run(for: .seconds(1))
        #expect(world.ladder.isEmpty)
        #expect(
            world.ends(at: "alice") == [
                CallEnd(cause: .unreachable, by: .local, reason: "no tls here to reach it by, 192.0.2.9")
            ])
    }
}
