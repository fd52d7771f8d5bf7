import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// What is particular to re-INVITE: the ACK, and answers that come reliably before the 2xx (RFC 3261 §14, RFC 3262 §5).
extension InviteSession {
    // MARK: - Responses to ours

    /// Whether the transaction of a re-INVITE is there to take its response: none that comes by another branch is one.
    func awaitsAnswer(toReinvite cSeq: CSeq) -> Bool {
        modification.request?.cSeq == cSeq
    }

    mutating func receiveReinviteResponse(_ response: Response, over flow: Flow, at now: Instant) {
        guard let tag = dialog?.remoteTag else { return }
        let sequence = response.cSeq.number
        if response.status.isProvisional {
            if modification.request?.cSeq == response.cSeq { acknowledgeProvisional(response, in: tag) }
            return
        }
        if acknowledgements.contains(where: { $0.remoteTag == tag && $0.sequence == sequence }) {
            repeatAcknowledgement(remoteTag: tag, sequence: sequence)
            return
        }
        guard modification.request?.cSeq == response.cSeq else {
            // The call ended meanwhile, or the change was given up; a 2xx is owed its ACK all the same.
            if response.status.isSuccess, modification.sequence == sequence {
                acknowledge(tag, sequence, answering: nil)
                offerAgain()
            }
            return
        }
        if response.status.isSuccess {
            dialog?.refreshTarget(from: response.headers)
            acknowledge(tag, sequence, answering: nil)
        }
        modificationAnswered(response, over: flow, at: now)
    }

    /// The peer took what was given up here, as our own side of the transaction had failed: a new offer says what holds.
    private mutating func offerAgain() {
        guard phase == .confirmed, modification.request == nil else { return }
        modification.isWanted = true
        modification.prefersUpdate = false
        sendDueModification()
    }

    /// Within a call too a provisional response may be reliable, and bear the answer.
    private mutating func acknowledgeProvisional(_ response: Response, in tag: String) {
        guard let number = response.reliableNumber, modification.lastReliable.map({ $0 &+ 1 == number }) ?? true,
            let request = dialog?.acknowledgement(of: number, in: response)
        else { return }
        modification.lastReliable = number
        if modification.answer == nil { modification.answer = response.sessionDescription }
        act(.send(request, .within(tag, .prack), along: peer))
    }

    // MARK: - The peer's

    /// Answers a re-INVITE at once (§14.2). What can't be had is refused, and the call goes on as before.
    mutating func receiveReinvite(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, contact: NameAddress,
        at now: Instant
    ) {
        if let refusal = obstacle(to: request) ?? intervalRefusal(of: request) {
            act(.respond(refusal, transaction))
            return
        }
        var response = request.response(200)
        var media: AgreedMedia?
        let address = flow.local.address
        do throws(RequestRefusal) {
            if request.claimsDescription {
                let answer = try offerAnswer.answerOffer(of: request, at: address, targets: mediaTargets(over: flow))
                response.setDescription(answer.description)
                media = answer.media
            } else {
                response.setDescription(try offerAnswer.offer(to: request, at: address))
            }
        } catch {
            act(.respond(error.response, transaction))
            return
        }
        dialog?.refreshTarget(from: request.headers)
        localAddress = address
        response.setCapabilities(settings.capabilities, contact: contact)
        grantSessionTimer(in: &response, to: request, at: now)
        accept(response, in: transaction, awaitsAnswer: media == nil, at: now)
        if let media { settle(on: media) }
    }

    private mutating func obstacle(to request: Request) -> Response? {
        switch phase {
        case .ended:
            return request.response(481)
        case .alerting:
            // The first INVITE is still to be answered (§14.2).
            return tryLater(request)
        case .calling:
            return request.response(491)
        case .accepted, .confirmed:
            let isGlare = modification.isOffering(in: dialog?.remoteTag ?? "") || offerAnswer.hasLocalOffer
            return isGlare ? request.response(491) : nil
        }
    }

    /// 500 with a time of 0 to 10 seconds, for what comes in the midst of its like (§14.2, RFC 3311 §5.2).
    mutating func tryLater(_ request: Request) -> Response {
        var response = request.response(500)
        response.headers.set(RetryAfter(UInt32.random(in: 0...10, using: &random)))
        return response
    }
}
