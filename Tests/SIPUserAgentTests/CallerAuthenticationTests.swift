import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

/// Digest authentication of callers, without a user agent around it.
@Suite struct CallerAuthenticationTests {
    private static let alice = CallerCredentials(
        username: "alice", realm: "example.com", password: Secret("wonderland"))
    private var callers = CallerAuthentication([alice], random: RandomSource(seed: 8760))
    private let source = SourceTable.Key(.v4(0x0808_0808))
    private let now = Instant.zero + .seconds(1_000_000)

    private func request(_ method: SIPMessages.Method = .invite) throws -> Request {
        let address = try NameAddress(parsing: "<sip:alice@example.com>")
        return Request(
            method: method, uri: try URI(parsing: "sip:bob@192.0.2.2"), from: address, to: address, callID: "c",
            cSeq: CSeq(number: 1, method: method))
    }

    /// A request with credentials that answer `challenge`, made by our own client side.
    private func answered(
        _ challenge: WWWAuthenticate, username: String = "alice", password: String = "wonderland", count: UInt32 = 1,
        method: SIPMessages.Method = .invite, changing change: (inout AuthenticationParameters) -> Void = { _ in }
    ) throws -> Request {
        var request = try request(method)
        let response = DigestResponse(
            challenge: try #require(DigestChallenge(challenge, isProxy: false)), username: username,
            password: Secret(password), method: method, uri: "sip:bob@192.0.2.2", body: [], cnonce: "c0ffee",
            nonceCount: count)
        var parameters = try #require(response.credentials)
        change(&parameters)
        request.headers.append(Authorization(parameters: parameters))
        return request
    }

    private mutating func challenge(_ digest: MessageDigest = .sha256) throws -> WWWAuthenticate {
        try #require(
            callers.challenges(isStale: false, to: source, at: now).first { $0.algorithm == digest.rawValue })
    }

    @Test(arguments: [MessageDigest.sha256, .md5])
    mutating func knowsWhoKnowsThePassword(digest: MessageDigest) throws {
        let request = try answered(try challenge(digest))
        #expect(callers.judge(request, from: source, at: now) == .proven(username: "alice"))
    }

    @Test mutating func offersSHA256BeforeMD5UnderOneNonceThatIsNeverTheSame() throws {
        let first = callers.challenges(isStale: false, to: source, at: now)
        #expect(first.map(\.algorithm) == ["SHA-256", "MD5"])
        #expect(first.allSatisfy { $0.realm == "example.com" && $0.qop == ["auth"] && !$0.isStale })
        #expect(first.first?.nonce == first.last?.nonce && first.first?.nonce?.utf8.count == 48)
        #expect(try challenge().nonce != first.first?.nonce)
    }

    @Test mutating func takesNoWrongPasswordNameMethodOrResponse() throws {
        let challenge = try challenge()
        #expect(callers.judge(try request(), from: source, at: now) == .missing)
        for wrong in [
            try answered(challenge, password: "Wonderland"), try answered(challenge, username: "bob"),
            try answered(challenge, method: .bye),
        ] {
            var asked = wrong
            asked.method = .invite
            #expect(callers.judge(asked, from: source, at: now) == .wrong)
        }
    }

    @Test(arguments: ["username", "realm", "nonce", "uri", "response", "cnonce", "nc", "qop"])
    mutating func takesNoCredentialsThatLackAnything(name: String) throws {
        let challenge = try challenge()
        let incomplete = try answered(challenge) { parameters in
            var rest = AuthenticationParameters(scheme: "Digest")
            for known in ["username", "realm", "nonce", "uri", "response", "algorithm", "cnonce", "nc", "qop"]
            where known != name {
                if let value = parameters[known] { rest.append(known, quoted: value) }
            }
            parameters = rest
        }
        #expect(callers.judge(incomplete, from: source, at: now) == .missing)
    }

    @Test mutating func takesNoCredentialsThatSayAThingTwice() throws {
        let repeated = try answered(try challenge()) { $0.append("username", quoted: "bob") }
        #expect(callers.judge(repeated, from: source, at: now) == .missing)
    }

    @Test mutating func takesEachNonceCountOnce() throws {
        let challenge = try challenge()
        for (count, verdict) in [
            (1, CallerVerdict.proven(username: "alice")), (1, .stale), (3, .proven(username: "alice")),
            (2, .proven(username: "alice")), (2, .stale), (0, .stale), (100, .proven(username: "alice")),
            (3, .stale), (4, .stale), (99, .proven(username: "alice")),
        ] as [(UInt32, CallerVerdict)] {
            let request = try answered(challenge, count: count)
            #expect(callers.judge(request, from: source, at: now) == verdict, "nc \(count)")
        }
    }

    @Test mutating func callsARightAnswerToANonceOfOtherTimesOrPlacesStale() throws {
        let challenge = try challenge()
        let request = try answered(challenge)
        let elsewhere = SourceTable.Key(.v4(0x0909_0909))
        #expect(callers.judge(request, from: elsewhere, at: now) == .stale)
        #expect(callers.judge(request, from: source, at: now + .seconds(301)) == .stale)
        #expect(callers.judge(request, from: source, at: now - .seconds(2)) == .stale)
        var restarted = CallerAuthentication([Self.alice], random: RandomSource(seed: 1))
        #expect(restarted.judge(request, from: source, at: now) == .stale)
        #expect(callers.judge(request, from: source, at: now + .seconds(300)) == .proven(username: "alice"))
    }

    @Test mutating func believesNoNonceThatSomebodyChanged() throws {
        let challenge = try challenge()
        let nonce = try #require(challenge.nonce)
        for index in nonce.indices {
            var changed = nonce
            changed.replaceSubrange(index...index, with: nonce[index] == "0" ? "1" : "0")
            var parameters = AuthenticationParameters(scheme: "Digest")
            for (name, value) in [("realm", "example.com"), ("nonce", changed), ("qop", "auth")] {
                parameters.append(name, quoted: value)
            }
            parameters.append("algorithm", token: "SHA-256")
            let request = try answered(WWWAuthenticate(parameters: parameters))
            #expect(callers.judge(request, from: source, at: now) == .stale)
        }
    }

    @Test mutating func challengesForEachRealmAndKnowsItsUsersAlone() throws {
        let bob = CallerCredentials(username: "bob", realm: "example.net", password: Secret("builder"))
        callers = CallerAuthentication([Self.alice, bob], random: RandomSource(seed: 1))
        let challenges = callers.challenges(isShort: true, isStale: true, to: source, at: now)
        #expect(challenges.map { $0.realm } == ["example.com", "example.net"])
        #expect(challenges.allSatisfy { $0.isStale })
        let right = try answered(try #require(challenges.last), username: "bob", password: "builder")
        #expect(callers.judge(right, from: source, at: now) == .proven(username: "bob"))
        let crossed = try answered(try #require(challenges.first), username: "bob", password: "builder")
        #expect(callers.judge(crossed, from: source, at: now) == .wrong)
    }

    @Test mutating func offersWhatTheCallersOfARealmKnow() throws {
        let old = CallerCredentials(username: "door", realm: "old.example", password: Secret("x"), digests: [.md5])
        callers = CallerAuthentication([old, Self.alice], random: RandomSource(seed: 1))
        let challenges = callers.challenges(isStale: false, to: source, at: now)
        #expect(challenges.map { $0.algorithm } == ["MD5", "SHA-256", "MD5"])
        let short = callers.challenges(isShort: true, isStale: false, to: source, at: now)
        #expect(short.map { $0.algorithm } == ["MD5", "SHA-256"])
    }

    @Test mutating func survivesAnyCredentials() throws {
        var random = RandomSource(seed: 7616)
        let names = ["username", "realm", "nonce", "uri", "response", "cnonce", "nc", "qop", "algorithm", "opaque"]
        let values = [
            "", "example.com", "alice", "auth", "00000001", "ffffffff", "SHA-256", "MD5-sess", "\u{fffd}", "+1",
        ]
        for _ in 0..<2000 {
            var request = try request()
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                var parameters = AuthenticationParameters(scheme: Bool.random(using: &random) ? "Digest" : "Basic")
                for _ in 0..<Int.random(in: 0...12, using: &random) {
                    parameters.append(
                        names.randomElement(using: &random) ?? "", quoted: values.randomElement(using: &random) ?? "")
                }
                request.headers.append(Authorization(parameters: parameters))
            }
            let verdict = callers.judge(request, from: source, at: now)
            #expect(verdict == .missing || verdict == .wrong)
        }
    }
}

@Suite struct NonceCountsTests {
    private let now = Instant.zero + .seconds(500)

    @Test func remembersSoManyNoncesAndTakesNoneThatItForgot() {
        var counts = NonceCounts(capacity: 4)
        let stamps = (0..<6).map { ServerNonce.Stamp(seconds: 400 + UInt32($0), salt: UInt32($0)) }
        func uses(_ count: UInt32, _ stamp: ServerNonce.Stamp) -> Bool { counts.use(count, of: stamp, at: now) }
        #expect(stamps.allSatisfy { uses(1, $0) })
        #expect(counts.count == 4)
        // The two oldest were forgotten: neither they nor what is as old can be used.
        #expect(!stamps.contains { uses(1, $0) })
        #expect(!uses(1, ServerNonce.Stamp(seconds: 401, salt: 99)) && !uses(2, stamps[1]))
        #expect(uses(2, stamps[2]) && uses(1, ServerNonce.Stamp(seconds: 403, salt: 99)))
    }

    @Test func makesRoomByForgettingWhatRanOut() {
        var counts = NonceCounts(capacity: 2)
        func uses(_ seconds: UInt32, _ salt: UInt32) -> Bool {
            counts.use(1, of: ServerNonce.Stamp(seconds: seconds, salt: salt), at: now)
        }
        // The first ran out 100 s ago, so nothing of worth is lost with it.
        #expect(uses(100, 1) && uses(450, 2) && uses(450, 3))
        #expect(counts.count == 2)
        #expect(uses(451, 4) && !uses(450, 5))
    }
}

@Suite struct URIPatternTests {
    @Test(arguments: [
        ("*", "sip:alice@example.com", true), ("*", "sips:x", true), ("*", "tel:+1", false),
        ("sip:alice@example.com", "sip:alice@EXAMPLE.com", true), ("alice@example.com", "sip:alice@example.com", true),
        ("sip:alice@example.com", "sip:Alice@example.com", false),
        ("sip:alice@example.com", "sip:alice@example.org", false),
        ("sip:*@example.com", "sip:alice@example.com", true), ("sip:*@example.com", "sip:example.com", false),
        ("sip:a*e@*.com", "sip:alice@a.b.com", true), ("sip:a*e@*.com", "sip:alicex@a.b.com", false),
        ("sip:alice@example.com", "sip:alice@example.com:5080;transport=tcp", true),
        ("sip:alice@example.com", "sips:alice@example.com", false), ("sips:*@*", "sips:alice@example.com", true),
        ("sip:example.com", "sip:example.com", true), ("sip:+49*@10.0.0.*", "sip:+4930@10.0.0.7", true),
    ])
    func matchesByTheWholeAddress(pattern: String, uri: String, expected: Bool) throws {
        #expect(try #require(URIPattern(pattern)).matches(try URI(parsing: uri)) == expected)
    }

    @Test(arguments: ["", "sip:", "sip:@example.com", "a b@c", "sip:a@b;transport=udp", "sip:a@b?x=y", "é@x"])
    func refusesWhatIsNoPattern(text: String) {
        #expect(URIPattern(text) == nil)
    }

    @Test func costsTheProductOfBothLengthsAtMost() throws {
        let pattern = try #require(URIPattern("sip:" + String(repeating: "a*", count: 200) + "b@x"))
        let uri = try URI(parsing: "sip:" + String(repeating: "a", count: 400) + "@x")
        var isMatch = true
        let time = ContinuousClock().measure { isMatch = pattern.matches(uri) }
        #expect(!isMatch && time < .seconds(1))
    }
}
