import EngineKit
import SIPMessages

/// The INVITE client transaction: RFC 3261 §17.1.1 with figure 5 of RFC 6026.
struct InviteClientTransaction: Equatable, Sendable {
    enum State: Equatable, Sendable {
        indirect case calling(Retransmission, InviteOutline)
        /// `giveUpAt` is set once the INVITE was cancelled (§9.1), or nobody waits for its answer.
        indirect case proceeding(InviteOutline, giveUpAt: Instant?)
        /// A non-2xx final response came. The ACK is kept as it was sent, to repeat it.
        case completed(acknowledgement: [UInt8], until: Instant)
        /// A 2xx came; more may, also from other branches of a fork.
        case accepted(until: Instant)
        case terminated
    }

    private(set) var state: State
    private let timers: TransactionTimers
    private let isReliable: Bool
    private var isUnwanted = false

    /// Begins in Calling. The caller transmits `bytes`, which are `request` serialised.
    init(_ request: Request, bytes: [UInt8], isReliable: Bool, timers: TransactionTimers, at now: Instant) {
        self.timers = timers
        self.isReliable = isReliable
        state = .calling(
            Retransmission(of: bytes, every: timers.a(isReliable: isReliable), giveUpAfter: timers.b, at: now),
            InviteOutline(of: request))
    }

    var deadline: Instant? {
        switch state {
        case .calling(let retransmission, _): retransmission.deadline
        case .proceeding(_, let giveUpAt): giveUpAt
        case .completed(_, let until), .accepted(let until): until
        case .terminated: nil
        }
    }

    enum Reaction: Equatable {
        case ignore
        case deliver
        case deliverAndAcknowledge([UInt8])
        /// The final response came again: only the ACK goes out again.
        case acknowledge([UInt8])
        /// A 2xx after a non-2xx, from another branch of a fork: no longer this transaction's, but somebody answered.
        case stray
    }

    mutating func receive(_ response: Response, at now: Instant) -> Reaction {
        switch state {
        case .calling(_, let outline):
            if response.status.isProvisional {
                state = .proceeding(outline, giveUpAt: isUnwanted ? now + timers.giveUp : nil)
                return .deliver
            }
            return complete(response, outline, at: now)
        case .proceeding(let outline, _):
            return response.status.isProvisional ? .deliver : complete(response, outline, at: now)
        case .completed(let acknowledgement, _):
            if response.status.isSuccess { return .stray }
            return response.status.isProvisional ? .ignore : .acknowledge(acknowledgement)
        case .accepted:
            return response.status.isSuccess ? .deliver : .ignore
        case .terminated:
            return .ignore
        }
    }

    private mutating func complete(
        _ response: Response, _ outline: InviteOutline, at now: Instant
    ) -> Reaction {
        if response.status.isSuccess {
            state = .accepted(until: now + timers.m)
            return .deliver
        }
        let bytes = outline.acknowledgement(of: response).bytes()
        let patience = timers.d(isReliable: isReliable)
        state = patience == .zero ? .terminated : .completed(acknowledgement: bytes, until: now + patience)
        return .deliverAndAcknowledge(bytes)
    }

    /// The INVITE was cancelled: from now on it waits 64*T1 for its final response (§9.1).
    mutating func cancel(at now: Instant) {
        guard case .proceeding(let outline, nil) = state else { return }
        state = .proceeding(outline, giveUpAt: now + timers.giveUp)
    }

    /// Nobody waits for the final response any more: it has 64*T1 from now on or, before timer B ends all, from the first
    /// provisional response.
    mutating func stopWaiting(at now: Instant) {
        isUnwanted = true
        cancel(at: now)
    }

    /// Another server is asked now: the INVITE is not sent again, though a late response is still this transaction's.
    mutating func stopRetransmitting() {
        guard case .calling(var retransmission, let outline) = state else { return }
        retransmission.stop()
        state = .calling(retransmission, outline)
    }

    enum Expiry: Equatable {
        case nothing
        case retransmit([UInt8])
        case timedOut
        case terminated
    }

    mutating func handleDeadline(at now: Instant) -> Expiry {
        switch state {
        case .calling(var retransmission, let outline):
            switch retransmission.step(at: now, nextInterval: { $0 * 2 }) {
            case .wait:
                return .nothing
            case .retransmit:
                state = .calling(retransmission, outline)
                return .retransmit(retransmission.bytes)
            case .giveUp:
                state = .terminated
                return .timedOut
            }
        case .proceeding(_, let giveUpAt?) where now >= giveUpAt:
            state = .terminated
            return .timedOut
        case .completed(_, let until) where now >= until, .accepted(let until) where now >= until:
            state = .terminated
            return .terminated
        case .proceeding, .completed, .accepted, .terminated:
            return .nothing
        }
    }

    /// The transport could not send. In Accepted there is nothing of ours on the wire to lose.
    ///
    /// - Returns: whether the user is to be told.
    mutating func transportFailed() -> Bool {
        switch state {
        case .calling, .proceeding, .completed:
            state = .terminated
            return true
        case .accepted, .terminated:
            return false
        }
    }

    /// What a CANCEL of this INVITE is made from, as long as it may be sent (§9.1: only after a provisional response).
    var cancellable: InviteOutline? {
        guard case .proceeding(let outline, _) = state else { return nil }
        return outline
    }
}
