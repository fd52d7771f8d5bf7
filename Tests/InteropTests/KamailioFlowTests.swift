import Testing

/// Flows, keep-alives and GRUUs at Kamailio with its outbound and stun modules (RFC 5626, RFC 5627).
@Suite(
    .serialized,
    .enabled(
        if: Peer.isWanted("kamailio") && Kamailio.hasModule("outbound"), "Kamailio has no outbound module"),
    .enabled(if: NetworkNamespace.mayBeMade, "a network namespace, whose traffic is counted, takes root"))
struct KamailioFlowTests {
    /// Waits until two keep-alives were sent and answered. In a network of their own nothing else moves.
    private func waitForKeepAlives(of phone: Phone, over kind: Ports.Kind, answered count: Int) async throws {
        let before = Ports.received(kind, in: phone.program)
        // Each comes in at Kamailio, and its answer at the phone; on TCP one acknowledgement at least comes between the two or
        // behind them.
        let packets = kind == .tcp ? 3 : 2
        try await phone.eventually(within: .seconds(15)) {
            Ports.received(kind, in: phone.program) >= before + packets * count
        }
    }

    /// Kamailio answers blank lines on TCP and Binding requests on UDP: a flow that is probed each 5 s stands.
    @Test(arguments: [Ports.Kind.udp, .tcp])
    func keepsItsFlow(over transport: Ports.Kind) async throws {
        try await NetworkNamespace.use(cabled: false) { network in
            let kamailio = try await Kamailio(through: network.entry, keepsFlows: true)
            let account = try ConfiguredAccount(
                "alice", password: Kamailio.password, at: kamailio.port, transport: transport.rawValue,
                more: "keep_alive = 5\ngruu = true")
            let phone = try Phone(
                ["register", "--keep", "--sip-trace", "--config", account.path], through: network.entry)
            try await phone.event("register.ok")
            _ = try await phone.program.errorLine("Require: outbound") { $0.contains("Require: outbound") }
            #expect(phone.program.errors.contains { $0.contains("Contact: ") && $0.contains("pub-gruu=") })
            try await waitForKeepAlives(of: phone, over: transport, answered: 2)
            #expect(try phone.events(named: "register.ok").count == 1, "\(phone.program.written)")
            #expect(try phone.events(named: "register.failed").isEmpty, "\(phone.program.written)")
            phone.program.signal(15)
            _ = try await phone.end()
            #expect(try phone.events(named: "register.removed").count == 1)
            try await kamailio.stop()
        }
    }

    /// ROBUSTNESS row 39: the registrar comes back and knows nobody; the connection that it lost says so.
    @Test func registersAgainAtARegistrarThatWasStartedAnew() async throws {
        try await NetworkNamespace.use(cabled: false) { network in
            let first = try await Kamailio(through: network.entry, keepsFlows: true)
            let account = try ConfiguredAccount(
                "alice", password: Kamailio.password, at: first.port, transport: "tcp", more: "keep_alive = 5")
            let phone = try Phone(["register", "--keep", "--config", account.path], through: network.entry)
            try await phone.event("register.ok")
            // One answered keep-alive makes the flow a good one (RFC 5626 §4.5).
            try await waitForKeepAlives(of: phone, over: .tcp, answered: 1)
            try await first.stop()
            let second = try await Kamailio(port: first.port, through: network.entry, keepsFlows: true)
            try await phone.eventually(within: .seconds(12)) { try phone.events(named: "register.ok").count == 2 }
            phone.program.signal(15)
            _ = try await phone.end()
            try await second.stop()
        }
    }

    /// The callee is registered with a flow and a GRUU; the call's later requests come by them.
    @Test(arguments: ["udp", "tcp"])
    func callsGoByTheFlowAndTheGRUU(over transport: String) async throws {
        let kamailio = try await Kamailio(keepsFlows: true)
        let bob = try ConfiguredAccount(
            "bob", password: Kamailio.password, at: kamailio.port, transport: transport, more: "gruu = true")
        let alice = try ConfiguredAccount("alice", password: Kamailio.password, at: kamailio.port, transport: transport)
        let callee = try Phone(
            ["answer", "--once", "--allow", "account", "--config", bob.path, "--audio", "tone:600", "--sip-trace"])
        try await callee.event("register.ok")
        let caller = try Phone(
            [
                "call", "sip:bob@127.0.0.1:\(kamailio.port)", "--config", alice.path, "--proxy",
                "sip:127.0.0.1:\(kamailio.port);lr", "--audio", "tone:900", "--expect-tone", "600", "--duration",
                "1500ms",
            ])
        #expect(try await caller.end() == 0, "\(caller.program.written)\n\(kamailio.program.written)")
        #expect(try await callee.end() == 0, "\(callee.program.written)\n\(kamailio.program.written)")
        #expect(callee.program.errors.contains { $0.contains("Contact: ") && $0.contains(";gr=urn:uuid:") })
        #expect(try callee.events(named: "call.ended").map(\.by) == ["remote"])
        try await kamailio.stop()
    }
}
