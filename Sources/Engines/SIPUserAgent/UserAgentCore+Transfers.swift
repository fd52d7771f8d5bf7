import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// Transfers, as far as they concern more than one call.
extension UserAgentCore {
    // MARK: - Asking for one

    mutating func transfer(_ handle: CallHandle, to target: TransferTarget, subscribes: Bool, at now: Instant) {
        switch target {
        case .blind(let uri):
            guard uri.isCallable else { return emit(.warning(.commandIgnored)) }
            instruct(handle, at: now) { $0.transfer(to: uri, subscribes: subscribes, at: now) }
        case .attended(let other):
            guard other != handle, let uri = sessions[other]?.replacementTarget else {
                return emit(.warning(.commandIgnored))
            }
            instruct(handle, at: now) { $0.transfer(to: uri, subscribes: subscribes, at: now) }
        }
    }

    // MARK: - Being asked for one

    /// The call that stands and whose dialog a request outside all dialogs names (RFC 4538 §4).
    func targetCall(of request: Request) -> CallHandle? {
        guard request.method == .refer || request.method == .subscribe,
            let field = try? request.headers.first(TargetDialog.self), let handle = call(named: field),
            sessions[handle]?.phase == .accepted || sessions[handle]?.phase == .confirmed
        else { return nil }
        return handle
    }

    /// A REFER outside all dialogs that names the dialog of a call.
    mutating func receiveRefer(
        _ request: Request, of handle: CallHandle, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        guard let account = sessions[handle]?.account else {
            return respond(request.response(481), in: transaction, at: now)
        }
        let dialog: Dialog
        do throws(RequestRefusal) {
            dialog = try self.dialog(askedBy: request, of: account.value, over: flow)
        } catch {
            refuse(.invalid, from: flow)
            return respond(error.response, in: transaction, at: now)
        }
        let contact = dialogContact(of: account.value, at: flow.local, over: flow.transport)
        let verdict = configuration.transfers.refer
        update(handle, at: now) {
            $0.receiveRefer(
                request, in: transaction, contact: contact, verdict, beside: ReferralDialog(dialog, over: flow), at: now
            )
        }
    }

    mutating func acceptTransfer(
        of handle: CallHandle, as new: CallHandle, _ media: LocalMedia, ringTimeout: Duration?, at now: Instant
    ) {
        guard !new.isIncoming, sessions[new] == nil else { return emit(.warning(.commandIgnored)) }
        var accepted: (call: OutgoingCall, depth: Int)?
        update(handle, at: now) { accepted = $0.acceptReferral(media: media, ringTimeout: ringTimeout, at: now) }
        guard let accepted else { return emit(.warning(.commandIgnored)) }
        place(accepted.call, as: new, referredBy: (handle, accepted.depth), at: now)
        guard sessions[new] == nil else { return }
        // There was no room for it, so nobody else tells the referrer.
        update(handle, at: now) { $0.reachReferral(StatusFragment(503), at: now) }
    }

    /// A call that somebody asked for has come that far.
    mutating func tellReferrer(of handle: CallHandle, _ status: StatusFragment, at now: Instant) {
        guard let referrer = sessions[handle]?.referrer else { return }
        if status.status.isFinal { sessions[handle]?.referrer = nil }
        update(referrer, at: now) { $0.reachReferral(status, at: now) }
    }

    // MARK: - Replacing a call (RFC 3891)

    /// What an INVITE with Replaces or Join finds here.
    enum Matching: Equatable {
        case nothingAsked
        case replaces(Replacement)
        case joins(CallHandle)
        case refuse(StatusCode)
    }

    /// Finds the call that an INVITE is to take the place of (RFC 3891 §3).
    func replacement(
        asked request: Request, trust: CallerTrust, provenAs username: String?, over flow: Flow, at now: Instant
    ) -> Matching {
        if request.headers.contains(.join) {
            return joining(request, at: now)
        }
        guard request.headers.contains(.replaces) else { return .nothingAsked }
        guard let replaces = try? request.headers.first(Replaces.self) else { return .refuse(400) }
        guard let handle = call(named: replaces), let session = sessions[handle] else {
            return .refuse(endedDialogs.contains(replaces, at: now) ? 603 : 481)
        }
        let isAllowed: Bool
        switch configuration.transfers.replaces {
        case .deny: return .refuse(603)
        case .ask:
            isAllowed = policy.mayAnswerAutomatically(trust, from: request.from, provenAs: username, over: flow)
        case .allow: isAllowed = true
        }
        switch session.phase {
        case .ended: return .refuse(603)
        // An early dialog that the peer began, not we.
        case .alerting: return .refuse(481)
        case .calling: break
        case .accepted, .confirmed: if replaces.isEarlyOnly { return .refuse(486) }
        }
        return .replaces(Replacement(call: handle, isAllowed: isAllowed))
    }

    /// Finds the call that an INVITE wants to be joined with (RFC 3911 §4). Early ones may be joined as well, whoever
    /// began them: they are put together once both are answered.
    private func joining(_ request: Request, at now: Instant) -> Matching {
        guard !request.headers.contains(.replaces), let join = try? request.headers.first(Join.self) else {
            return .refuse(400)
        }
        guard let handle = call(named: join), let session = sessions[handle] else {
            return .refuse(endedDialogs.contains(join, at: now) ? 603 : 481)
        }
        guard configuration.transfers.joins else { return .refuse(488) }
        return session.phase == .ended ? .refuse(603) : .joins(handle)
    }

    /// The call with exactly that dialog. A tag of zero stands for none, as RFC 2543 had it (RFC 3891 §6.1).
    func call<Name>(named field: DialogField<Name>) -> CallHandle? {
        guard let handle = call(callID: field.callID, localTag: field.ownTag), let session = sessions[handle]?.value,
            session.dialog(with: field.peerTag) != nil
                || (field.peerTag == "0" && session.dialog(with: "") != nil)
        else { return nil }
        return handle
    }

    /// A call was answered that takes the place of another.
    mutating func replaceCall(by handle: CallHandle, at now: Instant) {
        guard let session = sessions[handle], let replaced = session.value.arrival?.value.replacement,
            session.value.phase != .alerting
        else { return }
        sessions[handle]?.arrival?.replacement = nil
        guard session.value.phase == .accepted else { return }
        update(replaced.call, at: now) { $0.end(CallEnd(cause: .replaced, by: .remote), at: now) }
    }
}

extension InviteSession {
    /// The address of the peer, with what lets somebody else take our place in this call (RFC 5589 §7.1).
    fileprivate var replacementTarget: URI? {
        guard phase == .confirmed, let dialog, dialog.remoteTarget.sipURI != nil else { return nil }
        // RFC 3891 §6.1: zero stands for the tag that a peer of RFC 2543 has not.
        let peersTag = dialog.remoteTag.isEmpty ? "0" : dialog.remoteTag
        return dialog.remoteTarget.asRequestURI.embedding(
            Replaces(callID: dialog.callID, ownTag: peersTag, peerTag: dialog.localTag))
    }
}
