import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Challenges to calls and registrations, and the servers that may make them.
@Suite struct AuthenticationTests {
    static func account(
        proxy: String? = "sip:192.0.2.9", registrar: String? = nil, realm: String? = "example.com"
    )
        throws -> UserAgentConfiguration
    {
        var configuration = World.configuration(user: "alice")
        configuration.accounts = [
            Account(
                id: AccountID(rawValue: 1), name: "work",
                address: try NameAddress(parsing: "<sip:alice@example.com>"),
                registrar: try registrar.map { try URI(parsing: $0) },
                credentials: AccountCredentials(username: "alice", realm: realm, password: Secret("pass")),
                outboundProxy: try proxy.map { try URI(parsing: $0) })
        ]
        return configuration
    }

    static let proxyChallenge: (HeaderName, String) = (
        .proxyAuthenticate, #"Digest realm="example.com", nonce="abc", qop="auth", algorithm=MD5"#
    )
    static let registrarChallenge: (HeaderName, String) = (
        .wwwAuthenticate, #"Digest realm="example.com", nonce="abc", qop="auth", algorithm=MD5"#
    )

    @Test(.proves(.row(41), .rule(10), .clause("RFC 3261 §22.3")))
    func answersTheOutboundProxyAndCarriesCredentialsIntoTheAcknowledgement() throws {
        var world = World()
        let call = OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)
        let first = try world.aliceCallsCarol(try Self.account(), call: call)
        #expect(first.headers.first(.route) == "<sip:192.0.2.9;lr>")
        #expect(first.uri.description == "sip:bob@example.com")
        try world.reply(407, to: first, from: "carol", headers: [Self.proxyChallenge])
        let second = try #require(world.last(.invite, at: "carol"))
        #expect(second.cSeq.number == 2)
        #expect(second.callID == first.callID)
        #expect(second.from.tag == first.from.tag)
        #expect(second.vias.first?.branch != first.vias.first?.branch)
        #expect(second.body == first.body)
        let credentials = try #require(try second.headers.first(ProxyAuthorization.self))
        #expect(credentials.uri == "sip:bob@example.com")
        #expect(credentials.nonceCount == 1)
        try world.reply(200, to: second, from: "carol", contact: carolContact, body: World.answerText)
        let acknowledgement = try #require(world.last(.ack, at: "carol"))
        #expect(acknowledgement.cSeq.number == 2)
        #expect(try acknowledgement.headers.first(ProxyAuthorization.self) == credentials)
        #expect(world.story(of: "alice") == ["answered", "mediaAgreed", "established"])
    }

    /// They may count the uses of a nonce together, and would take a count that comes twice for a replay.
    @Test(.proves(.row(37), .clause("RFC 7616 §3.4")))
    func theNextServerIsShownACountOfItsOwn() throws {
        var world = World()
        let others = [SocketAddress("192.0.2.9:5060"), SocketAddress("192.0.2.10:5060")].compactMap { $0 }
        world.names["proxy.example.com"] = others
        world.addScripted("second", at: "192.0.2.10")
        let call = OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)
        let first = try world.aliceCallsCarol(try Self.account(proxy: "sip:proxy.example.com"), call: call)
        try world.reply(407, to: first, from: "carol", headers: [Self.proxyChallenge])
        let second = try #require(world.last(.invite, at: "carol"))
        try world.reply(503, to: second, from: "carol")
        let third = try #require(world.last(.invite, at: "second"))
        #expect(third.cSeq == second.cSeq)
        let shown = try [second, third].map { try #require(try $0.headers.first(ProxyAuthorization.self)) }
        #expect(shown.map(\.nonceCount) == [1, 2])
        #expect(shown[0].nonce == shown[1].nonce && shown[0].response != shown[1].response)
        try world.reply(200, to: third, from: "second", contact: "<sip:bob@192.0.2.10>", body: World.answerText)
        // Its ACK bears what the INVITE bore that was answered (RFC 3261 §22.1).
        let acknowledgement = try #require(world.last(.ack, at: "second"))
        #expect(try acknowledgement.headers.first(ProxyAuthorization.self) == shown[1])
    }

    /// The proxy asks, and behind it the callee's server, for one realm.
    @Test(.proves(.row(41), .clause("RFC 3261 §22.3")))
    func answersAProxyAndAServerOnOneRequestWithCredentialsForEach() throws {
        var world = World()
        let call = OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)
        let first = try world.aliceCallsCarol(try Self.account(), call: call)
        try world.reply(407, to: first, from: "carol", headers: [Self.proxyChallenge])
        let second = try #require(world.last(.invite, at: "carol"))
        #expect(second.headers.contains(.proxyAuthorization) && !second.headers.contains(.authorization))
        let serverChallenge = Self.registrarChallenge.1.replacing("abc", with: "def")
        try world.reply(401, to: second, from: "carol", headers: [(.wwwAuthenticate, serverChallenge)])
        let third = try #require(world.last(.invite, at: "carol"))
        #expect(third.cSeq.number == 3)
        // With both it is so long that it was tried by TCP before, with a count of its own.
        #expect(try third.headers.all(ProxyAuthorization.self).map(\.nonceCount) == [3])
        #expect(try third.headers.all(Authorization.self).map(\.nonceCount) == [2])
        // Neither is asked a second time.
        try world.reply(401, to: third, from: "carol", headers: [(.wwwAuthenticate, serverChallenge)])
        #expect(world.requests(.invite, from: "alice").count == 3)
        #expect(world.ends(at: "alice").map(\.cause) == [.authenticationFailed])
    }

    /// A response with both kinds of challenge is judged by its status alone (RFC 3261 §22.2, §22.3).
    @Test(.proves(.row(41), .clause("RFC 3261 §22.2"), .clause("RFC 3261 §22.3")))
    func looksInAResponseOnlyForTheChallengeOfItsStatus() throws {
        var world = World()
        let first = try world.aliceCallsCarol(try Self.account())
        try world.reply(407, to: first, from: "carol", headers: [Self.registrarChallenge, Self.proxyChallenge])
        let second = try #require(world.last(.invite, at: "carol"))
        #expect(second.headers.contains(.proxyAuthorization) && !second.headers.contains(.authorization))
    }

    @Test(.proves(.clause("RFC 3261 §22.2")))
    func challengedByeIsSentAgain() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(try Self.account())
        try world.reply(
            200, to: invite, from: "carol", contact: carolContact, body: World.answerText,
            headers: [(.recordRoute, "<sip:192.0.2.9;lr>")])
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let first = try #require(world.last(.bye, at: "carol"))
        try world.reply(407, to: first, from: "carol", headers: [Self.proxyChallenge])
        let second = try #require(world.last(.bye, at: "carol"))
        #expect(second.cSeq.number == first.cSeq.number + 1)
        #expect(second.headers.contains(.proxyAuthorization))
    }

    @Test(.proves(.row(40), .rule(10), .incident(43), .clause("RFC 3261 §22.3")))
    func wrongPasswordEndsTheCallAfterOneAttempt() throws {
        var world = World()
        var invite = try world.aliceCallsCarol(try Self.account())
        for _ in 0..<5 {
            try world.reply(407, to: invite, from: "carol", headers: [Self.proxyChallenge])
            invite = try #require(world.last(.invite, at: "carol"))
        }
        #expect(world.requests(.invite, from: "alice").count == 2)
        #expect(world.ends(at: "alice").map(\.cause) == [.authenticationFailed])
        #expect(world.ends(at: "alice").map(\.status) == [407])
    }

    @Test(.proves(.rule(10), .incident(52)))
    func strangersAndForeignRealmsLearnNothing() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(try Self.account(proxy: nil))
        try world.reply(407, to: invite, from: "carol", headers: [Self.proxyChallenge])
        #expect(world.requests(.invite, from: "alice").count == 1)
        #expect(world.story(of: "alice") == ["warning", "ended"])

        var other = World()
        let request = try other.aliceCallsCarol(try Self.account(realm: "elsewhere.example"))
        try other.reply(407, to: request, from: "carol", headers: [Self.proxyChallenge])
        #expect(other.requests(.invite, from: "alice").count == 1)
        let warnings = (other.events["alice"] ?? []).compactMap { event -> UserAgentWarning? in
            if case .warning(let warning) = event { warning } else { nil }
        }
        #expect(warnings == [.foreignRealm(AccountID(rawValue: 1), "example.com")])
    }

    /// An account that is an address and a password: its domain is its registrar, and nobody has registered.
    @Test(
        .proves(.rule(10), .clause("RFC 3261 §22.2"), .clause("RFC 3261 §22.3")),
        arguments: [(401, nil), (407, nil), (401, "sip:192.0.2.9"), (407, "sip:192.0.2.9")] as [(Int, String?)])
    func theRegistrarsChallengeToACallIsAnsweredBeforeAnythingRegistered(status: Int, proxy: String?) throws {
        var world = World()
        world.names["example.com"] = [try #require(SocketAddress("192.0.2.9:5060"))]
        let call = OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)
        let configuration = try Self.account(proxy: proxy, registrar: "sip:example.com", realm: nil)
        let first = try world.aliceCallsCarol(configuration, call: call)
        let challenge = status == 401 ? Self.registrarChallenge : Self.proxyChallenge
        try world.reply(try #require(StatusCode(status)), to: first, from: "carol", headers: [challenge])
        let second = try #require(world.last(.invite, at: "carol"))
        let field = status == 401 ? HeaderName.authorization : .proxyAuthorization
        #expect(second.cSeq.number == 2 && second.headers.contains(field))
        try world.reply(200, to: second, from: "carol", contact: carolContact, body: World.answerText)
        #expect(world.last(.ack, at: "carol")?.headers.contains(field) == true)
    }

    /// Elsewhere is whoever was called, at whatever address the call went to.
    @Test(
        .proves(.rule(10), .incident(52)),
        arguments: [
            ("sip:bob@elsewhere.example", nil), ("sip:bob@example.com;maddr=192.0.2.9", nil),
            ("sip:bob@example.com:5070", nil), ("sip:bob@elsewhere.example", "sip:192.0.2.9"),
        ] as [(String, String?)])
    func nobodyElseIsTakenForTheRegistrar(callee: String, proxy: String?) throws {
        var world = World()
        for name in ["example.com", "elsewhere.example"] {
            world.names[name] = [try #require(SocketAddress("192.0.2.9:5060"))]
        }
        let configuration = try Self.account(proxy: proxy, registrar: "sip:example.com", realm: nil)
        let call = OutgoingCall(target: try target(callee), media: World.media)
        let first = try world.aliceCallsCarol(configuration, call: call)
        try world.reply(401, to: first, from: "carol", headers: [Self.registrarChallenge])
        #expect(world.requests(.invite, from: "alice").count == 1)
        #expect(world.ends(at: "alice").map(\.status) == [401])
    }

    /// A peer that is in the way of a call may write the proxy's name into its route, and its own address beside it.
    @Test(.proves(.rule(10))) func aRouteWithTheProxysNameAndAnotherAddressIsNotTheProxy() throws {
        var world = World()
        world.addScripted("mallory", at: "192.0.2.66")
        let invite = try world.aliceCallsCarol(try Self.account())
        try world.reply(
            200, to: invite, from: "carol", contact: carolContact, body: World.answerText,
            headers: [(.recordRoute, "<sip:192.0.2.9;maddr=192.0.2.66;lr>")])
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let bye = try #require(world.last(.bye, at: "mallory"))
        try world.reply(407, to: bye, from: "mallory", headers: [Self.proxyChallenge])
        #expect(world.requests(.bye, from: "alice").count == 1)
    }

    @Test(.proves(.rule(10), .clause("RFC 3903 §4")), arguments: [401, 407])
    func theRegistrarsChallengeToAPublicationIsAnswered(status: Int) throws {
        var world = World()
        world.names["example.com"] = [try #require(SocketAddress("192.0.2.9:5060"))]
        let configuration = try Self.account(proxy: nil, registrar: "sip:example.com", realm: nil)
        world.add("alice", at: "192.0.2.1", configuration: configuration)
        world.addScripted("carol", at: "192.0.2.9")
        world.perform(.publish(AccountID(rawValue: 1), OwnPresence(note: "here")), by: "alice")
        world.run(for: .milliseconds(20))
        let first = try #require(world.last(.publish, at: "carol"))
        let challenge = status == 401 ? Self.registrarChallenge : Self.proxyChallenge
        try world.reply(try #require(StatusCode(status)), to: first, from: "carol", headers: [challenge])
        let second = try #require(world.last(.publish, at: "carol"))
        #expect(second.headers.contains(status == 401 ? .authorization : .proxyAuthorization))
    }

    @Test func cancelledCallAnswersNoChallenge() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(try Self.account())
        try world.reply(100, to: invite, from: "carol", tag: nil)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(407, to: invite, from: "carol", headers: [Self.proxyChallenge])
        #expect(world.requests(.invite, from: "alice").count == 1)
        world.run(for: .seconds(200))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }
}

@Suite struct HostedRegistrationTests {
    private let work = AccountID(rawValue: 1)

    private func states(of world: World) -> [RegistrationState] {
        (world.events["alice"] ?? []).compactMap { event in
            if case .registration(_, let state) = event { state } else { nil }
        }
    }

    /// Alice with an account at a scripted registrar, her first REGISTER on its way.
    private func registering() throws -> (World, Request) {
        var world = World()
        let configuration = try AuthenticationTests.account(proxy: nil, registrar: "sip:registrar.example", realm: nil)
        world.add("alice", at: "192.0.2.1", configuration: configuration)
        world.addScripted("carol", at: "192.0.2.9")
        world.names["registrar.example"] = [try #require(SocketAddress("192.0.2.9:5060"))]
        world.names["example.com"] = [try #require(SocketAddress("192.0.2.9:5060"))]
        world.perform(.register(work), by: "alice")
        world.run(for: .milliseconds(20))
        return (world, try #require(world.last(.register, at: "carol")))
    }

    private func registered() throws -> World {
        var (world, first) = try registering()
        try world.reply(401, to: first, from: "carol", headers: [AuthenticationTests.registrarChallenge])
        let second = try #require(world.last(.register, at: "carol"))
        try world.reply(200, to: second, from: "carol", headers: [(.contact, "<sip:alice@192.0.2.1:5060>;expires=600")])
        return world
    }

    @Test(.proves(.clause("RFC 3261 §10.2.4"), .clause("RFC 3261 §22.2")))
    func registersWithDigestAndRefreshesInTime() throws {
        var world = try registered()
        #expect(states(of: world) == [.registering, .registered(expires: 600)])
        let requests = world.requests(.register, from: "alice")
        #expect(requests.map(\.cSeq.number) == [1, 2])
        #expect(Set(requests.map(\.callID)).count == 1)
        #expect(requests.first?.uri.description == "sip:registrar.example")
        #expect(requests.last?.headers.first(.contact) == "<sip:alice@192.0.2.1:5060>")
        world.run(for: .seconds(540))
        #expect(world.requests(.register, from: "alice").count > 2)
        #expect(world.requests(.register, from: "alice").dropFirst(2).first?.headers.contains(.authorization) == true)
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §10.2.8")))
    func asksForALongerTimeWhereTheRegistrarFindsItsTooBrief() throws {
        var (world, first) = try registering()
        try world.reply(423, to: first, from: "carol", headers: [(.minExpires, "7200")])
        let second = try #require(world.last(.register, at: "carol"))
        #expect(second.headers.first(.expires) == "7200")
        #expect(second.callID == first.callID && second.cSeq.number == first.cSeq.number + 1)
        #expect(second.vias.first?.branch != first.vias.first?.branch)
        try world.reply(
            200, to: second, from: "carol", headers: [(.contact, "<sip:alice@192.0.2.1:5060>;expires=7200")])
        #expect(states(of: world) == [.registering, .registered(expires: 7200)])
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §20.33")))
    func waitsAsLongAsTheRegistrarAsks() throws {
        var (world, first) = try registering()
        try world.reply(503, to: first, from: "carol", headers: [(.retryAfter, "120 (maintenance)")])
        guard case .failed(503, _, let wait?)? = states(of: world).last else {
            Issue.record("no failure with a time to try again: \(states(of: world))")
            return
        }
        #expect(wait >= .seconds(120))
        world.run(for: .seconds(119))
        #expect(world.requests(.register, from: "alice").count == 1)
        world.run(for: wait - .seconds(118))
        let again = try #require(world.last(.register, at: "carol"))
        #expect(again.cSeq.number > first.cSeq.number)
        try world.reply(200, to: again, from: "carol", headers: [(.contact, "<sip:alice@192.0.2.1:5060>;expires=600")])
        #expect(states(of: world).last == .registered(expires: 600))
    }

    @Test(.proves(.clause("RFC 3261 §10.2.2")))
    func unregistersOnShutDown() throws {
        var world = try registered()
        world.perform(.shutDown, by: "alice")
        world.run(for: .milliseconds(20))
        let removal = try #require(world.last(.register, at: "carol"))
        #expect(removal.headers.first(.expires) == "0")
        try world.reply(200, to: removal, from: "carol")
        #expect(states(of: world).suffix(2) == [.unregistering, .unregistered])
        #expect(world.story(of: "alice").last == "shutDownFinished")
    }

    /// It stands then for as long as it was granted for, and whoever leaves is to know.
    @Test(.proves(.row(9), .clause("RFC 3261 §10.2.2")))
    func tellsOfARemovalThatHadNoAnswerWhenItWasTimeToLeave() throws {
        var world = try registered()
        world.perform(.shutDown, by: "alice")
        world.run(for: .seconds(2))
        guard case .failed(nil, let reason, nil)? = states(of: world).last else {
            Issue.record("\(states(of: world))")
            return
        }
        #expect(reason.hasSuffix(": the registration was not removed"))
        #expect(world.story(of: "alice").suffix(2) == ["registration", "shutDownFinished"])
    }

    /// What was asked for is forgotten: its answer begins nothing any more.
    @Test func aRegistrarThatIsFoundAfterShutDownIsLeftAlone() throws {
        let local = try #require(SocketAddress("192.0.2.1:5060"))
        let remote = try #require(SocketAddress("192.0.2.3:5060"))
        let configuration = try AuthenticationTests.account(proxy: nil, registrar: "sip:registrar.example")
        var core = UserAgentCore(configuration: configuration, random: RandomSource(seed: 1))
        core.perform(.register(work), at: .zero)
        var questions: [ResolveID] = []
        while let output = core.nextOutput() { if case .resolve(let id, _) = output { questions.append(id) } }
        core.perform(.shutDown, at: .zero)
        let way = Destination(transport: .udp, remote: remote, local: local)
        core.receive(.resolved(try #require(questions.first), [way]), at: .zero)
        var outputs: [Output] = []
        while let output = core.nextOutput() { outputs.append(output) }
        guard outputs.count == 1, case .event(.shutDownFinished)? = outputs.first else {
            Issue.record("\(outputs)")
            return
        }
        #expect(core.occupancy == .empty && core.deadline == nil)
    }

    @Test func registrarFlowIsTrustedAndItsChallengeToCallsAnswered() throws {
        var world = try registered()
        let invite = try world.request(.invite, from: "carol", to: "alice", body: World.answerText)
        world.ask(invite, from: "carol", to: "alice")
        guard case .incomingCall(_, let call)? = world.events["alice"]?.last else {
            Issue.record("no call came in")
            return
        }
        #expect(call.trust == .registrarFlow)
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)), by: "alice")
        world.run(for: .milliseconds(20))
        let call1 = try #require(world.last(.invite, at: "carol"))
        try world.reply(407, to: call1, from: "carol", headers: [AuthenticationTests.proxyChallenge])
        #expect(world.last(.invite, at: "carol")?.cSeq.number == 2)
    }

    @Test(.proves(.rule(6), .incident(53)))
    func strangersDoNotReachARegisteredAccount() throws {
        var world = try registered()
        world.addScripted("mallory", at: "192.0.2.66")
        let invite = try world.request(.invite, from: "mallory", to: "alice", body: World.answerText)
        world.ask(invite, from: "mallory", to: "alice")
        #expect(world.received(403, at: "mallory").count == 1)
        #expect(world.incoming(at: "alice") == nil)
    }

    @Test(.proves(.row(36), .row(38), .clause("RFC 3261 §10.2")))
    func changedAddressesRegisterAnew() throws {
        var world = try registered()
        let before = world.requests(.register, from: "alice").count
        world.receive(.localAddressesChanged, by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.requests(.register, from: "alice").count == before + 1)
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §10.3")))
    func silentRegistrarIsTriedAgainLater() throws {
        var (world, _) = try registering()
        world.run(for: .seconds(40))
        guard case .failed(nil, _, let wait?)? = states(of: world).last else {
            Issue.record("no failure with a time to try again: \(states(of: world))")
            return
        }
        #expect(wait >= .seconds(30) && wait <= .seconds(60))
        let before = world.requests(.register, from: "alice").count
        world.run(for: .seconds(60))
        #expect(world.requests(.register, from: "alice").count > before)
    }

    @Test(.proves(.row(18), .incident(76)))
    func answerToNoRequestOfOursLeavesTheRegistrationAlive() throws {
        var (world, register) = try registering()
        register.cSeq.number += 7
        try world.reply(200, to: register, from: "carol", tag: "r")
        world.run(for: .seconds(40))
        guard case .failed(nil, _, _?)? = states(of: world).last else {
            Issue.record("no failure with a time to try again: \(states(of: world))")
            return
        }
    }
}
