import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

@Suite struct DigestAuthenticationTests {
    private var random = RandomSource(seed: 2617)
    private var attempts = AuthenticationAttempts()

    private static let credentials = AccountCredentials(username: "alice", password: Secret("wonderland"))

    private func authentication(realm: String? = "example.com") -> DigestAuthentication {
        var credentials = Self.credentials
        credentials.realm = realm
        return DigestAuthentication(credentials: credentials)
    }

    private func request(_ method: SIPMessages.Method = .register) throws -> Request {
        let address = try NameAddress(parsing: "<sip:alice@example.com>")
        return Request(
            method: method, uri: try URI(parsing: "sip:example.com"), from: address, to: address, callID: "c",
            cSeq: CSeq(number: 1, method: method))
    }

    /// A 401, or with `proxy` a 407, with one field for each challenge.
    private func challenged(_ request: Request, proxy: Bool = false, _ challenges: String...) throws -> Response {
        var response = request.response(proxy ? 407 : 401)
        for challenge in challenges {
            try response.headers.append(proxy ? .proxyAuthenticate : .wwwAuthenticate, "Digest \(challenge)")
        }
        return response
    }

    private static let plain = "realm=\"example.com\", nonce=\"n1\", qop=\"auth\""

    @Test(.proves(.row(40), .incident(43), .clause("RFC 3261 §22.3")))
    mutating func answersOnceAndCallsASecondChallengeARefusal() throws {
        var authentication = authentication()
        var request = try request()
        let first = authentication.answer(
            try challenged(request, Self.plain), to: &request, sentTo: .registrar, attempts: &attempts, random: &random)
        #expect(first == .authorized)
        let sent = try #require(try request.headers.first(Authorization.self))
        #expect(sent.username == "alice" && sent.nonce == "n1" && sent.uri == "sip:example.com")
        #expect(sent.nonceCount == 1 && sent.cnonce?.count == 32)
        for nonce in ["n1", "n2"] {
            let again = authentication.answer(
                try challenged(request, "realm=\"example.com\", nonce=\"\(nonce)\", qop=\"auth\""), to: &request,
                sentTo: .registrar, attempts: &attempts, random: &random)
            #expect(again == .refused)
        }
    }

    @Test(.proves(.row(40), .rule(10), .incident(43), .clause("RFC 7616 §3.4")))
    mutating func followsStaleNoncesThreeTimesAndNoMore() throws {
        var authentication = authentication()
        var request = try request()
        var verdicts: [AuthenticationVerdict] = []
        for number in 1...6 {
            let stale = number > 1 ? ", stale=TRUE" : ""
            verdicts.append(
                authentication.answer(
                    try challenged(request, "realm=\"example.com\", nonce=\"n\(number)\", qop=\"auth\"\(stale)"),
                    to: &request, sentTo: .registrar, attempts: &attempts, random: &random))
        }
        #expect(verdicts == [.authorized, .authorized, .authorized, .authorized, .exhausted, .exhausted])
    }

    @Test(.proves(.row(40), .rule(10), .incident(43), .clause("RFC 7616 §3.4")))
    mutating func callsAStaleNonceThatIsTheSameARefusal() throws {
        var authentication = authentication()
        var request = try request()
        let challenge = Self.plain + ", stale=true"
        for expected in [AuthenticationVerdict.authorized, .refused] {
            #expect(
                authentication.answer(
                    try challenged(request, challenge), to: &request, sentTo: .registrar, attempts: &attempts,
                    random: &random) == expected)
        }
    }

    @Test(.proves(.row(41), .rule(10), .incident(43)))
    mutating func answersAtMostTwoRealmsOfOneRequest() throws {
        var credentials = Self.credentials
        credentials.realm = nil
        var authentication = DigestAuthentication(
            credentials: credentials, pinnedRealms: PinnedRealms(registrar: "a", outboundProxy: "b"))
        var request = try request(.invite)
        #expect(
            authentication.answer(
                try challenged(request, proxy: true, "realm=\"b\", nonce=\"1\", qop=\"auth\""), to: &request,
                sentTo: .outboundProxy, attempts: &attempts, random: &random) == .authorized)
        #expect(
            authentication.answer(
                try challenged(request, "realm=\"a\", nonce=\"2\", qop=\"auth\""), to: &request, sentTo: .proxySet,
                attempts: &attempts, random: &random) == .authorized)
        // Both go along, and the proxy's nonce is counted on.
        #expect(try request.headers.first(Authorization.self)?.realm == "a")
        #expect(try request.headers.all(ProxyAuthorization.self).map(\.nonceCount) == [2])
        #expect(
            authentication.answer(
                try challenged(request, proxy: true, "realm=\"a\", nonce=\"3\", qop=\"auth\""), to: &request,
                sentTo: .outboundProxy, attempts: &attempts, random: &random) == .exhausted)
    }

    @Test(
        .proves(.rule(10), .incident(52)),
        arguments: [
            (ChallengeSource.stranger, "example.com", AuthenticationVerdict.untrusted),
            (.registrar, "evil.example", .foreignRealm("evil.example")),
            (.proxySet, "Example.com", .foreignRealm("Example.com")),
        ])
    mutating func givesNoDigestToOthers(source: ChallengeSource, realm: String, expected: AuthenticationVerdict) throws
    {
        var authentication = authentication()
        var request = try request()
        let verdict = authentication.answer(
            try challenged(request, "realm=\"\(realm)\", nonce=\"n\""), to: &request, sentTo: source,
            attempts: &attempts, random: &random)
        #expect(verdict == expected)
        #expect(!request.headers.contains(.authorization))
    }

    @Test(.proves(.rule(10), .incident(52)))
    mutating func pinsTheFirstRealmOfEachTrustedServer() throws {
        var authentication = authentication(realm: nil)
        func ask(_ realm: String, proxy: Bool, _ source: ChallengeSource) throws -> AuthenticationVerdict {
            var request = try request(proxy ? .invite : .register)
            var attempts = AuthenticationAttempts()
            return authentication.answer(
                try challenged(request, proxy: proxy, "realm=\"\(realm)\", nonce=\"n\""), to: &request, sentTo: source,
                attempts: &attempts, random: &random)
        }
        #expect(try ask("other", proxy: true, .proxySet) == .proxyNotConfigured("other"))
        #expect(try ask("other", proxy: true, .registrar) == .proxyNotConfigured("other"))
        #expect(try ask("home", proxy: false, .registrar) == .authorized)
        #expect(try ask("later", proxy: false, .registrar) == .foreignRealm("later"))
        #expect(try ask("home", proxy: true, .proxySet) == .authorized)
        #expect(try ask("edge", proxy: true, .outboundProxy) == .authorized)
        #expect(try ask("later", proxy: true, .outboundProxy) == .foreignRealm("later"))
        #expect(authentication.pinnedRealms == PinnedRealms(registrar: "home", outboundProxy: "edge"))
    }

    /// Whoever is called there may have named it, which must not keep the account from registering.
    @Test(.proves(.rule(10)), arguments: [true, false])
    mutating func theRealmOfACallHoldsUntilTheRegistrarNamesItsOwn(proxy: Bool) throws {
        var authentication = authentication(realm: nil)
        func ask(_ realm: String, proxy: Bool, _ source: ChallengeSource) throws -> AuthenticationVerdict {
            var request = try request(source == .registrar ? .register : .invite)
            var attempts = AuthenticationAttempts()
            return authentication.answer(
                try challenged(request, proxy: proxy, "realm=\"\(realm)\", nonce=\"n\""), to: &request, sentTo: source,
                attempts: &attempts, random: &random)
        }
        #expect(try ask("call", proxy: proxy, .domain) == .authorized)
        #expect(try ask("other", proxy: proxy, .domain) != .authorized)
        #expect(try ask("home", proxy: false, .registrar) == .authorized)
        #expect(try ask("call", proxy: proxy, .domain) != .authorized)
        #expect(try ask("home", proxy: proxy, .domain) == .authorized)
        #expect(authentication.pinnedRealms == PinnedRealms(registrar: "home"))
    }

    @Test(.proves(.rule(10), .row(41), .clause("RFC 7616 §3.7")))
    mutating func prefersTheStrongerHashAndThenTakesNoWeakerOne() throws {
        var authentication = authentication()
        var request = try request()
        let both = try challenged(
            request, Self.plain + ", algorithm=MD5", Self.plain + ", algorithm=SHA-256", "realm=\"x\", nonce=\"y\"")
        #expect(
            authentication.answer(both, to: &request, sentTo: .registrar, attempts: &attempts, random: &random)
                == .authorized)
        #expect(try request.headers.all(Authorization.self).map(\.algorithm) == ["SHA-256"])
        for weak in [Self.plain, "realm=\"example.com\", nonce=\"n2\", algorithm=SHA-256"] {
            var attempts = AuthenticationAttempts()
            #expect(
                authentication.answer(
                    try challenged(request, weak), to: &request, sentTo: .registrar, attempts: &attempts,
                    random: &random) == .downgraded)
        }
    }

    @Test(.proves(.row(40), .clause("RFC 7616 §3.5")))
    mutating func usesAKnownNonceAgainWithTheNextCountAndAFreshClientNonce() throws {
        var authentication = authentication()
        var first = try request()
        authentication.authorize(&first, random: &random)
        #expect(!first.headers.contains(.authorization))
        _ = authentication.answer(
            try challenged(first, Self.plain), to: &first, sentTo: .registrar, attempts: &attempts, random: &random)
        var clientNonces = Set([try first.headers.first(Authorization.self)?.cnonce])
        for count: UInt32 in 2...5 {
            var next = try request()
            authentication.authorize(&next, random: &random)
            let sent = try next.headers.first(Authorization.self)
            #expect(sent?.nonceCount == count)
            clientNonces.insert(sent?.cnonce)
        }
        #expect(clientNonces.count == 5)
        // A registrar's credentials are its own: a call carries none until it is challenged.
        var call = try request(.invite)
        authentication.authorize(&call, random: &random)
        #expect(!call.headers.contains(.authorization))
    }

    @Test(.proves(.clause("RFC 7616 §3.4.2")))
    mutating func keepsTheClientNonceOfASessionKey() throws {
        var authentication = authentication()
        var first = try request()
        _ = authentication.answer(
            try challenged(first, Self.plain + ", algorithm=MD5-sess"), to: &first, sentTo: .registrar,
            attempts: &attempts, random: &random)
        var next = try request()
        authentication.authorize(&next, random: &random)
        #expect(
            try next.headers.first(Authorization.self)?.cnonce == (try first.headers.first(Authorization.self)?.cnonce))
        #expect(try next.headers.first(Authorization.self)?.nonceCount == 2)
    }

    @Test(.proves(.row(40), .clause("RFC 7616 §3.5")))
    mutating func takesTheNextNonceThatTheServerGives() throws {
        var authentication = authentication()
        var request = try request()
        _ = authentication.answer(
            try challenged(request, Self.plain), to: &request, sentTo: .registrar, attempts: &attempts, random: &random)
        var response = request.response(200)
        try response.headers.append(.authenticationInfo, "nextnonce=\"n9\"")
        authentication.receiveSuccess(response, to: request)
        var next = try self.request()
        authentication.authorize(&next, random: &random)
        let sent = try next.headers.first(Authorization.self)
        #expect(sent?.nonce == "n9" && sent?.nonceCount == 1)
    }

    @Test(.proves(.row(40), .clause("RFC 7616 §3.4")))
    mutating func countsOnWhereAServerComesBackToANonceOfBefore() throws {
        var authentication = authentication()
        var used: [String] = []
        // Challenges of several requests on their way overtake one another.
        for nonce in ["n1", "n2", "n1", "n3", "n2", "n1"] {
            var (request, attempts) = (try request(), AuthenticationAttempts())
            let verdict = authentication.answer(
                try challenged(request, "realm=\"example.com\", nonce=\"\(nonce)\", qop=\"auth\""), to: &request,
                sentTo: .registrar, attempts: &attempts, random: &random)
            #expect(verdict == .authorized)
            let sent = try #require(try request.headers.first(Authorization.self))
            used.append("\(sent.nonce ?? "") \(sent.nonceCount ?? 0)")
        }
        #expect(used == ["n1 1", "n2 1", "n1 2", "n3 1", "n2 2", "n1 3"])
    }

    @Test(.proves(.clause("RFC 7616 §3.4")))
    mutating func countsANonceOnceWhereAServerAsksByItAsProxyAndAsRegistrar() throws {
        var authentication = authentication()
        var counts: [UInt32?] = []
        for isProxy in [true, false, true, false] {
            var attempts = AuthenticationAttempts()
            var request = try request()
            let response = try challenged(request, proxy: isProxy, Self.plain)
            #expect(
                authentication.answer(
                    response, to: &request, sentTo: isProxy ? .outboundProxy : .registrar, attempts: &attempts,
                    random: &random) == .authorized)
            counts += try request.headers.all(ProxyAuthorization.self).map(\.nonceCount)
            counts += try request.headers.all(Authorization.self).map(\.nonceCount)
        }
        #expect(counts.count > 4 && Set(counts).count == counts.count, "\(counts)")
    }

    @Test mutating func saysWhyItDoesNotAnswer() throws {
        var none = DigestAuthentication(credentials: nil)
        var request = try request()
        #expect(
            none.answer(
                try challenged(request, Self.plain), to: &request, sentTo: .registrar, attempts: &attempts,
                random: &random) == .noCredentials)
        var authentication = authentication()
        #expect(
            authentication.answer(
                try challenged(request), to: &request, sentTo: .registrar, attempts: &attempts, random: &random)
                == .unsupported)
        #expect(AuthenticationVerdict.foreignRealm("x").reason("Unauthorized").contains("\"x\""))
        let unasked = AuthenticationVerdict.proxyNotConfigured("x").reason("Proxy Authentication Required")
        #expect(unasked.contains("realm \"x\" is a proxy's; it is answered where the account names that proxy"))
    }

    @Test(.proves(.incident(29), .incident(30)))
    mutating func survivesAnyChallenge() throws {
        var authentication = authentication()
        let pieces = [
            "realm", "nonce", "qop", "stale", "algorithm", "=", "\"", ",", "auth", "example.com", " ", "\\", "\u{0}",
            "MD5",
        ]
        for _ in 0..<3_000 {
            var request = try request()
            var response = request.response(401)
            let text = (0..<12).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            guard (try? response.headers.append(.wwwAuthenticate, "Digest \(text)")) != nil else { continue }
            var attempts = AuthenticationAttempts()
            _ = authentication.answer(
                response, to: &request, sentTo: .registrar, attempts: &attempts, random: &random)
        }
    }
}
