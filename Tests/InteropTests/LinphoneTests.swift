import Proofs
import Testing

/// Calls, messages and presence with Linphone, which knows SHA-256, session timers, UPDATE and PRACK.
@Suite(
    .serialized, .enabled(if: Peer.isWanted("linphonec"), "Linphone is not installed"),
    .enabled(if: NetworkNamespace.mayBeMade, "a network namespace for Linphone takes root"))
struct LinphoneTests {
    private static let tone = 1000.0
    private static let listen = "\(NetworkNamespace.address):5080"
    private static let target = "\(NetworkNamespace.address):5082"
    private static let talk = ["--audio", "null", "--play", "tone:1000", "--then", "loop"]

    private func phone(_ words: [String], at listen: String = listen, in namespace: NetworkNamespace) throws -> Phone {
        try Phone(words, listen: listen, through: namespace.entry)
    }

    private func expectOurTone(in heard: Waveform) {
        #expect(heard.seconds > 2)
        #expect(heard.share(of: Self.tone, from: 1, seconds: 0.5) > 0.9)
    }

    /// SIPp 3.6 and baresip 1.0 know MD5 alone.
    @Test(.proves(.rule(11), .clause("RFC 8760 §2.4")), arguments: ["sha-256", "md5"])
    func linphoneProvesWhoItIsAndEachHearsTheOther(by digest: String) async throws {
        try await NetworkNamespace.use { namespace in
            let caller = try ConfiguredCaller("linphone", at: NetworkNamespace.address, digest: digest)
            let phone = try phone(
                [
                    "answer", "--once", "--allow", "from:sip:linphone@*", "--config", caller.path, "--expect-tone",
                    "\(Int(Linphone.tone))", "--duration", "3s", "--sip-trace",
                ] + Self.talk, in: namespace)
            try await phone.event("ready")
            let linphone = try await Linphone(in: namespace)
            try linphone.type("call sip:phone@\(Self.listen) --audio-only")
            #expect(try await phone.event("call.incoming").user == "linphone")
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            let fields = phone.program.errors.filter { line in
                ["WWW-Authenticate: ", "Authorization: "].contains { line.contains($0) }
            }
            #expect(fields.count >= 2, "\(phone.program.written)")
            let algorithm = "algorithm=\(digest.uppercased())"
            #expect(fields.allSatisfy { $0.contains(algorithm) }, "\(fields)")
            expectOurTone(in: try await linphone.heard())
        }
    }

    @Test(.proves(.rule(11)))
    func aWrongPasswordRingsNobody() async throws {
        try await NetworkNamespace.use { namespace in
            let caller = try ConfiguredCaller("linphone", at: NetworkNamespace.address, digest: "sha-256")
            let phone = try phone(
                ["answer", "--once", "--allow-any", "--audio", "silence", "--config", caller.path], in: namespace)
            try await phone.event("ready")
            let linphone = try await Linphone(in: namespace, password: "looking-glass")
            try linphone.type("call sip:phone@\(Self.listen) --audio-only")
            try await linphone.says("error.")
            #expect(try phone.events(named: "call.incoming").isEmpty, "\(phone.program.written)")
            phone.program.signal(15)
            #expect(try await phone.end() == 143)
        }
    }

    /// Ten seconds are too few (422); with what it is told instead the call is up, and Linphone is to refresh it.
    @Test(.proves(.clause("RFC 4028 §6"), .clause("RFC 4028 §9")))
    func linphoneAsksForASessionAndIsToRefreshIt() async throws {
        try await NetworkNamespace.use { namespace in
            let phone = try phone(
                ["answer", "--once", "--allow-any", "--audio", "silence", "--duration", "1s", "--sip-trace"],
                in: namespace)
            try await phone.event("ready")
            let linphone = try await Linphone(in: namespace, sessionExpires: 10)
            try linphone.type("call sip:phone@\(Self.listen) --audio-only")
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            let said = phone.program.errors.map { $0.drop { $0 == " " } }
            #expect(said.contains("SIP/2.0 422 Session Interval Too Small"))
            #expect(said.contains("Session-Expires: 90;refresher=uac"), "\(phone.program.written)")
            withExtendedLifetime(linphone) {}
        }
    }

    @Test func callsLinphoneWhichLetsItWait() async throws {
        try await NetworkNamespace.use { namespace in
            let linphone = try await Linphone(in: namespace)
            try linphone.type("autoanswer enable")
            let phone = try phone(
                ["call", Linphone.uri, "--expect-tone", "\(Int(Linphone.tone))"] + Self.talk, in: namespace)
            try await phone.event("call.tone")
            try linphone.type("pause")
            try await phone.event("call.held")
            try await linphone.says("is now paused")
            try linphone.type("resume 1")
            try await phone.event("call.resumed")
            try linphone.type("terminate")
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try phone.events(named: "call.ended").map(\.by) == ["remote"])
        }
    }

    @Test func hasLinphoneCallAnotherPhone() async throws {
        try await NetworkNamespace.use { namespace in
            let linphone = try await Linphone(in: namespace)
            try linphone.type("autoanswer enable")
            let other = try phone(
                [
                    "answer", "--once", "--allow-any", "--expect-tone", "\(Int(Linphone.tone))", "--duration", "2s",
                ] + Self.talk, at: Self.target, in: namespace)
            try await other.event("ready")
            let phone = try phone(
                ["call", Linphone.uri, "--audio", "silence", "--refer-to", "sip:other@\(Self.target)"], in: namespace)
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try await other.end() == 0, "\(other.program.written)")
            #expect(try phone.events(named: "call.transfer").last?.state == "succeeded")
        }
    }

    @Test func linphoneHasThePhoneCallAnother() async throws {
        try await NetworkNamespace.use { namespace in
            let other = try phone(
                ["answer", "--once", "--allow-any", "--duration", "2s"] + Self.talk, at: Self.target, in: namespace)
            let phone = try phone(
                [
                    "answer", "--once", "--allow-any", "--audio", "silence", "--refer", "allow", "--expect-tone",
                    "\(Int(Self.tone))",
                ], in: namespace)
            try await other.event("ready")
            try await phone.event("ready")
            let linphone = try await Linphone(in: namespace)
            try linphone.type("call sip:phone@\(Self.listen) --audio-only")
            try await phone.event("call.answered")
            try await linphone.says("Media streams established")
            try linphone.type("transfer 1 sip:other@\(Self.target)")
            try await linphone.says("has been transfered")
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            #expect(try await other.end() == 0, "\(other.program.written)")
        }
    }

    @Test func messagesGoBothWays() async throws {
        try await NetworkNamespace.use { namespace in
            let linphone = try await Linphone(in: namespace)
            let reader = try phone(
                ["answer", "--allow-any", "--audio", "silence"], at: "\(NetworkNamespace.address):5060", in: namespace)
            try await reader.event("ready")
            // The port of an address that it writes to is nothing to it.
            try linphone.type("chat sip:phone@\(NetworkNamespace.address) \"Tea?\"")
            let message = try await reader.event("message.received")
            #expect(message.text == "\"Tea?\"" && message.peer == "sip:linphone@\(NetworkNamespace.address)")
            reader.program.signal(15)
            #expect(try await reader.end() == 143)
            let writer = try phone(["message", Linphone.uri, "At four."], in: namespace)
            #expect(try await writer.end() == 0, "\(writer.program.written)")
            try await linphone.says("At four.")
        }
    }

    /// Its NOTIFYs name no Contact.
    @Test(.proves(.clause("RFC 6665 §4.1.2.4")))
    func presenceOfLinphoneIsTold() async throws {
        try await NetworkNamespace.use { namespace in
            let linphone = try await Linphone(in: namespace)
            let folder = try TemporaryFolder()
            let account = "[[account]]\naddress = \"sip:phone@\(Self.listen)\"\npeer_to_peer = true\n"
            let configuration = try folder.write(Array(account.utf8), as: "config.toml")
            // It tells those whom it knows.
            try linphone.type("friend add \"Phone\" sip:phone@\(Self.listen)")
            try linphone.type("friend list")
            try await linphone.says("name: Phone")
            let phone = try phone(["subscribe", "presence", Linphone.uri, "--config", configuration], in: namespace)
            #expect(try await phone.event("presence").open == true)
            #expect(try await phone.event("subscription").state == "active")
            phone.program.signal(15)
            #expect(try await phone.end() == 143, "\(phone.program.written)")
        }
    }
}
