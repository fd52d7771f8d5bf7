import EngineKit
import SIPMessages
import SIPTransactions

/// Ending a call, RFC 3261 §9 and §15.
extension InviteSession {
    mutating func hangUp(at now: Instant) {
        switch phase {
        case .calling: end(CallEnd(cause: .cancelled, by: .local), at: now)
        case .alerting: reject(603, reason: nil, headers: Headers(), at: now)
        case .accepted, .confirmed:
            end(unacknowledged.map { .failed($0) } ?? CallEnd(cause: .hungUp, by: .local), at: now)
        // The peer was faster.
        case .ended: break
        }
    }

    /// Says what ends the call, once, and sends what the protocol owes the peer: CANCEL, BYE at once, or BYE at the ACK.
    ///
    /// A final response to an unanswered INVITE is the caller's of this business.
    mutating func end(_ end: CallEnd, at now: Instant) {
        guard phase != .ended else { return }
        let last = phase
        phase = .ended
        lastsUntil = nil
        sessionTimer = nil
        modification = Modification(sequence: modification.sequence)
        digits = SignalledDigits()
        invitation?.ringsUntil = nil
        arrival?.value.decided()
        // Who hangs up does not go where the peer wanted to send it either. Where the peer hung up, which many do once
        // their REFER is taken, or fell silent, that is still to be decided (RFC 3515 §2.4.4).
        if end.by == .local, ![.replaced, .timedOut].contains(end.cause) { withdrawReferral(at: now) }
        emit(.ended(handle, end))
        tellReferrer(end.fragment)
        // A 2xx may be on its way until the last server has forgotten the INVITE.
        // So may a PRACK of what the final response overtook (RFC 3262 §3).
        if invitation != nil || arrival?.provisionals.unacknowledged != nil {
            lingersUntil = now + settings.timers.giveUp
        }
        switch last {
        case .calling where invitation?.isPending ?? false:
            invitation?.isCancelled = true
            act(.cancelInvite)
        case .accepted, .confirmed:
            guard end.needsBye else { break }
            owesBye = true
            isHangingUp = end.isOurHangUp
            // Before the ACK a BYE could overtake the 200, and end nothing (§15).
            if last == .confirmed || acceptance == nil { sendOwedBye() }
        case .calling, .alerting, .ended:
            break
        }
    }

    mutating func sendOwedBye() {
        owesBye = false
        acceptance = nil
        // Whoever never proved its path is told nothing more (ROBUSTNESS S1).
        guard isPathProven || !isBounded, let request = dialog?.request(.bye), let tag = dialog?.remoteTag else {
            isHangingUp = false
            return
        }
        outstandingByes += 1
        act(.send(request, .within(tag, .bye), along: peer))
    }

    mutating func sendBye(toUnwanted index: Int) {
        var request = unwanted[index].request(.bye)
        // Another fork has the call, or it was given up before (RFC 3326 §3.1).
        if phase != .ended { request.headers.append(Reason.answeredElsewhere) }
        outstandingByes += 1
        act(.send(request, .within(unwanted[index].remoteTag, .bye), along: peer))
    }

    /// A BYE has its final response. 481 is as good as a 200: the peer has no such call (§15.1.1).
    mutating func byeAnswered(_ response: Response, in tag: String?, at now: Instant) {
        let isTaken = response.status.isSuccess || response.status == 481
        byeFinished(isTaken ? nil : "\(response.status.value) \(response.reason)", in: tag, at: now)
    }

    /// A BYE will never have a final response. Where the peer itself is gone from its port, it holds on to nothing.
    mutating func byeFailed(_ failure: RequestFailure, in tag: String?, at now: Instant) {
        let isStraight = tag.flatMap { dialog(with: $0) }?.hasRoute == false
        let isPeerGone =
            if case .unreachable(.undelivered(_, _, .refused)) = failure { isStraight } else { false }
        byeFinished(isPeerGone ? nil : failure.reason, in: tag, at: now)
    }

    /// - Parameter obstacle: what kept the BYE from being taken.
    private mutating func byeFinished(_ obstacle: String?, in tag: String?, at now: Instant) {
        outstandingByes = max(0, outstandingByes - 1)
        if tag == dialog?.remoteTag { hangUpDecided(obstacle) }
        sendDueNotification(at: now)
    }

    /// What came of a hang-up is known, or will never be.
    mutating func hangUpDecided(_ obstacle: String?) {
        guard isHangingUp, let dialog else { return }
        isHangingUp = false
        if let obstacle { emit(.warning(.hangUpNotTaken(handle, peer: dialog.remoteParty.uri, obstacle))) }
    }

    /// BYE from the peer: accepted at once, also before the ACK (§15.1.2).
    mutating func receiveBye(_ request: Request, in transaction: ServerTransactionID, at now: Instant) {
        let tag = request.from.tag ?? ""
        guard dialog?.remoteTag == tag else { return receiveForkedBye(request, from: tag, in: transaction) }
        act(.respond(request.response(200), transaction))
        acceptance = nil
        owesBye = false
        isHangingUp = false
        guard phase != .ended else { return }
        if phase == .alerting {
            refuse(487, reason: nil, headers: Headers())
            end(CallEnd(cause: .cancelled, by: .remote), at: now)
            return
        }
        let reason = request.headers.first(.reason)
        end(CallEnd(cause: .hungUp, by: .remote, reason: reason), at: now)
    }

    /// The grace of shutting down is over: a BYE that waits for an ACK goes out now (ROBUSTNESS row 9).
    mutating func stopWaiting() {
        if owesBye { sendOwedBye() }
    }
}

extension Reason {
    /// What a proxy tells the branches that lose, and we tell further forks (RFC 3326 §3.1).
    static var answeredElsewhere: Reason {
        Reason(protocolName: "SIP", cause: 200, text: "Call completed elsewhere")
    }

    fileprivate var isAnsweredElsewhere: Bool { protocolName.equalsIgnoringCase("SIP") && cause == 200 }
}

extension CallEnd {
    /// How a CANCEL ends a call that rings here: who answered elsewhere missed nothing.
    static func cancelled(by cancel: Request) -> CallEnd {
        let reasons = (try? cancel.headers.all(Reason.self)) ?? []
        guard let reason = reasons.first(where: \.isAnsweredElsewhere) else {
            return CallEnd(cause: .cancelled, by: .remote, reason: reasons.first?.text)
        }
        return CallEnd(cause: .answeredElsewhere, by: .remote, reason: reason.text)
    }

    /// Whether somebody here hung up, and takes the call for over.
    fileprivate var isOurHangUp: Bool {
        by == .local && [.hungUp, .shutDown, .tooLong].contains(cause)
    }

    /// Whether the peer has to be told by BYE; it knows when it hung up itself.
    fileprivate var needsBye: Bool { !(cause == .hungUp && by == .remote) }

    /// How a final response ends a call that was not answered.
    static func refused(by response: Response) -> CallEnd {
        let cause: Cause = [401, 407].contains(response.status.value) ? .authenticationFailed : .refused
        return CallEnd(
            cause: cause, by: .remote, status: response.status, reason: response.reason,
            retryAfter: response.retryAfter,
            redirections: response.status.isRedirection ? response.redirectionTargets : [])
    }

    /// How a response ends a call that says that its dialog is gone (§12.2.1.2).
    static func dialogLost(by response: Response) -> CallEnd {
        CallEnd(cause: .dialogLost, by: .remote, status: response.status, reason: response.reason)
    }

    /// How a call ends whose INVITE got no response, or a request within it.
    static func failed(_ failure: RequestFailure) -> CallEnd {
        let cause: Cause =
            switch failure {
            case .timedOut: .timedOut
            case .unreachable: .unreachable
            case .limited, .tooLarge: .limited
            case .withdrawn: .cancelled
            }
        return CallEnd(cause: cause, by: .local, reason: cause == .cancelled ? nil : failure.reason)
    }
}
