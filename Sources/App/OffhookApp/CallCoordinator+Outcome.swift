import EngineKit
import SIPMessages
import SIPUserAgent

/// How calls end, and what the process makes of it.
extension CallCoordinator {
    mutating func finish(_ handle: CallHandle, _ end: CallEnd, at now: Instant?) {
        guard var call = calls[handle], call.phase != .ended else { return }
        if let status = end.status { call.finalStatus = status }
        call.phase = .ended
        call.end = end
        call.duration = call.answeredAt.flatMap { answered in now.map { $0 - answered } }
        calls[handle] = call
        transferEnded(handle, end)
        leaveConference(handle)
        resumeWaiting(for: call)
        setAlert(nil, of: handle)
        refreshAlerts()
        for timer in CallTimer.allCases { setTimer(timer, of: handle, at: nil) }
        let isBusy = end.cause == .refused && end.status.map { ExitStatus(finalResponse: $0) } == .busy
        if let now, isBusy, !call.isIncoming, call.script == nil, ending == nil { beginBusyTone(of: handle, at: now) }
        emit(.media(.close(handle)))
    }

    /// Media has ended too: the last word on a call, but for what comes of a transfer.
    mutating func conclude(_ handle: CallHandle) {
        guard let call = calls[handle], let end = call.end else { return }
        report(handle, .ended(end, duration: call.duration, call.statistics))
        calls[handle]?.isConcluded = true
        if !call.awaitsTransfer {
            settleOnceDecided(handle)
        } else if ending != nil {
            loseTransfer(handle)
        }
    }

    /// A call that has ended stays while its peer's wish for another one waits for a person.
    mutating func settleOnceDecided(_ handle: CallHandle) {
        guard let call = calls[handle], call.isConcluded, call.requestedTransfer == nil else { return }
        settle(handle)
    }

    /// Nothing more will be heard of a call: what it came to.
    mutating func settle(_ handle: CallHandle) {
        guard let call = calls[handle], let end = call.end else { return }
        let isCounted = isCounted(call, end)
        judge(call, end, isCounted: isCounted)
        calls[handle] = nil
        order.removeAll { $0 == handle }
        // Of calls that follow one another, only the first is counted.
        if isCounted, call.continues == nil { callsCounted += 1 }
        endWhenDone()
        if isProcessWaiting { finishProcess() }
    }

    private mutating func endWhenDone() {
        guard ending == nil else { return }
        if settings.attendant.plan != nil {
            if hasCountedAll, calls.values.allSatisfy({ $0.isUndecided && $0.continues == nil }) { end() }
        } else if endsWithLastCall, nextHandle > 1, calls.values.allSatisfy(\.isIncoming) {
            end()
        }
    }

    /// Whether `offhook answer` has had all the calls that it was to take, and waits for nothing but the end of others
    /// that it took meanwhile.
    var hasCountedAll: Bool { settings.attendant.plan?.count.map { callsCounted >= $0 } ?? false }

    /// Whether a call is one of those that `offhook answer` was started for. One that was refused for the caller's sake,
    /// or given up by it, is none: else anybody who may send an INVITE would end the command.
    private func isCounted(_ call: Call, _ end: CallEnd) -> Bool {
        guard call.isIncoming, call.answeredAt == nil else { return true }
        if let expected = call.script?.expectedStatus, expected == call.finalStatus { return true }
        return switch end.cause {
        case .refused: call.isRefusedAsTold
        case .notAcknowledged: true
        default: false
        }
    }

    /// What one call came to, and which expectations it broke.
    private mutating func judge(_ call: Call, _ end: CallEnd, isCounted: Bool) {
        guard let script = call.script, !passOn(call) else { return }
        var exit = status(of: call, end)
        // Nothing is expected of a call that is not counted, and only our own failure to take it is told.
        guard isCounted || exit != .success || call.run.fault != nil else { return }
        var broken: [String] = []
        if let expected = script.expectedStatus, isCounted {
            if call.finalStatus == expected {
                if call.finalStatus?.isSuccess == false { exit = .success }
            } else {
                broken.append("status \(call.finalStatus.map { "\($0.value)" } ?? "none"), expected \(expected.value)")
            }
        }
        if call.answeredAt != nil {
            if let tone = script.expectedTone, !call.run.hasHeardTone {
                broken.append("tone of \(JSON.fixed(tone, places: 0) ?? "?") Hz not heard")
            }
            if script.expectsSpeech, !call.run.hasHeardSpeech { broken.append("no speech heard") }
            if script.expectsSilence, let level = call.run.soundLevel {
                broken.append("a sound of \(JSON.fixed(level, places: 0) ?? "?") dBFS heard, expected silence")
            }
            if let digits = script.expectedDigits, !call.run.digits.hasExpected {
                broken.append("digits '\(call.run.digits.latest)' received, expected '\(digits)'")
            }
            broken += script.quality.faults(in: call.statistics)
            if call.run.missedMedia, !call.hasHeardMedia { exit = .noMedia }
        }
        if exit == .success, !broken.isEmpty { exit = .expectationFailed }
        if let fault = call.run.fault, fault.worse(than: exit) { exit = fault }
        if let text = call.run.faultText { broken.append(text) }
        if exit == .noMedia, call.run.fault == nil { broken.append("answered, but no media arrived within 5 s") }
        if exit != .success, broken.isEmpty { broken.append(end.text) }
        failures += broken.map { "\(call.identity.shortName): \($0)" }
        // `answer` reports the first call that failed; `call` has one.
        if result == nil || result == .success { result = exit }
    }

    /// A call that `offhook answer` was to take was refused before it was one, for want of a codec. Only the first failure
    /// decides, and however many of these come they fill no memory.
    mutating func missCommonMedia(of source: SocketAddress) {
        guard settings.attendant.plan?.status.isSuccess == true, !hasCountedAll, result == nil || result == .success
        else { return }
        failures.append("a call from \(source): no common media")
        result = .noCommonMedia
    }

    /// The peer of a script's call may believe that it goes on. Mostly this comes when the call is judged.
    mutating func hangUpNotTaken(_ handle: CallHandle, _ text: String) {
        if calls[handle] != nil {
            fail(handle, with: .network, text)
        } else if result == .success {
            failures.append(text)
            result = .network
        }
    }

    func status(of call: Call, _ end: CallEnd) -> ExitStatus {
        if call.isIncoming, call.answeredAt == nil {
            // A call that we refused as told, or that its caller gave up, is no failure of ours.
            switch end.cause {
            case .mediaRefused, .notAcknowledged: break
            default: return .success
            }
        }
        switch end.cause {
        case .hungUp, .tooLong, .transferred, .replaced: return .success
        case .shutDown:
            // Nothing received is the network's fault, and ringing without end the callee's.
            return call.answeredAt != nil ? .success : call.hasProgress ? .noAnswer : .network
        case .cancelled, .answeredElsewhere, .ringTimeout: return .noAnswer
        case .refused: return end.status.map { ExitStatus(finalResponse: $0) } ?? .refused
        case .timedOut, .unreachable, .notAcknowledged, .dialogLost, .sessionExpired: return .network
        case .mediaRefused: return .noCommonMedia
        case .protocolFault: return .serverFailure
        case .authenticationFailed: return .authenticationFailed
        case .limited: return .refused
        }
    }

    /// Everything is down: the verdict, and the process's status.
    mutating func finishProcess() {
        isProcessWaiting = !calls.isEmpty
        guard calls.isEmpty else { return }
        let exit = ending?.exit ?? result ?? defaultResult
        if exit != .success, failures.isEmpty { failures.append(defaultCause) }
        emit(.report(.verdict(failed: failures, exit: exit)))
        emit(.finished(exit))
        isFinished = true
    }

    /// Why a process fails that had no call to speak of.
    private var defaultCause: String {
        switch ending?.exit {
        case .signal(let number)?: "ended by signal \(number)"
        default:
            settings.attendant.plan == nil
                ? "nothing came back" : callsBegun > 0 ? "no call that came was answered" : "no call came"
        }
    }

    /// Without any call that counts: `answer` waited in vain; a phone without a script did what it was asked.
    private var defaultResult: ExitStatus {
        settings.attendant.plan == nil ? unmet?.exit ?? .success : .noAnswer
    }
}
