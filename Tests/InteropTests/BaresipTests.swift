import Testing

/// Calls with baresip, judged by what each side hears.
@Suite(
    .serialized, .enabled(if: Peer.isWanted("baresip"), "baresip is not installed"),
    .enabled(if: NetworkNamespace.mayBeMade, "a network namespace for baresip takes root"))
struct BaresipTests {
    private static let tone = 1000.0
    private static let listen = "\(NetworkNamespace.address):5080"

    /// Nearly all that baresip heard in the middle of the call is our tone: the digits and the ends are elsewhere.
    private func expectOurTone(in heard: Waveform) {
        #expect(heard.seconds > 2)
        #expect(heard.share(of: Self.tone, from: 1, seconds: 0.5) > 0.9)
        #expect(heard.share(of: Baresip.tone, from: 1, seconds: 0.5) < 0.05)
    }

    @Test(arguments: Baresip.Codec.allCases)
    func callsBaresipAndEachHearsTheOther(in codec: Baresip.Codec) async throws {
        try await NetworkNamespace.use { namespace in
            let baresip = try await Baresip(in: namespace, codec: codec)
            let phone = try Phone(
                [
                    "call", Baresip.uri, "--audio", "null", "--play", "tone:\(Int(Self.tone))", "--then", "loop",
                    "--expect-tone", "\(Int(Baresip.tone))", "--dtmf", ",,15", "--duration", "4s", "--codec",
                    codec.name,
                ], listen: Self.listen, through: namespace.entry)
            for digit in "15" { try await baresip.hears(digit: digit) }
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try phone.events(named: "call.media").first?.codec?.lowercased() == codec.name)
            expectOurTone(in: try await baresip.heard())
        }
    }

    /// Not L16, of which baresip 1.0 sends no digits that could be read: hundreds of packets of a few octets instead.
    @Test(arguments: [Baresip.Codec.opus, .g722, .pcmu])
    func baresipCallsAndEachHearsTheOther(in codec: Baresip.Codec) async throws {
        try await NetworkNamespace.use { namespace in
            let phone = try Phone(
                [
                    "answer", "--once", "--allow-any", "--audio", "null", "--play", "tone:\(Int(Self.tone))", "--then",
                    "loop", "--expect-tone", "\(Int(Baresip.tone))", "--expect-dtmf", "7", "--duration", "4s",
                    "--codec", codec.name,
                ], listen: Self.listen, through: namespace.entry)
            try await phone.event("ready")
            let baresip = try await Baresip(in: namespace, codec: codec, dialling: "sip:phone@\(Self.listen)")
            try await phone.event("call.tone")
            try await baresip.press("7")
            try await phone.event("call.dtmf")
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try phone.events(named: "call.media").first?.codec?.lowercased() == codec.name)
            expectOurTone(in: try await baresip.heard())
        }
    }

    private static let target = "\(NetworkNamespace.address):5082"

    /// A phone that is to be called by baresip's peer, or by baresip.
    private func target(in namespace: NetworkNamespace, expecting hertz: Double) throws -> Phone {
        try Phone(
            [
                "answer", "--once", "--allow-any", "--audio", "null", "--play", "tone:\(Int(Self.tone))", "--then",
                "loop", "--expect-tone", "\(Int(hertz))", "--duration", "3s",
            ], listen: Self.target, through: namespace.entry)
    }

    @Test func hasBaresipCallAnotherPhone() async throws {
        try await NetworkNamespace.use { namespace in
            let baresip = try await Baresip(in: namespace, codec: .pcmu)
            let other = try target(in: namespace, expecting: Baresip.tone)
            try await other.event("ready")
            let phone = try Phone(
                ["call", Baresip.uri, "--audio", "silence", "--refer-to", "sip:other@\(Self.target)"],
                listen: Self.listen, through: namespace.entry)
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try await other.end() == 0, "\(other.program.written)")
            expectOurTone(in: try await baresip.heard())
        }
    }

    @Test func baresipHasThePhoneCallAnother() async throws {
        try await NetworkNamespace.use { namespace in
            let other = try target(in: namespace, expecting: 700)
            let phone = try Phone(
                [
                    "answer", "--once", "--allow-any", "--audio", "tone:700", "--refer", "allow", "--expect-tone",
                    "\(Int(Self.tone))",
                ], listen: Self.listen, through: namespace.entry)
            try await other.event("ready")
            try await phone.event("ready")
            let baresip = try await Baresip(in: namespace, codec: .pcmu, dialling: "sip:phone@\(Self.listen)")
            try await phone.event("call.answered")
            try await baresip.type("transfer sip:other@\(Self.target)")
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try await other.end() == 0, "\(other.program.written)")
        }
    }

    @Test func aPeerIsSentToBaresip() async throws {
        try await NetworkNamespace.use { namespace in
            let baresip = try await Baresip(in: namespace, codec: .pcmu)
            let bob = try Phone(
                [
                    "answer", "--once", "--allow-any", "--audio", "tone:\(Int(Self.tone))", "--refer", "allow",
                    "--expect-tone", "\(Int(Baresip.tone))", "--duration", "3s",
                ], listen: Self.target, through: namespace.entry)
            try await bob.event("ready")
            let phone = try Phone(
                ["call", "sip:bob@\(Self.target)", "--audio", "silence", "--refer-to", Baresip.uri],
                listen: Self.listen, through: namespace.entry)
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try await bob.end() == 0, "\(bob.program.written)")
            #expect(try phone.events(named: "call.transfer").last?.state == "succeeded")
            expectOurTone(in: try await baresip.heard())
        }
    }

    /// baresip 1.0 knows MD5 alone.
    @Test(arguments: [("wonderland", Int32(0)), ("looking-glass", 143)])
    func baresipHasToProveWhoItIs(with password: String, _ exit: Int32) async throws {
        try await NetworkNamespace.use { namespace in
            let caller = try ConfiguredCaller("baresip", at: NetworkNamespace.address, digest: "md5")
            let phone = try Phone(
                [
                    "answer", "--once", "--allow", "from:sip:baresip@*", "--audio", "silence", "--config", caller.path,
                    "--expect-tone", "\(Int(Baresip.tone))", "--duration", "2s", "--sip-trace",
                ], listen: Self.listen, through: namespace.entry)
            try await phone.event("ready")
            let baresip = try await Baresip(
                in: namespace, codec: .pcmu, dialling: "sip:phone@\(Self.listen)", password: password)
            if exit == 0 {
                #expect(try await phone.event("call.incoming").user == "baresip")
            } else {
                _ = try await baresip.program.line("the end") { $0.contains("session closed") }
                #expect(try phone.events(named: "call.incoming").isEmpty, "\(phone.program.written)")
                phone.program.signal(15)
            }
            #expect(try await phone.end() == exit, "\(phone.program.written)")
            #expect(phone.program.errors.contains { $0.contains("401 ") })
        }
    }

    @Test func baresipTakesAMessage() async throws {
        try await NetworkNamespace.use { namespace in
            let baresip = try await Baresip(in: namespace, codec: .pcmu)
            let phone = try Phone(
                ["message", Baresip.uri, "Are you there?"], listen: Self.listen, through: namespace.entry)
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try await phone.event("message.sent").code == 200)
            withExtendedLifetime(baresip) {}
        }
    }

    @Test func baresipWritesAMessage() async throws {
        try await NetworkNamespace.use { namespace in
            let phone = try Phone(
                ["answer", "--allow-any", "--audio", "silence"], listen: Self.listen, through: namespace.entry)
            try await phone.event("ready")
            let baresip = try await Baresip(in: namespace, codec: .pcmu, contact: "sip:phone@\(Self.listen)")
            try await baresip.type("message At four.")
            let message = try await phone.event("message.received")
            #expect(message.text == "At four." && message.peer == "sip:baresip@\(NetworkNamespace.address)")
            phone.program.signal(15)
            #expect(try await phone.end() == 143, "\(phone.program.written)")
        }
    }

    @Test func baresipRefusesAndIsToldApartFromSilence() async throws {
        try await NetworkNamespace.use { namespace in
            let baresip = try await Baresip(in: namespace, codec: .pcmu)
            let phone = try Phone(
                ["call", Baresip.uri, "--audio", "null", "--codec", "opus"], listen: Self.listen,
                through: namespace.entry)
            #expect(try await phone.end() == 16, "\(phone.program.written)")
            #expect(try phone.events(named: "call.ended").first?.code == 488)
            withExtendedLifetime(baresip) {}
        }
    }
}
