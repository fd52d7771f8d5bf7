import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// A re-INVITE of ours: wanted, on its way, or waiting to be tried again.
struct Modification: Sendable {
    /// One more is to be sent as soon as the dialog is free for it.
    var isWanted = false
    /// As last sent, without Via and Contact; nil: none is on its way.
    var request: Request? {
        didSet { if let request { sequence = request.cSeq.number } }
    }
    /// The CSeq number of the last one sent, whose 2xx is owed an ACK also when the call is over.
    var sequence: UInt32?
    var offer: SessionDescription?
    /// What we brought before, to go back to where the peer refuses.
    var previous: LocalMedia?
    var retryAt: Instant?
    var attempts = 0
}

/// Changing a call that stands, RFC 3261 §14 and RFC 3264 §8.
extension InviteSession {
    /// How often a re-INVITE is tried that meets glare.
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
        if let media { wish = media.direction }
        modify { if let media { $0 = media } }
    }

    private mutating func modify(_ change: (inout LocalMedia) -> Void) {
        guard phase == .confirmed || phase == .accepted else { return ignoreCommand() }
        if modification.previous == nil { modification.previous = offerAnswer.local }
        change(&offerAnswer.local)
        modification.isWanted = true
        modification.attempts = 0
        sendDueReinvite()
    }

    /// Sends a wanted re-INVITE if nothing is in its way: no INVITE of either side may be in progress (§14.1).
    mutating func sendDueReinvite() {
        guard modification.isWanted, modification.retryAt == nil else { return }
        sendReinvite()
    }

    mutating func sendReinvite() {
        guard phase == .confirmed, acceptance == nil, modification.request == nil, !offerAnswer.hasLocalOffer,
            let request = dialog?.request(.invite), let tag = dialog?.remoteTag
        else {
            modification.isWanted = true
            return
        }
        modification.isWanted = false
        modification.offer = nil
        modification.request = request
        act(.send(request, .within(tag, .reinvite), along: peer))
    }

    // MARK: - Its responses

    mutating func receiveReinviteResponse(_ response: Response, over flow: Flow, at now: Instant) {
        guard !response.status.isProvisional, let tag = dialog?.remoteTag else { return }
        let sequence = response.cSeq.number
        if acknowledgements.contains(where: { $0.remoteTag == tag && $0.sequence == sequence }) {
            repeatAcknowledgement(remoteTag: tag, sequence: sequence)
            return
        }
        guard modification.request?.cSeq.number == sequence else {
            // The call ended meanwhile; a 2xx is owed its ACK all the same.
            if response.status.isSuccess, modification.sequence == sequence {
                acknowledge(tag, sequence, answering: nil)
            }
            return
        }
        if response.status.isSuccess {
            peer = flow
            dialog?.refreshTarget(from: response.headers)
            acknowledge(tag, sequence, answering: nil)
            modification.request = nil
            takeAnswer(of: response)
        } else {
            modification.request = nil
            reinviteRefused(response, at: now)
        }
        sendDueReinvite()
    }

    private mutating func takeAnswer(of response: Response) {
        guard let answer = response.sessionDescription, let media = try? offerAnswer.receiveAnswer(answer) else {
            offerAnswer.cancelOffer()
            goBack()
            emit(.modifyFailed(handle, response.status))
            return
        }
        modification.previous = nil
        settle(on: media)
        emit(.modified(handle))
    }

    /// A refusal leaves the call as it was, save one that says that the dialog is gone (§14.1, §12.2.1.2).
    private mutating func reinviteRefused(_ response: Response, at now: Instant) {
        offerAnswer.cancelOffer()
        modification.attempts += 1
        let mayRetry = modification.attempts < Self.modificationAttempts
        switch response.status.value {
        case 491 where mayRetry:
            // Steps of 10 ms; the owner of the Call-ID waits longer, so that the two do not meet again (§14.1).
            let isOwner = dialog?.isCaller ?? false
            let steps = isOwner ? Int.random(in: 210...400, using: &random) : Int.random(in: 0...200, using: &random)
            modification.retryAt = now + .milliseconds(10 * steps)
        case 500 where mayRetry && (response.retryAfter ?? .max) <= 10:
            modification.retryAt = now + .seconds(Int64(response.retryAfter ?? 0))
        case 481, 408:
            end(CallEnd(cause: .dialogLost, by: .remote, status: response.status, reason: response.reason), at: now)
        default:
            goBack()
            emit(.modifyFailed(handle, response.status))
        }
    }

    mutating func reinviteFailed(_ failure: RequestFailure, at now: Instant) {
        guard modification.request != nil else { return }
        modification.request = nil
        offerAnswer.cancelOffer()
        if case .timedOut = failure {
            end(CallEnd(cause: .dialogLost, by: .remote, status: 408), at: now)
        } else {
            goBack()
            emit(.modifyFailed(handle, nil))
            sendDueReinvite()
        }
    }

    private mutating func goBack() {
        if let previous = modification.previous, !modification.isWanted {
            offerAnswer.local = previous
            modification.previous = nil
        }
    }

    // MARK: - The peer's re-INVITE

    /// Answers a re-INVITE at once (§14.2). What can't be had is refused, and the call goes on as before.
    mutating func receiveReinvite(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, contact: NameAddress,
        at now: Instant
    ) {
        if let refusal = obstacle(to: request) {
            act(.respond(refusal, transaction))
            return
        }
        var response = request.response(200)
        var media: AgreedMedia?
        let address = flow.local.address
        do throws(NegotiationError) {
            if request.claimsDescription {
                guard let offer = request.sessionDescription else {
                    act(.respond(request.response(400, reason: "Session Description Unreadable"), transaction))
                    return
                }
                offerAnswer.targets = settings.mediaTargets(signalledFrom: flow.remote.address, to: address)
                try offerAnswer.receiveOffer(offer)
                let answer = try offerAnswer.makeAnswer(address: address)
                response.setDescription(answer.description)
                media = answer.media
            } else {
                response.setDescription(try offerAnswer.makeOffer(address: address))
            }
        } catch {
            offerAnswer.cancelOffer()
            act(.respond(request.refusal(of: error, at: address), transaction))
            return
        }
        dialog?.refreshTarget(from: request.headers)
        localAddress = address
        response.setCapabilities(settings.capabilities, contact: contact)
        accept(response, in: transaction, awaitsAnswer: media == nil, at: now)
        if let media { settle(on: media) }
    }

    private mutating func obstacle(to request: Request) -> Response? {
        switch phase {
        case .ended:
            return request.response(481)
        case .alerting:
            // The first INVITE is still to be answered (§14.2).
            var response = request.response(500)
            response.headers.set(RetryAfter(UInt32.random(in: 0...10, using: &random)))
            return response
        case .calling:
            return request.response(491)
        case .accepted, .confirmed:
            return modification.request != nil || offerAnswer.hasLocalOffer ? request.response(491) : nil
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
