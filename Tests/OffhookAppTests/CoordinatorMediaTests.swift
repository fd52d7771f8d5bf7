import EngineKit
import Proofs
import RTPMedia
import SDP
import SIPMessages
import SIPTransactions
import Testing

@testable import OffhookApp
@testable import SIPUserAgent

/// What is heard and what is held, before and after the answer.
@Suite struct CoordinatorMediaTests {
    @Test func ringsBackWithoutMediaAndStopsWithTheAnswer() throws {
        var desk = Desk()
        let handle = try desk.dial(nil)
        desk.tell(
            .ringing(handle, CallProgress(status: 180, reason: "Ringing", earlyDialog: nil, hasDescription: false)))
        #expect(desk.media.last == "alert ringback")
        try desk.answer(handle)
        #expect(desk.media.contains("alert none"))
    }

    private func refused(_ status: StatusCode, script: CallScript? = nil) throws -> Desk {
        var desk = Desk()
        let handle = try desk.dial(script)
        desk.coordinator.endsWithLastCall = false
        desk.tell(.ended(handle, CallEnd(cause: .refused, by: .remote, status: status)))
        return desk
    }

    @Test(arguments: [486, 600] as [StatusCode])
    func aPersonHearsABusyToneForAMoment(status: StatusCode) throws {
        var desk = try refused(status)
        #expect(desk.media == ["start", "alert busy"])
        desk.pass(.milliseconds(2_900))
        #expect(desk.media.last == "alert busy")
        desk.pass(.milliseconds(200))
        #expect(desk.media == ["start", "alert busy", "alert none"])
    }

    @Test func theBusyToneYieldsToTheNextCall() throws {
        var desk = try refused(486)
        _ = try desk.dial(nil)
        #expect(desk.media == ["start", "alert busy", "alert none", "start"])
        desk.pass(.seconds(5))
        #expect(desk.media.count == 4)
    }

    @Test func theBusyToneYieldsToACallThatRings() throws {
        var desk = try refused(486)
        desk.tell(.incomingCall(CallHandle(rawValue: 1000), try desk.incoming("x")))
        #expect(desk.media == ["start", "alert busy", "alert none", "alert ringing"])
    }

    @Test func neitherAnotherRefusalNorAScriptMakesABusyTone() throws {
        #expect(try !refused(404).media.contains("alert busy"))
        #expect(try !refused(603).media.contains("alert busy"))
        #expect(try !refused(486, script: CallScript()).media.contains("alert busy"))
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

    /// The coordinator misses the first packet, and the media engine notices the silence.
    @Test(arguments: [true, false]) func thatNothingComesIsToldOnce(isNoticedFirst: Bool) throws {
        var desk = Desk()
        let handle = try desk.dial()
        try desk.answer(handle)
        if isNoticedFirst { desk.tell(.silent(seconds: 5), handle) }
        desk.pass(.seconds(5))
        if !isNoticedFirst { desk.tell(.silent(seconds: 5), handle) }
        #expect(desk.reports.filter { $0 == "warning" }.count == 1)
        desk.tell(.silent(seconds: 30), handle)
        #expect(desk.reports.filter { $0 == "warning" }.count == 2)
        desk.end(handle, .hungUp)
        #expect(desk.exit == .noMedia)
    }

    @Test func everySilenceAfterMediaIsTold() throws {
        var desk = Desk()
        let handle = try desk.dial()
        try desk.answer(handle)
        for count in 1...3 {
            desk.tell(.heard, handle)
            desk.tell(.silent(seconds: 5), handle)
            #expect(desk.reports.filter { $0 == "warning" }.count == count)
        }
    }

    @Test func whoIsToWaitHearsNothingBeforeItAgreedTo() throws {
        var desk = Desk()
        let handle = try desk.dial(nil)
        try desk.answer(handle)
        desk.media = []
        desk.coordinator.hold(handle)
        #expect(desk.muting(of: handle) == true)
        desk.tell(.modifyFailed(handle, 488))
        #expect(desk.muting(of: handle) == false, "the call goes on as it was")
        desk.coordinator.setMuted(handle, true)
        desk.coordinator.hold(handle)
        desk.tell(.modifyFailed(handle, 488))
        #expect(desk.muting(of: handle) == true)
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

    @Test func whoWasHeldForACallThatIsNotAnsweredIsTalkedToAgain() throws {
        var desk = Desk()
        let first = try desk.dial(nil)
        try desk.answer(first)
        let second = try desk.dial(nil)
        desk.tell(.mediaAgreed(first, try desk.agreement(direction: .sendOnly)))
        desk.tell(.modified(first))
        // One more is tried before the second has come to nothing: the first waits for that one then.
        let third = try desk.dial(nil)
        desk.tell(.ended(second, CallEnd(cause: .refused, by: .remote, status: 404, reason: "Not Found")))
        #expect(desk.signalling == ["call", "hold", "call", "call"])
        desk.tell(.ended(third, CallEnd(cause: .timedOut, by: .remote)))
        #expect(desk.signalling.last == "resume")
    }

    @Test func whoWasHeldForACallThatWasAnsweredWaitsOn() throws {
        var desk = Desk()
        let first = try desk.dial(nil)
        try desk.answer(first)
        let second = try desk.dial(nil)
        desk.tell(.mediaAgreed(first, try desk.agreement(direction: .sendOnly)))
        desk.tell(.modified(first))
        try desk.answer(second)
        desk.tell(.ended(second, CallEnd(cause: .hungUp, by: .remote)))
        #expect(desk.signalling == ["call", "hold", "call"])
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

    /// Who answers so long after an INVITE, and plays before that; the INVITE has come.
    private func playingEarly(
        after: Duration, timeOut: Duration? = nil, bindsAtOnce: Bool = true
    ) throws -> (Desk, CallHandle) {
        var script = CallScript()
        script.play = .tone(hertz: 440, level: -20)
        script.moment = .early
        script.ringTimeout = timeOut
        var options = AnsweringOptions()
        options.after = after
        var desk = Desk(.plan(try AnsweringPlan(options, script: script)))
        desk.bindsAtOnce = bindsAtOnce
        let handle = CallHandle(rawValue: 1 << 31)
        var call = try desk.incoming("x")
        call.mayAnswerAutomatically = true
        call.takesEarlyMedia = true
        desk.tell(.incomingCall(handle, call))
        return (desk, handle)
    }

    /// The time to answer may come while the ports for what is played before are on their way.
    @Test func earlyMediaThatComesTooLateIsNoReasonNotToAnswer() throws {
        var (desk, handle) = try playingEarly(after: .zero, bindsAtOnce: false)
        desk.pass(.milliseconds(1))
        #expect(desk.signalling.isEmpty)
        desk.tell(.opened(rtpPort: 20000, rtcpPort: 20001), handle)
        #expect(desk.signalling == ["answer"])
        #expect(desk.media.filter { $0 == "open" }.count == 1)
    }

    @Test func nobodyRingsLongerThanItMayWhileItsPortsAreOnTheirWay() throws {
        var (desk, _) = try playingEarly(after: .seconds(3), timeOut: .seconds(1), bindsAtOnce: false)
        desk.pass(.seconds(2))
        #expect(desk.signalling == ["reject"])
    }

    @Test(.proves(.clause("RFC 3262 §5")), arguments: [true, false])
    func callersHearUsEarlyAsSoonAsMediaIsAgreedOn(hasOffer: Bool) throws {
        var (desk, handle) = try playingEarly(after: .seconds(3))
        #expect(desk.signalling == ["progress"])
        #expect(!desk.media.contains("play"), "nobody to hear it yet")
        // At once with our 183, or with the PRACK that answers the offer in it.
        if !hasOffer { desk.pass(.seconds(1)) }
        desk.tell(.earlyMedia(handle, EarlyDialogID(remoteTag: "a"), try desk.agreement()))
        #expect(desk.media.suffix(2) == ["update", "play"])
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

    @Test(arguments: [
        (DigitMode.auto, true, false), (.auto, false, true), (.info, true, true), (.rtp, false, false),
        (.inband, false, false),
    ]) func digitsGoByInfoWhereThePeerTakesNoEventsOrTheScriptSaysSo(
        mode: DigitMode, takesEvents: Bool, isByInfo: Bool
    ) throws {
        var script = CallScript()
        script.digits = "1,w2"
        script.digitMode = mode
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle, takesEvents: takesEvents)
        #expect(desk.signalling.contains("sendDigits") == isByInfo)
        #expect(desk.media.contains("sendDigits") == !isByInfo)
    }
}
