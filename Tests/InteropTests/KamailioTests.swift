import Testing

/// Registration at Kamailio, and calls through it.
@Suite(.serialized, .enabled(if: Peer.isWanted("kamailio"), "Kamailio is not installed"))
struct KamailioTests {
    @Test(arguments: ["udp", "tcp"])
    func registersAndUnregisters(over transport: String) async throws {
        let kamailio = try await Kamailio()
        let account = try ConfiguredAccount(
            "alice", password: Kamailio.password, at: kamailio.port, transport: transport)
        let phone = try Phone("register", "--config", account.path)
        #expect(try await phone.end() == 0, "\(phone.program.written)\n\(kamailio.program.written)")
        #expect(try phone.events(named: "register.ok").count == 1)
        #expect(try phone.events(named: "register.removed").count == 1)
        try await kamailio.stop()
    }

    @Test func aWrongPasswordIsAnAuthenticationThatFailed() async throws {
        let kamailio = try await Kamailio()
        let account = try ConfiguredAccount("alice", password: "looking-glass", at: kamailio.port)
        let phone = try Phone("register", "--config", account.path)
        #expect(try await phone.end() == 14, "\(phone.program.written)\n\(kamailio.program.written)")
        #expect(try phone.events(named: "register.failed").map(\.code) == [401])
        try await kamailio.stop()
    }

    @Test func nobodyOfThatNameIsNotFound() async throws {
        let kamailio = try await Kamailio()
        let account = try ConfiguredAccount("alice", password: Kamailio.password, at: kamailio.port)
        let phone = try Phone(
            "call", "sip:nobody@127.0.0.1:\(kamailio.port)", "--config", account.path, "--proxy",
            "sip:127.0.0.1:\(kamailio.port);lr", "--audio", "null")
        #expect(try await phone.end() == 13, "\(phone.program.written)\n\(kamailio.program.written)")
        try await kamailio.stop()
    }

    /// The callee registers and answers who comes through its registrar; the caller is asked for credentials by the
    /// proxy. Each hears the other's tone.
    @Test(arguments: ["caller", "callee"])
    func twoPhonesHearEachOtherThroughTheProxy(hungUpBy side: String) async throws {
        let kamailio = try await Kamailio()
        let bob = try ConfiguredAccount("bob", password: Kamailio.password, at: kamailio.port)
        let alice = try ConfiguredAccount("alice", password: Kamailio.password, at: kamailio.port)
        let limit = ["--duration", "1500ms"]
        let callee = try Phone(
            [
                "answer", "--once", "--allow", "account", "--config", bob.path, "--audio", "tone:600", "--expect-tone",
                "900",
            ]
                + (side == "callee" ? limit : []))
        try await callee.event("register.ok")
        let caller = try Phone(
            [
                "call", "sip:bob@127.0.0.1:\(kamailio.port)", "--config", alice.path, "--proxy",
                "sip:127.0.0.1:\(kamailio.port);lr", "--audio", "tone:900", "--expect-tone", "600",
            ] + (side == "caller" ? limit : []))
        #expect(try await caller.end() == 0, "\(caller.program.written)\n\(kamailio.program.written)")
        #expect(try await callee.end() == 0, "\(callee.program.written)\n\(kamailio.program.written)")
        #expect(try caller.events(named: "call.ended").map(\.by) == [side == "caller" ? "local" : "remote"])
        #expect(try callee.events(named: "call.ended").map(\.by) == [side == "callee" ? "local" : "remote"])
        #expect(try callee.events(named: "register.removed").count == 1)
        try await kamailio.stop()
    }
}
