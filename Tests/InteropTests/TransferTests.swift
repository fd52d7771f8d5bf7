import Testing

/// Transfers with SIPp in each of the three roles.
@Suite(.serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct TransferSIPpTests {
    private static let dave = "sip:dave@192.0.2.4"

    @Test(arguments: [("200 OK", Int32(0)), ("486 Busy Here", 11), ("404 Not Found", 13)])
    func hasThePeerCallAnother(_ outcome: String, _ exit: Int32) async throws {
        let sipp = try await SIPp.callee("transferred", with: ["target": Self.dave, "outcome": outcome])
        let phone = try Phone("call", sipp.uri, "--audio", "silence", "--refer-to", Self.dave)
        #expect(try await phone.end() == exit, "\(phone.program.written)")
        let states = try phone.events(named: "call.transfer").map(\.state)
        #expect(states == ["requested", "accepted", "progress", "progress", exit == 0 ? "succeeded" : "failed"])
        #expect(try phone.events(named: "call.ended").first?.cause == (exit == 0 ? "transferred" : "hung-up"))
        try await sipp.expectSuccess()
    }

    /// In the call, and beside it with its name (RFC 4538).
    @Test(arguments: ["transfer", "transfer-beside"])
    func callsWhomThePeerNames(in scenario: String) async throws {
        let target = try Phone(
            "answer", "--once", "--audio", "null", "--play", "tone:1000", "--then", "loop", "--duration", "2s")
        let phone = try Phone("answer", "--once", "--audio", "silence", "--refer", "allow", "--expect-tone", "1000")
        let sipp = try await SIPp.caller(
            scenario, to: phone, with: ["target": "sip:dave@127.0.0.1:\(try await target.port)", "outcome": "200"])
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try await target.end() == 0, "\(target.program.written)")
    }

    @Test func tellsThatTheTargetRefused() async throws {
        let target = try Phone("answer", "--once", "--audio", "null", "--code", "486")
        let phone = try Phone("answer", "--once", "--audio", "silence", "--refer", "allow")
        let sipp = try await SIPp.caller(
            "transfer", to: phone, with: ["target": "sip:dave@127.0.0.1:\(try await target.port)", "outcome": "486"])
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 11, "\(phone.program.written)")
    }

    @Test(arguments: [("603", "sip:dave@192.0.2.4", "deny"), ("403", "http://192.0.2.4/", "allow")])
    func isNotSentElsewhereAgainstTheRules(_ status: String, _ target: String, _ rule: String) async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence", "--refer", rule)
        let sipp = try await SIPp.caller(
            "transfer-refused", to: phone, with: ["target": target, "status": status])
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.outgoing").isEmpty)
    }

    @Test func aCallTakesThePlaceOfAnother() async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence")
        let sipp = try await SIPp.caller("replace", to: phone)
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.ended").map(\.cause) == ["replaced", "hung-up"])
        #expect(try phone.events(named: "call.incoming").map(\.replaces) == [nil, "c1"])
    }

    /// SIPp is put through: it is told which call to take the place of (RFC 3891).
    @Test func putsThePeerThrough() async throws {
        let carol = try Phone("answer", "--once", "--audio", "silence")
        let place = "sip:carol@127.0.0.1:\(try await carol.port)"
        let sipp = try await SIPp.callee(
            "transferred", with: ["target": "127.0.0.1:\(try await carol.port)[?]Replaces=", "outcome": "200 OK"])
        let phone = try Phone("call", sipp.uri, "--audio", "silence", "--attended", place)
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.transfer").last?.state == "succeeded")
        try await sipp.expectSuccess()
        #expect(try await carol.end() == 0, "\(carol.program.written)")
    }

    /// SIPp has two calls with phones of ours and puts one through to the other.
    @Test func takesThePlaceOfThePeersOtherCall() async throws {
        let carol = try Phone(
            "answer", "--once", "--audio", "null", "--play", "tone:1000", "--then", "loop", "--sip-trace",
            "--expect-tone", "440")
        let phone = try Phone("answer", "--once", "--audio", "tone:440", "--refer", "allow", "--expect-tone", "1000")
        let other = try await SIPp.caller("call-and-wait", to: carol, "-cid_str", "consultation")
        let line = try await carol.program.errorLine("our tag") { $0.contains("To: ") && $0.contains(";tag=") }
        let tag = try #require(line.split(separator: "=").last).trimmingSpaces
        try await carol.event("call.answered")
        let sipp = try await SIPp.caller(
            "attended-transfer", to: phone,
            with: [
                "target": "sip:carol@127.0.0.1:\(try await carol.port)",
                "replaces": "consultation%3Bto-tag%3D\(tag)%3Bfrom-tag%3Dcaller1",
            ], "-d", "1500")
        try await sipp.expectSuccess()
        try await other.expectSuccess()
        for side in [phone, carol] { try await side.event("call.tone") }
        phone.program.signal(15)
        #expect(try await carol.end() == 0, "\(carol.program.written)")
        _ = try await phone.end()
        #expect(try carol.events(named: "call.ended").map(\.cause).first == "replaced")
    }

    /// SIPp is the one that a phone of ours is put through to: its first caller, and who takes that one's place.
    @Test func isPutThroughToThePeer() async throws {
        let sipp = try await SIPp.callee("answer", "-m", "2")
        let bob = try Phone(
            [
                "answer", "--once", "--audio", "silence", "--refer", "allow", "--expect-tone", "\(MuLawTone.hertz)",
                "--duration", "4s", "--sip-trace",
            ])
        let phone = try Phone(
            "call", "sip:bob@127.0.0.1:\(try await bob.port)", "--audio", "silence", "--attended",
            "sip:carol@127.0.0.1:\(sipp.port)")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try await bob.end() == 0, "\(bob.program.written)")
        #expect(bob.program.errors.contains { $0.contains("Replaces: ") })
        try await sipp.expectSuccess()
    }

    @Test func callersAreSentOnWhereTheCallerFollows() async throws {
        let target = try Phone("answer", "--once", "--audio", "null", "--duration", "500ms")
        let phone = try Phone(
            "answer", "--once", "--audio", "null", "--redirect", "sip:dave@127.0.0.1:\(try await target.port)")
        let caller = try Phone(
            "call", "sip:phone@127.0.0.1:\(try await phone.port)", "--audio", "null", "--redirections", "1")
        #expect(try await caller.end() == 0, "\(caller.program.written)")
        #expect(try await target.end() == 0, "\(target.program.written)")
    }

    @Test func callersAreSentElsewhere() async throws {
        let phone = try Phone("answer", "--once", "--audio", "null", "--redirect", "sip:dave@192.0.2.4")
        let caller = try Phone("call", "sip:phone@127.0.0.1:\(try await phone.port)", "--audio", "null")
        #expect(try await caller.end() == 18, "\(caller.program.written)")
        #expect(try caller.events(named: "call.ended").first?.redirections == ["sip:dave@192.0.2.4"])
        #expect(try await phone.end() == 0, "\(phone.program.written)")
    }
}

/// Three of our phones, judged by what is heard after the transfer.
@Suite(.serialized)
struct ThreePhonesTests {
    @Test(arguments: ["--refer-to", "--attended"])
    func whoIsPutThroughHearsTheOther(_ option: String) async throws {
        let carol = try Phone(
            "answer", "--once", "--audio", "null", "--play", "tone:1000", "--then", "loop", "--expect-tone", "440")
        let bob = try Phone(
            "answer", "--once", "--audio", "null", "--play", "tone:440", "--then", "loop", "--expect-tone", "1000",
            "--refer", "allow", "--duration", "4s")
        let alice = try Phone(
            "call", "sip:bob@127.0.0.1:\(try await bob.port)", "--audio", "silence", option,
            "sip:carol@127.0.0.1:\(try await carol.port)")
        #expect(try await alice.end() == 0, "\(alice.program.written)")
        #expect(try alice.events(named: "call.transfer").last?.state == "succeeded")
        #expect(try await bob.end() == 0, "\(bob.program.written)")
        #expect(try await carol.end() == 0, "\(carol.program.written)")
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String { String(filter { !$0.isWhitespace }) }
}
