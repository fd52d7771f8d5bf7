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
        switch otherCall(for: "attended") {
        case .success(let other): connect(to: other, at: now)
        case .failure(let problem): refuse(problem.text, at: now)
        }
    }

    /// Puts that call through to the selected one.
    mutating func connect(to other: CallLine, at now: Instant) -> [UserCommand] {
        guard let call = selectedCall, areTwo(other, call) else { return refuse(Self.twoNeeded, at: now) }
        return [.connect(other.reference, to: call.reference)]
    }

    /// Lets the peer of the one other call and that of the selected one hear each other.
    mutating func confer(at now: Instant) -> [UserCommand] {
        switch otherCall(for: "conference") {
        case .success(let other): confer(with: other, at: now)
        case .failure(let problem): refuse(problem.text, at: now)
        }
    }

    mutating func confer(with other: CallLine, at now: Instant) -> [UserCommand] {
        guard let call = selectedCall, areTwo(other, call) else { return refuse(Self.twoNeeded, at: now) }
        return [.conference(call.reference, with: other.reference)]
    }

    private static let twoNeeded: Printable = "two different calls must be up: the selected one and the one named"

    private func areTwo(_ other: CallLine, _ call: CallLine) -> Bool {
        other.isEstablished && call.isEstablished && other.reference != call.reference
    }

    private struct NoOtherCall: Error {
        let text: Printable
    }

    /// The only call that is up beside the selected one, or what the person is to do first.
    private func otherCall(for command: Printable) -> Result<CallLine, NoOtherCall> {
        let others = calls.filter { $0.isEstablished && !$0.isHangingUp && $0.reference != selection }
        guard others.count < 2 else {
            return .failure(NoOtherCall(text: "several calls are up: :\(command) NUMBER says which"))
        }
        guard let other = others.first, selectedCall?.isEstablished == true else {
            return .failure(NoOtherCall(text: "two calls must be up: d dials the other, then :\(command)"))
        }
        return .success(other)
    }

    mutating func decideTransfer(_ isWanted: Bool, at now: Instant) -> [UserCommand] {
        guard let call = transferringCall else { return refuse("nobody asks to be transferred", at: now) }
        update(call.reference) { $0.requestedTransfer = nil }
        return [isWanted ? .acceptTransfer(call.reference) : .declineTransfer(call.reference)]
    }
}
