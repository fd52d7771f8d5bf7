import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Every flow of RFC 3665, message by message, with our user agent in the place of each party in turn.
@Suite(.enabled(if: Corpora.arePresent, "\(Corpora.absence)"))
struct RFC3665ReplayTests {
    /// One flow, or several that belong together, as one party sees it.
    struct Replay: CustomTestStringConvertible {
        var flows: [String]
        var party = "Alice"
        var account: Account
        var contact: String
        /// The message behind which the flow is not played on.
        var last: String?
        var standIns: [String: String] = [:]
        var exceptions: [String: Set<FlowReplay.Aspect>] = [:]
        /// How many messages of the party's are printed up to there.
        var messages: Int

        var testDescription: String { "\(party) in \(flows.joined(separator: ", "))" }
    }

    private static func caller(_ proxy: String? = "sip:ss1.atlanta.example.com;lr") -> Account {
        Account(
            id: AccountID(rawValue: 0), name: "alice",
            address: NameAddress(displayName: "Alice", uri: Scene.uri("sip:alice@atlanta.example.com")),
            credentials: AccountCredentials(username: "alice", password: Secret("zanzibar")),
            outboundProxy: proxy.map(Scene.uri), isPeerToPeer: true)
    }

    private static let registering = Account(
        id: AccountID(rawValue: 0), name: "bob",
        address: NameAddress(displayName: "Bob", uri: Scene.uri("sip:bob@biloxi.example.com")),
        registrar: Scene.uri("sip:ss2.biloxi.example.com"),
        credentials: AccountCredentials(username: "bob", password: Secret("biloxi")))
    private static let called = Account.anonymousPeerToPeer(user: "bob")
    private static let alice = "sip:alice@client.atlanta.example.com"
    private static let bob = "sip:bob@client.biloxi.example.com"

    static let replays = [
        // Registered, its bindings told with one of somebody else's in between, asked for, and taken back. Ours asks
        // with its own binding rather than with none, and takes back that one alone rather than all.
        Replay(
            flows: ["2-1", "2-2", "2-3", "2-4"], party: "Bob", account: registering, contact: bob, messages: 5),
        Replay(flows: ["2-5"], party: "Bob", account: registering, contact: bob, messages: 2),
        Replay(flows: ["3-1"], account: caller(nil), contact: alice, messages: 3),
        Replay(flows: ["3-1"], party: "Bob", account: called, contact: bob, messages: 3),
        Replay(flows: ["3-2"], account: caller(), contact: alice, messages: 5),
        Replay(flows: ["3-2"], party: "Bob", account: called, contact: bob, messages: 3),
        // The password is for one realm: the second proxy's challenge is not answered (Robustness, rule S10).
        Replay(flows: ["3-3"], account: caller(), contact: alice, last: "3-3 F10", messages: 4),
        Replay(flows: ["3-3"], party: "Bob", account: called, contact: bob, messages: 1),
        // Both proxies are found under one name, which the Route goes on to bear (RFC 3263 §4.3).
        Replay(
            flows: ["3-4"], account: caller(), contact: alice,
            standIns: ["ss1.atlanta.example.com": "ss2.biloxi.example.com"],
            exceptions: ["3-4 F8": [.route], "3-4 F10": [.route], "3-4 F11": [.route]], messages: 6),
        Replay(flows: ["3-4"], party: "Bob", account: called, contact: bob, messages: 3),
        Replay(flows: ["3-5"], account: caller("sip:alg1.atlanta.example.com;lr"), contact: alice, messages: 3),
        Replay(flows: ["3-5"], party: "Bob", account: called, contact: bob, messages: 3),
        Replay(flows: ["3-6"], account: caller(nil), contact: alice, messages: 5),
        Replay(
            flows: ["3-6"], party: "Bob", account: called, contact: "sip:bob@client.chicago.example.com", messages: 3),
        Replay(flows: ["3-7"], account: caller(nil), contact: alice, messages: 4),
        Replay(flows: ["3-7"], party: "Bob", account: called, contact: bob, messages: 5),
        Replay(flows: ["3-8"], account: caller(), contact: alice, messages: 3),
        Replay(flows: ["3-8"], party: "Bob", account: called, contact: bob, messages: 3),
        Replay(flows: ["3-9"], account: caller(), contact: alice, messages: 2),
        Replay(flows: ["3-9"], party: "Bob", account: called, contact: bob, messages: 1),
        Replay(flows: ["3-10"], account: caller(), contact: alice, messages: 2),
        Replay(flows: ["3-11"], account: caller(), contact: alice, messages: 2),
        Replay(flows: ["3-11"], party: "Bob", account: called, contact: bob, messages: 2),
    ]

    @Test(
        .proves(
            .clause("RFC 3665 §2.1"), .clause("RFC 3665 §2.2"), .clause("RFC 3665 §2.4"), .clause("RFC 3665 §2.5"),
            .clause("RFC 3665 §3.1"), .clause("RFC 3665 §3.2"), .clause("RFC 3665 §3.3"), .clause("RFC 3665 §3.4"),
            .clause("RFC 3665 §3.5"), .clause("RFC 3665 §3.6"), .clause("RFC 3665 §3.7"), .clause("RFC 3665 §3.8"),
            .clause("RFC 3665 §3.9"), .clause("RFC 3665 §3.10"), .clause("RFC 3665 §3.11")),
        arguments: replays)
    func saysWhatIsPrinted(_ replay: Replay) {
        var run = FlowReplay(
            replay.flows, as: replay.party, account: replay.account, contact: replay.contact,
            standIns: replay.standIns, exceptions: replay.exceptions)
        run.run(upTo: replay.last)
        #expect(run.differences == [])
        #expect(run.compared == replay.messages)
        run.finish()
        #expect(run.core.occupancy == .empty)
    }
}
