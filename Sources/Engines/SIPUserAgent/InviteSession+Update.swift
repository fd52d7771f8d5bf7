import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// UPDATE in both roles, before and after the call is answered (RFC 3311).
extension InviteSession {
    mutating func receiveUpdateResponse(_ response: Response, over flow: Flow, at now: Instant) {
        guard response.status.isFinal, modification.request?.cSeq == response.cSeq else { return }
        if response.status.isSuccess {
            updateDialog(with: modification.remoteTag) { $0.refreshTarget(from: response.headers) }
        }
        modificationAnswered(response, over: flow, at: now)
    }

    /// Answers the peer's UPDATE at once (§5.2), so that there is never a second one before that. No person is asked
    /// either, so that there is no cause for the 504 either.
    mutating func receiveUpdate(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, contact: NameAddress,
        at now: Instant
    ) {
        let tag = request.from.tag ?? ""
        guard phase == .calling || (phase != .ended && tag == dialog?.remoteTag),
            var negotiation = negotiation(with: tag)
        else {
            act(.respond(request.response(481), transaction))
            return
        }
        if let refusal = obstacle(to: request, in: tag, negotiation) ?? intervalRefusal(of: request) {
            act(.respond(refusal, transaction))
            return
        }
        var response = request.response(200)
        var media: AgreedMedia?
        if request.claimsDescription {
            do throws(RequestRefusal) {
                let answer = try negotiation.answerOffer(
                    of: request, at: flow.local.address, targets: mediaTargets(over: flow))
                response.setDescription(answer.description)
                media = answer.media
            } catch {
                act(.respond(error.response, transaction))
                return
            }
            updateNegotiation(with: tag) { $0 = negotiation }
        }
        updateDialog(with: tag) { $0.refreshTarget(from: request.headers) }
        response.setCapabilities(settings.capabilities, contact: contact)
        grantSessionTimer(in: &response, to: request, at: now)
        act(.respond(response, transaction))
        if let media { settle(on: media, in: tag) }
    }

    /// Why an offer can't be taken now (§5.2): ours is unanswered, or the peer's own.
    private mutating func obstacle(
        to request: Request, in tag: String, _ negotiation: OfferAnswer
    ) -> Response? {
        guard request.claimsDescription else { return nil }
        if negotiation.hasLocalOffer || modification.isOffering(in: tag) { return request.response(491) }
        // An answer in an unreliable 183 is none yet, and without a first exchange there is nothing to update.
        let isUnsettled =
            phase == .alerting && !(arrival?.hasSettledEarly ?? false)
            && !(arrival?.provisionals.holdsBackAcceptance ?? false)
        return negotiation.hasRemoteOffer || negotiation.agreed == nil || isUnsettled ? tryLater(request) : nil
    }
}
