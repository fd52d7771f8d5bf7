import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import Testing

@testable import OffhookApp
@testable import SIPUserAgent

/// How calls and scripts end, and with which status.
@Suite struct CallCoordinatorTests {
    @Test func playsAndSendsDigitsOnlyOnceMediaStands() throws {
        var script = CallScript()
        script.play = .tone(hertz: 440, level: -20)
        script.digits = "12"
        var desk = Desk()
        let handle = try desk.dial(script)
        #expect(desk.signalling == ["call"])
        desk.tell(.answered(handle, CallAnswer(status: 200, reason: "OK", dialog: nil, headers: Headers())))
        #expect(!desk.media.contains("play"), "the answer alone gives no media to play into")
        desk.tell(.mediaAgreed(handle, try desk.agreement()))
        #expect(desk.media == ["start", "update", "play", "sendDigits"])
    }

    @Test(arguments: [
        (486, OffhookApp.ExitStatus.busy), (404, .notFound), (603, .declined), (503, .serverFailure),
        (302, .redirected),
        (407, .authenticationFailed), (488, .noCommonMedia), (480, .noAnswer),
    ])
    func endsWithWhatTheFinalResponseStandsFor(status: Int, exit: OffhookApp.ExitStatus) throws {
        var desk = Desk()
        let handle = try desk.dial()
        desk.end(handle, .refused, status: StatusCode(status))
        #expect(desk.exit == exit)
        #expect(desk.reports.last == "verdict")
    }

    @Test func countsAnExpectedRefusalAsSuccess() throws {
        var script = CallScript()
        script.expectedStatus = 486
        var desk = Desk()
        let handle = try desk.dial(script)
        desk.end(handle, .refused, status: 486)
        #expect(desk.exit == .success)
    }

    @Test func hangsUpOnAnAnswerThatWasNotExpected() throws {
        var script = CallScript()
        script.expectedStatus = 486
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        #expect(desk.signalling.contains("hangUp"))
        desk.end(handle, .hungUp)
        #expect(desk.exit == .expectationFailed)
    }

    @Test func saysThatNoMediaCameWithinFiveSeconds() throws {
        var desk = Desk()
        let handle = try desk.dial()
        try desk.answer(handle)
        desk.pass(.seconds(6))
        desk.end(handle, .hungUp)
        #expect(desk.exit == .noMedia)
    }

    @Test func registrationIsReportedWithWhatItIsReachedBy() throws {
        var desk = Desk()
        let account = AccountID(rawValue: 0)
        let contact = SIPURI(user: "a", host: .name("192.0.2.1"))
        let flow = Flow(
            transport: .udp, local: SocketAddress(.v4(0xc000_0201), port: 5060),
            remote: SocketAddress(.v4(0xc000_0209), port: 5060))
        let binding = RegistrationBinding(
            contact: contact, flow: flow, isOutbound: true, publicGRUU: nil, temporaryGRUU: nil)
        func report(_ events: SIPUserAgent.Event...) throws -> PhoneReport {
            for event in events { desk.coordinator.receive(event, at: desk.now) }
            var last: PhoneReport?
            while let output = desk.coordinator.nextOutput() {
                if case .report(let report) = output { last = report }
            }
            return try #require(last)
        }
        let registered = try report(
            .registrationBound(account, binding), .registration(account, .registered(expires: 60)))
        #expect(
            JSON.object(registered.event.members).description.hasSuffix(
                #""expires":60,"contact":"sip:a@192.0.2.1","transport":"udp","local":"192.0.2.1:5060","#
                    + #""remote":"192.0.2.9:5060","outbound":true,"gruu":null,"temp_gruu":null}"#))
        let failed = try report(.registration(account, .failed(500, reason: "x", retryAfter: .seconds(40))))
        #expect(failed.text.hasSuffix("500 x; again in 40 s"))
        #expect(failed.withoutRetry.text.hasSuffix("500 x"))
    }

    @Test func goesOnWithACallWhoseRecordingFails() throws {
        var script = CallScript()
        script.recordPath = "call.wav"
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        desk.tell(.heard, handle)
        desk.tell(.recordFailed("no space left"), handle)
        #expect(desk.reports.last == "warning")
        #expect(!desk.signalling.contains("hangUp"))
        desk.end(handle, .hungUp)
        #expect(desk.exit == .resultsLost)
    }

    @Test func doesNotMissMediaThatWasNotPromised() throws {
        var desk = Desk()
        let handle = try desk.dial()
        try desk.answer(handle)
        desk.tell(.mediaAgreed(handle, try desk.agreement(direction: .sendOnly)))
        desk.pass(.seconds(6))
        desk.end(handle, .hungUp)
        #expect(desk.exit == .success)
    }

    @Test(
        arguments: [(488, .noCommonMedia), (501, .serverFailure), (nil, .network)]
            as [(Int?, OffhookApp.ExitStatus)])
    func failsWhereDigitsAreRefused(status: Int?, exit: OffhookApp.ExitStatus) throws {
        var script = CallScript()
        script.digits = "12"
        script.digitMode = .info
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        desk.tell(.heard, handle)
        let digit = try #require(SignalledDigit("1"))
        desk.tell(.digitsRefused(handle, digit, status.flatMap { StatusCode($0) }, reason: "Not Here"))
        desk.end(handle, .hungUp)
        #expect(desk.exit == exit)
        #expect(desk.coordinator.failures.count == 1)
    }

    @Test(
        arguments: [
            ("1", .rtp, .expectationFailed), (",", .rtp, .success), ("1", .inband, .success),
        ] as [(String, DigitMode, OffhookApp.ExitStatus)])
    func failsWhereDigitsAreToBeEventsThatThePeerDoesNotTake(
        digits: String, mode: DigitMode, exit: OffhookApp.ExitStatus
    ) throws {
        var script = CallScript()
        script.digits = digits
        script.digitMode = mode
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle, takesEvents: false)
        desk.tell(.heard, handle)
        desk.end(handle, .hungUp)
        #expect(desk.exit == exit)
    }

    /// Mostly the call is judged by the time that its peer refuses the BYE, or has not answered it.
    @Test(.proves(.row(56)), arguments: [false, true])
    func failsWhereThePeerDidNotTakeTheHangUp(isJudged: Bool) throws {
        var desk = Desk()
        let handle = try desk.dial()
        try desk.answer(handle)
        let warning = UserAgentWarning.hangUpNotTaken(
            handle, peer: try URI(parsing: "sip:bob@192.0.2.7"), "500 Server Internal Error")
        if !isJudged { desk.tell(.warning(warning)) }
        desk.tell(.ended(handle, CallEnd(cause: .hungUp, by: .local)))
        if isJudged { desk.tell(.warning(warning)) }
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .network)
        #expect(desk.reports.contains("warning"))
    }

    @Test func hangsUpAfterTheDuration() throws {
        var script = CallScript()
        script.duration = .seconds(3)
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        desk.pass(.milliseconds(2999))
        #expect(!desk.signalling.contains("hangUp"))
        desk.pass(.milliseconds(1))
        #expect(desk.signalling.contains("hangUp"))
    }

    @Test func endsWithTheSignalThatEndedIt() throws {
        var desk = Desk()
        let handle = try desk.dial()
        try desk.answer(handle)
        desk.coordinator.end(.signal(15))
        desk.drain()
        #expect(desk.signalling.last == "shutDown")
        desk.end(handle, .shutDown)
        #expect(desk.exit == .signal(15))
    }

    /// An answer that comes after it makes no success of that.
    @Test func whatComesAfterTheSignalIsNotWhatItCameTo() {
        var desk = Desk()
        desk.coordinator.end(.signal(15))
        desk.coordinator.end(.success)
        desk.drain()
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .signal(15))
    }

    @Test func waitedInVainForCalls() throws {
        var desk = Desk(.plan(try AnsweringPlan(AnsweringOptions(), script: CallScript())))
        desk.coordinator.timeOut()
        desk.drain()
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .noAnswer)
    }

    @Test(arguments: [
        (Account.AnswerPolicy.ask, true, "ring"), (.automatic, true, "answer"), (.automatic, false, "ring"),
        (.busy, true, "reject"),
    ])
    func anAccountSaysHowItsCallsAreTaken(policy: Account.AnswerPolicy, mayAnswer: Bool, command: String) throws {
        var desk = Desk(.person([AccountID(rawValue: 0): policy]))
        var incoming = try desk.incoming("first")
        incoming.mayAnswerAutomatically = mayAnswer
        desk.tell(.incomingCall(CallHandle(rawValue: 1 << 31), incoming))
        #expect(desk.signalling == [command])
    }

    @Test(.proves(.rule(1), .incident(75)))
    func nobodyIsPutThroughUnaskedDuringACall() throws {
        var desk = Desk(.person([AccountID(rawValue: 0): .automatic]))
        let own = try desk.dial(nil)
        try desk.answer(own)
        var incoming = try desk.incoming("second")
        incoming.mayAnswerAutomatically = true
        desk.tell(.incomingCall(CallHandle(rawValue: 1 << 31), incoming))
        #expect(desk.signalling.last == "ring")
    }

    @Test(.proves(.rule(1)))
    func anAutomaticAnswerThatIsDeniedRings() throws {
        var desk = Desk(.person([AccountID(rawValue: 0): .automatic]))
        let handle = CallHandle(rawValue: 1 << 31)
        var incoming = try desk.incoming("first")
        incoming.mayAnswerAutomatically = true
        desk.tell(.incomingCall(handle, incoming))
        desk.tell(.warning(.automaticAnswerDenied(handle)))
        #expect(desk.signalling == ["answer", "ring"])
        #expect(desk.coordinator.calls[handle]?.isRinging == true)
    }

    @Test func aCallerDoesNotKeepACommandThatHasAnotherPurpose() throws {
        var desk = Desk(.nobody)
        desk.coordinator.endsWithLastCall = true
        let stranger = CallHandle(rawValue: 1 << 31)
        desk.tell(.incomingCall(stranger, try desk.incoming("stranger")))
        #expect(desk.signalling == ["reject"])
        desk.tell(.ended(stranger, CallEnd(cause: .refused, by: .local, status: 486)))
        let handle = try desk.dial()
        let another = CallHandle(rawValue: 1 << 31 + 1)
        desk.tell(.incomingCall(another, try desk.incoming("another")))
        desk.tell(.ended(handle, CallEnd(cause: .refused, by: .remote, status: 486)))
        #expect(desk.signalling.last == "shutDown")
        desk.end(another, .refused, status: 486)
        #expect(desk.exit == .busy)
    }

    @Test(arguments: [
        ("in.wav", 1, "in.wav"), ("in.wav", 2, "in-2.wav"), ("a.b/in", 3, "a.b/in-3"), ("a/.wav", 2, "a/.wav-2"),
    ])
    func keepsRecordingsOfSeveralCallsApart(path: String, number: Int, name: String) {
        #expect(CallCoordinator.recordingPath(path, ofCall: number) == name)
    }

    @Test(.proves(.row(43)))
    func thirtySecondsWithoutMediaEndACallAndNoRinging() throws {
        var desk = Desk()
        let handle = try desk.dial()
        desk.tell(.earlyMedia(handle, EarlyDialogID(remoteTag: "a"), try desk.agreement()))
        desk.tell(.silent(seconds: 30), handle)
        #expect(!desk.signalling.contains("hangUp"))
        try desk.answer(handle)
        desk.tell(.heard, handle)
        desk.tell(.silent(seconds: 5), handle)
        #expect(!desk.signalling.contains("hangUp"))
        desk.tell(.silent(seconds: 30), handle)
        #expect(desk.signalling.last == "hangUp")
        desk.end(handle, .hungUp)
        #expect(desk.exit == .noMedia)
        #expect(desk.coordinator.failures == ["c1: no media from the peer for 30 s"])
    }

    @Test(arguments: [(true, OffhookApp.ExitStatus.noAnswer), (false, .network)])
    func tellsRingingInVainFromSilenceWhenTheTimeIsOver(rings: Bool, exit: OffhookApp.ExitStatus) throws {
        var desk = Desk()
        let handle = try desk.dial()
        if rings { desk.tell(.trying(handle)) }
        desk.coordinator.timeOut()
        desk.drain()
        desk.tell(.ended(handle, CallEnd(cause: .shutDown, by: .local)))
        desk.tell(.shutDownFinished)
        #expect(desk.exit == exit)
    }

    @Test(
        arguments: [
            (CallCoordinator.Unmet(exit: .network), "nothing came back within --timeout"),
            (CallCoordinator.Unmet(exit: .registrationFailed, cause: "503 Full"), "503 Full"),
        ])
    func aQuestionWithoutItsAnswerComesToWhatCameBack(unmet: CallCoordinator.Unmet, cause: String) {
        var desk = Desk()
        desk.coordinator.unmet = unmet
        desk.coordinator.timeOut()
        desk.drain()
        desk.tell(.shutDownFinished)
        #expect(desk.exit == unmet.exit)
        #expect(desk.coordinator.failures == [cause])
    }

    @Test func aCallThatWasRefusedForItsMediaIsAFailure() throws {
        var options = AnsweringOptions()
        options.count = 1
        for (cause, exit) in [
            (.mediaRefused, .noCommonMedia), (.refused, .noAnswer), (.cancelled, .noAnswer),
        ] as [(CallEnd.Cause, OffhookApp.ExitStatus)] {
            var desk = Desk(.plan(try AnsweringPlan(options, script: CallScript())))
            let handle = CallHandle(rawValue: CallHandle.firstIncoming)
            desk.tell(.incomingCall(handle, try desk.incoming("a")))
            desk.end(handle, cause, status: 488)
            #expect(desk.exit == exit)
        }
    }

    @Test func aListIsToldWithoutItsEmptyElements() throws {
        var headers = Headers()
        for (name, value) in [
            (HeaderName.allow, ""), (.allow, "INVITE,ACK , ,"), (.supported, " a , b"), (.supported, ","),
            (.accept, #"text/plain;x="a,\"b" ,*/*"#), (.server, "a (b, c), d"),
        ] {
            try headers.append(name, value)
        }
        let answer = RequestAnswer(
            method: .options, status: 200, reason: "OK", roundTrip: .milliseconds(1), headers: headers, body: [])
        let report = PhoneReport.answered(target: "sip:x@192.0.2.9", answer)
        let members = JSON.object(report.event.members).description
        #expect(
            members.hasSuffix(
                #""allow":"INVITE, ACK","supported":"a, b","accept":"text/plain;x=\"a,\\\"b\", */*","#
                    + #""server":"a (b, c), d"}"#))
        #expect(report.text.contains("Allow: INVITE, ACK; Supported: a, b; "))
    }

    @Test func theVerdictIsTheLastWord() {
        var desk = Desk()
        desk.coordinator.end()
        desk.drain()
        desk.tell(.shutDownFinished)
        let count = desk.reports.count
        desk.tell(.subscription(SubscriptionHandle(rawValue: 1), .ended(nil, reason: "unsubscribed")))
        desk.tell(.warning(.commandIgnored))
        #expect(desk.reports.count == count)
    }

    @Test func aCallThatCanHaveNoMediaIsAFaultOfOurOwn() throws {
        var desk = Desk()
        let handle = try desk.dial()
        try desk.answer(handle)
        desk.tell(.startFailed("media: 16 calls are up already"), handle)
        #expect(desk.signalling.last == "hangUp")
        desk.end(handle, .hungUp)
        #expect(desk.exit == .internalError)
    }
}
