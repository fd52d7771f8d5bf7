import EngineKit
import RTPMedia
import SDP
import SIPMessages
import SIPTransactions
import Testing

@testable import OffhookApp
@testable import SIPUserAgent

/// Which calls `offhook answer` counts, what it comes to, and whom its end spares.
@Suite struct AnswerCountTests {
    private func desk(
        count: Int? = 1, code: Int = 200, after: Duration? = nil, script: CallScript = CallScript()
    ) throws -> Desk {
        var options = AnsweringOptions()
        options.count = count
        options.code = code
        options.after = after
        return Desk(.plan(try AnsweringPlan(options, script: script)))
    }

    private func handle(_ number: UInt32) -> CallHandle { CallHandle(rawValue: 1 << 31 + number) }

    private func call(_ number: UInt32, at desk: inout Desk, isLetIn: Bool = true) throws {
        var incoming = try desk.incoming("call-\(number)")
        incoming.mayAnswerAutomatically = isLetIn
        desk.tell(.incomingCall(handle(number), incoming))
    }

    private func refuse(_ number: UInt32, _ status: StatusCode, at desk: inout Desk) {
        desk.tell(.ended(handle(number), CallEnd(cause: .refused, by: .local, status: status)))
    }

    private func hangUp(_ number: UInt32, at desk: inout Desk) {
        desk.tell(.ended(handle(number), CallEnd(cause: .hungUp, by: .remote)))
    }

    private func leaves(_ desk: Desk) -> Bool { desk.signalling.contains("shutDown") }

    @Test func aStrangerWhoIsRefusedDoesNotCount() throws {
        var desk = try desk()
        try call(0, at: &desk, isLetIn: false)
        refuse(0, 403, at: &desk)
        #expect(desk.signalling == ["reject"])
        try call(1, at: &desk)
        try desk.answer(handle(1))
        hangUp(1, at: &desk)
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .success)
    }

    @Test func aCallerWhoGivesUpDoesNotCount() throws {
        var desk = try desk(after: .seconds(5))
        try call(0, at: &desk)
        desk.tell(.ended(handle(0), CallEnd(cause: .cancelled, by: .remote)))
        #expect(!leaves(desk))
    }

    @Test func aCallThatRingsIsNotLostToOneThatIsRefused() throws {
        var desk = try desk(after: .seconds(2))
        try call(0, at: &desk)
        try call(1, at: &desk, isLetIn: false)
        refuse(1, 403, at: &desk)
        desk.pass(.seconds(2))
        #expect(desk.signalling == ["ring", "reject", "answer"])
    }

    @Test(arguments: [(nil, 486), (.seconds(1), 480)] as [(Duration?, Int)])
    func aRefusalThatItWasToldCounts(ringTimeout: Duration?, status: Int) throws {
        var script = CallScript()
        script.ringTimeout = ringTimeout
        var desk = try desk(code: ringTimeout == nil ? 486 : 200, after: .seconds(3), script: script)
        try call(0, at: &desk)
        desk.pass(ringTimeout ?? .seconds(3))
        #expect(desk.signalling == ["ring", "reject"])
        refuse(0, try #require(StatusCode(status)), at: &desk)
        #expect(leaves(desk))
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .success)
    }

    @Test func aRefusalThatIsExpectedCounts() throws {
        var script = CallScript()
        script.expectedStatus = 403
        var desk = try desk(script: script)
        try call(0, at: &desk, isLetIn: false)
        refuse(0, 403, at: &desk)
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .success)
    }

    @Test func theLastCountedCallEndsNoOther() throws {
        var desk = try desk()
        for number: UInt32 in 0...1 {
            try call(number, at: &desk)
            try desk.answer(handle(number))
        }
        hangUp(0, at: &desk)
        #expect(!leaves(desk), "the second call goes on")
        try call(2, at: &desk)
        #expect(desk.signalling.last == "reject", "and nobody else is taken meanwhile")
        refuse(2, 486, at: &desk)
        #expect(!leaves(desk))
        hangUp(1, at: &desk)
        #expect(leaves(desk))
    }

    @Test func aCallThatRingsAfterTheLastOneIsNotAnswered() throws {
        var desk = try desk(after: .seconds(2))
        for number: UInt32 in 0...2 {
            try call(number, at: &desk)
            desk.pass(.milliseconds(900))
        }
        try desk.answer(handle(0))
        try desk.answer(handle(1))
        hangUp(0, at: &desk)
        desk.signalling = []
        desk.pass(.seconds(2))
        #expect(desk.signalling == ["reject"])
    }

    @Test func whereNoneWasAnsweredNoneIsASuccess() throws {
        var desk = try desk(count: nil)
        try call(0, at: &desk, isLetIn: false)
        refuse(0, 403, at: &desk)
        desk.coordinator.timeOut()
        desk.drain()
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .noAnswer)
    }

    @Test(arguments: [(200, OffhookApp.ExitStatus.noCommonMedia), (486, .noAnswer)])
    func aCallRefusedForItsCodecsIsOneThatFailed(code: Int, exit: OffhookApp.ExitStatus) throws {
        var desk = try desk(code: code)
        let source = SocketAddress(.v4(0xC000_0209), port: 5060)
        desk.tell(.refused(.invalid, from: source))
        desk.tell(.refused(.incompatibleMedia, from: source))
        #expect(!leaves(desk))
        desk.coordinator.timeOut()
        desk.drain()
        desk.tell(.shutDownFinished)
        #expect(desk.exit == exit)
        #expect(desk.coordinator.failures.count == 1)
    }

    /// Nobody sent a PRACK, so that the answer never went out.
    @Test func anAnswerThatIsNeverAcknowledgedIsAFaultOfTheNetwork() throws {
        var desk = try desk()
        try call(0, at: &desk)
        desk.tell(.ended(handle(0), CallEnd(cause: .notAcknowledged, by: .local, status: 504)))
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .network)
    }
}
