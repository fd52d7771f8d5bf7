import EngineKit
import SIPMessages
import SIPTransactions

/// Transferring a call: REFER, and the notifications that follow (RFC 3515, RFC 5589).
///
/// To a peer that is reached by its GRUU and knows Target-Dialog the REFER goes in a dialog of its own (RFC 5589 §5), to
/// all others within the call's. There the subscription is a usage of the dialog beside the call's (RFC 5057): a BYE of
/// either side leaves it alone, and the dialog lasts until both are over.
extension InviteSession {
    /// Asks the peer to call `target`.
    mutating func transfer(to target: URI, subscribes: Bool, at now: Instant) {
        guard phase == .confirmed, sentReferral == nil, let dialog else { return ignoreCommand() }
        refer(to: target, subscribes: subscribes, beside: dialog.isReachedBeside)
    }

    private mutating func refer(to target: URI, subscribes: Bool, beside: Bool) {
        let blank = beside ? requestBesideDialog() : dialog?.request(.refer)
        guard var request = blank else { return ignoreCommand() }
        request.headers.append(ReferTo(NameAddress(uri: target)))
        request.headers.append(ReferredBy(NameAddress(uri: account.address.uri)))
        if !subscribes { request.headers.append(ReferSub(false)) }
        sentReferral = SentReferral(to: target, by: request, isBeside: beside, subscribes: subscribes)
        let purpose = RequestPurpose(kind: .refer, remoteTag: beside ? nil : request.to.tag ?? "")
        act(.send(request, purpose, along: beside ? nil : peer))
    }

    /// A REFER to the peer's address, which shows by the call's dialog that it may come (RFC 4538 §3).
    private mutating func requestBesideDialog() -> Request? {
        guard let dialog else { return nil }
        var from = dialog.localParty
        from.tag = random.hexadecimal(16)
        let target = dialog.remoteTarget
        var request = Request(
            method: .refer, uri: target.asRequestURI, from: from, to: NameAddress(uri: target.asParty),
            callID: random.hexadecimal(32), cSeq: CSeq(number: 1, method: .refer))
        request.headers.append(
            TargetDialog(callID: dialog.callID, ownTag: dialog.remoteTag, peerTag: dialog.localTag))
        request.headers.append(Require([.targetDialog]))
        return request
    }

    // MARK: - The response to REFER

    mutating func receiveReferResponse(_ response: Response, at now: Instant) {
        guard response.status.isFinal, var referral = sentReferral else { return }
        referral.isAnswered = true
        guard response.status.isSuccess else {
            sentReferral = nil
            let isBeside = referral.beside != nil
            if isBeside, response.status.isAboutTheWay, phase == .confirmed, referral.told == nil {
                // It did not get to the peer, or means nothing to it: within the dialog it does (RFC 4538 §3).
                return refer(to: referral.target, subscribes: referral.subscribes, beside: false)
            }
            // Who notified that it went well, and refuses to have been asked, is believed the first time.
            if !referral.isDecided {
                emit(.transferProgress(handle, .failed(response.status, reason: response.reason)))
            }
            if !isBeside, response.status == 481 || response.status == 408 {
                end(.dialogLost(by: response), at: now)
            }
            return
        }
        let subscribes = (try? response.headers.first(ReferSub.self))?.subscribes ?? true
        if referral.told == nil { tell(.accepted, of: &referral, at: now) }
        if !referral.subscribes && !subscribes {
            // The peer does as told, and nobody tells how it goes (RFC 4488 §4).
            referral.isTerminated = true
            tell(.unknown, of: &referral, at: now)
            end(CallEnd(cause: .transferred, by: .local), at: now)
        } else if referral.expiresAt == nil {
            // The first NOTIFY has as long as a transaction (RFC 6665 §4.1.2.4).
            referral.expiresAt = now + settings.timers.giveUp
        }
        keep(referral)
    }

    mutating func referFailed(_ failure: RequestFailure, at now: Instant) {
        guard let referral = sentReferral else { return }
        sentReferral = nil
        guard referral.told == nil else {
            // It notified us, so it has the REFER.
            if !referral.isTerminated {
                var heard = referral
                heard.isAnswered = true
                keep(heard)
            }
            return
        }
        if referral.beside != nil, phase == .confirmed {
            return refer(to: referral.target, subscribes: referral.subscribes, beside: false)
        }
        emit(.transferProgress(handle, .failed(nil, reason: failure.reason)))
        if case .timedOut = failure, referral.beside == nil, phase != .ended {
            end(.failed(failure), at: now)
        }
    }

    // MARK: - NOTIFY

    /// Takes how the peer's call stands.
    mutating func receiveNotify(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        guard var referral = sentReferral, !referral.isTerminated, names(request.headers, referral.sequence),
            isBeside(request) == (referral.beside != nil)
        else { return act(.respond(request.response(481), transaction)) }
        if let refusal = referral.beside?.refusal(of: request, after: referral.sequence, over: flow) {
            return act(.respond(request.response(refusal), transaction))
        }
        sentReferral = referral
        guard let state = try? request.headers.first(SubscriptionState.self) else {
            return act(.respond(request.response(400, reason: "Subscription-State Missing"), transaction))
        }
        let fragment = StatusFragment(parsing: request.body)
        let isTerminated = state.state.equalsIgnoringCase("terminated")
        guard fragment != nil || isTerminated else {
            return act(.respond(request.response(400, reason: "Status Line Missing"), transaction))
        }
        if referral.beside == nil { dialog?.refreshTarget(from: request.headers) }
        act(.respond(request.response(200), transaction))
        if let fragment, !referral.isDecided {
            if fragment.status.isProvisional {
                tell(.progress(fragment), of: &referral, at: now)
            } else if fragment.status.isSuccess {
                tell(.succeeded(fragment), of: &referral, at: now)
            } else {
                tell(.failed(fragment.status, reason: fragment.reason), of: &referral, at: now)
            }
        }
        if isTerminated {
            referral.isTerminated = true
            referral.refreshAt = nil
            referral.expiresAt = nil
            if !referral.isDecided { tell(.unknown, of: &referral, at: now) }
        } else {
            referral.grant(state.expires ?? SentReferral.lifetime, at: now)
        }
        keep(referral)
    }

    /// Whether Event names the package `refer`, and our REFER where it names any (RFC 3515 §2.4.6).
    private func names(_ headers: Headers, _ sequence: UInt32) -> Bool {
        guard let event = try? headers.first(EventPackage.self), event.isRefer else { return false }
        return event.id.map { $0 == String(sequence) } ?? true
    }

    // MARK: - Time

    mutating func handleReferralDeadline(at now: Instant) {
        guard var referral = sentReferral else { return }
        if let until = referral.expiresAt, now >= until {
            referral.isTerminated = true
            referral.refreshAt = nil
            referral.expiresAt = nil
            if !referral.isDecided { tell(.unknown, of: &referral, at: now) }
        } else if referral.refreshAt.map({ now >= $0 }) ?? false, outstandingByes > 0, referral.beside == nil {
            // Nothing may overtake a BYE.
            referral.refreshAt = now + settings.timers.t1
        } else if let at = referral.refreshAt, now >= at {
            referral.refreshAt = nil
            referral.refreshesLeft -= 1
            referral.isRefreshing = sendRefresh(of: &referral)
        }
        keep(referral)
    }

    /// Asks for more time (RFC 6665 §4.1.2.2).
    private mutating func sendRefresh(of referral: inout SentReferral) -> Bool {
        let isBeside = referral.beside != nil
        let blank = isBeside ? referral.beside?.request(.subscribe) : dialog?.request(.subscribe)
        guard var request = blank else { return false }
        request.headers.append(EventPackage("refer", id: String(referral.sequence)))
        request.headers.append(Expires(SentReferral.lifetime))
        request.headers.append(Accept(ContentType("message", "sipfrag")))
        act(.send(request, .within(dialogOf: request, .subscribe), along: isBeside ? referral.beside?.peer : peer))
        return true
    }

    mutating func receiveRefreshResponse(_ response: Response, at now: Instant) {
        guard response.status.isFinal, var referral = sentReferral else { return }
        referral.isRefreshing = false
        if response.status.isSuccess {
            let expires = (try? response.headers.first(Expires.self))?.seconds
            if !referral.isTerminated { referral.grant(expires ?? SentReferral.lifetime, at: now) }
        } else {
            endSubscription(of: &referral, at: now)
        }
        keep(referral)
    }

    mutating func refreshFailed(at now: Instant) {
        guard var referral = sentReferral else { return }
        referral.isRefreshing = false
        endSubscription(of: &referral, at: now)
        keep(referral)
    }

    private mutating func endSubscription(of referral: inout SentReferral, at now: Instant) {
        guard !referral.isTerminated else { return }
        referral.isTerminated = true
        referral.refreshAt = nil
        referral.expiresAt = nil
        if !referral.isDecided { tell(.unknown, of: &referral, at: now) }
    }

    // MARK: - What it means

    /// Tells how the transfer goes, each thing once. When it succeeded the peer is with the target, and the call is over.
    private mutating func tell(_ progress: TransferProgress, of referral: inout SentReferral, at now: Instant) {
        guard referral.told != progress else { return }
        referral.told = progress
        emit(.transferProgress(handle, progress))
        if case .succeeded = progress { end(CallEnd(cause: .transferred, by: .local), at: now) }
    }

    private mutating func keep(_ referral: SentReferral) {
        sentReferral = referral.isFinished ? nil : referral
    }
}

extension StatusCode {
    /// Whether a REFER beside the call's dialog was not understood, or came to nobody who knows the call.
    fileprivate var isAboutTheWay: Bool { [404, 405, 410, 416, 420, 480, 481, 501].contains(value) }
}

extension String {
    /// The option tag of Target-Dialog (RFC 4538 §11.3).
    static let targetDialog = "tdialog"
}

extension Dialog {
    /// Whether a request outside this dialog gets to the same peer, and can name the dialog there (RFC 5589 §5).
    fileprivate var isReachedBeside: Bool {
        peerSupports(.targetDialog) && remoteTarget.sipURI?.parameters.contains("gr") ?? false
    }
}

extension EventPackage {
    var isRefer: Bool { package.equalsIgnoringCase("refer") }
}
