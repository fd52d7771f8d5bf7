import EngineKit
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
        case .heard(let source):
            receiveMedia(handle, from: source, at: now)
        case .digit(let digit, let milliseconds):
            calls[handle]?.run.receivedDigits.append(digit)
            self.report(handle, .digit(digit, sent: false, milliseconds: milliseconds))
        case .tone(let hertz, let level):
            calls[handle]?.run.heardTones.insert(hertz)
            self.report(handle, .tone(hertz: hertz, level: level))
        case .playFinished:
            finishPlaying(handle)
        case .playFailed(let problem), .recordFailed(let problem):
            fail(handle, with: .badInput, problem)
            hangUp(handle)
        case .silent(let seconds):
            self.report(handle, .mediaSilent(seconds: seconds))
            if seconds >= 30 { hangUp(handle) }
        case .statistics(let statistics):
            calls[handle]?.statistics = statistics
            if calls[handle]?.isUp == true { self.report(handle, .statistics(statistics)) }
        }
    }

    private mutating func receivePorts(_ handle: CallHandle, rtpPort: UInt16, rtcpPort: UInt16, at now: Instant) {
        guard var call = calls[handle], case .opening(let opening) = call.phase else { return }
        var media = localMedia
        media.rtpPort = rtpPort
        media.rtcpPort = rtcpPort
        call.localMedia = media
        call.hasPorts = true
        let plan = MediaPlan(
            recordPath: call.script?.recordPath, echoes: call.script?.echoes ?? false,
            expectedTones: call.script?.expectedTones ?? [], sendsMicrophone: call.script?.play == nil)
        emit(.media(.start(handle, plan)))
        switch opening {
        case .placing(let target, let account):
            call.phase = .calling
            calls[handle] = call
            emit(
                .signalling(
                    .call(
                        handle,
                        OutgoingCall(
                            account: account, target: target, headers: call.script?.headers ?? Headers(), media: media,
                            ringTimeout: call.script?.ringTimeout ?? .seconds(120)))))
            report(handle, .outgoing)
        case .answering:
            calls[handle] = call
            sendAnswer(handle)
        case .progressing:
            call.phase = .incoming
            calls[handle] = call
            emit(.signalling(.progress(handle, media)))
            startPlaying(handle)
        }
    }

    private mutating func failToOpen(_ handle: CallHandle, _ problem: String, at now: Instant) {
        guard let call = calls[handle], case .opening(let opening) = call.phase else { return }
        fail(handle, with: .internalError, problem)
        emit(.report(.warning(problem)))
        if case .placing = opening {
            finish(handle, CallEnd(cause: .unreachable, by: .local), at: now)
        } else {
            emit(.signalling(.reject(handle, 500, reason: nil, headers: Headers())))
        }
    }

    private mutating func receiveMedia(_ handle: CallHandle, from source: SocketAddress, at now: Instant) {
        guard var call = calls[handle] else { return }
        let isFirst = !call.hasHeardMedia
        call.hasHeardMedia = true
        if call.phase == .calling, let early = call.earlyDialog(sendingFrom: source) {
            let wasHeard = call.earlyMedia.heard
            call.earlyMedia.receiveMedia(of: early.dialog, at: now)
            calls[handle] = call
            if wasHeard != early.dialog {
                if call.earlyAgreements.count > 1 { emit(.media(.update(handle, early.agreement))) }
                report(handle, .early)
            }
            applyEarlyMedia(handle)
        } else {
            calls[handle] = call
        }
        guard isFirst, call.isUp else { return }
        setTimer(.mediaExpected, of: handle, at: nil)
        continueAfterMedia(handle, at: now)
    }

    private mutating func finishPlaying(_ handle: CallHandle) {
        guard let call = calls[handle], let script = call.script else { return }
        report(handle, .playFinished)
        switch script.afterPlaying {
        case .hangup: if call.isUp { hangUp(handle) }
        case .live: emit(.media(.live(handle)))
        case .loop, .silence: break
        }
    }

    /// Notes a fault of our own, which outweighs what the peer said.
    mutating func fail(_ handle: CallHandle, with status: ExitStatus, _ text: String) {
        guard calls[handle]?.run.fault == nil else { return }
        calls[handle]?.run.fault = status
        calls[handle]?.run.faultText = text
    }
}

extension Call {
    /// The early dialog whose description names the address that media came from; with one early dialog, that one:
    /// behind a NAT its address differs.
    func earlyDialog(sendingFrom source: SocketAddress) -> (dialog: EarlyDialogID, agreement: MediaAgreement)? {
        if let match = earlyAgreements.first(where: { $0.agreement.media.remoteRTP == source }) { return match }
        return earlyAgreements.count == 1 ? earlyAgreements.first : nil
    }
}
