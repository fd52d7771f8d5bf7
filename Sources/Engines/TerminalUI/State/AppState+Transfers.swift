import EngineKit

/// Passing calls on, and being passed on.
extension AppState {
    /// Opens the line for whom the selected call's peer is to call.
    mutating func openTransfer() {
        guard let call = selectedCall, call.isEstablished, !call.isHangingUp else { return open(.noTransfer) }
        open(.transfer(call.reference))
    }

    mutating func transfer(_ reference: CallReference, to target: String, at now: Instant) -> [UserCommand] {
        guard !target.isEmpty else { return [] }
        // It may have ended while the person typed.
        guard let call = calls.first(where: { $0.reference == reference }), call.isEstablished, !call.isHangingUp else {
            return refuse("the call is over that was to be transferred", at: now)
        }
        return [.transfer(reference, target: target)]
    }

    /// Puts the one other call through to the selected one: its peer first waits on hold, then meets who was asked.
    mutating func connect(at now: Instant) -> [UserCommand] {
        let others = calls.filter { $0.isEstablished && !$0.isHangingUp && $0.reference != selection }
        guard others.count < 2 else { return refuse("several calls are up: :attended NUMBER says which", at: now) }
        guard let other = others.first, let call = selectedCall, call.isEstablished else {
            return refuse("two calls must be up: d dials the other, then T connects them", at: now)
        }
        return [.connect(other.reference, to: call.reference)]
    }

    /// Puts that call through to the selected one.
    mutating func connect(to other: CallLine, at now: Instant) -> [UserCommand] {
        guard other.isEstablished, let call = selectedCall, call.isEstablished, other.reference != call.reference else {
            return refuse("two different calls must be up: the selected one and the one named", at: now)
        }
        return [.connect(other.reference, to: call.reference)]
    }

    mutating func decideTransfer(_ isWanted: Bool, at now: Instant) -> [UserCommand] {
        guard let call = transferringCall else { return refuse("nobody asks to be transferred", at: now) }
        update(call.reference) { $0.requestedTransfer = nil }
        return [isWanted ? .acceptTransfer(call.reference) : .declineTransfer(call.reference)]
    }
}
