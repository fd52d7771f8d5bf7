import EngineKit
import RTPMedia
import SDP
import SIPMessages
import SIPTransactions
import Testing

@testable import OffhookApp
@testable import SIPUserAgent

/// What a coordinator asked for and reported so far, in short words.
private struct Desk {
    var coordinator: CallCoordinator
    var now = Instant.zero
    var signalling: [String] = []
    var media: [String] = []
    var reports: [String] = []
    var exit: OffhookApp.ExitStatus?

    init(answering: AnsweringPlan? = nil) {
        coordinator = CallCoordinator(
            CallCoordinator.Settings(
                codecs: [.opus], accountNames: [AccountID(rawValue: 0): "me"], answering: answering))
    }

    mutating func tell(_ event: SIPUserAgent.Event) {
        coordinator.receive(event, at: now)
        drain()
    }

    mutating func tell(_ report: MediaReport, _ handle: CallHandle) {
        coordinator.receive(report, of: handle, at: now)
        drain()
    }

    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let deadline = coordinator.deadline, deadline <= end {
            now = deadline
            coordinator.handleDeadline(at: now)
            drain()
        }
        now = end
    }

    /// Ports are bound and media is closed at once, as the media engine does.
    mutating func drain() {
        while let output = coordinator.nextOutput() {
            switch output {
            case .signalling(let command): signalling.append("\(command)".prefixWord)
            case .media(.open(let handle)):
                coordinator.receive(.opened(rtpPort: 20000, rtcpPort: 20001), of: handle, at: now)
            case .media(.close(let handle)): coordinator.receive(.closed(nil), of: handle, at: now)
            case .media(.alert(_, let tone)): media.append("alert \(tone.map { "\($0)" } ?? "none")")
            case .media(let order): media.append("\(order)".prefixWord)
            case .report(let report): reports.append(report.event.name)
            case .finished(let status): exit = status
            }
        }
    }

    mutating func dial(_ script: CallScript? = CallScript()) throws -> CallHandle {
        coordinator.endsWithLastCall = true
        let uri = try URI(parsing: "sip:bob@192.0.2.7")
        let handle = coordinator.dial(uri, account: nil, script: script, at: now)
        drain()
        return handle
    }

    mutating func answer(_ handle: CallHandle, status: StatusCode = 200) throws {
        tell(.answered(handle, CallAnswer(status: status, reason: "OK", dialog: nil, headers: Headers())))
        tell(.mediaAgreed(handle, try agreement()))
        tell(.established(handle))
    }

    func agreement(direction: Direction = .sendReceive) throws -> MediaAgreement {
        let format = try #require(MediaFormat(payloadType: 0, encodingName: "PCMU", clockRate: 8000))
        let media = AgreedMedia(
            remoteRTP: SocketAddress(.v4(0xC000_0207), port: 30000), remoteRTCP: nil, rtcpMux: false,
            direction: direction, sendFormat: format, receiveFormats: [format], sendTelephoneEvent: nil,
            receiveTelephoneEvents: [], ptime: 20, localAddress: .loopback, localRTPPort: 20000,
            localRTCPPort: 20001)
        return MediaAgreement(
            media: media, signallingPeer: SocketAddress(.v4(0xC000_0207), port: 5060), mayTransmit: true)
    }

    func incoming(_ callID: String) throws -> IncomingCall {
        let party = NameAddress(uri: try URI(parsing: "sip:carol@192.0.2.9"))
        let local = SocketAddress(.v4(0xC000_0201), port: 5060)
        let remote = SocketAddress(.v4(0xC000_0209), port: 5060)
        return IncomingCall(
            account: AccountID(rawValue: 0), from: party, to: party, requestURI: party.uri, callID: callID,
            flow: Flow(transport: .udp, local: local, remote: remote), trust: .stranger,
            mayAnswerAutomatically: false, offer: nil, headers: Headers())
    }

    mutating func end(_ handle: CallHandle, _ cause: CallEnd.Cause, status: StatusCode? = nil) {
        tell(.ended(handle, CallEnd(cause: cause, by: .remote, status: status)))
        tell(.shutDownFinished)
    }
}

extension String {
    fileprivate var prefixWord: String { String(prefix { $0.isLetter }) }
}

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
        #expect(desk.exit == .badInput)
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

    @Test func failsWhereToneOrDigitsWereNotHeard() throws {
        var script = CallScript()
        script.expectedTone = 440
        script.expectedDigits = "12"
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        desk.tell(.heard, handle)
        desk.tell(.digit("1", milliseconds: 100), handle)
        desk.end(handle, .hungUp)
        #expect(desk.exit == .expectationFailed)
        #expect(desk.coordinator.failures.count == 2)
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

    @Test func ringsBackWithoutMediaAndStopsWithTheAnswer() throws {
        var desk = Desk()
        let handle = try desk.dial(nil)
        desk.tell(
            .ringing(handle, CallProgress(status: 180, reason: "Ringing", earlyDialog: nil, hasDescription: false)))
        #expect(desk.media.last == "alert ringback")
        try desk.answer(handle)
        #expect(desk.media.contains("alert none"))
    }

    @Test func ringsBackWhenEarlyMediaDoesNotCome() throws {
        var desk = Desk()
        let handle = try desk.dial(nil)
        let dialog = EarlyDialogID(remoteTag: "a")
        desk.tell(
            .ringing(
                handle, CallProgress(status: 183, reason: "Progress", earlyDialog: dialog, hasDescription: true)))
        desk.tell(.earlyMedia(handle, dialog, try desk.agreement()))
        desk.pass(.milliseconds(900))
        #expect(!desk.media.contains("alert ringback"))
        desk.pass(.milliseconds(200))
        #expect(desk.media.contains("alert ringback"))
        desk.tell(.heard, handle)
        #expect(desk.media.last == "alert none")
        #expect(desk.reports.contains("call.early"))
    }

    @Test func hearsEarlyMediaAsLongAsPacketsCome() throws {
        var desk = Desk()
        let handle = try desk.dial(nil)
        let dialog = EarlyDialogID(remoteTag: "a")
        desk.tell(
            .ringing(
                handle, CallProgress(status: 183, reason: "Progress", earlyDialog: dialog, hasDescription: true)))
        desk.tell(.earlyMedia(handle, dialog, try desk.agreement()))
        desk.tell(.heard, handle)
        for count in 1...20 {
            desk.pass(.milliseconds(200))
            var statistics = MediaStatistics()
            statistics.receivedPackets = UInt64(10 * count)
            desk.tell(.statistics(statistics), handle)
        }
        #expect(!desk.media.contains("alert ringback"))
        desk.pass(.seconds(2))
        #expect(desk.media.last { $0.hasPrefix("alert") } == "alert ringback")
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

    @Test func waitedInVainForCalls() throws {
        var desk = Desk(answering: try AnsweringPlan(AnsweringOptions(), script: CallScript()))
        desk.coordinator.timeOut(at: desk.now)
        desk.drain()
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .noAnswer)
    }

    @Test func followsTheEarlyDialogWhoseMediaBeganLast() throws {
        var desk = Desk()
        let handle = try desk.dial(nil)
        let first = EarlyDialogID(remoteTag: "first")
        let second = EarlyDialogID(remoteTag: "second")
        desk.tell(.earlyMedia(handle, first, try desk.agreement()))
        desk.tell(.heard, handle)
        var other = try desk.agreement()
        other.media.remoteRTP = SocketAddress(.v4(0xC000_0208), port: 30000)
        desk.tell(.earlyMedia(handle, second, other))
        #expect(desk.coordinator.calls[handle]?.listensTo == first)
        desk.tell(.sourceChanged(SocketAddress(.v4(0xC000_0208), port: 30000)), handle)
        #expect(desk.coordinator.calls[handle]?.listensTo == second)
        #expect(desk.coordinator.calls[handle]?.earlyMedia.heard == second)
    }

    @Test(arguments: [
        ("in.wav", 1, "in.wav"), ("in.wav", 2, "in-2.wav"), ("a.b/in", 3, "a.b/in-3"), ("a/.wav", 2, "a/.wav-2"),
    ])
    func keepsRecordingsOfSeveralCallsApart(path: String, number: Int, name: String) {
        #expect(CallCoordinator.recordingPath(path, ofCall: number) == name)
    }

    @Test func holdsTheOtherCallWhenAPersonPlacesOrResumesOne() throws {
        var desk = Desk()
        let first = try desk.dial(nil)
        try desk.answer(first)
        let second = try desk.dial(nil)
        #expect(desk.signalling == ["call", "hold", "call"])
        try desk.answer(second)
        desk.tell(.mediaAgreed(first, try desk.agreement(direction: .sendOnly)))
        desk.tell(.modified(first))
        #expect(desk.coordinator.calls[first]?.isHeldByUs == true)
        desk.coordinator.resume(first)
        desk.drain()
        #expect(desk.signalling.suffix(2) == ["hold", "resume"])
    }

    @Test func isReadyForMediaFromTheInviteOnAndStopsRingingBackWhenItComes() throws {
        var desk = Desk()
        let handle = try desk.dial(nil)
        var expected = try desk.agreement(direction: .receiveOnly)
        expected.media.remoteRTP = nil
        expected.mayTransmit = false
        desk.tell(.offered(handle, expected))
        #expect(desk.media == ["start", "update"])
        desk.tell(
            .ringing(handle, CallProgress(status: 180, reason: "Ringing", earlyDialog: nil, hasDescription: false)))
        #expect(desk.media.last == "alert ringback")
        desk.tell(.heard, handle)
        #expect(desk.media.last == "alert none")
        #expect(desk.reports.last == "call.early")
        desk.pass(.milliseconds(1_100))
        #expect(desk.media.last { $0.hasPrefix("alert") } == "alert ringback", "it stopped without an answer")
    }

    @Test func keepsTheDescribedMediaWhereTheOfferIsSentAgain() throws {
        var desk = Desk()
        let handle = try desk.dial(nil)
        desk.tell(.earlyMedia(handle, EarlyDialogID(remoteTag: "a"), try desk.agreement()))
        let orders = desk.media
        desk.tell(.offered(handle, try desk.agreement(direction: .receiveOnly)))
        #expect(desk.media == orders)
    }

    @Test func thirtySecondsWithoutMediaEndACallAndNoRinging() throws {
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

    @Test func beepsBehindACallThatIsUpAndRingsOnceItIsOver() throws {
        var desk = Desk()
        let first = CallHandle(rawValue: 0x8000_0001)
        let second = CallHandle(rawValue: 0x8000_0002)
        desk.tell(.incomingCall(first, try desk.incoming("a")))
        desk.tell(.incomingCall(second, try desk.incoming("b")))
        #expect(desk.coordinator.calls[first]?.alert == .ringing)
        #expect(desk.coordinator.calls[second]?.alert == .ringing)
        desk.coordinator.answer(first, at: desk.now)
        desk.drain()
        try desk.answer(first)
        #expect(desk.coordinator.calls[first]?.alert == nil)
        #expect(desk.coordinator.calls[second]?.alert == .callWaiting)
        desk.tell(.ended(first, CallEnd(cause: .hungUp, by: .remote)))
        #expect(desk.coordinator.calls[second]?.alert == .ringing)
        desk.coordinator.silence(second)
        desk.tell(.incomingCall(first, try desk.incoming("c")))
        #expect(desk.coordinator.calls[second]?.alert == nil, "silenced is silenced")
        #expect(desk.coordinator.calls[first]?.alert == .ringing)
    }

    @Test(arguments: [(true, OffhookApp.ExitStatus.noAnswer), (false, .network)])
    func tellsRingingInVainFromSilenceWhenTheTimeIsOver(rings: Bool, exit: OffhookApp.ExitStatus) throws {
        var desk = Desk()
        let handle = try desk.dial()
        if rings { desk.tell(.trying(handle)) }
        desk.coordinator.timeOut(at: desk.now)
        desk.drain()
        desk.tell(.ended(handle, CallEnd(cause: .shutDown, by: .local)))
        desk.tell(.shutDownFinished)
        #expect(desk.exit == exit)
    }

    @Test func aQuestionWithoutAnswerIsTheNetworksFault() {
        var desk = Desk()
        desk.coordinator.resultWithoutAnswer = .network
        desk.coordinator.timeOut(at: desk.now)
        desk.drain()
        desk.tell(.shutDownFinished)
        #expect(desk.exit == .network)
        #expect(desk.coordinator.failures == ["nothing came back within --timeout"])
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

    @Test(arguments: [(CallScript.PlayMoment.early, true), (.answered, false)])
    func playsToEarlyMediaWhereItIsToldTo(moment: CallScript.PlayMoment, isPlaying: Bool) throws {
        var script = CallScript()
        script.play = .tone(hertz: 440, level: -20)
        script.moment = moment
        var desk = Desk()
        let handle = try desk.dial(script)
        desk.tell(.earlyMedia(handle, EarlyDialogID(remoteTag: "a"), try desk.agreement()))
        #expect(desk.media.contains("play") == isPlaying)
        try desk.answer(handle)
        #expect(desk.media.filter { $0 == "play" }.count == 1)
    }

    @Test func aPersonHearsTheKeysAndAScriptDoesNot() throws {
        for script in [nil, CallScript()] {
            var desk = Desk()
            let handle = try desk.dial(script)
            desk.coordinator.sendDigits(handle, "5")
            desk.drain()
            #expect(!desk.media.contains("sendDigits"), "nobody to send them to yet")
            try desk.answer(handle)
            desk.coordinator.sendDigits(handle, "5")
            desk.drain()
            #expect(desk.media.contains("sendDigits"))
            #expect(desk.media.contains("soundKey") == (script == nil))
        }
    }
}
