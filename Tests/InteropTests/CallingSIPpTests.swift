import Proofs
import Testing

/// Calls that the phone places to SIPp.
@Suite(.serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct CallingSIPpTests {
    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func callsHearsThePeersToneAndHangsUp(over transport: SIPp.Transport) async throws {
        let sipp = try await SIPp.callee("answer", transport: transport)
        let phone = try Phone(
            "call", sipp.uri, "--audio", "silence", "--expect-tone", "\(MuLawTone.hertz)", "--duration",
            "1500ms")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        let names = try phone.events.map(\.event).filter { $0 != "call.stats" }
        #expect(
            names == [
                "ready", "call.outgoing", "call.ringing", "call.answered", "call.media", "call.tone", "call.ended",
                "verdict",
            ])
        #expect(try phone.events.allSatisfy { $0.v == 1 })
        let end = try phone.callEnd
        #expect((end.cause, end.by) == ("hung-up", "local"))
        #expect(end.stats?.codec == "pcmu")
        try await sipp.expectSuccess()
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func endsWellWhenThePeerHangsUp(over transport: SIPp.Transport) async throws {
        let sipp = try await SIPp.callee("answer-and-hang-up", transport: transport, "-d", "300")
        let phone = try Phone("call", sipp.uri, "--audio", "silence")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("hung-up", "remote"))
        try await sipp.expectSuccess()
    }

    @Test(arguments: [
        ("302 Moved Temporarily", Int32(18)), ("404 Not Found", 13), ("486 Busy Here", 11), ("603 Decline", 12),
        ("500 Server Internal Error", 17), ("488 Not Acceptable Here", 16), ("480 Temporarily Unavailable", 10),
        ("410 Gone", 13), ("420 Bad Extension", 19),
    ])
    func exitsWithWhatARefusalMeans(_ status: String, _ exit: Int32) async throws {
        let sipp = try await SIPp.callee("refuse", with: ["status": status])
        let phone = try Phone("call", sipp.uri, "--audio", "null")
        #expect(try await phone.end() == exit, "\(phone.program.written)")
        let end = try phone.callEnd
        #expect(end.code.map { "\($0) " } == String(status.prefix(4)))
        #expect(end.cause == "refused")
        if status.hasPrefix("302") { #expect(end.redirections == ["sip:elsewhere@192.0.2.1"]) }
        try await sipp.expectSuccess()
    }

    @Test func aRefusalThatIsExpectedIsASuccess() async throws {
        let sipp = try await SIPp.callee("refuse", with: ["status": "486 Busy Here"])
        let phone = try Phone("call", sipp.uri, "--audio", "null", "--expect-status", "486")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        try await sipp.expectSuccess()
    }

    @Test(arguments: [
        (SIPp.Transport.udp, "port unreachable (ICMP), udp"), (.tcp, "connection refused, tcp"),
    ])
    func nobodyAtThePortIsTheNetworksFault(over transport: SIPp.Transport, why: String) async throws {
        let port = Ports.take()
        let target = "sip:bob@127.0.0.1:\(port)" + (transport == .tcp ? ";transport=tcp" : "")
        let phone = try Phone("call", target, "--audio", "null")
        #expect(try await phone.end() == 30, "\(phone.program.written)")
        let end = try phone.callEnd
        #expect((end.cause, end.reason) == ("unreachable", "\(why) 127.0.0.1:\(port)"))
        let asking = try Phone("options", target)
        #expect(try await asking.end() == 30, "\(asking.program.written)")
        #expect(try await asking.event("options").reason == "\(why) 127.0.0.1:\(port)")
    }

    /// Nobody answers for the address of the host, which the kernel says three seconds later, as a router would by ICMP.
    @Test(
        .proves(.row(44)), .enabled(if: NetworkNamespace.mayBeMade, "a network namespace takes root"),
        arguments: [["call", "sip:bob@192.0.2.77", "--audio", "null"], ["options", "sip:bob@192.0.2.77"]])
    func aHostThatIsNotThereIsTheNetworksFault(words: [String]) async throws {
        try await NetworkNamespace.use { network in
            for listen in ["\(NetworkNamespace.address):5060", "0.0.0.0:5060"] {
                let phone = try Phone(words, listen: listen, through: network.entry)
                #expect(try await phone.end() == 30, "\(phone.program.written)")
                let reason = "host unreachable, udp 192.0.2.77:5060"
                let events = words.first == "call" ? "call.ended" : "options"
                #expect(try phone.events(named: events).map(\.reason) == [reason], "\(phone.program.written)")
            }
        }
    }

    @Test func aNameThatNobodyHasIsTheNetworksFault() async throws {
        // RFC 6761 §6.4: no resolver knows it.
        let phone = try Phone("call", "sip:bob@nobody.invalid", "--audio", "null")
        #expect(try await phone.end() == 30, "\(phone.program.written)")
        let end = try phone.callEnd
        #expect((end.cause, end.reason) == ("unreachable", "no such host, nobody.invalid"))
    }

    /// ROBUSTNESS row 43, where media came only before the answer.
    @Test func warnsWhenEarlyMediaFallsSilentAfterTheAnswer() async throws {
        let sipp = try await SIPp.callee("early-then-silent")
        let phone = try Phone("call", sipp.uri, "--audio", "silence", "--duration", "6s")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        let names = try phone.events.map(\.event).filter { $0 != "call.stats" }
        #expect(
            names == [
                "ready", "call.outgoing", "call.ringing", "call.early", "call.answered", "call.media", "warning",
                "call.ended", "verdict",
            ])
        #expect(try await phone.event("warning").text == "no media from the peer for 5 s")
        try await sipp.expectSuccess()
    }

    @Test func givesUpWithCancelWhenNobodyAnswers() async throws {
        let sipp = try await SIPp.callee("ring")
        let phone = try Phone("call", sipp.uri, "--audio", "null", "--ring-timeout", "500ms")
        #expect(try await phone.end() == 10, "\(phone.program.written)")
        #expect(try phone.callEnd.cause == "ring-timeout")
        try await sipp.expectSuccess()
    }

    @Test func cancelsTheCallThatASignalEnds() async throws {
        let sipp = try await SIPp.callee("ring")
        let phone = try Phone("call", sipp.uri, "--audio", "null")
        try await phone.event("call.ringing")
        phone.program.signal(2)
        #expect(try await phone.end(within: .seconds(3)) == 130, "\(phone.program.written)")
        try await sipp.expectSuccess()
    }

    @Test(.proves(.row(41)))
    func authenticatesToAProxy() async throws {
        let sipp = try await SIPp.callee("challenge-call")
        let account = try ConfiguredAccount("alice", password: "wonderland", at: sipp.port)
        let phone = try Phone(
            "call", sipp.uri, "--proxy", "sip:127.0.0.1:\(sipp.port)", "--config", account.path, "--audio", "silence",
            "--expect-tone", "\(MuLawTone.hertz)", "--duration", "1500ms")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        try await sipp.expectSuccess()
    }

    @Test(.proves(.row(40)))
    func aWrongPasswordIsAnAuthenticationThatFailed() async throws {
        let sipp = try await SIPp.callee("challenge-forever")
        let account = try ConfiguredAccount("alice", password: "looking-glass", at: sipp.port)
        let phone = try Phone(
            "call", sipp.uri, "--proxy", "sip:127.0.0.1:\(sipp.port)", "--config", account.path, "--audio", "null")
        #expect(try await phone.end() == 14, "\(phone.program.written)")
        #expect(try phone.callEnd.code == 407)
        try await sipp.expectSuccess()
    }

    /// ROBUSTNESS S10: who is neither the account's registrar nor its proxy learns nothing, and the phone says what would
    /// make it the proxy.
    @Test(.proves(.rule(10), .incident(52)))
    func aProxyThatTheAccountDoesNotNameGetsNoCredentials() async throws {
        let sipp = try await SIPp.callee("challenge-forever")
        let account = try ConfiguredAccount("alice", password: "wonderland", at: sipp.port ^ 1)
        let phone = try Phone("call", sipp.uri, "--config", account.path, "--audio", "null")
        #expect(try await phone.end() == 14, "\(phone.program.written)")
        #expect(try await phone.event("warning").text?.hasSuffix("where the account names it as its proxy") == true)
    }

    @Test func registersWithCredentialsAndUnregisters() async throws {
        let sipp = try await SIPp.callee("register")
        let account = try ConfiguredAccount("alice", password: "wonderland", at: sipp.port)
        let phone = try Phone("register", "--config", account.path)
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "register.ok").count == 1)
        #expect(try phone.events(named: "register.removed").count == 1)
        try await sipp.expectSuccess()
    }

    @Test(.proves(.row(46), .row(23)), arguments: [SIPp.Transport.udp, .tcp])
    func isHeldAndResumedAndRefusesFax(over transport: SIPp.Transport) async throws {
        let sipp = try await SIPp.callee("change-as-callee", transport: transport)
        let phone = try Phone("call", sipp.uri, "--audio", "silence", "--duration", "1500ms")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.held").map(\.by) == ["remote"])
        #expect(try phone.events(named: "call.resumed").map(\.by) == ["remote"])
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("hung-up", "local"))
        try await sipp.expectSuccess()
    }

    @Test(.proves(.row(34), .clause("RFC 3261 §18.1.1")))
    func aRequestOver1300BytesGoesOverTCP() async throws {
        let sipp = try await SIPp.callee("answer-and-hang-up", transport: .tcp, "-d", "100")
        let phone = try Phone(["call", sipp.uri, "--audio", "silence"] + Self.longHeaders)
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        try await sipp.expectSuccess()
    }

    /// RFC 3261 §18.1.1: where nobody listens on TCP, the request goes out by UDP after all.
    @Test(.proves(.row(34), .clause("RFC 3261 §18.1.1")))
    func aLongRequestFallsBackToUDPWhereNobodyListensOnTCP() async throws {
        let sipp = try await SIPp.callee("answer-and-hang-up", "-d", "100")
        let phone = try Phone(["call", sipp.uri, "--audio", "silence"] + Self.longHeaders)
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        try await sipp.expectSuccess()
    }

    /// Headers that make any INVITE longer than 1300 bytes.
    private static let longHeaders = (1...10).flatMap {
        ["--header", "X-Ballast-\($0): " + String(repeating: "ballast ", count: 16) + "end"]
    }

    @Test func asksForCapabilities() async throws {
        let sipp = try await SIPp.callee("capabilities")
        let phone = try Phone("options", sipp.uri)
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        let answer = try await phone.event("options")
        #expect(answer.code == 200)
        #expect(answer.allow == "INVITE, ACK, CANCEL, BYE, OPTIONS")
        try await sipp.expectSuccess()
    }
}
