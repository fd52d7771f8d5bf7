import EngineKit
import Proofs
import SIPMessages
import Testing

struct URITests {
    private func sip(_ text: String) throws -> SIPURI {
        guard let uri = try URI(parsing: text).sipURI else { throw NotARequest() }
        return uri
    }

    @Test(.proves(.clause("RFC 3261 §19.1.1")))
    func takesASIPURIApart() throws {
        let uri = try sip("SIPS:al%69ce:pa%3Ass@Example.COM:5071;transport=TCP;lr;maddr=[2001:db8::1]?subject=a%20b&x=")
        #expect(uri.isSecure)
        #expect(uri.user == "alice")
        #expect(uri.password == "pa:ss")
        #expect(uri.host == .name("example.com"))
        #expect(uri.port == 5071)
        #expect(uri.transport == .tcp)
        #expect(uri.isLooseRouter)
        #expect(uri.maddr?.address == IPAddress("2001:db8::1"))
        #expect(uri.headers.map(\.name) == ["subject", "x"])
        #expect(uri.headers.map(\.value) == ["a b", ""])
    }

    @Test(
        .proves(.clause("RFC 3261 §19.1.1")),
        arguments: [
            "sip:alice@atlanta.com", "sip:alice:secretword@atlanta.com;transport=tcp",
            "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            "sip:1212@gateway.com", "sip:alice@192.0.2.4", "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
            "sip:alice;day=tuesday@atlanta.com", "sip:[2001:db8::10]:5070;lr", "sip:%00%ff@h",
            "tel:+1-201-555-0123;ext=4",
            "urn:service:sos",
        ])
    func readsAndWritesTheSameText(_ text: String) throws {
        #expect(try URI(parsing: text).description == text)
    }

    @Test(
        .proves(.incident(26), .clause("RFC 3261 §25.1")),
        arguments: [
            "", "sip:", "sip:@h", "sip:a@", "sip:a b@h", "sip:a@h;", "sip:a@h?", "sip:a@h:65536", "sip:a@h:",
            "sip:a%4@h",
            "sip:a%zz@h", "<sip:a@h>", "sip:a@300.1.1.1", "sip:a@[::1", "sip:a@[1.2.3.4]", "alice", "1sip:a@h", "tel:",
            "sip:a@h;=1", "sip:\u{e9}@h", "sip:a@h ",
        ])
    func refusesWhatIsNoURI(_ text: String) {
        #expect(throws: ParseError.self) { try URI(parsing: text) }
    }

    /// The pairs of RFC 3261 §19.1.4, and their relatives.
    @Test(
        .proves(.clause("RFC 3261 §19.1.4")),
        arguments: [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true
            ),
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false),
            ("sip:a@h;maddr=1.2.3.4", "sip:a@h", false), ("sip:a@h", "sips:a@h", false),
            ("sip:%ff@h", "sip:%fe@h", false), ("sip:%ff@h", "sip:%FF@h", true),
            ("sip:caf%C3%A9@h", "sip:cafe%CC%81@h", false), ("sip:h;x=%ff", "sip:h;x=%fe", false),
            ("sip:h;%61=b", "sip:h;A=%42", true), ("sip:h;a", "sip:h;a=b", false), ("sip:h;a=1;a=2", "sip:h;a=1", true),
            ("sip:h?a=%ff", "sip:h?a=%fe", false), ("sip:h?a=1&a=1&b=2", "sip:h?a=1&b=2&b=2", false),
            ("tel:+1", "tel:+1", true), ("tel:+1", "sip:+1@h", false),
        ])
    func comparesByMeaning(_ left: String, _ right: String, _ same: Bool) throws {
        #expect(try URI(parsing: left).isEquivalent(to: try URI(parsing: right)) == same)
        #expect(try URI(parsing: right).isEquivalent(to: try URI(parsing: left)) == same)
    }

    @Test func parametersAreSetReplacedAndRemoved() throws {
        var uri = try sip("sip:h;a=1;b;A=2")
        uri.transport = .tcp
        uri.parameters["a"] = "x;y"
        #expect(uri.description == "sip:h;a=x%3By;b;transport=tcp")
        uri.parameters["b"] = nil
        uri.transport = nil
        #expect(uri.description == "sip:h;a=x%3By")
        #expect(uri.parameters["A"] == "x;y")
        #expect(!uri.parameters.contains("b"))
        uri.parameters = Parameters(.field, [("q", "a b")])
        #expect(uri.description == "sip:h;q=a%20b")
    }

    // MARK: - tel

    @Test(.proves(.clause("RFC 3966 §5")))
    func telephoneNumbersAreTakenApart() throws {
        let global = try #require(TelephoneURI(try URI(parsing: "tel:+1-(201)-555.0123;ext=4")))
        #expect(global.isGlobal)
        #expect(global.digits == "+12015550123")
        #expect(global.parameters["ext"] == "4")
        let local = try #require(TelephoneURI(try URI(parsing: "tel:863-1234;phone-context=+1-914-555")))
        #expect(!local.isGlobal)
        #expect(local.context == "+1-914-555")
        #expect(TelephoneURI(try URI(parsing: "tel:*21%23"))?.digits == "*21#")
    }

    @Test(arguments: ["tel:+", "tel:+1x", "tel:alice", "tel:;ext=4", "tel:--", "sip:+1@h", "urn:service:sos"])
    func whatIsNoNumberIsNoTelephoneURI(text: String) throws {
        #expect(TelephoneURI(try URI(parsing: text)) == nil)
    }

    @Test(arguments: [
        ("tel:+1-201-555-0123", "TEL:+12015550123", true), ("tel:+12015550123", "tel:12015550123", false),
        ("tel:7042;phone-context=Example.com", "tel:70-42;phone-context=example.COM", true),
        ("tel:7042;phone-context=+1-23", "tel:7042;phone-context=+123", true),
        ("tel:+123;ext=4;isub=7", "tel:+123;isub=7;ext=4", true), ("tel:+123;ext=4", "tel:+123", false),
        ("tel:7042;phone-context=a.example", "tel:7042;phone-context=b.example", false),
    ]) func telephoneNumbersCompareByWhatTheyMean(one: String, other: String, isSame: Bool) throws {
        let (one, other) = (try URI(parsing: one), try URI(parsing: other))
        #expect(one.isEquivalent(to: other) == isSame)
        #expect(other.isEquivalent(to: one) == isSame)
    }

    @Test func aTelephoneNumberIsDialledThroughADomain() throws {
        let domain = try sip("sip:alice@example.com:5070")
        let number = try #require(TelephoneURI(try URI(parsing: "tel:7-042;phone-context=example.com;ext=12")))
        #expect(
            number.sipURI(in: domain).description
                == "sip:7042;ext=12;phone-context=example.com@example.com:5070;user=phone")
    }
}
