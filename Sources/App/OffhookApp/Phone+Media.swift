import EngineKit
import MediaRuntime
import RTPMedia
import SIPMessages
import SIPRuntime
import SIPUserAgent

/// The media side of a phone: what the coordinator orders, and what the media engine tells.
extension Phone {
    func carryOut(_ order: MediaOrder) {
        switch order {
        case .open(let handle): open(handle)
        case .start(let handle, let plan): plans[handle] = plan
        case .update(let handle, let agreement, let alternates): update(handle, agreement, alternates)
        case .close(let handle): close(handle)
        case .play(let handle): media.beginPlaying(handle.rawValue)
        case .sendDigits(let handle, let digits):
            // Checked where it came in.
            try? media.sendDigits(handle.rawValue, digits)
        case .soundKey(let key):
            if let digit = DTMFDigit(key) { media.soundKey(digit) }
        case .mute(let handle, let isMuted): media.setMuted(handle.rawValue, isMuted)
        case .conference(let handle, let number): media.setConference(handle.rawValue, number)
        case .reportStatistics(let handle):
            guard let statistics = media.statistics(handle.rawValue) else { return }
            tell(.statistics(statistics), of: handle)
        case .alert(let handle, let tone): setAlert(tone, of: handle)
        }
    }

    /// One tone of each kind is heard, however many calls make it.
    private func setAlert(_ tone: AlertTone?, of handle: CallHandle) {
        let before = Set(alerts.values)
        alerts[handle] = tone
        let after = Set(alerts.values)
        for tone in before.subtracting(after) { engine(of: tone).stopTone(tone.localTone) }
        for tone in after.subtracting(before) { engine(of: tone).startTone(tone.localTone) }
    }

    private func engine(of tone: AlertTone) -> MediaEngine {
        tone == .ringing ? ringer ?? media : media
    }

    private func tell(_ report: MediaReport, of handle: CallHandle) {
        coordinator.receive(report, of: handle, at: SystemClock.now)
    }

    private func open(_ handle: CallHandle) {
        do {
            let pair = try media.bindPorts(address: settings.mediaAddress)
            ports[handle] = pair
            tell(.opened(rtpPort: pair.rtp.port, rtcpPort: pair.rtcp.port), of: handle)
        } catch {
            tell(.openFailed("no RTP ports: \(error)"), of: handle)
        }
    }

    private func update(_ handle: CallHandle, _ agreement: MediaAgreement, _ alternates: AlternateSources) {
        let number = running[handle].map { $0 &+ 1 } ?? 0
        let isTrusted = coordinator.isPeerTrusted(handle)
        guard
            var configuration = MediaConfiguration(
                agreement, descriptionNumber: number, isPeerTrusted: isTrusted)
        else { return }
        configuration.alternates = alternates
        configuration.opusSettings = settings.opus
        configuration.hasDigitsInSound = coordinator.hasDigitsInSound(handle)
        if running[handle] != nil {
            running[handle] = number
            return media.update(handle.rawValue, configuration: configuration)
        }
        guard let pair = ports[handle] else { return }
        do {
            try media.startSession(
                id: handle.rawValue, ports: pair, configuration: configuration,
                options: plans[handle] ?? MediaCallOptions())
            running[handle] = number
        } catch {
            if case .audio = error {
                tell(.playFailed("\(error)"), of: handle)
            } else {
                tell(.startFailed("\(error)"), of: handle)
            }
        }
    }

    private func close(_ handle: CallHandle) {
        let statistics = running[handle] == nil ? nil : media.statistics(handle.rawValue)
        if running[handle] != nil { media.stop(handle.rawValue) }
        running[handle] = nil
        ports[handle] = nil
        plans[handle] = nil
        tell(.closed(statistics), of: handle)
    }

    func receive(_ notice: MediaNotice) {
        guard let id = notice.call else { return receive(notice.event) }
        let handle = CallHandle(rawValue: id)
        switch notice.event {
        case .media(let event): receive(event, of: handle)
        case .heard(let sound): tell(.noticed(sound), of: handle)
        case .playFinished(let afterwards): tell(.playFinished(afterwards), of: handle)
        case .recordingFailed(let error): tell(.recordFailed("\(error)"), of: handle)
        case .digitRefused(let digit):
            onReport(.warning("digit \(digit.character) was not sent: the peer takes none, or too many wait"))
        case .playStarted, .stopped, .deviceOpened, .deviceLost, .inputEnded, .outputFailed, .realtimeRefused: break
        }
    }

    private func receive(_ event: MediaEvent, of handle: CallHandle) {
        switch event {
        case .firstPacketPlayed: tell(.heard, of: handle)
        case .sourceChanged(let source): tell(.sourceChanged(source), of: handle)
        case .digitEnded(let digit, let way, let milliseconds):
            tell(.digit(digit, way, milliseconds: milliseconds), of: handle)
        case .digitSent(let digit, let way, let milliseconds):
            tell(.digitSent(digit, way, milliseconds: milliseconds), of: handle)
        case .silenceBegan: tell(.silent(seconds: 5), of: handle)
        case .silenceExceeded: tell(.silent(seconds: 30), of: handle)
        case .digitBegan, .synchronizationSourceChanged, .collisionResolved, .remoteBye,
            .silenceEnded,
            .sendingPaused, .sendingResumed:
            break
        }
    }

    /// What the engine says of itself and its devices.
    private func receive(_ event: MediaNotice.Event) {
        switch event {
        case .deviceOpened(let name): onReport(.audioDevice(name: name, state: "open", detail: ""))
        case .deviceLost where isSoundless: break
        case .deviceLost(let error): onReport(.audioDevice(name: "audio", state: "lost", detail: "\(error)"))
        case .inputEnded: onReport(.audioDevice(name: "input", state: "ended", detail: "silence is sent from here on"))
        case .outputFailed(let error):
            onReport(.audioDevice(name: "output", state: "failed", detail: "\(error)"))
            // A reader who went away has heard enough; anything else lost what was to be kept.
            if case .file = error, settings.output == .standardStreams { StandardStreams.noteLostAudio() }
        case .realtimeRefused:
            onReport(.warning("the system refused real-time scheduling; a busy machine may be heard"))
        default: break
        }
    }
}

extension AudioError {
    /// Whose fault it is: the file's, the command line's or the device's.
    var exit: ExitStatus {
        switch self {
        case .file: .badInput
        case .notAnOutput, .echoAlone: .usage
        case .system: .internalError
        case .missing, .busy, .refused, .blocked, .vanished: .audioDevice
        }
    }
}

extension AlertTone {
    fileprivate var localTone: LocalTone {
        switch self {
        case .ringing: .ringing
        case .ringback: .ringback
        case .callWaiting: .callWaiting
        case .busy: .busy
        }
    }
}
