import Testing

/// Calls and registrations over IPv6, on the loopback interface.
@Suite(.serialized)
struct IPv6Tests {
    private static let anywhere = "[::1]:0"

    private func suffix(_ transport: String) -> String { transport == "tcp" ? ";transport=tcp" : "" }

    @Test(arguments: ["udp", "tcp"])
    func twoPhonesHearEachOther(over transport: String) async throws {
        let callee = try Phone(
            "answer", "--once", "--audio", "tone:600", "--expect-tone", "900", listen: Self.anywhere)
        let caller = try Phone(
            "call", "sip:bob@[::1]:\(try await callee.port)\(suffix(transport))", "--audio", "tone:900",
            "--expect-tone", "600", "--duration", "1500ms", "--sip-trace", listen: Self.anywhere)
        #expect(try await caller.end() == 0, "\(caller.program.written)")
        #expect(try await callee.end() == 0, "\(callee.program.written)")
        for line in ["Via: SIP/2.0/\(transport.uppercased()) [::1]:", "Contact: <sip:offhook@[::1]:", "c=IN IP6 ::1"] {
            #expect(caller.program.errors.contains { $0.contains(line) }, "\(line)\n\(caller.program.written)")
        }
    }

    @Test(.enabled(if: Peer.isWanted("kamailio"), "Kamailio is not installed"), arguments: ["udp", "tcp"])
    func twoPhonesHearEachOtherThroughTheProxy(over transport: String) async throws {
        let kamailio = try await Kamailio(at: "[::1]")
        let accounts = try ["alice", "bob"].map {
            try ConfiguredAccount(
                $0, password: Kamailio.password, at: kamailio.port, on: "[::1]", transport: transport)
        }
        let callee = try Phone(
            "answer", "--once", "--allow", "account", "--config", accounts[1].path, "--audio", "tone:600",
            "--expect-tone", "900", listen: Self.anywhere)
        try await callee.event("register.ok")
        let caller = try Phone(
            "call", "sip:bob@[::1]:\(kamailio.port)", "--config", accounts[0].path, "--proxy",
            "sip:[::1]:\(kamailio.port)\(suffix(transport));lr", "--audio", "tone:900", "--expect-tone", "600",
            "--duration", "1500ms", listen: Self.anywhere)
        #expect(try await caller.end() == 0, "\(caller.program.written)\n\(kamailio.program.written)")
        #expect(try await callee.end() == 0, "\(callee.program.written)\n\(kamailio.program.written)")
        #expect(try callee.events(named: "register.removed").count == 1)
        try await kamailio.stop()
    }
}
