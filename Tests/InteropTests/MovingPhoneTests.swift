import Testing

/// A phone whose network changes under it: two cables to a host of its own that has the far end of both.
@Suite(
    .serialized,
    .enabled(if: NetworkNamespace.mayBeMade, "a network namespace takes root"))
struct MovingPhoneTests {
    /// ROBUSTNESS row 38: the interface's address changes while we are registered.
    @Test(.enabled(if: Peer.isWanted("kamailio"), "Kamailio is not installed"), arguments: ["udp", "tcp"])
    func registersAnewWhenItsAddressChanges(over transport: String) async throws {
        try await CablePair.use { cables in
            let kamailio = try await Kamailio(at: CablePair.far, through: cables.far.entry)
            let account = try ConfiguredAccount(
                "alice", password: Kamailio.password, at: kamailio.port, on: CablePair.far, transport: transport)
            let phone = try Phone(
                ["register", "--keep", "--sip-trace", "--config", account.path], listen: "0.0.0.0:0",
                through: cables.near.entry)
            try await phone.event("register.ok")
            try await cables.renumber()
            let contact = "Contact: <sip:alice@\(CablePair.moved)"
            _ = try await phone.program.errorLine("REGISTER from the new address") { $0.contains(contact) }
            try await phone.eventually { try phone.events(named: "register.ok").count == 2 }
            phone.program.signal(15)
            _ = try await phone.end()
            #expect(try phone.events(named: "register.removed").count == 1, "\(phone.program.written)")
            try await kamailio.stop()
        }
    }

    /// ROBUSTNESS row 38: the call goes on from the new address, with sound in both directions.
    @Test func aCallLivesThroughAChangeOfAddress() async throws {
        try await CablePair.use { cables in
            let callee = try Phone(
                ["answer", "--once", "--allow-any", "--audio", "tone:600", "--sip-trace"],
                listen: "\(CablePair.far):5060", through: cables.far.entry)
            try await callee.event("ready")
            let caller = try Phone(
                [
                    "call", "sip:bob@\(CablePair.far)", "--audio", "tone:900", "--duration", "8s", "--sip-trace",
                ], listen: "0.0.0.0:5060", through: cables.near.entry)
            try await caller.event("call.answered")
            try await cables.renumber()
            let line = "c=IN IP4 \(CablePair.moved)"
            _ = try await callee.program.errorLine("re-INVITE from the new address") { $0.contains(line) }
            #expect(try await caller.end() == 0, "\(caller.program.written)")
            #expect(try await callee.end() == 0, "\(callee.program.written)")
            #expect(try callee.events(named: "call.ended").map(\.by) == ["remote"])
            // Eight seconds are 400 packets; what the change costs is a second or two.
            for phone in [caller, callee] {
                let packets = try phone.events(named: "call.ended").first?.stats?.rx.packets ?? 0
                #expect(packets > 250, "\(phone.program.written)")
            }
        }
    }

    /// A host with two interfaces shows on each way the address that belongs to it.
    @Test(arguments: [(CablePair.far, CablePair.near), (CablePair.otherFar, CablePair.otherNear)])
    func showsTheAddressOfTheWay(to far: String, from near: String) async throws {
        try await CablePair.use { cables in
            let callee = try Phone(
                ["answer", "--once", "--allow-any", "--audio", "silence", "--sip-trace"], listen: "0.0.0.0:5060",
                through: cables.far.entry)
            try await callee.event("ready")
            let caller = try Phone(
                ["call", "sip:bob@\(far)", "--audio", "silence", "--duration", "500ms", "--sip-trace"],
                listen: "0.0.0.0:5060", through: cables.near.entry)
            #expect(try await caller.end() == 0, "\(caller.program.written)")
            _ = try await callee.end()
            let lines = caller.program.errors
            #expect(lines.contains { $0.contains("Via: SIP/2.0/UDP \(near):5060") })
            #expect(lines.contains { $0.contains("Contact: <sip:") && $0.contains("@\(near):5060") })
            #expect(lines.contains { $0.contains("c=IN IP4 \(near)") })
            #expect(lines.contains { $0.contains("c=IN IP4 \(far)") })
            let others = [CablePair.near, CablePair.otherNear].filter { $0 != near }
            #expect(!lines.contains { line in others.contains { line.contains($0) } })
        }
    }
}

/// Two hosts and two cables between them.
struct CablePair {
    static let (near, far, moved) = ("192.0.2.1", "192.0.2.9", "192.0.2.7")
    static let (otherNear, otherFar) = ("198.51.100.1", "198.51.100.9")

    let near: NetworkNamespace
    let far: NetworkNamespace

    static func use(_ body: (CablePair) async throws -> Void) async throws {
        try await NetworkNamespace.use(cabled: false) { near in
            try await NetworkNamespace.use(cabled: false) { far in
                let pair = CablePair(near: near, far: far)
                try await pair.connect("one", Self.near, Self.far)
                try await pair.connect("two", Self.otherNear, Self.otherFar)
                try await body(pair)
            }
        }
    }

    private func connect(_ name: String, _ here: String, _ there: String) async throws {
        try await near.run(
            "-n", near.name, "link", "add", name, "type", "veth", "peer", "name", name, "netns", far.name)
        for (side, address) in [(near, here), (far, there)] {
            try await side.run("-n", side.name, "address", "add", "\(address)/24", "dev", name)
            try await side.run("-n", side.name, "link", "set", name, "up")
        }
    }

    /// The near end of the first cable gets another address.
    func renumber() async throws {
        try await near.run("-n", near.name, "address", "delete", "\(Self.near)/24", "dev", "one")
        try await near.run("-n", near.name, "address", "add", "\(Self.moved)/24", "dev", "one")
    }
}
