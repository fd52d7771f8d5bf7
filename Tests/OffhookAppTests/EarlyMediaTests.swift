import EngineKit
import SIPUserAgent
import Testing

@testable import OffhookApp

@Suite struct EarlyMediaTests {
    private let first = EarlyDialogID(remoteTag: "first")
    private let second = EarlyDialogID(remoteTag: "second")

    private func instant(_ milliseconds: Int) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test func ringsBackAtOnceWithoutADescription() {
        var media = EarlyMedia()
        media.receiveProgress(isRinging: true, hasDescription: false, at: instant(0))
        #expect(media.isRingingBack)
    }

    @Test func keepsRingingBackUntilMediaIsReallyPlayed() {
        var media = EarlyMedia()
        media.receiveProgress(isRinging: true, hasDescription: false, at: instant(0))
        media.receiveProgress(isRinging: false, hasDescription: true, at: instant(100))
        #expect(media.isRingingBack, "a description alone is not heard")
        media.receiveMedia(of: first, at: instant(200))
        #expect(!media.isRingingBack && media.heard == first)
    }

    @Test func ringsBackWhenPromisedMediaDoesNotComeWithinASecond() {
        var media = EarlyMedia()
        media.receiveProgress(isRinging: false, hasDescription: true, at: instant(0))
        #expect(!media.isRingingBack)
        #expect(media.deadline == instant(1000))
        media.handleDeadline(at: instant(999))
        #expect(!media.isRingingBack)
        media.handleDeadline(at: instant(1000))
        #expect(media.isRingingBack)
    }

    @Test func ringsBackAgainWhenEarlyMediaFallsSilent() {
        var media = EarlyMedia()
        media.receiveProgress(isRinging: false, hasDescription: true, at: instant(0))
        media.receiveMedia(of: first, at: instant(500))
        media.handleDeadline(at: instant(1000))
        #expect(media.heard == first)
        media.handleDeadline(at: instant(1500))
        #expect(media.isRingingBack && media.heard == nil)
    }

    @Test func hearsTheDialogWhoseMediaCameLast() {
        var media = EarlyMedia()
        media.receiveProgress(isRinging: false, hasDescription: true, at: instant(0))
        media.receiveMedia(of: first, at: instant(100))
        media.receiveMedia(of: second, at: instant(200))
        #expect(media.heard == second)
    }

    @Test func isOverWithTheAnswer() {
        var media = EarlyMedia()
        media.receiveProgress(isRinging: true, hasDescription: false, at: instant(0))
        media.end()
        media.receiveMedia(of: first, at: instant(100))
        #expect(!media.isRingingBack && media.heard == nil && media.deadline == nil)
    }
}
