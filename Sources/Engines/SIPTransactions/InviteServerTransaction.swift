import EngineKit
import SIPMessages

/// The INVITE server transaction: RFC 3261 §17.2.1 with figure 7 of RFC 6026.
struct InviteServerTransaction: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case proceeding(Proceeding)
        /// A non-2xx final response goes out until its ACK comes.
        case completed(Retransmission)
        /// The ACK came; more may.
        case confirmed(until: Instant)
        /// A 2xx went out. Repeating it is the user's duty; the bytes are kept for that.
        case accepted(response: [UInt8], until: Instant)
        case terminated
    }

    enum Proceeding: Equatable, Sendable {
        /// The user has said nothing yet.
        indirect case silent(Request, tryingAt: Instant)
        /// The last provisional response, ours or the user's.
        case answered([UInt8])
    }

    private(set) var state: State
    private let timers: TransactionTimers
    private let isReliable: Bool

    /// Begins in Proceeding.
    init(_ request: Request, isReliable: Bool, timers: TransactionTimers, at now: Instant) {
        self.timers = timers
        self.isReliable = isReliable
        state = .proceeding(.silent(request, tryingAt: now + timers.trying))
    }

    var isTerminated: Bool {
        if case .terminated = state { true } else { false }
    }

    /// Whether nothing was sent yet.
    var isUnanswered: Bool {
        if case .proceeding(.silent) = state { true } else { false }
    }

    var deadline: Instant? {
        switch state {
        case .proceeding(.silent(_, let tryingAt)): tryingAt
        case .proceeding(.answered), .terminated: nil
        case .completed(let retransmission): retransmission.deadline
        case .confirmed(let until), .accepted(_, let until): until
        }
    }

    /// The INVITE came again.
    ///
    /// - Returns: what to send. Before the user's first response that is the 100, early: the peer is already asking.
    mutating func receiveRetransmission() -> [UInt8]? {
        switch state {
        case .proceeding(.silent(let request, _)): sendTrying(to: request)
        case .proceeding(.answered(let response)): response
        case .completed(let retransmission): retransmission.bytes
        case .confirmed, .accepted, .terminated: nil
        }
    }

    enum AcknowledgementReaction: Equatable {
        case absorb
        case deliver
    }

    /// An ACK with the INVITE's branch came. One before any final response acknowledges nothing.
    mutating func receiveAcknowledgement(at now: Instant) -> AcknowledgementReaction {
        switch state {
        case .completed:
            let patience = timers.i(isReliable: isReliable)
            state = patience == .zero ? .terminated : .confirmed(until: now + patience)
            return .absorb
        case .accepted:
            return .deliver
        case .proceeding, .confirmed, .terminated:
            return .absorb
        }
    }

    /// The user responds.
    ///
    /// - Returns: what to send; nil where the response comes too late to mean anything.
    mutating func respond(_ response: Response, at now: Instant) -> [UInt8]? {
        switch state {
        case .proceeding:
            let bytes = response.bytes()
            if response.status.isProvisional {
                state = .proceeding(.answered(bytes))
            } else if response.status.isSuccess {
                state = .accepted(response: bytes, until: now + timers.l)
            } else {
                let interval = timers.g(isReliable: isReliable)
                state = .completed(Retransmission(of: bytes, every: interval, giveUpAfter: timers.h, at: now))
            }
            return bytes
        case .accepted(_, let until) where response.status.isSuccess:
            let bytes = response.bytes()
            state = .accepted(response: bytes, until: until)
            return bytes
        case .completed, .confirmed, .accepted, .terminated:
            return nil
        }
    }

    /// The 2xx as it last went out, for the user to repeat (§13.3.1.4).
    var acceptance: [UInt8]? {
        guard case .accepted(let response, _) = state else { return nil }
        return response
    }

    enum Expiry: Equatable {
        case nothing
        case transmit([UInt8])
        /// A non-2xx final response was never acknowledged.
        case acknowledgementTimedOut
        case terminated
    }

    mutating func handleDeadline(at now: Instant) -> Expiry {
        switch state {
        case .proceeding(.silent(let request, let tryingAt)) where now >= tryingAt:
            return .transmit(sendTrying(to: request))
        case .completed(var retransmission):
            switch retransmission.step(at: now, nextInterval: timers.doubled) {
            case .wait:
                return .nothing
            case .retransmit:
                state = .completed(retransmission)
                return .transmit(retransmission.bytes)
            case .giveUp:
                state = .terminated
                return .acknowledgementTimedOut
            }
        case .confirmed(let until) where now >= until, .accepted(_, let until) where now >= until:
            state = .terminated
            return .terminated
        case .proceeding, .confirmed, .accepted, .terminated:
            return .nothing
        }
    }

    private mutating func sendTrying(to request: Request) -> [UInt8] {
        let bytes = request.response(100).bytes()
        state = .proceeding(.answered(bytes))
        return bytes
    }
}
