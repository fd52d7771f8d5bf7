import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// How a request of ours can fail without a response.
enum RequestFailure: Equatable, Sendable {
    /// 64*T1 passed (timer B or F) without a final response from there.
    case timedOut(Destination?)
    /// No address, or none that could be sent to; the last one's obstacle.
    case unreachable(Obstacle)
    /// Too many requests of ours are on their way.
    case limited
    /// A MESSAGE of so many octets, which nothing would protect from being dropped on its way (RFC 3428 §8).
    case tooLarge(octets: Int)
    /// It was taken back before it left.
    case withdrawn

    var isTooLarge: Bool { if case .tooLarge = self { true } else { false } }

    /// Whether we have no transport that leads there, or it is no SIP address at all.
    var isOfOurTransports: Bool {
        switch self {
        case .unreachable(.unresolved(_, _, .transportUnsupported)), .unreachable(.notSIP): true
        default: false
        }
    }

    /// Whether the request may have been acted upon: nobody answered, or the connection that bore it closed before that.
    var mayHaveArrived: Bool {
        switch self {
        case .timedOut: true
        case .unreachable(.undelivered(_, _, let failure)): failure == .reset || failure == .unreadable
        case .unreachable, .limited, .tooLarge, .withdrawn: false
        }
    }

    /// In words for people.
    var reason: String {
        switch self {
        case .timedOut(let destination):
            "timed out" + (destination.map { ", \($0.transport.name.lowercased()) \($0.remote)" } ?? "")
        case .unreachable(let obstacle): obstacle.description
        case .limited: "too many requests at once"
        case .tooLarge(let octets):
            "too long: the message makes a request of \(octets) octets, and \(OutboundRequest.datagramLimit) may be sent"
        case .withdrawn: "withdrawn"
        }
    }
}

/// Requests and responses of a call as the core passes them on.
extension InviteSession {
    // MARK: - From the peer

    /// Checks a request within the dialog (RFC 3261 §12.2.2) and notes its CSeq.
    ///
    /// - Returns: what it is refused with, or nil.
    mutating func refusal(of request: Request, over flow: Flow) -> StatusCode? {
        let tag = request.from.tag ?? ""
        if dialog?.remoteTag == tag {
            provePath(over: flow)
        } else {
            // An early dialog, in which all may be asked, or one that exists only to be ended.
            switch request.method {
            case .bye, .update: guard dialog(with: tag) != nil else { return 481 }
            default: guard earlyIndex(tag) != nil else { return 481 }
            }
        }
        return updateDialog(with: tag) { $0.accept(request.cSeq.number) } == .outOfOrder ? 500 : nil
    }

    /// BYE of a dialog other than the call's: an early one, or one that is unwanted anyway.
    mutating func receiveForkedBye(_ request: Request, from tag: String, in transaction: ServerTransactionID) {
        invitation?.leaveEarlyDialogs { $0.dialog.remoteTag == tag }
        act(.respond(request.response(200), transaction))
    }

    // MARK: - To the peer

    /// A response to a request of this call, except challenges that the core answers itself.
    mutating func receive(_ response: Response, to purpose: RequestPurpose, over flow: Flow, at now: Instant) {
        switch purpose.kind {
        case .invite: receiveInviteResponse(response, over: flow, at: now)
        case .reinvite: receiveReinviteResponse(response, over: flow, at: now)
        case .update: receiveUpdateResponse(response, over: flow, at: now)
        case .bye: if response.status.isFinal { byeAnswered(response, in: purpose.remoteTag, at: now) }
        case .prack: if response.status.isFinal { prackAnswered(response, in: purpose.remoteTag, at: now) }
        case .digit: if response.status.isFinal { digitAnswered(response, at: now) }
        case .request: if response.status.isFinal { requestAnswered(response, at: now) }
        case .acknowledgement: break
        case .refer: receiveReferResponse(response, at: now)
        case .notify: if response.status.isFinal { notifyFinished(isTaken: response.status.isSuccess, at: now) }
        case .subscribe: receiveRefreshResponse(response, at: now)
        }
    }

    mutating func fail(_ purpose: RequestPurpose, _ failure: RequestFailure, at now: Instant) {
        switch purpose.kind {
        case .invite: inviteFailed(failure, at: now)
        case .reinvite, .update: modificationFailed(failure, at: now)
        case .bye: byeFailed(failure, in: purpose.remoteTag, at: now)
        case .prack: loseEarlyDialog(purpose.remoteTag, .failed(failure), at: now)
        case .digit: digitFailed(failure, at: now)
        case .request: requestFailed(failure, at: now)
        case .acknowledgement(let sequence): acknowledgementLost(purpose.remoteTag ?? "", sequence, failure, at: now)
        case .refer: referFailed(failure, at: now)
        case .notify: notifyFinished(isTaken: false, at: now)
        case .subscribe: refreshFailed(at: now)
        }
    }

    /// Whether a request of that purpose is worth sending again: with credentials, or to another destination.
    func stillWants(_ purpose: RequestPurpose) -> Bool {
        switch purpose.kind {
        case .invite: phase == .calling && !(invitation?.isCancelled ?? true)
        case .reinvite, .update: phase != .ended
        case .digit, .request: takesRequests
        case .bye: true
        case .prack: purpose.remoteTag.map { dialog(with: $0) != nil } ?? false
        case .acknowledgement: false
        case .refer: phase == .confirmed
        case .notify: receivedReferral != nil
        case .subscribe: sentReferral != nil
        }
    }

    /// The core sends a request anew with credentials: its ACK and CANCEL must match it.
    mutating func reissued(_ request: Request, for purpose: RequestPurpose) {
        switch purpose.kind {
        case .invite:
            invitation?.leaveEarlyDialogs()
            invitation?.request = request
        case .reinvite, .update:
            modification.request = request
        case .refer:
            sentReferral?.sequence = request.cSeq.number
        case .bye, .prack, .digit, .request, .acknowledgement, .notify, .subscribe:
            break
        }
    }

    // MARK: - Requests of the user's

    /// Whether the dialog stands, so that requests can be sent in it.
    var takesRequests: Bool { dialog != nil && (phase == .accepted || phase == .confirmed) }

    /// Sends a request that changes nothing about the call.
    mutating func ask(_ query: OutgoingRequest, as handle: RequestHandle) {
        guard takesRequests, var request = dialog?.request(query.method), let tag = dialog?.remoteTag else { return }
        request.append(query)
        act(.send(request, .within(tag, .request(handle)), along: peer))
    }

    /// 481 and 408 say that the dialog is gone, as silence does (§12.2.1.2); all else is for the user alone.
    mutating func requestAnswered(_ response: Response, at now: Instant) {
        guard response.status == 481 || response.status == 408 else { return }
        end(.dialogLost(by: response), at: now)
    }

    mutating func requestFailed(_ failure: RequestFailure, at now: Instant) {
        if case .timedOut = failure { end(.failed(failure), at: now) }
    }

    // MARK: - The dialog of a request

    /// Where a request within a dialog is sent to; nil outside dialogs.
    func nextHop(for purpose: RequestPurpose) -> URI? {
        if let beside = referralDialog(of: purpose.kind) { return beside.dialog?.nextHop }
        return purpose.remoteTag.flatMap { dialog(with: $0)?.nextHop }
    }

    /// The CSeq number for sending a request once more with credentials (§22.2), or nil where its dialog is gone.
    mutating func nextSequence(for purpose: RequestPurpose) -> UInt32? {
        if referralDialog(of: purpose.kind) != nil {
            return purpose.kind == .notify
                ? receivedReferral?.beside?.nextSequence(after: 0)
                : sentReferral.flatMap { sentReferral?.beside?.nextSequence(after: $0.sequence) }
        }
        guard let tag = purpose.remoteTag else { return invitation.map { $0.request.cSeq.number + 1 } }
        return updateDialog(with: tag) { $0.nextSequence() }
    }

    /// The dialog with that tag of the peer: the call's, an early one, or one that exists only to be ended.
    func dialog(with remoteTag: String) -> Dialog? {
        if dialog?.remoteTag == remoteTag { return dialog }
        return unwanted.first { $0.remoteTag == remoteTag }
            ?? earlyIndex(remoteTag).flatMap { invitation?.earlyDialogs[$0].dialog }
    }

    /// The early dialog with that tag of the peer; none once another is the call's.
    private func earlyIndex(_ remoteTag: String) -> Int? {
        guard dialog == nil else { return nil }
        return invitation?.earlyDialogs.firstIndex { $0.dialog.remoteTag == remoteTag }
    }

    /// Where the peer may direct our media that speaks over `flow`.
    func mediaTargets(over flow: Flow) -> MediaTargetPolicy {
        settings.value.mediaTargets(signalledFrom: flow.remote.address, to: flow.local.address)
    }

    /// What is negotiated in the dialog with that tag of the peer.
    func negotiation(with remoteTag: String) -> OfferAnswer? {
        if dialog?.remoteTag == remoteTag { return offerAnswer }
        return earlyIndex(remoteTag).flatMap { invitation?.earlyDialogs[$0].offerAnswer }
    }

    /// Changes what is negotiated in the dialog with that tag of the peer; nil where there is none.
    @discardableResult
    mutating func updateNegotiation<Result>(with remoteTag: String, _ body: (inout OfferAnswer) -> Result) -> Result? {
        if dialog?.remoteTag == remoteTag { return body(&offerAnswer) }
        guard let index = earlyIndex(remoteTag), var calling = invitation else { return nil }
        defer { invitation = calling }
        return body(&calling.earlyDialogs[index].offerAnswer)
    }

    /// Changes the dialog with that tag of the peer; nil where there is none.
    @discardableResult
    mutating func updateDialog<Result>(with remoteTag: String, _ body: (inout Dialog) -> Result) -> Result? {
        if dialog?.remoteTag == remoteTag { return dialog?.change(body) }
        if let index = unwanted.firstIndex(where: { $0.remoteTag == remoteTag }) { return body(&unwanted[index]) }
        guard let index = earlyIndex(remoteTag), var calling = invitation else { return nil }
        defer { invitation = calling }
        return body(&calling.earlyDialogs[index].dialog)
    }
}

extension Dialog {
    fileprivate mutating func change<Result>(_ body: (inout Dialog) -> Result) -> Result { body(&self) }
}
