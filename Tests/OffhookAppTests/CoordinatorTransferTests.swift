import EngineKit
import SIPMessages
import SIPTransactions
import Testing

@testable import OffhookApp
@testable import SIPUserAgent

/// Calls that are passed on, by scripts and by persons.
@Suite struct CoordinatorTransferTests {
    private let ok = StatusFragment(200)

    private func dave() throws -> URI { try URI(parsing: "sip:dave@192.0.2.4") }

    private func script(_ transfer: CallScript.Transfer) -> CallScript {
        var script = CallScript()
        script.transfer = transfer
        return script
    }

    private func answering(_ change: (inout AnsweringOptions) -> Void = { _ in }) throws -> Desk {
        var options = AnsweringOptions()
        options.count = 1
        change(&options)
        return Desk(.plan(try AnsweringPlan(options, script: CallScript())))
    }

    private let incoming = CallHandle(rawValue: CallHandle.firstIncoming)
    private let second = CallHandle(rawValue: CallHandle.firstIncoming + 1)

    // MARK: - By a script

    @Test func aScriptTransfersOnceItsCallIsUpAndEndsWithIt() throws {
        var desk = Desk(.nobody)
        let handle = try desk.dial(script(.blind(dave())))
        #expect(desk.signalling == ["call"])
        try desk.answer(handle)
        #expect(desk.signalling == ["call", "transfer"])
        desk.tell(.transferProgress(handle, .accepted))
        desk.tell(.transferProgress(handle, .progress(StatusFragment(180))))
        desk.tell(.transferProgress(handle, .succeeded(ok)))
        desk.end(handle, .transferred)
        #expect(desk.reports.count { $0 == "call.transfer" } == 4)
        #expect(desk.exit == .success)
    }

    @Test(
        arguments: [
            (486, OffhookApp.ExitStatus.busy), (603, .declined), (404, .notFound), (nil, .network),
        ] as [(StatusCode?, OffhookApp.ExitStatus)])
    func aTransferThatFailsDecidesTheExitStatus(status: StatusCode?, exit: OffhookApp.ExitStatus) throws {
        var desk = Desk(.nobody)
        let handle = try desk.dial(script(.blind(dave())))
        try desk.answer(handle)
        desk.tell(.transferProgress(handle, .failed(status, reason: "no")))
        #expect(desk.signalling.last == "hangUp")
        desk.end(handle, .hungUp)
        #expect(desk.exit == exit)
    }

    @Test func anAttendedTransferCallsTheTargetFirst() throws {
        var desk = Desk(.nobody)
        let handle = try desk.dial(script(.attended(dave())))
        try desk.answer(handle)
        #expect(desk.signalling == ["call", "call"])
        let consultation = CallHandle(rawValue: handle.rawValue + 1)
        try desk.answer(consultation)
        #expect(desk.signalling == ["call", "call", "transfer"])
        desk.tell(.transferProgress(handle, .succeeded(ok)))
        desk.tell(.ended(handle, CallEnd(cause: .transferred, by: .local)))
        // The target ends the consultation; so do we, should it forget to.
        #expect(desk.signalling.last == "hangUp")
        desk.end(consultation, .hungUp)
        #expect(desk.exit == .success)
    }

    @Test func aConsultationThatIsRefusedEndsTheCallThatWaitsForIt() throws {
        var desk = Desk(.nobody)
        let handle = try desk.dial(script(.attended(dave())))
        try desk.answer(handle)
        desk.tell(.ended(CallHandle(rawValue: handle.rawValue + 1), CallEnd(cause: .refused, by: .remote, status: 486)))
        #expect(desk.signalling.last == "hangUp")
        desk.end(handle, .hungUp)
        #expect(desk.exit == .busy)
    }

    @Test(arguments: [true, false]) func aConsultationGoesWithTheCallThatItWasPlacedFor(isAnswered: Bool) throws {
        var desk = Desk(.nobody)
        let handle = try desk.dial(script(.attended(dave())))
        try desk.answer(handle)
        let consultation = CallHandle(rawValue: handle.rawValue + 1)
        if isAnswered {
            try desk.answer(consultation)
            desk.tell(.transferProgress(handle, .failed(481, reason: "no")))
        }
        let before = desk.signalling.count
        desk.tell(.ended(handle, CallEnd(cause: .dialogLost, by: .remote, status: 481)))
        #expect(desk.signalling.dropFirst(before) == ["hangUp"])
        desk.end(consultation, isAnswered ? .hungUp : .cancelled)
        #expect(desk.exit != nil && desk.exit != .success)
    }

    /// A BYE leaves the subscription alone (RFC 5057 §5.1), so that what came of the transfer is still told.
    @Test(
        arguments: [
            (.succeeded(StatusFragment(200)), .success), (.failed(481, reason: "gone"), .refused),
            (.failed(nil, reason: "timed out"), .network), (.unknown, .network),
        ] as [(TransferProgress, OffhookApp.ExitStatus)])
    func whatComesOfATransferIsAwaitedBeyondTheCall(progress: TransferProgress, exit: OffhookApp.ExitStatus) throws {
        var desk = Desk(.nobody)
        let handle = try desk.dial(script(.blind(dave())))
        try desk.answer(handle)
        desk.tell(.ended(handle, CallEnd(cause: .hungUp, by: .remote)))
        #expect(desk.reports.last == "call.ended")
        #expect(!desk.signalling.contains("shutDown"))
        desk.tell(.transferProgress(handle, progress))
        #expect(desk.reports.last == "call.transfer")
        #expect(desk.signalling.dropFirst(2) == ["shutDown"])
        desk.tell(.shutDownFinished)
        #expect(desk.exit == exit)
        #expect(desk.coordinator.failures.isEmpty == (exit == .success))
    }

    @Test(arguments: [true, false])
    func aTransferThatIsOpenWhenTheTimeIsOverIsUnknown(isCallOver: Bool) throws {
        var desk = Desk(.nobody)
        let handle = try desk.dial(script(.blind(dave())))
        try desk.answer(handle)
        desk.tell(.transferProgress(handle, .accepted))
        if isCallOver { desk.tell(.ended(handle, CallEnd(cause: .hungUp, by: .remote))) }
        desk.coordinator.timeOut()
        desk.drain()
        if !isCallOver { desk.tell(.ended(handle, CallEnd(cause: .shutDown, by: .local))) }
        #expect(desk.reports.suffix(2) == ["call.ended", "call.transfer"])
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .network)
        #expect(desk.coordinator.failures == ["c1: the transfer failed"])
    }

    /// The target is to find the call that the peer's takes the place of (RFC 5589 §7.1).
    @Test func aConsultationStaysWhileTheTransferIsUnderWay() throws {
        var desk = Desk(.nobody)
        let handle = try desk.dial(script(.attended(dave())))
        try desk.answer(handle)
        let consultation = CallHandle(rawValue: handle.rawValue + 1)
        try desk.answer(consultation)
        desk.tell(.ended(handle, CallEnd(cause: .hungUp, by: .remote)))
        #expect(desk.signalling == ["call", "call", "transfer"])
        desk.tell(.transferProgress(handle, .succeeded(ok)))
        #expect(desk.signalling.last == "hangUp")
        desk.end(consultation, .hungUp)
        #expect(desk.exit == .success)
    }

    // MARK: - Being asked

    @Test func whatTheRulesAllowIsDoneAndTheCommandWaitsForIt() throws {
        var desk = try answering()
        var call = try desk.incoming("a")
        call.mayAnswerAutomatically = true
        desk.tell(.incomingCall(incoming, call))
        try desk.answer(incoming)
        desk.tell(.transferRequested(incoming, TransferRequest(target: try dave(), isAllowed: true)))
        #expect(desk.signalling == ["answer", "acceptTransfer"])
        // The referrer hangs up; the call that it asked for is what the command is now about.
        desk.tell(.ended(incoming, CallEnd(cause: .hungUp, by: .remote)))
        #expect(!desk.signalling.contains("shutDown"))
        let new = CallHandle(rawValue: 1)
        try desk.answer(new)
        desk.end(new, .hungUp)
        #expect(desk.exit == .success)
    }

    @Test func aScriptDeclinesWhatTheRulesDoNotAllow() throws {
        var desk = try answering()
        var call = try desk.incoming("a")
        call.mayAnswerAutomatically = true
        desk.tell(.incomingCall(incoming, call))
        try desk.answer(incoming)
        desk.tell(.transferRequested(incoming, TransferRequest(target: try dave())))
        #expect(desk.signalling == ["answer", "declineTransfer"])
    }

    @Test func aPersonIsAsked() throws {
        var desk = Desk()
        desk.tell(.incomingCall(incoming, try desk.incoming("a")))
        desk.coordinator.answer(incoming, at: desk.now)
        desk.drain()
        try desk.answer(incoming)
        desk.tell(.transferRequested(incoming, TransferRequest(target: try dave())))
        #expect(desk.signalling == ["ring", "answer"])
        desk.coordinator.acceptTransfer(incoming, at: desk.now)
        desk.drain()
        #expect(desk.signalling.last == "acceptTransfer")
        // What was decided is decided.
        desk.coordinator.declineTransfer(incoming)
        desk.drain()
        #expect(desk.signalling.last == "acceptTransfer")
    }

    @Test(arguments: [true, false])
    func aPeerThatHangsUpOnceItAskedIsStillAnswered(isTaken: Bool) throws {
        var desk = Desk()
        desk.tell(.incomingCall(incoming, try desk.incoming("a")))
        try desk.answer(incoming)
        desk.tell(.transferRequested(incoming, TransferRequest(target: try dave())))
        desk.tell(.ended(incoming, CallEnd(cause: .hungUp, by: .remote)))
        #expect(desk.coordinator.calls[incoming] != nil)
        if isTaken {
            desk.coordinator.acceptTransfer(incoming, at: desk.now)
        } else {
            desk.coordinator.declineTransfer(incoming)
        }
        desk.drain()
        #expect(desk.signalling.last == (isTaken ? "acceptTransfer" : "declineTransfer"))
        #expect(desk.coordinator.calls[incoming] == nil, "and then it is forgotten")
    }

    @Test func aRequestThatIsWithdrawnCanNotBeAccepted() throws {
        var desk = Desk()
        desk.tell(.incomingCall(incoming, try desk.incoming("a")))
        try desk.answer(incoming)
        desk.tell(.transferRequested(incoming, TransferRequest(target: try dave())))
        desk.tell(.transferWithdrawn(incoming))
        desk.coordinator.acceptTransfer(incoming, at: desk.now)
        desk.drain()
        #expect(!desk.signalling.contains("acceptTransfer"))
    }

    // MARK: - Being replaced

    @Test func aCallThatMayTakeThePlaceOfAnotherIsAnsweredAtOnce() throws {
        var desk = try answering { $0.after = .seconds(5) }
        var call = try desk.incoming("a")
        call.mayAnswerAutomatically = true
        desk.tell(.incomingCall(incoming, call))
        desk.pass(.seconds(5))
        try desk.answer(incoming)
        call = try desk.incoming("b")
        call.replacement = Replacement(call: incoming, isAllowed: true)
        desk.tell(.incomingCall(second, call))
        #expect(desk.signalling == ["ring", "answer", "answer"])
        try desk.answer(second)
        desk.tell(.ended(incoming, CallEnd(cause: .replaced, by: .remote)))
        #expect(desk.exit == nil)
        #expect(!desk.signalling.contains("shutDown"))
        desk.end(second, .hungUp)
        #expect(desk.exit == .success)
    }

    @Test func aPersonIsRungByWhoeverMayNotTakeAPlaceUnasked() throws {
        var desk = Desk()
        desk.tell(.incomingCall(incoming, try desk.incoming("a")))
        desk.coordinator.answer(incoming, at: desk.now)
        desk.drain()
        try desk.answer(incoming)
        var call = try desk.incoming("b")
        call.replacement = Replacement(call: incoming, isAllowed: false)
        desk.tell(.incomingCall(second, call))
        #expect(desk.signalling == ["ring", "answer", "ring"])
    }

    @Test func sendsCallersElsewhere() throws {
        var options = AnsweringOptions()
        options.redirect = "sip:dave@192.0.2.4"
        var plan = try AnsweringPlan(options, script: CallScript())
        plan.redirect(to: try dave())
        #expect(plan.status == 302)
        #expect(plan.script.headers.first(.contact) == "<sip:dave@192.0.2.4>")
        options.code = 486
        #expect(throws: CallScript.Fault.self) { try AnsweringPlan(options, script: CallScript()) }
    }
}
