import EngineKit
import SIPMessages

/// The non-INVITE server transaction: RFC 3261 §17.2.2, figure 8.
struct NonInviteServerTransaction: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case trying(giveUpAt: Instant)
        case proceeding(response: [UInt8], giveUpAt: Instant)
        case completed(response: [UInt8], until: Instant)
        case terminated
    }

    private(set) var state: State
    private let timers: TransactionTimers
    private let isReliable: Bool

    /// Begins in Trying. A final response after 64*T1 would find no client any more (RFC 4320 §4), so that a
    /// transaction which its user forgets ends there.
    init(isReliable: Bool, timers: TransactionTimers, at now: Instant) {
        self.timers = timers
        self.isReliable = isReliable
        state = .trying(giveUpAt: now + timers.giveUp)
    }

    var isTerminated: Bool {
        if case .terminated = state { true } else { false }
    }

    /// Whether nothing was sent yet.
    var isUnanswered: Bool {
        if case .trying = state { true } else { false }
    }

    var deadline: Instant? {
        switch state {
        case .trying(let at), .proceeding(_, let at), .completed(_, let at): at
        case .terminated: nil
        }
    }

    /// What to send where the request comes again.
    var retransmission: [UInt8]? {
        switch state {
        case .proceeding(let response, _), .completed(let response, _): response
        case .trying, .terminated: nil
        }
    }

    /// The user responds.
    ///
    /// - Returns: what to send; nil where a final response went out before.
    mutating func respond(_ response: Response, at now: Instant) -> [UInt8]? {
        switch state {
        case .trying(let giveUpAt), .proceeding(_, let giveUpAt):
            let bytes = response.bytes()
            if response.status.isProvisional {
                state = .proceeding(response: bytes, giveUpAt: giveUpAt)
            } else {
                let patience = timers.j(isReliable: isReliable)
                state = patience == .zero ? .terminated : .completed(response: bytes, until: now + patience)
            }
            return bytes
        case .completed, .terminated:
            return nil
        }
    }

    mutating func handleDeadline(at now: Instant) {
        guard let deadline, now >= deadline else { return }
        state = .terminated
    }

    /// The transport could not send a response (figure 8: only once there is one).
    ///
    /// - Returns: whether the user is to be told.
    mutating func transportFailed() -> Bool {
        switch state {
        case .proceeding, .completed:
            state = .terminated
            return true
        case .trying, .terminated:
            return false
        }
    }
}
