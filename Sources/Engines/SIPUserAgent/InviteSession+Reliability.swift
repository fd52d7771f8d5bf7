import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// What is to be said to a caller whose reliable provisional response is not acknowledged yet.
struct HeldAnswer: Sendable {
    let media: LocalMedia
    let headers: Headers
    let isAutomatic: Bool
}

/// Provisional responses of ours and the PRACKs that acknowledge them (RFC 3262 §3, §5).
extension InviteSession {
    /// Sends a provisional response as this caller takes it.
    mutating func sendProvisional(_ response: Response, at now: Instant) {
        guard var arrival else { return }
        let bearsDescription = !response.body.isEmpty
        switch arrival.provisionals.use {
        case .withheld:
            return
        case .forDescriptions where bearsDescription, .always:
            // The first one has to offer where the INVITE did not (§5), and to ring there is nothing to offer.
            guard bearsDescription || offersMedia || arrival.provisionals.hasBegun else { return }
            let sent = arrival.provisionals.send(
                dressed(response, headers: Headers()), timers: settings.timers, at: now)
            self.arrival = arrival
            if let sent { tell(sent) }
        case .never, .forDescriptions:
            // Who may cost only so much is owed the final response above all (ROBUSTNESS S1).
            guard isPathProven || !arrival.isUnproven || arrival.progressCount < Self.unprovenProgress else { return }
            tell(dressed(response, headers: Headers()))
        }
    }

    private mutating func tell(_ progress: Response) {
        guard let transaction = arrival?.transaction else { return }
        arrival?.progressCount += 1
        if !progress.body.isEmpty { arrival?.descriptionCount += 1 }
        act(.respond(progress, transaction))
    }

    /// Whether the INVITE offered.
    private var offersMedia: Bool { arrival?.request.claimsDescription ?? false }

    mutating func handleProvisionalDeadline(at now: Instant) {
        switch arrival?.provisionals.handleDeadline(at: now) {
        case .retransmit(let response):
            tell(response)
        case .giveUp:
            guard phase == .alerting else { return }
            refuse(504, reason: nil, headers: Headers())
            end(CallEnd(cause: .notAcknowledged, by: .local, status: 504), at: now)
        case .wait, nil:
            break
        }
    }

    // MARK: - PRACK

    mutating func receivePrack(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        guard let rack = try? request.headers.first(RAck.self) else {
            act(.respond(request.response(400, reason: "RAck Unreadable"), transaction))
            return
        }
        guard let invite = arrival?.request.cSeq,
            let acknowledged = self.arrival?.provisionals.acknowledge(rack, invite: invite)
        else {
            act(.respond(request.response(481), transaction))
            return
        }
        if phase == .ended {
            act(.respond(request.response(200), transaction))
            lingersUntil = nil
            return
        }
        let owesAnswer = !acknowledged.body.isEmpty && offerAnswer.hasLocalOffer
        if !acknowledged.body.isEmpty { arrival?.hasSettledEarly = true }
        if owesAnswer {
            receiveEarlyAnswer(request, in: transaction, at: now)
        } else if request.claimsDescription {
            receiveEarlyOffer(request, in: transaction, over: flow)
        } else {
            act(.respond(request.response(200), transaction))
        }
        goOnAfterPrack(at: now)
    }

    /// The answer to the offer of our reliable response (§5).
    private mutating func receiveEarlyAnswer(
        _ request: Request, in transaction: ServerTransactionID, at now: Instant
    ) {
        act(.respond(request.response(200), transaction))
        do throws(NegotiationError) {
            guard let answer = request.sessionDescription else { throw .noOffer }
            settleEarly(on: try offerAnswer.receiveAnswer(answer))
        } catch {
            offerAnswer.cancelOffer()
            refuse(488, reason: nil, headers: Headers())
            end(CallEnd(cause: .mediaRefused, by: .local, status: 488, reason: "no usable answer in PRACK"), at: now)
        }
    }

    /// A further offer, answered in the 2xx (§5). One that can't be met leaves what was agreed; the response that the
    /// PRACK names has come, whatever becomes of its offer.
    private mutating func receiveEarlyOffer(_ request: Request, in transaction: ServerTransactionID, over flow: Flow) {
        do throws(RequestRefusal) {
            let answer = try offerAnswer.answerOffer(
                of: request, at: flow.local.address, targets: mediaTargets(over: flow))
            var response = request.response(200)
            response.setDescription(answer.description)
            act(.respond(response, transaction))
            settleEarly(on: answer.media)
        } catch {
            act(.respond(error.response, transaction))
        }
    }

    /// Takes over what was agreed on within the early dialog, or in a PRACK that came after the 2xx.
    private mutating func settleEarly(on media: AgreedMedia) {
        if phase == .alerting {
            announceEarly(media, in: EarlyDialogID(remoteTag: dialog?.remoteTag ?? ""))
        } else {
            settle(on: media)
        }
    }

    /// What waited for the PRACK: the answer of the call, else the next provisional response.
    private mutating func goOnAfterPrack(at now: Instant) {
        guard phase == .alerting, let arrival else { return }
        if let held = arrival.heldAnswer {
            self.arrival?.heldAnswer = nil
            answer(held.media, headers: held.headers, automatic: held.isAutomatic, at: now)
        } else if let next = self.arrival?.provisionals.nextWaiting() {
            if let sent = self.arrival?.provisionals.send(next, timers: settings.timers, at: now) { tell(sent) }
        }
        sendDueModification()
    }
}
