import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

@Suite struct DigestResponseTests {
    private static let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"

    private func challenge(_ parameters: [(String, String)]) throws -> DigestChallenge {
        var all = AuthenticationParameters(scheme: "Digest")
        for (name, value) in parameters { all.append(name, quoted: value) }
        return try #require(DigestChallenge(WWWAuthenticate(parameters: all), isProxy: false))
    }

    private func response(
        _ extra: [(String, String)], body: String = "", nonceCount: UInt32 = 1
    ) throws -> DigestResponse {
        DigestResponse(
            challenge: try challenge([("realm", "testrealm@host.com"), ("nonce", Self.nonce)] + extra),
            username: "Mufasa", password: Secret("Circle Of Life"), method: .other("GET"), uri: "/dir/index.html",
            body: Array(body.utf8), cnonce: "0a4f113b", nonceCount: nonceCount)
    }

    @Test(.proves(.clause("RFC 2617 §3.5")))
    func givesTheExampleOfRFC2617() throws {
        #expect(try response([("qop", "auth,auth-int")]).response == "6629fae49393a05397450978507c4ef1")
    }

    /// Worked out with another implementation of MD5.
    @Test(.proves(.clause("RFC 2617 §3.2.2")))
    func hashesEveryFormOfRFC2617() throws {
        #expect(try response([]).response == "670fd8c2df070c60b045671b8b24ff02")
        #expect(
            try response([("qop", "auth"), ("algorithm", "md5-SESS")]).response
                == "8e3825c57e897f5a0dec6c2d4e5059d0")
        #expect(try response([("qop", "auth-int")], body: "hello").response == "4b9dff6a3247bddd2fed3d63a302e8dc")
        #expect(try response([("qop", "auth")], nonceCount: 255).response == "07cb56002dba50df7247c34d46357e6b")
    }

    @Test(
        .proves(.clause("RFC 7616 §3.9.1")),
        arguments: [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ])
    func givesTheExamplesOfRFC7616(algorithm: String, expected: String) throws {
        let response = DigestResponse(
            challenge: try challenge([
                ("realm", "http-auth@example.org"), ("qop", "auth"), ("algorithm", algorithm),
                ("nonce", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
            ]), username: "Mufasa", password: Secret("Circle of Life"), method: .other("GET"), uri: "/dir/index.html",
            body: [], cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", nonceCount: 1)
        #expect(response.response == expected)
    }

    /// The parameters of RFC 7616 §3.9.2 without `userhash`, worked out with another implementation of SHA-512/256.
    @Test func hashesWithTheTruncatedSHA512() throws {
        let response = DigestResponse(
            challenge: try challenge([
                ("realm", "api@example.org"), ("qop", "auth"), ("algorithm", "SHA-512-256"),
                ("nonce", "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"),
            ]), username: "J\u{e4}s\u{f8}n Doe", password: Secret("Secret, or not?"), method: .other("GET"),
            uri: "/doe.json", body: [], cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm", nonceCount: 1)
        #expect(response.response == "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c")
    }

    @Test func writesWhatTheServerAskedForAndNoMore() throws {
        let full = try #require(
            try response([("qop", "auth"), ("opaque", "o\"p"), ("algorithm", "MD5")]).credentials)
        #expect(full["username"] == "Mufasa" && full["realm"] == "testrealm@host.com" && full["nonce"] == Self.nonce)
        #expect(full["uri"] == "/dir/index.html" && full["opaque"] == "o\"p" && full["algorithm"] == "MD5")
        #expect(full["qop"] == "auth" && full["nc"] == "00000001" && full["cnonce"] == "0a4f113b")
        let bare = try #require(try response([]).credentials)
        #expect(bare["qop"] == nil && bare["nc"] == nil && bare["cnonce"] == nil)
        #expect(bare["opaque"] == nil && bare["algorithm"] == nil)
    }

    @Test(.proves(.incident(56), .clause("RFC 3261 §25.1")))
    func quotesAndEscapesWhatItWrites() throws {
        var headers = Headers()
        headers.append(Authorization(parameters: try #require(try response([("opaque", "a\"b\\c")]).credentials)))
        let text = try #require(headers.first(.authorization))
        #expect(text.hasPrefix("Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\""))
        #expect(text.contains("opaque=\"a\\\"b\\\\c\""))
        #expect(try headers.first(Authorization.self)?.parameters["opaque"] == "a\"b\\c")
    }

    @Test(
        .proves(.incident(29)),
        arguments: [
            [("nonce", "n")], [("realm", "r")], [("realm", "r"), ("nonce", "n"), ("algorithm", "AKAv1-MD5")],
            [("realm", "r"), ("nonce", "n"), ("qop", "auth-conf")], [("realm", "r"), ("nonce", "n"), ("nonce", "m")],
            [("realm", "r"), ("nonce", "n"), ("algorithm", "")], [],
        ] as [[(String, String)]])
    func takesNoChallengeThatItCannotAnswer(parameters: [(String, String)]) {
        var all = AuthenticationParameters(scheme: "Digest")
        for (name, value) in parameters { all.append(name, quoted: value) }
        #expect(DigestChallenge(WWWAuthenticate(parameters: all), isProxy: false) == nil)
    }

    @Test(.proves(.rule(10)))
    func answersNoOtherScheme() {
        var basic = AuthenticationParameters(scheme: "Basic")
        basic.append("realm", quoted: "r")
        basic.append("nonce", quoted: "n")
        #expect(DigestChallenge(WWWAuthenticate(parameters: basic), isProxy: false) == nil)
    }
}
