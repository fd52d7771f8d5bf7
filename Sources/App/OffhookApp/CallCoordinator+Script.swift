import EngineKit
import SIPMessages
import SIPUserAgent

/// What calls do on their own: answer, play, send digits, hang up.
extension CallCoordinator {
    /// Takes a call as `offhook answer` was told.
    mutating func take(_ handle: CallHandle, _ incoming: IncomingCall, by plan: AnsweringPlan, at now: Instant) {
        guard !hasCountedAll else { return reject(handle, status: 486) }
        guard plan.status.isSuccess else {
            guard let after = plan.after else { return refuse(handle, by: plan) }
            emit(.signalling(.ring(handle)))
            return waitToAnswer(handle, after, by: plan, at: now)
        }
        guard incoming.mayAnswerAutomatically else {
            emit(
                .report(
                    .warning(
                        "a call from \(incoming.flow.remote) was refused: nothing allows it to be answered automatically; "
                            + "see --allow and --allow-any")))
            return reject(handle, status: 403)
        }
        guard let after = plan.after else { return answer(handle, at: now) }
        if plan.script.play != nil, plan.script.moment == .early, incoming.takesEarlyMedia {
            calls[handle]?.phase = .opening(.progressing)
            emit(.media(.open(handle)))
        } else {
            emit(.signalling(.ring(handle)))
        }
        waitToAnswer(handle, after, by: plan, at: now)
    }

    private mutating func refuse(_ handle: CallHandle, by plan: AnsweringPlan) {
        calls[handle]?.isRefusedAsTold = true
        reject(handle, status: plan.status, reason: plan.reason)
    }

    private mutating func waitToAnswer(
        _ handle: CallHandle, _ after: Duration, by plan: AnsweringPlan, at now: Instant
    ) {
        setTimer(.answer, of: handle, at: now + after)
        setTimer(.ringTimeout, of: handle, at: plan.script.ringTimeout.map { now + $0 })
    }

    /// Begins the script of a call once it is answered and has media.
    mutating func beginScript(of handle: CallHandle, at now: Instant) {
        guard let call = calls[handle], let script = call.script, call.isUp, call.agreement != nil, !call.run.hasBegun
        else { return }
        calls[handle]?.run.hasBegun = true
        setTimer(.duration, of: handle, at: script.duration.map { now + $0 })
        setTimer(.mediaExpected, of: handle, at: now + settings.mediaPatience)
        startPlaying(handle)
        if script.digits.contains(where: CallScript.isDigit), call.lacksWayForDigits {
            fail(handle, with: .expectationFailed, "digits were not sent: the peer takes no telephone events")
        }
        sendDigits(handle, script.digits)
    }

    mutating func startPlaying(_ handle: CallHandle) {
        guard let call = calls[handle], call.script?.play != nil, !call.run.hasStartedPlaying else { return }
        calls[handle]?.run.hasStartedPlaying = true
        emit(.media(.play(handle)))
    }

    mutating func handle(_ timer: CallTimer, of handle: CallHandle, at now: Instant) {
        if timer == .busyTone { endBusyTone() }
        guard let call = calls[handle], call.phase != .ended else { return }
        switch timer {
        case .ringback:
            calls[handle]?.earlyMedia.handleDeadline(at: now)
            applyEarlyMedia(handle)
        case .earlyMedia:
            guard call.phase == .calling else { return }
            emit(.media(.reportStatistics(handle)))
            setTimer(.earlyMedia, of: handle, at: now + Self.earlyMediaInterval)
        case .answer:
            guard let plan = settings.attendant.plan, call.isUndecided else { return }
            if hasCountedAll {
                reject(handle, status: 486)
            } else if plan.status.isSuccess {
                answer(handle, at: now)
            } else {
                refuse(handle, by: plan)
            }
        case .ringTimeout:
            calls[handle]?.isRefusedAsTold = true
            reject(handle, status: 480)
        case .duration:
            hangUp(handle)
        case .mediaExpected:
            missMedia(handle, at: now)
        case .statistics:
            emit(.media(.reportStatistics(handle)))
            setTimer(.statistics, of: handle, at: now + settings.statisticsInterval)
        case .busyTone: break
        }
    }

    /// Five seconds after the answer nothing of what the peer's description promised has come. Not judged on hold.
    private mutating func missMedia(_ handle: CallHandle, at now: Instant) {
        guard let call = calls[handle], !call.hasHeardMedia, let media = call.agreement?.media else { return }
        let isPromised = media.direction == .sendReceive || media.direction == .receiveOnly
        guard isPromised, !call.isHeldByUs, !call.isHeldByPeer else { return }
        calls[handle]?.run.missedMedia = true
        warnOfSilence(handle, seconds: 5)
    }

    /// That nothing has come yet is noticed here and by the media engine, and told once.
    mutating func warnOfSilence(_ handle: CallHandle, seconds: Int) {
        guard let call = calls[handle], call.hasHeardMedia || seconds > call.silenceTold else { return }
        calls[handle]?.silenceTold = seconds
        report(handle, .mediaSilent(seconds: seconds))
    }
}
