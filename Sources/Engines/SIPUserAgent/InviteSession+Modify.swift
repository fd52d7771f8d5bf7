import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// Changing a call: by re-INVITE where it stands (RFC 3261 §14.1), by UPDATE where it is early (RFC 3311 §5.1).
extension InviteSession {
    /// How often one is tried that meets glare.
    static let modificationAttempts = 10

    // MARK: - Commands

    mutating func hold(at now: Instant) {
        modify { $0.direction = $0.direction.held }
    }

    mutating func resume(at now: Instant) {
        let wish = wish
        modify { $0.direction = wish }
    }

    mutating func reinvite(_ media: LocalMedia?, at now: Instant) {
        offer(media, byUpdate: false)
    }

    /// Offers by UPDATE also where the call stands; by re-INVITE where the peer takes none.
    mutating func update(_ media: LocalMedia?, at now: Instant) {
        offer(media, byUpdate: true)
    }

    private mutating func offer(_ media: LocalMedia?, byUpdate: Bool) {
        if let media { wish = media.direction }
        modify(byUpdate: byUpdate) { if let media { $0 = media } }
    }

    private mutating func modify(byUpdate: Bool = false, _ change: (inout LocalMedia) -> Void) {
        guard phase == .confirmed || phase == .accepted || modifiableEarlyTag != nil else { return ignoreCommand() }
        if modification.previous == nil { modification.previous = offerAnswer.local }
        changeLocalMedia(change)
        modification.isWanted = true
        modification.isAskedAnew = true
        modification.prefersUpdate = byUpdate
        modification.attempts = 0
        sendDueModification()
    }

    /// Changes what we bring, in whatever dialog of the call it will be offered.
    private mutating func changeLocalMedia(_ change: (inout LocalMedia) -> Void) {
        change(&offerAnswer.local)
        for index in invitation?.earlyDialogs.indices ?? 0..<0 {
            if var local = invitation?.earlyDialogs[index].offerAnswer.local {
                change(&local)
                invitation?.earlyDialogs[index].offerAnswer.local = local
            }
        }
    }

    // MARK: - Sending

    /// Sends what is due, if nothing is in its way: no offer of either side may be unanswered, and no INVITE of either
    /// side in progress where it takes one (§14.1).
    mutating func sendDueModification() {
        guard modification.isWanted || modification.isRefreshDue, modification.request == nil,
            modification.retryAt == nil
        else { return }
        switch phase {
        case .confirmed:
            guard acceptance == nil, let dialog, !offerAnswer.isOutstanding else { return }
            let byUpdate = dialog.peerAllows(.update) && (modification.prefersUpdate || !modification.isWanted)
            sendModification(byUpdate ? .update : .invite, in: dialog.remoteTag)
        case .calling, .alerting:
            guard modification.isWanted, let tag = modifiableEarlyTag,
                let negotiation = negotiation(with: tag), !negotiation.isOutstanding
            else { return }
            sendModification(.update, in: tag)
        case .accepted, .ended:
            return
        }
    }

    /// The dialog in which UPDATE may offer before the call is answered: the last one whose first offer is answered, and
    /// reliably (RFC 3311 §5.1).
    private var modifiableEarlyTag: String? {
        switch phase {
        case .calling:
            let candidate = invitation?.earlyDialogs.last {
                $0.hasSettled && !$0.isLost && $0.dialog.peerAllows(.update)
            }
            return candidate?.dialog.remoteTag
        case .alerting:
            guard arrival?.hasSettledEarly ?? false, let dialog, dialog.peerAllows(.update) else { return nil }
            return dialog.remoteTag
        case .accepted, .confirmed, .ended:
            return nil
        }
    }

    private mutating func sendModification(_ method: Method, in tag: String) {
        guard let request = updateDialog(with: tag, { $0.request(method) }) else { return }
        modification.begin(request, in: tag)
        act(.send(request, .within(tag, method == .invite ? .reinvite : .update), along: peer))
    }

    /// Adds the offer, with our address on the way that the request takes.
    mutating func completeModification(_ request: inout Request, at local: SocketAddress) {
        guard modification.offers else { return }
        let tag = modification.remoteTag
        if modification.offer == nil || localAddress != local.address {
            localAddress = local.address
            let isRefresh = modification.isRefresh
            let offer = updateNegotiation(with: tag) { negotiation in
                negotiation.cancelOffer()
                return isRefresh
                    ? try? negotiation.repeatOffer(address: local.address)
                    : try? negotiation.makeOffer(address: local.address)
            }
            modification.offer = offer ?? nil
            modification.offered = negotiation(with: tag)?.local
        }
        if let offer = modification.offer { request.setDescription(offer) }
    }

    // MARK: - What comes back

    /// A final response, whose ACK is sent where it is owed one.
    mutating func modificationAnswered(_ response: Response, over flow: Flow, at now: Instant) {
        modification.request = nil
        if response.status.isSuccess {
            peer = flow
            modificationAccepted(response, at: now)
        } else {
            modificationRefused(response, at: now)
        }
        sendDueModification()
    }

    private mutating func modificationAccepted(_ response: Response, at now: Instant) {
        modification.attempts = 0
        takeSessionTimer(from: response, at: now)
        guard modification.offers else { return }
        let tag = modification.remoteTag
        let media = (modification.answer ?? response.sessionDescription).flatMap { answer in
            updateNegotiation(with: tag) { try? $0.receiveAnswer(answer) } ?? nil
        }
        guard let media else {
            cancelOffer()
            return giveUpModification(response.status, at: now)
        }
        if modification.isRefresh {
            if media != agreed { settle(on: media, in: tag) }
            return
        }
        // What was asked for since is still to be offered, and may be refused.
        modification.previous = modification.isWanted ? modification.offered : nil
        settle(on: media, in: tag)
        emit(.modified(handle))
    }

    /// A refusal leaves the call as it was, save one that says that the dialog is gone (§14.1, §12.2.1.2; RFC 3311 §5.3).
    private mutating func modificationRefused(_ response: Response, at now: Instant) {
        let wasUpdate = response.cSeq.method == .update
        cancelOffer()
        modification.attempts += 1
        let mayRetry = modification.attempts < Self.modificationAttempts
        switch response.status.value {
        case 491 where mayRetry:
            // Steps of 10 ms; the owner of the Call-ID waits longer, so that the two do not meet again (§14.1).
            let isOwner = invitation != nil
            let steps = isOwner ? Int.random(in: 210...400, using: &random) : Int.random(in: 0...200, using: &random)
            modification.wantAgain()
            modification.retryAt = now + .milliseconds(10 * steps)
        case 500 where mayRetry && (response.retryAfter ?? .max) <= 10:
            modification.wantAgain()
            modification.retryAt = now + .seconds(Int64(response.retryAfter ?? 0))
        case 422 where mayRetry && raiseMinimumInterval(to: response):
            modification.wantAgain()
        case 405 where wasUpdate && phase == .confirmed, 501 where wasUpdate && phase == .confirmed:
            // The Allow was too much promised, or a proxy lets none through.
            dialog?.forbid(.update)
            modification.wantAgain()
        case 481, 408:
            loseDialog(modification.remoteTag, .dialogLost(by: response), at: now)
        case 400 where modification.isRefresh && !modification.offers,
            488 where modification.isRefresh && !modification.offers:
            // Some take no UPDATE without a description; the same request would meet the same (RFC 4028 §10).
            modification.refreshesOffer = true
            modification.wantAgain()
        default:
            giveUpModification(response.status, at: now)
        }
    }

    mutating func modificationFailed(_ failure: RequestFailure, at now: Instant) {
        guard modification.request != nil else { return }
        modification.request = nil
        cancelOffer()
        if case .timedOut = failure {
            loseDialog(modification.remoteTag, .failed(failure), at: now)
        } else {
            giveUpModification(nil, at: now)
            sendDueModification()
        }
    }

    private mutating func cancelOffer() {
        guard modification.offers else { return }
        updateNegotiation(with: modification.remoteTag) { $0.cancelOffer() }
    }

    /// What was not accepted is not tried again, but a refresh is as long as there is time. An offer that is due for
    /// another reason, a new address say, says what held before.
    private mutating func giveUpModification(_ status: StatusCode?, at now: Instant) {
        if modification.isRefresh { return postponeRefresh(at: now) }
        if let previous = modification.previous, !modification.isAskedAnew {
            changeLocalMedia { $0 = previous }
            modification.previous = nil
            modification.remoteTag = ""
        }
        emit(.modifyFailed(handle, status))
    }

    /// The peer knows the dialog no more, or did not say a word (§12.2.1.2).
    private mutating func loseDialog(_ tag: String, _ end: CallEnd, at now: Instant) {
        switch phase {
        case .calling:
            loseEarlyDialog(tag, end, at: now)
        case .alerting, .accepted, .confirmed:
            if phase == .alerting { refuse(480, reason: nil, headers: Headers()) }
            self.end(end, at: now)
        case .ended:
            break
        }
    }

    // MARK: - What was agreed on

    /// Takes over what an exchange in the dialog with that tag agreed on.
    mutating func settle(on media: AgreedMedia, in tag: String) {
        switch phase {
        case .accepted, .confirmed: settle(on: media)
        case .calling, .alerting: announceEarly(media, in: EarlyDialogID(remoteTag: tag))
        case .ended: break
        }
    }

    /// Takes over what an exchange within the call agreed on.
    mutating func settle(on media: AgreedMedia) {
        let wasHeld = agreed?.isHeldByPeer ?? false
        announce(media)
        guard media.isHeldByPeer != wasHeld else { return }
        emit(media.isHeldByPeer ? .heldByPeer(handle) : .resumedByPeer(handle))
    }
}
