import Proofs
import Testing

/// Callers that have to prove who they are (RFC 3261 §22.2); the SIPp of Debian knows MD5 alone, and
/// `LinphoneTests` has SHA-256.
@Suite(
    .serialized, .proves(.rule(11)), .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct ChallengedCallerTests {
    private func phone(_ caller: ConfiguredCaller) throws -> Phone {
        try Phone("answer", "--once", "--audio", "silence", "--allow", "from:sip:carol@*", "--config", caller.path)
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func whoShowsThePasswordIsAnswered(over transport: SIPp.Transport) async throws {
        let caller = try ConfiguredCaller("carol", at: "127.0.0.1", digest: "md5")
        let phone = try phone(caller)
        let sipp = try await SIPp.caller(
            "prove", to: phone, transport: transport,
            with: ["user": "carol", "password": ConfiguredCaller.password], "-d", "200")
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.incoming").map(\.user) == ["carol"])
    }

    @Test(arguments: ["carol", "mallory"])
    func whoDoesNotRingsNobody(as user: String) async throws {
        let caller = try ConfiguredCaller("carol", at: "127.0.0.1", digest: "md5")
        let phone = try phone(caller)
        let sipp = try await SIPp.caller("prove-wrongly", to: phone, with: ["user": user, "status": "401"])
        try await sipp.expectSuccess()
        phone.program.signal(15)
        #expect(try await phone.end() == 143, "\(phone.program.written)")
        #expect(try phone.events(named: "call.incoming").isEmpty)
    }

    /// Somebody else's credentials do not make a caller the one whom a rule lets in.
    @Test func whoProvesToBeAnotherThanItsFromIsNotAnswered() async throws {
        let caller = try ConfiguredCaller("dave", at: "127.0.0.1", digest: "md5")
        let phone = try phone(caller)
        let sipp = try await SIPp.caller(
            "prove", to: phone, with: ["user": "dave", "password": ConfiguredCaller.password])
        #expect(try await sipp.program.end() != 0, "\(sipp.program.written)")
        phone.program.signal(15)
        #expect(try await phone.end() == 143, "\(phone.program.written)")
        #expect(try phone.events(named: "call.answered").isEmpty)
        #expect(try phone.events(named: "call.ended").map(\.code) == [403])
    }
}
