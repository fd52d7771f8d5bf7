import EngineKit
import SIPMessages
import SIPTransactions

/// Transferring a call: REFER within its dialog, and the notifications that follow (RFC 3515, RFC 5589).
///
/// The subscription is a usage of the dialog beside the call's (RFC 5057): a BYE of either side leaves it alone, and the
/// dialog lasts until both are over.
extension InviteSession {
    /// Asks the peer to call `target`.
    mutating func transfer(to target: URI, subscribes: Bool, at now: Instant) {
        guard phase == .confirmed, sentReferral == nil, var request = dialog?.request(.refer),
            let tag = dialog?.remoteTag
        else { return ignoreCommand() }
        request.headers.append(ReferTo(NameAddress(uri: target)))
        request.headers.append(ReferredBy(NameAddress(uri: account.address.uri)))
        if !subscribes { request.headers.append(ReferSub(false)) }
        sentReferral = SentReferral(sequence: request.cSeq.number, subscribes: subscribes)
        act(.send(request, .within(tag, .refer), along: peer))
    }

    // MARK: - The response to REFER

    mutating func receiveReferResponse(_ response: Response, at now: Instant) {
        guard response.status.isFinal, var referral = sentReferral else { return }
        referral.isAnswered = true
        guard response.status.isSuccess else {
            sentReferral = nil
            emit(.transferProgress(handle, .failed(response.status, reason: response.reason)))
            if response.status == 481 || response.status == 408 { dialogLost(by: response, at: now) }
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
        emit(.transferProgress(handle, .failed(nil, reason: failure.reason)))
        if case .timedOut = failure, phase != .ended {
            end(CallEnd(cause: .dialogLost, by: .remote, status: 408), at: now)
        }
    }

    // MARK: - NOTIFY

    /// Takes how the peer's call stands.
    mutating func receiveNotify(_ request: Request, in transaction: ServerTransactionID, at now: Instant) {
        guard var referral = sentReferral, !referral.isTerminated, names(request.headers, referral.sequence) else {
            return act(.respond(request.response(481), transaction))
        }
        guard let state = try? request.headers.first(SubscriptionState.self) else {
            return act(.respond(request.response(400, reason: "Subscription-State Missing"), transaction))
        }
        let fragment = StatusFragment(parsing: request.body)
        let isTerminated = state.state.equalsIgnoringCase("terminated")
        guard fragment != nil || isTerminated else {
            return act(.respond(request.response(400, reason: "Status Line Missing"), transaction))
        }
        dialog?.refreshTarget(from: request.headers)
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
        } else if let at = referral.refreshAt, now >= at {
            referral.refreshAt = nil
            referral.refreshesLeft -= 1
            referral.isRefreshing = sendRefresh(of: referral.sequence)
        }
        keep(referral)
    }

    /// Asks for more time (RFC 6665 §4.1.2.2).
    private mutating func sendRefresh(of sequence: UInt32) -> Bool {
        guard var request = dialog?.request(.subscribe), let tag = dialog?.remoteTag else { return false }
        request.headers.append(EventPackage("refer", id: String(sequence)))
        request.headers.append(Expires(SentReferral.lifetime))
        request.headers.append(Accept(ContentType("message", "sipfrag")))
        act(.send(request, .within(tag, .subscribe), along: peer))
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

    private mutating func dialogLost(by response: Response, at now: Instant) {
        end(CallEnd(cause: .dialogLost, by: .remote, status: response.status, reason: response.reason), at: now)
    }
}

extension EventPackage {
    var isRefer: Bool { package.equalsIgnoringCase("refer") }
}
