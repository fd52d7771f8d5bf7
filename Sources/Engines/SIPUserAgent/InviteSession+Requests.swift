import EngineKit
import SIPMessages
import SIPTransactions

/// How a request of ours can fail without a response.
enum RequestFailure: Equatable, Sendable {
    /// 64*T1 passed (timer B or F).
    case timedOut
    /// No address, or none that could be sent to.
    case unreachable
    /// Too many requests of ours are on their way.
    case limited
    /// It was taken back before it left.
    case withdrawn
}

/// Requests and responses of a call as the core passes them on.
extension InviteSession {
    // MARK: - From the peer

    /// Checks a request within the dialog (RFC 3261 §12.2.2) and notes its CSeq.
    ///
    /// - Returns: what it is refused with, or nil.
    mutating func refusal(of request: Request, over flow: Flow) -> StatusCode? {
        let tag = request.from.tag ?? ""
        guard dialog?.remoteTag == tag else { return knows(remoteTag: tag) && request.method == .bye ? nil : 481 }
        provePath(over: flow)
        return dialog?.accept(request.cSeq.number) == .outOfOrder ? 500 : nil
    }

    /// BYE of a dialog other than the call's: an early one, or one that is unwanted anyway.
    mutating func receiveForkedBye(_ request: Request, in transaction: ServerTransactionID) {
        let tag = request.from.tag ?? ""
        invitation?.earlyDialogs.removeAll { $0.dialog.remoteTag == tag }
        act(.respond(request.response(200), transaction))
    }

    // MARK: - To the peer

    /// A response to a request of this call, except challenges that the core answers itself.
    mutating func receive(_ response: Response, to purpose: RequestPurpose, over flow: Flow, at now: Instant) {
        switch purpose {
        case .invite: receiveInviteResponse(response, over: flow, at: now)
        case .reinvite: receiveReinviteResponse(response, over: flow, at: now)
        case .bye: if response.status.isFinal { byeFinished() }
        case .acknowledgement: break
        }
    }

    mutating func fail(_ purpose: RequestPurpose, _ failure: RequestFailure, at now: Instant) {
        switch purpose {
        case .invite: inviteFailed(failure, at: now)
        case .reinvite: reinviteFailed(failure, at: now)
        case .bye: byeFinished()
        case .acknowledgement: break
        }
    }

    /// Where a request within a dialog is sent to; nil outside dialogs.
    func nextHop(for purpose: RequestPurpose) -> URI? {
        switch purpose {
        case .invite: nil
        case .reinvite: dialog?.nextHop
        case .bye(let remoteTag), .acknowledgement(let remoteTag, _): dialog(with: remoteTag)?.nextHop
        }
    }

    /// Whether a request of that purpose is worth sending again: with credentials, or to another destination.
    func stillWants(_ purpose: RequestPurpose) -> Bool {
        switch purpose {
        case .invite: phase == .calling && !(invitation?.isCancelled ?? true)
        case .reinvite: phase == .confirmed
        case .bye: true
        case .acknowledgement: false
        }
    }

    /// The CSeq number for sending a request once more with credentials (§22.2), or nil where its dialog is gone.
    mutating func nextSequence(for purpose: RequestPurpose) -> UInt32? {
        switch purpose {
        case .invite:
            guard let number = invitation?.request.cSeq.number else { return nil }
            return number + 1
        case .reinvite:
            return dialog?.nextSequence()
        case .bye(let remoteTag):
            if dialog?.remoteTag == remoteTag { return dialog?.nextSequence() }
            guard let index = unwanted.firstIndex(where: { $0.remoteTag == remoteTag }) else { return nil }
            return unwanted[index].nextSequence()
        case .acknowledgement:
            return nil
        }
    }

    /// The core sends a request anew with credentials: its ACK and CANCEL must match it.
    mutating func reissued(_ request: Request, for purpose: RequestPurpose) {
        switch purpose {
        case .invite:
            invitation?.request = request
            invitation?.earlyDialogs = []
        case .reinvite:
            modification.request = request
        case .bye, .acknowledgement:
            break
        }
    }
}
