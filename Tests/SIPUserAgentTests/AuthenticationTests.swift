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
