import SIPMessages
import SIPUserAgent
import Testing

@testable import OffhookApp

/// Whom a person means by what they typed.
struct TargetResolutionTests {
    private func account() throws -> Account {
        Account(
            id: AccountID(rawValue: 0), name: "alice", address: try NameAddress(parsing: "sip:alice@example.com"))
    }

    private func uri(_ text: String, _ account: Account?, prefersHosts: Bool = false) -> String? {
        let resolution = TargetResolution(contacts: [], account: account, prefersHosts: prefersHosts)
        return try? resolution.uri(for: text).get().description
    }

    @Test(arguments: ["pbx.example.com", "example.com", "example.com;transport=tcp"])
    func aServerIsAskedByItsName(text: String) throws {
        #expect(uri(text, try account(), prefersHosts: true) == "sip:\(text)")
        #expect(uri(text, nil) == "sip:\(text)")
    }

    @Test(arguments: [("bob", "sip:bob@example.com"), ("john.smith", "sip:john.smith@example.com")])
    func aPersonIsOneOfTheAccountsDomain(text: String, expected: String) throws {
        #expect(uri(text, try account()) == expected)
    }

    @Test func aPeerToPeerAccountThatRegistersHasADomain() throws {
        var account = try account()
        account.isPeerToPeer = true
        #expect(uri("123", account) == nil)
        account.registrar = try URI(parsing: "sip:example.com")
        #expect(uri("123", account) == "sip:123@example.com")
    }

    @Test(arguments: ["1.5", "-x.example", "a..b", ".", "bob."])
    func whatIsNoNameOfAHostIsNotTakenForOne(text: String) {
        #expect(uri(text, nil, prefersHosts: true) == nil)
    }

    @Test(
        arguments: [
            ("::1", "sip:[::1]"), ("[::1]:5070", "sip:[::1]:5070"),
            ("2001:db8::5;transport=tcp", "sip:[2001:db8::5];transport=tcp"),
            ("bob@::1", "sip:bob@[::1]"), ("192.0.2.1", "sip:192.0.2.1"),
            ("bob@192.0.2.1:5070", "sip:bob@192.0.2.1:5070"),
        ])
    func anAddressIsTakenAsPeopleWriteIt(text: String, expected: String) throws {
        #expect(uri(text, nil) == expected)
        #expect(uri(text, try account()) == expected)
    }
}
