import Testing

/// Reliable provisional responses, UPDATE and session timers with SIPp (RFC 3262, RFC 3311, RFC 4028).
@Suite(.serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct EarlyDialogSIPpTests {
    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func calleeSettlesAndMovesItsMediaEarlyAndKeepsTheSession(over transport: SIPp.Transport) async throws {
        let sipp = try await SIPp.callee("reliable-callee", transport: transport)
        let phone = try Phone("call", sipp.uri, "--audio", "silence", "--duration", "900ms")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        let media = try phone.events(named: "call.media")
        // The callee holds since its UPDATE, and its 200 has no description.
        #expect(media.map(\.direction) == ["recvonly"], "\(phone.program.written)")
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("hung-up", "local"))
        try await sipp.expectSuccess()
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func callerThatRequiresPrackIsRungReliablyAndRefreshesByUpdate(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence", "--after", "300ms")
        let sipp = try await SIPp.caller("reliable-caller", to: phone, transport: transport)
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.held").map(\.by) == ["remote"])
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("hung-up", "remote"))
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func earlyMediaIsSettledByPrackAndTheAnswerWaitsForIt(over transport: SIPp.Transport) async throws {
        let phone = try Phone(
            "answer", "--once", "--audio", "null", "--play", "tone:440", "--when", "early", "--after", "100ms")
        let sipp = try await SIPp.caller("early-caller", to: phone, transport: transport)
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.answered").count == 1)
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("hung-up", "remote"))
    }

    /// Half of the shortest interval that there may be is 45 s, so all who have us refresh wait together: as callee by
    /// UPDATE, as caller by re-INVITE, and with a peer that takes no UPDATE without a description.
    @Test(.timeLimit(.minutes(2)))
    func refreshesTheSessionsThatAreItsToKeepUp() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask {
                let phone = try Phone(["answer", "--once", "--audio", "silence"], bound: "60s")
                let sipp = try await SIPp.caller("refreshed-caller", to: phone, "-rtp_echo", "-timeout", "60s")
                try await sipp.expectSuccess(within: .seconds(60))
                #expect(try await phone.end() == 0, "\(phone.program.written)")
            }
            group.addTask {
                let sipp = try await SIPp.callee("refreshed-callee", "-rtp_echo", "-timeout", "60s")
                let phone = try Phone(
                    ["call", sipp.uri, "--audio", "silence", "--duration", "47s"], bound: "60s")
                #expect(try await phone.end(within: .seconds(60)) == 0, "\(phone.program.written)")
                try await sipp.expectSuccess()
            }
            if ForeignScenario.folder != nil {
                group.addTask { try await SIPp.play(.refreshed, within: .seconds(60)) }
            }
            try await group.waitForAll()
        }
    }

    @Test func asksForALongerIntervalWhereItsOwnIsTooShort() async throws {
        let sipp = try await SIPp.callee("longer-interval")
        let folder = try TemporaryFolder()
        let text = "[sip]\nsession_timer = \"wanted\"\nsession_expires = 600\n"
        let configuration = try folder.write(Array(text.utf8), as: "config.toml")
        let phone = try Phone(
            "call", sipp.uri, "--audio", "silence", "--duration", "300ms", "--config", configuration)
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("hung-up", "local"))
        try await sipp.expectSuccess()
    }
}
