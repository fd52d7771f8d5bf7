import Proofs
import Testing

/// Calls that SIPp places to the phone.
@Suite(.serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct AnsweringSIPpTests {
    private func end(_ phone: Phone) throws -> Phone.Event {
        let ends = try phone.events(named: "call.ended")
        #expect(ends.count == 1, "\(phone.program.written)")
        return try #require(ends.first)
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func answersHearsThePeersToneAndIsHungUp(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence", "--expect-tone", "\(MuLawTone.hertz)")
        let sipp = try await SIPp.caller("call", to: phone, transport: transport, "-d", "1500")
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        let names = try phone.events.map(\.event).filter { $0 != "call.stats" }
        #expect(
            names == [
                "ready", "call.incoming", "call.answered", "call.media", "call.tone", "call.ended", "verdict",
            ])
        let end = try phone.callEnd
        #expect((end.cause, end.by) == ("hung-up", "remote"))
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func answersAndHangsUp(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence", "--duration", "300ms")
        let sipp = try await SIPp.caller("call-and-wait", to: phone, transport: transport)
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("hung-up", "local"))
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func aCallerThatGivesUpEndsTheRinging(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--once", "--audio", "null", "--after", "30s")
        let sipp = try await SIPp.caller("cancel", to: phone, transport: transport)
        try await sipp.expectSuccess()
        try await phone.event("call.ended")
        // It waits for the call that it is to answer.
        phone.program.signal(15)
        #expect(try await phone.end() == 143, "\(phone.program.written)")
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("cancelled", "remote"))
        #expect(try phone.events(named: "call.answered").isEmpty)
    }

    @Test(.proves(.row(46), .row(23)), arguments: [SIPp.Transport.udp, .tcp])
    func isHeldAndResumedAndRefusesFax(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence")
        let sipp = try await SIPp.caller("change-as-caller", to: phone, transport: transport)
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.held").map(\.by) == ["remote"])
        #expect(try phone.events(named: "call.resumed").map(\.by) == ["remote"])
        #expect((try phone.callEnd.cause, try phone.callEnd.by) == ("hung-up", "remote"))
    }

    @Test(.proves(.row(26)))
    func offersInItsAnswerToACallWithoutAnOffer() async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence", "--expect-tone", "\(MuLawTone.hertz)")
        let sipp = try await SIPp.caller("offerless", to: phone, "-d", "1500")
        try await sipp.expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try await phone.event("call.media").codec == "pcmu")
    }

    @Test(.proves(.row(13)))
    func aRepeatedInviteIsOneCall() async throws {
        let phone = try Phone("answer", "--count", "2", "--audio", "silence")
        let sipp = try await SIPp.caller("repeat", to: phone, "-d", "100")
        try await sipp.expectSuccess()
        try await phone.event("call.ended")
        phone.program.signal(15)
        #expect(try await phone.end() == 143, "\(phone.program.written)")
        #expect(try phone.events(named: "call.incoming").count == 1)
    }

    @Test(.proves(.row(20)), arguments: [SIPp.Transport.udp, .tcp])
    func refusesStrayRequestsAsTheStandardSays(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence")
        try await SIPp.caller("strays", to: phone, transport: transport).expectSuccess()
        // None of them was a call, and the phone still takes one.
        try await SIPp.caller("call", to: phone, transport: transport, "-d", "100").expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.incoming").count == 1)
    }

    @Test func answersWithTheHeaderThatItWasTold() async throws {
        let phone = try Phone("answer", "--once", "--audio", "silence", "--header", "X-Desk: 7")
        try await SIPp.caller("call-for-header", to: phone).expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.callEnd.cause == "hung-up")
    }

    @Test func refusesWithTheStatusPhraseAndHeaderThatItWasTold() async throws {
        let phone = try Phone(
            "answer", "--once", "--audio", "null", "--code", "486", "--reason", "Not Now", "--header",
            "X-Desk: 7")
        try await SIPp.caller("refused", to: phone).expectSuccess()
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.callEnd.code == 486)
    }
}
