import EngineKit
import MediaRuntime
import RTPMedia
import SDP
import SIPMessages
import SIPUserAgent

/// What the media engine tells about a call.
extension CallCoordinator {
    mutating func receive(_ report: MediaReport, of handle: CallHandle, at now: Instant) {
        switch report {
        case .opened(let rtpPort, let rtcpPort):
            receivePorts(handle, rtpPort: rtpPort, rtcpPort: rtcpPort, at: now)
        case .openFailed(let problem):
            failToOpen(handle, problem, at: now)
        case .heard:
            receiveMedia(handle, at: now)
        case .sourceChanged(let source):
            followEarlyMedia(handle, to: source, at: now)
        case .digit(let digit, let way, let milliseconds):
            guard calls[handle]?.hear(digit.character, DigitMode(way), at: now) == true else { return }
            self.report(handle, .digit(digit.character, sent: false, DigitMode(way), milliseconds: milliseconds))
        case .digitSent(let digit, let way, let milliseconds):
            self.report(handle, .digit(digit.character, sent: true, DigitMode(way), milliseconds: milliseconds))
        case .noticed(let sound):
            notice(sound, in: handle, at: now)
        case .playFinished(let afterwards):
            self.report(handle, .playFinished)
            if afterwards == .hangUp { hangUp(handle) }
        case .playFailed(let problem):
            fail(handle, with: .badInput, problem)
            hangUp(handle)
        case .startFailed(let problem):
            fail(handle, with: .internalError, problem)
            emit(.report(.warning(problem)))
            hangUp(handle)
        case .recordFailed(let problem):
            // A full disk is no reason to hang up on somebody who is speaking.
            fail(handle, with: .resultsLost, problem)
            emit(.report(.warning("\(problem); the call goes on without a recording")))
        case .silent(let seconds):
            loseMedia(handle, after: seconds)
        case .closed(let statistics):
            // A call that was refused unheard has no figures, though its media was made ready.
            if let statistics, calls[handle]?.hasAgreed == true || statistics.receivedPackets > 0 {
                calls[handle]?.statistics = statistics
            }
            conclude(handle)
        case .statistics(let statistics):
            receiveStatistics(statistics, of: handle, at: now)
        }
    }

    /// What was listened for and heard.
    private mutating func notice(_ sound: HeardSound, in handle: CallHandle, at now: Instant) {
        guard let call = calls[handle], let script = call.script else { return }
        switch sound {
        case .tone(let level):
            guard let hertz = script.expectedTone else { return }
            calls[handle]?.run.hasHeardTone = true
            report(handle, .tone(hertz: hertz, level: level))
        case .speech:
            calls[handle]?.run.hasHeardSpeech = true
            report(handle, .speech)
        case .sound(let level):
            // The last of what rang before the answer may still be in the jitter buffer.
            guard let answeredAt = call.answeredAt, now - answeredAt >= .milliseconds(500), call.run.soundLevel == nil
            else { return }
            calls[handle]?.run.soundLevel = level
            report(handle, .sound(level: level))
        }
    }

    private mutating func receivePorts(_ handle: CallHandle, rtpPort: UInt16, rtcpPort: UInt16, at now: Instant) {
        guard var call = calls[handle], case .opening(let opening) = call.phase else { return }
        var media = localMedia
        media.rtpPort = rtpPort
        media.rtcpPort = rtcpPort
        call.localMedia = media
        call.hasPorts = true
        var options = call.script?.mediaOptions ?? MediaCallOptions()
        if let path = options.recording?.path {
            options.recording?.path = Self.recordingPath(path, ofCall: call.identity.number)
        }
        emit(.media(.start(handle, options)))
        switch opening {
        case .placing(let target, let account):
            call.phase = .calling
            calls[handle] = call
            if let referrer = call.continues {
                return emit(
                    .signalling(
                        .acceptTransfer(
                            referrer, as: handle, media, ringTimeout: call.script?.ringTimeout ?? .seconds(120))))
            }
            emit(
                .signalling(
                    .call(
                        handle,
                        OutgoingCall(
                            account: account, target: target, headers: call.script?.headers ?? Headers(), media: media,
                            ringTimeout: call.script?.ringTimeout ?? .seconds(120),
                            redirectionLimit: call.script?.redirections ?? 0))))
        case .answering:
            calls[handle] = call
            sendAnswer(handle)
        case .progressing:
            call.phase = .incoming
            calls[handle] = call
            emit(.signalling(.progress(handle, media, automatic: call.isAnsweredAutomatically)))
        }
    }

    /// Several calls do not share a recording: the second of `in.wav` is `in-2.wav`.
    static func recordingPath(_ path: String, ofCall number: Int) -> String {
        guard number > 1 else { return path }
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "\(path)-\(number)" }
        return "\(path[..<dot])-\(number)\(path[dot...])"
    }

    private mutating func failToOpen(_ handle: CallHandle, _ problem: String, at now: Instant) {
        guard let call = calls[handle], case .opening(let opening) = call.phase else { return }
        fail(handle, with: .internalError, problem)
        emit(.report(.warning(problem)))
        if case .placing = opening {
            finish(handle, CallEnd(cause: .unreachable, by: .local, reason: problem), at: now)
        } else {
            emit(.signalling(.reject(handle, 500, reason: nil, headers: Headers())))
        }
    }

    private mutating func receiveMedia(_ handle: CallHandle, at now: Instant) {
        guard var call = calls[handle] else { return }
        let isFirst = !call.hasHeardMedia
        call.hasHeardMedia = true
        calls[handle] = call
        if call.phase == .calling { hearEarlyMedia(handle, at: now) }
        if isFirst { setTimer(.mediaExpected, of: handle, at: nil) }
    }

    /// Nothing has come from the peer for so long; after 30 s the call is given up (ROBUSTNESS row 43). Before the
    /// answer nothing need come: the peer rings.
    private mutating func loseMedia(_ handle: CallHandle, after seconds: Int) {
        guard calls[handle]?.isUp == true else { return }
        warnOfSilence(handle, seconds: seconds)
        guard seconds >= 30 else { return }
        fail(handle, with: .noMedia, "no media from the peer for \(seconds) s")
        hangUp(handle)
    }

    /// Media comes before the answer: it is that of the early dialog that the media engine listens to, or came before
    /// any description did.
    private mutating func hearEarlyMedia(_ handle: CallHandle, at now: Instant) {
        guard var call = calls[handle] else { return }
        let isNew = !call.earlyMedia.isPlaying || call.earlyMedia.heard != call.listensTo
        call.earlyMedia.receiveMedia(of: call.listensTo, at: now)
        calls[handle] = call
        if isNew {
            report(handle, .early)
            setTimer(.earlyMedia, of: handle, at: now + Self.earlyMediaInterval)
        }
        applyEarlyMedia(handle)
    }

    /// Has the media engine play the early dialog that the call listens to, and watch the others.
    mutating func listen(_ handle: CallHandle) {
        guard let call = calls[handle],
            let agreement = call.earlyAgreements.first(where: { $0.dialog == call.listensTo })?.agreement
        else { return }
        var alternates = AlternateSources()
        for early in call.earlyAgreements where early.dialog != call.listensTo {
            if let source = early.agreement.media.remoteRTP { alternates.insert(source) }
        }
        emit(.media(.update(handle, agreement, alternates: alternates)))
    }

    /// Another early dialog has begun to send, and is heard from now on.
    private mutating func followEarlyMedia(_ handle: CallHandle, to source: SocketAddress, at now: Instant) {
        guard let call = calls[handle], call.phase == .calling,
            let early = call.earlyAgreements.first(where: { $0.agreement.media.remoteRTP == source }),
            early.dialog != call.listensTo
        else { return }
        calls[handle]?.listensTo = early.dialog
        listen(handle)
        hearEarlyMedia(handle, at: now)
    }

    private mutating func receiveStatistics(_ statistics: MediaStatistics, of handle: CallHandle, at now: Instant) {
        guard let call = calls[handle] else { return }
        let isGrowing = statistics.receivedPackets > call.statistics?.receivedPackets ?? 0
        calls[handle]?.statistics = statistics
        if call.isUp { report(handle, .statistics(statistics)) }
        if call.phase == .calling, call.hasHeardMedia, isGrowing { hearEarlyMedia(handle, at: now) }
    }

    /// Notes a fault of our own, which outweighs what the peer said.
    mutating func fail(_ handle: CallHandle, with status: ExitStatus, _ text: String) {
        guard calls[handle]?.run.fault == nil else { return }
        calls[handle]?.run.fault = status
        calls[handle]?.run.faultText = text
    }
}
