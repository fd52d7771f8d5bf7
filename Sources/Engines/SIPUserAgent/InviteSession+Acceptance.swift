import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// A 2xx of ours to an INVITE or re-INVITE, repeated until its ACK comes (RFC 3261 §13.3.1.4).
struct Acceptance: Sendable {
    let transaction: ServerTransactionID
    /// The CSeq number of the INVITE, by which the ACK is known.
    let sequence: UInt32
    /// Whether the 2xx offered, so that the ACK must answer.
    let awaitsAnswer: Bool
    var interval: Duration
    /// nil: it is not repeated any more.
    var repeatAt: Instant?
    let giveUpAt: Instant
    /// Octets of one 2xx, and how many of them may still be sent to a caller whose path is not proven (ROBUSTNESS S1).
    let size: Int
    var allowance: Int?
    var repetitionsLeft: Int?

    var deadline: Instant {
        repeatAt.map { min($0, giveUpAt) } ?? giveUpAt
    }
}

extension InviteSession {
    /// What an unproven caller may be sent for one INVITE (ROBUSTNESS S1): octets, datagrams, and of these at most so
    /// many that repeat the 2xx, and so many that tell of progress beside the 100.
    private static let unprovenAllowance = 8192
    private static let unprovenDatagrams = 6
    private static let unprovenRepetitions = 3
    static let unprovenProgress = unprovenDatagrams - 2

    /// Sends a 2xx and begins to repeat it.
    mutating func accept(_ response: Response, headers: Headers, awaitsAnswer: Bool, at now: Instant) {
        guard let arrival else { return }
        accept(dressed(response, headers: headers), in: arrival.transaction, awaitsAnswer: awaitsAnswer, at: now)
    }

    mutating func accept(
        _ response: Response, in transaction: ServerTransactionID, awaitsAnswer: Bool, at now: Instant
    ) {
        let t1 = settings.timers.t1
        let isBounded = isBounded && !isPathProven
        let size = isBounded ? response.bytes().count : 0
        // The 100 and what told of progress bear the same Via and Record-Route fields, so they are counted as if as long.
        let (progress, descriptions) = (arrival?.progressCount ?? 0, arrival?.descriptionCount ?? 0)
        let spent =
            (1 + progress) * (size - response.body.count) + descriptions * response.body.count + size
        acceptance = Acceptance(
            transaction: transaction, sequence: response.cSeq.number, awaitsAnswer: awaitsAnswer, interval: t1,
            repeatAt: now + t1, giveUpAt: now + settings.timers.giveUp, size: size,
            allowance: isBounded ? Self.unprovenAllowance - spent : nil,
            repetitionsLeft: isBounded ? min(Self.unprovenRepetitions, Self.unprovenDatagrams - 2 - progress) : nil)
        act(.respond(response, transaction))
    }

    mutating func handleAcceptanceDeadline(at now: Instant) {
        guard var acceptance else { return }
        if now >= acceptance.giveUpAt {
            self.acceptance = nil
            acknowledgementTimedOut(at: now)
            return
        }
        guard let due = acceptance.repeatAt, now >= due else { return }
        if isWithinAllowance(&acceptance) {
            act(.repeatAcceptance(acceptance.transaction))
            acceptance.interval = min(acceptance.interval * 2, settings.timers.t2)
            acceptance.repeatAt = now + acceptance.interval
        } else {
            acceptance.repeatAt = nil
        }
        self.acceptance = acceptance
    }

    private func isWithinAllowance(_ acceptance: inout Acceptance) -> Bool {
        guard let left = acceptance.allowance, let repetitions = acceptance.repetitionsLeft else { return true }
        guard repetitions > 0, left >= acceptance.size else { return false }
        acceptance.allowance = left - acceptance.size
        acceptance.repetitionsLeft = repetitions - 1
        return true
    }

    /// No ACK in 64*T1: the call is ended by BYE, unless nobody ever showed that our answers arrive (§13.3.1.4).
    private mutating func acknowledgementTimedOut(at now: Instant) {
        guard phase != .ended else {
            if owesBye { sendOwedBye() }
            return
        }
        end(CallEnd(cause: .notAcknowledged, by: .local), at: now)
    }

    // MARK: - ACK

    mutating func receiveAcknowledgement(_ request: Request, over flow: Flow, at now: Instant) {
        guard let remoteTag = dialog?.remoteTag, request.from.tag ?? "" == remoteTag else { return }
        provePath(over: flow)
        guard let acceptance, acceptance.sequence == request.cSeq.number else { return }
        self.acceptance = nil
        guard phase != .ended else {
            if owesBye { sendOwedBye() }
            return
        }
        let isFirst = phase == .accepted
        phase = .confirmed
        if isFirst { emit(.established(handle)) }
        if acceptance.awaitsAnswer {
            guard let answer = request.sessionDescription, let media = try? offerAnswer.receiveAnswer(answer) else {
                offerAnswer.cancelOffer()
                // A change that comes to nothing leaves what was agreed on (RFC 3261 §14.1).
                guard isFirst else { return sendDueModification() }
                end(CallEnd(cause: .mediaRefused, by: .local, reason: "no usable answer in ACK"), at: now)
                return
            }
            settle(on: media)
        }
        sendDueModification()
    }

    /// The peer used our tag, so what we send reaches it (ROBUSTNESS S1).
    mutating func provePath(over flow: Flow) {
        if let peer, !flow.isFromSamePeer(as: peer), phase != .ended {
            emit(.peerMoved(handle, flow.remote))
        }
        peer = flow
        guard !isPathProven else { return }
        isPathProven = true
        acceptance?.allowance = nil
        acceptance?.repetitionsLeft = nil
        if phase != .ended { emit(.pathProven(handle)) }
    }
}

extension Flow {
    /// Whether two flows come from one address; the port counts only where it is not drawn anew for each connection.
    fileprivate func isFromSamePeer(as other: Flow) -> Bool {
        remote.address == other.remote.address && (transport.isReliable || remote.port == other.remote.port)
    }
}
