import EngineKit
import SIPMessages

/// The non-INVITE client transaction: RFC 3261 §17.1.2, figure 6.
struct NonInviteClientTransaction: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case trying(Retransmission)
        case proceeding(Retransmission)
        case completed(until: Instant)
        case terminated
    }

    private(set) var state: State
    private let timers: TransactionTimers
    private let isReliable: Bool

    /// Begins in Trying. The caller transmits `bytes`.
    init(bytes: [UInt8], isReliable: Bool, timers: TransactionTimers, at now: Instant) {
        self.timers = timers
        self.isReliable = isReliable
        state = .trying(
            Retransmission(of: bytes, every: timers.e(isReliable: isReliable), giveUpAfter: timers.f, at: now))
    }

    var deadline: Instant? {
        switch state {
        case .trying(let retransmission), .proceeding(let retransmission): retransmission.deadline
        case .completed(let until): until
        case .terminated: nil
        }
    }

    /// Whether it has its final response, and only absorbs repetitions of that.
    var isAnswered: Bool { if case .completed = state { true } else { false } }

    /// - Returns: whether the response is for the user.
    mutating func receive(_ response: Response, at now: Instant) -> Bool {
        switch state {
        case .trying(let retransmission), .proceeding(let retransmission):
            if response.status.isProvisional {
                state = .proceeding(retransmission)
            } else {
                let patience = timers.k(isReliable: isReliable)
                state = patience == .zero ? .terminated : .completed(until: now + patience)
            }
            return true
        case .completed, .terminated:
            return false
        }
    }

    enum Expiry: Equatable {
        case nothing
        case retransmit([UInt8])
        case timedOut
        case terminated
    }

    mutating func handleDeadline(at now: Instant) -> Expiry {
        switch state {
        case .trying(var retransmission):
            let step = retransmission.step(at: now, nextInterval: timers.doubled)
            return perform(step, of: retransmission, in: State.trying)
        case .proceeding(var retransmission):
            let step = retransmission.step(at: now, nextInterval: { _ in timers.t2 })
            return perform(step, of: retransmission, in: State.proceeding)
        case .completed(let until) where now >= until:
            state = .terminated
            return .terminated
        case .completed, .terminated:
            return .nothing
        }
    }

    private mutating func perform(
        _ step: Retransmission.Step, of retransmission: Retransmission, in next: (Retransmission) -> State
    ) -> Expiry {
        switch step {
        case .wait:
            return .nothing
        case .retransmit:
            state = next(retransmission)
            return .retransmit(retransmission.bytes)
        case .giveUp:
            state = .terminated
            return .timedOut
        }
    }

    /// The transport could not send.
    ///
    /// - Returns: whether the user is to be told.
    mutating func transportFailed() -> Bool {
        switch state {
        case .trying, .proceeding:
            state = .terminated
            return true
        case .completed, .terminated:
            return false
        }
    }
}
