import Testing

/// Reliable provisional responses, UPDATE and session timers with SIPp (RFC 3262, RFC 3311, RFC 4028).
@Suite(.serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct EarlyDialogSIPpTests {
    private func uri(_ sipp: SIPp, _ transport: SIPp.Transport = .udp) -> String {
        "sip:bob@127.0.0.1:\(sipp.port)" + (transport == .tcp ? ";transport=tcp" : "")
    }

    /// How the phone's only call ended.
    private func end(_ phone: Phone) throws -> Phone.Event {
        let ends = try phone.events(named: "call.ended")
        #expect(ends.count == 1, "\(phone.program.written)")
        return try #require(ends.first)
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func calleeSettlesAndMovesItsMediaEarlyAndKeepsTheSession(over transport: SIPp.Transport) async throws {
        let sipp = try await SIPp.callee("reliable-callee", transport: transport)
        let phone = try Phone("call", uri(sipp, transport), "--audio", "silence", "--duration", "900ms")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        let media = try phone.events(named: "call.media")
        // The callee holds since its UPDATE, and its 200 has no description.
        #expect(media.map(\.direction) == ["recvonly"], "\(phone.program.written)")
        #expect((try end(phone).cause, try end(phone).by) == ("hung-up", "local"))
        try await sipp.expectSuccess()
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func callerThatRequiresPrackIsRungReliablyAndRefreshesByUpdate(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence", "--after", "300ms")
        let sipp = try await SIPp.caller("reliable-caller", to: phone, transport: transport)
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.held").map(\.by) == ["remote"])
        #expect((try end(phone).cause, try end(phone).by) == ("hung-up", "remote"))
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func earlyMediaIsSettledByPrackAndTheAnswerWaitsForIt(over transport: SIPp.Transport) async throws {
        let phone = try Phone(
            "answer", "--once", "--audio", "null", "--play", "tone:440", "--when", "early", "--after", "100ms")
        let sipp = try await SIPp.caller("early-caller", to: phone, transport: transport)
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.answered").count == 1)
        #expect((try end(phone).cause, try end(phone).by) == ("hung-up", "remote"))
    }

    @Test func asksForALongerIntervalWhereItsOwnIsTooShort() async throws {
        let sipp = try await SIPp.callee("longer-interval")
        let folder = try TemporaryFolder()
        let text = "[sip]\nsession_timer = \"wanted\"\nsession_expires = 600\n"
        let configuration = try folder.write(Array(text.utf8), as: "config.toml")
        let phone = try Phone(
            "call", uri(sipp), "--audio", "silence", "--duration", "300ms", "--config", configuration)
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect((try end(phone).cause, try end(phone).by) == ("hung-up", "local"))
        try await sipp.expectSuccess()
    }
}
