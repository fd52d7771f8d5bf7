import EngineKit

extension AppState {
    /// Two presses of a key in this time are one. Once the first has dealt with its call another one is selected or in
    /// the box, and the second must not end, refuse or answer that. Another key is another wish.
    private static let doublePress = Duration.milliseconds(700)

    private func isDoublePress(of action: Action, on call: CallReference?, at now: Instant) -> Bool {
        guard let settled, settled.action == action, settled.call != call else { return false }
        return now - settled.at < Self.doublePress
    }

    /// What concerns a ringing call: the one in the box, else the selected one if it rings, else any that was let be.
    mutating func perform(onRinging action: Action, status: Int = 486, at now: Instant) -> [UserCommand] {
        let selected = selectedCall.flatMap { $0.isIncoming && !$0.isHangingUp ? $0 : nil }
        let call = ringingCalls.first ?? selected ?? calls.first { $0.isIncoming && !$0.isHangingUp }
        if isDoublePress(of: action, on: call?.reference, at: now) { return [] }
        guard let call else { return refuse("no call is ringing", at: now) }
        settled = Settled(action: action, call: call.reference, at: now)
        return perform(action, onRinging: call, status: status)
    }

    mutating func perform(_ action: Action, onRinging call: CallLine, status: Int = 486) -> [UserCommand] {
        switch action {
        case .answer:
            selection = call.reference
            update(call.reference) { $0.isAnsweredBeside = true }
            return [.answer(call.reference)]
        case .holdAndAnswer:
            let talking = calls.filter { $0.isTalking && !$0.isHangingUp }
            selection = call.reference
            for other in talking { update(other.reference) { $0.isToBeHeld = true } }
            return talking.map { .hold($0.reference) } + [.answer(call.reference)]
        case .reject:
            update(call.reference) { $0.isHangingUp = true }
            return [.reject(call.reference, status: status)]
        default:
            update(call.reference) { $0.enter(.incoming(isSilenced: true), at: call.since) }
            return [.silence(call.reference)]
        }
    }

    /// What concerns the selected call.
    mutating func perform(onSelected action: Action, byKey: Bool, at now: Instant) -> [UserCommand] {
        let call = selectedCall.flatMap { $0.isLive ? $0 : nil }
        if isDoublePress(of: action, on: call?.reference, at: now) { return [] }
        guard let call else {
            if let over = selectedCall { return refuse("call \(over.number) is over: d dials, [ ] select", at: now) }
            return refuse("no call is selected: d dials, [ ] select", at: now)
        }
        if action == .hangUp { settled = Settled(action: action, call: call.reference, at: now) }
        return perform(action, on: call, byKey: byKey, at: now)
    }

    /// What concerns one call. The mute key turns muting over, the command only turns it on.
    mutating func perform(_ action: Action, on call: CallLine, byKey: Bool, at now: Instant) -> [UserCommand] {
        if action == .hangUp {
            // Asked again it is sent again: the person must never be left with a call that does not end.
            update(call.reference) { $0.isHangingUp = true }
            return [.hangUp(call.reference)]
        }
        guard !call.isHangingUp else { return [] }
        guard call.isEstablished else { return refuse("call \(call.number) is not up yet", at: now) }
        switch action {
        case .hold:
            guard !call.isHeldByUs else { return refuse("call \(call.number) is on hold: X resumes it", at: now) }
            update(call.reference) { $0.isToBeHeld = true }
            return [.hold(call.reference)]
        case .resume:
            guard call.isHeldByUs else { return refuse("call \(call.number) is not on hold by us", at: now) }
            return [.resume(call.reference)]
        case .mute: return [.setMuted(call.reference, byKey ? !call.isMuted : true)]
        default: return [.setMuted(call.reference, false)]
        }
    }
}
