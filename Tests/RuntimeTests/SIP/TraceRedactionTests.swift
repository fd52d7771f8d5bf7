import EngineKit
import Proofs
import SIPRuntime
import Testing

struct TraceRedactionTests {
    private func redacted(_ text: String) -> String {
        String(decoding: TraceRedaction.redacted(Array(text.utf8)), as: UTF8.self)
    }

    @Test(.proves(.rule(18)))
    func keepsWhoAndWhatOfCredentialsAndNothingThatProvesIt() {
        let message =
            "REGISTER sip:a.example SIP/2.0\r\n"
            + "Authorization: Digest username=\"alice\", realm=\"a, b\",\r\n"
            + " nonce=\"n0nce\", uri=\"sip:a.example\", response=\"5ecre7\", algorithm=MD5,\r\n"
            + "\tcnonce=\"c\\\"n\", qop=auth, nc=00000001,opaque=op\r\n"
            + "proxy-authorization : DIGEST response=abc,username=\"bob\"\r\n"
            + "CSeq: 1 REGISTER\r\n\r\n"
        let expected =
            "REGISTER sip:a.example SIP/2.0\r\n"
            + "Authorization: Digest username=\"alice\", realm=\"a, b\",\r\n"
            + " nonce=***, uri=\"sip:a.example\", response=***, algorithm=MD5,\r\n"
            + "\tcnonce=***, qop=auth, nc=00000001,opaque=***\r\n"
            + "proxy-authorization : DIGEST response=***,username=\"bob\"\r\n"
            + "CSeq: 1 REGISTER\r\n\r\n"
        #expect(redacted(message) == expected)
    }

    @Test(.proves(.rule(18)))
    func showsNothingOfOtherSchemes() {
        #expect(redacted("Authorization: Basic YWxpY2U6cHc=\r\nTo: x\r\n") == "Authorization: Basic***\r\nTo: x\r\n")
        #expect(redacted("Authorization:\r\n secret\r\nTo: x") == "Authorization:\r\n ***\r\nTo: x")
    }

    /// `rspauth` is made of the password as `response` is, and with the nonces beside it a dictionary finds that.
    @Test(.proves(.rule(18)), arguments: ["Authentication-Info", "proxy-authentication-info \t"])
    func showsNothingThatProvesTheServer(field: String) {
        let message =
            "\(field): qop=auth,rspauth=\"5ecre7\",\r\n cnonce=\"c\", nc=00000001,\r\n\tnextnonce=\"n\r\n realm=n\"\r\n"
        let expected = "\(field): qop=auth,rspauth=***,\r\n cnonce=***, nc=00000001,\r\n\tnextnonce=***\r\n"
        #expect(redacted("SIP/2.0 200 OK\r\n\(message)To: x") == "SIP/2.0 200 OK\r\n\(expected)To: x")
        #expect(redacted("\(field): Digest rspauth=x") == "\(field): Digest rspauth=***")
    }

    @Test(.proves(.rule(18)), arguments: ["WWW-Authenticate", "PROXY-AUTHENTICATE "])
    func keepsOfAChallengeWhatItAsksFor(field: String) {
        let message =
            "\(field):\r\n Digest realm=\"a\", nonce=\"n\",opaque=o, stale=TRUE, algorithm=SHA-256,qop=\"auth,auth-int\"\r\n"
        let expected =
            "\(field):\r\n Digest realm=\"a\", nonce=***,opaque=***, stale=TRUE, algorithm=SHA-256,qop=\"auth,auth-int\"\r\n"
        #expect(redacted(message + "\r\n") == expected + "\r\n")
    }

    /// A quote too few makes one parameter of several.
    @Test(
        .proves(.rule(18)),
        arguments: [
            "realm=\"a, nonce=\"SECRET\", response=\"SECRET\"", "realm=a response=SECRET",
            "realm=\"a\"nonce=\"SECRET\"", "qop=auth;response=SECRET", "realm=\"a\\\", response=SECRET",
            "username=\"a\r\n response=SECRET",
            "=SECRET", "\"SECRET", ", ,realm=,SECRET,",
        ])
    func showsNothingOfCredentialsThatAreNotWellMade(parameters: String) {
        for field in ["Authorization: Digest", "WWW-Authenticate: Digest", "Authentication-Info:"] {
            let shown = redacted("\(field) \(parameters)\r\nTo: x\r\n")
            #expect(shown.hasPrefix(field) && shown.hasSuffix("\r\nTo: x\r\n"))
            #expect(!shown.contains("SECRET"))
        }
    }

    @Test(.proves(.rule(18)))
    func takesTheKeysOutOfADescription() {
        let description =
            "v=0\r\nk=clear:abc\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^20\r\n"
            + "A=Crypto:x\r\na=ice-pwd:hidden\r\na=rtpmap:0 PCMU/8000\r\n"
        let expected =
            "v=0\r\nk=***\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 ***\r\nA=Crypto:***\r\na=ice-pwd:***\r\n"
            + "a=rtpmap:0 PCMU/8000\r\n"
        #expect(redacted(description) == expected)
    }

    @Test(
        .proves(.rule(18)),
        arguments: [
            ("INVITE sip:me:SECRET@x SIP/2.0", "INVITE sip:me:***@x SIP/2.0"),
            ("From: <SIPS:me:SECRET;a=b,c@x:5061>;tag=1", "From: <SIPS:me:***@x:5061>;tag=1"),
            (
                "Refer-To: <sip:a@b?Proxy-Authorization=Digest%20response%3DSECRET&X=y>",
                "Refer-To: <sip:a@b?Proxy-Authorization=***&X=y>"
            ),
            (
                "X: <sip:a@b?%41uthorization=Digest username=\"me\", response=\"SECRET\">",
                "X: <sip:a@b?%41uthorization=***>"
            ),
            (
                "Refer-To: <sip:x@y?From=sip%3Aalice%3ASECRET%40h&Subject=a%3Ab>",
                "Refer-To: <sip:x@y?From=***&Subject=a%3Ab>"
            ),
            ("Refer-To: <sip:x@y?Replaces=1%40h%3Bto-tag%3D2>", "Refer-To: <sip:x@y?Replaces=1%40h%3Bto-tag%3D2>"),
            ("Refer-To: <sip:x@y?body=a%3Dcrypto%3A1%20SECRET>", "Refer-To: <sip:x@y?body=***>"),
            (
                "Refer-To: <sip:x@y?WWW-Authenticate=Digest%20nonce%3DSECRET>",
                "Refer-To: <sip:x@y?WWW-Authenticate=***>"
            ),
            ("Authorization\r\n : Digest response=SECRET", "Authorization\r\n : Digest response=***"),
            ("a=crypto:1 AES_CM\tinline:SECRET x", "a=crypto:1 AES_CM ***"),
            ("To: sip:me:SEC@RET@x;a=b@c", "To: sip:me:***@x;a=b@c"),
            (
                "Call-Info: <http://me:SECRET@h/a@b>, <http://h/a:b@c>",
                "Call-Info: <http://me:***@h/a@b>, <http://h/a:b@c>"
            ),
            ("Contact: http://h/x,sip:me:SECRET@y", "Contact: http://h/x,sip:me:***@y"),
            ("To: sip:sip:sip:SECRET@x, sip:y", "To: sip:sip:***@x, sip:y"),
            ("Contact: sip:a@b:5060, <sip:b@c:5060>, sip:c:5060", "Contact: sip:a@b:5060, <sip:b@c:5060>, sip:c:5060"),
        ])
    func takesPasswordsAndCredentialsOutOfAddresses(line: String, shown: String) {
        #expect(redacted(line + "\r\n\r\n") == shown + "\r\n\r\n")
    }

    /// As much as a datagram holds, which may not keep the phone from its calls.
    @Test func aDatagramOfBeginningsIsReadInTimeThatGrowsWithIt() {
        for beginning in ["sip:", "sip:a@", "//", "sip:a:", "?authorization=", "?a=%40", "a\r\n "] {
            let text = String(repeating: beginning, count: 64_000 / beginning.utf8.count)
            #expect(redacted(text).utf8.count <= text.utf8.count)
        }
    }

    @Test func leavesEverythingElseByteForByte() {
        var random = RandomSource(seed: 3)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(TraceRedaction.redacted(bytes) == bytes)
        }
        let message = "\n\nOPTIONS sip:x SIP/2.0\nSubject: Digest nonce=\"n\"\n folded\n\n"
        #expect(redacted(message) == message)
    }

    @Test func lineEndsSurviveOnceEach() {
        #expect(redacted("\r\n\r\n") == "\r\n\r\n")
        #expect(redacted("Authorization: Digest response=x") == "Authorization: Digest response=***")
        #expect(redacted("Authorization:") == "Authorization:")
    }
}
