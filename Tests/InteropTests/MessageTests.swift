import Testing

/// Messages and digits that signalling carries, with SIPp and through Kamailio (RFC 3428, RFC 2976, RFC 6086).
@Suite(.serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct MessageTests {
    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func aMessageArrives(over transport: SIPp.Transport) async throws {
        let sipp = try await SIPp.callee("read", transport: transport)
        let phone = try Phone("message", sipp.uri, "Are you there?")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try await phone.event("message.sent").code == 200)
        try await sipp.expectSuccess()
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func messagesAreTaken(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--audio", "silence")
        try await SIPp.caller("write", to: phone, transport: transport).expectSuccess()
        try await phone.eventually { try phone.events(named: "message.received").count == 2 }
        let texts = try phone.events(named: "message.received").map { $0.text ?? "" }
        #expect(texts.first?.hasPrefix("Are you there?") == true && texts.last == "First part", "\(texts)")
        phone.program.signal(15)
        _ = try await phone.end()
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func whoIsWritingIsTold(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--audio", "silence")
        try await SIPp.caller("compose", to: phone, transport: transport).expectSuccess()
        try await phone.eventually { try phone.events(named: "message.composing").map(\.active) == [true, false] }
        phone.program.signal(15)
        _ = try await phone.end()
    }

    @Test func aMessageThatIsTooLongIsTheFaultOfWhoWroteIt() async throws {
        let text = String(repeating: "word ", count: 400)
        let phone = try Phone("message", "sip:bob@127.0.0.1:\(Ports.take());transport=udp", text)
        #expect(try await phone.end() == 65, "\(phone.program.written)")
        #expect(try await phone.event("message.sent").reason?.hasPrefix("too long") == true)
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func digitsAreTakenByInfo(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence", "--expect-dtmf", "57")
        try await SIPp.caller("digits-by-info", to: phone, transport: transport).expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.dtmf").map(\.digit) == ["5", "7"])
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func aDigitByInfoBeforeTheAnswerIsTold(over transport: SIPp.Transport) async throws {
        let sipp = try await SIPp.callee("digit-before-answer", transport: transport)
        let phone = try Phone("call", sipp.uri, "--audio", "silence", "--expect-dtmf", "5", "--duration", "500ms")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        let told = try phone.events.map(\.event).filter { ["call.dtmf", "call.answered"].contains($0) }
        #expect(told == ["call.dtmf", "call.answered"])
        try await sipp.expectSuccess()
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func digitsAreSentByInfo(over transport: SIPp.Transport) async throws {
        let sipp = try await SIPp.callee("takes-digits-by-info", transport: transport)
        let phone = try Phone(
            "call", sipp.uri, "--audio", "silence", "--dtmf", "4#", "--dtmf-mode", "info", "--duration", "1s")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        try await sipp.expectSuccess()
    }

    @Test(.enabled(if: Peer.isWanted("kamailio"), "Kamailio is not installed"), arguments: ["udp", "tcp"])
    func aMessageGoesThroughTheProxy(over transport: String) async throws {
        let kamailio = try await Kamailio()
        let bob = try ConfiguredAccount("bob", password: Kamailio.password, at: kamailio.port, transport: transport)
        let alice = try ConfiguredAccount("alice", password: Kamailio.password, at: kamailio.port, transport: transport)
        let reader = try Phone(["answer", "--allow", "account", "--config", bob.path, "--audio", "silence"])
        try await reader.event("register.ok")
        let writer = try Phone(
            "message", "sip:bob@127.0.0.1:\(kamailio.port)", "Tea at four", "--config", alice.path, "--proxy",
            "sip:127.0.0.1:\(kamailio.port);lr")
        #expect(try await writer.end() == 0, "\(writer.program.written)\n\(kamailio.program.written)")
        #expect(try await reader.event("message.received").text == "Tea at four")
        reader.program.signal(15)
        _ = try await reader.end()
        try await kamailio.stop()
    }
}
