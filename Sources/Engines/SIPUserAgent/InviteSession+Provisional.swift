import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// Provisional responses to our INVITE: the early dialogs that they make (RFC 3261 §12.1.2), and the PRACKs that the
/// reliable ones are owed (RFC 3262 §4, §5).
extension InviteSession {
    mutating func receiveProvisional(_ response: Response, over flow: Flow, at now: Instant) {
        guard let invitation, invitation.isPending else { return }
        peer = flow
        self.invitation?.hasProvisional = true
        if invitation.isCancelled && !invitation.isCancelSent { act(.cancelInvite) }
        if response.status == 100 {
            if phase == .calling { emit(.trying(handle)) }
            return
        }
        // Without a tag there is no dialog, but the peer rings all the same (ROBUSTNESS row 60).
        let index = earlyDialogIndex(for: response)
        let number = response.reliableNumber
        if let number {
            // One that came before, or before its time, is not even acknowledged (RFC 3262 §4).
            guard let index, self.invitation?.earlyDialogs[index].isNext(number) ?? false else { return }
            self.invitation?.earlyDialogs[index].lastReliable = number
        }
        let early = index.map { _ in EarlyDialogID(remoteTag: response.to.tag ?? "") }
        let description = response.sessionDescription
        if phase == .calling {
            emit(
                .ringing(
                    handle,
                    CallProgress(
                        status: response.status, reason: response.reason, earlyDialog: early,
                        hasDescription: description != nil)))
            tellReferrer(StatusFragment(response.status, reason: response.reason))
        }
        guard let index, let early else { return }
        let answer = description.flatMap { agreeEarly(on: $0, isReliable: number != nil, at: index, early) }
        if let number { acknowledge(number, of: response, answering: answer, at: index) }
    }

    /// The early dialog of a provisional response, made where there is room for it (RFC 3261 §12.1.2).
    private mutating func earlyDialogIndex(for response: Response) -> Int? {
        guard let tag = response.to.tag, let invitation else { return nil }
        if let index = invitation.earlyDialogs.firstIndex(where: { $0.dialog.remoteTag == tag }) {
            self.invitation?.earlyDialogs[index].dialog.refreshTarget(from: response.headers)
            return index
        }
        guard invitation.earlyDialogs.count < settings.earlyDialogLimit,
            let dialog = try? invitation.dialog(answeredBy: response)
        else { return nil }
        let early = Invitation.EarlyDialog(dialog: dialog, offerAnswer: offerAnswer)
        self.invitation?.earlyDialogs.append(early)
        return invitation.earlyDialogs.count
    }

    // MARK: - Descriptions

    /// Takes the description of a provisional response. In an unreliable one it is only a foretaste of the answer, yet it
    /// is what early media follows; in a reliable one it is the answer itself, or the offer where our INVITE had none.
    ///
    /// - Returns: what the PRACK has to answer.
    private mutating func agreeEarly(
        on description: SessionDescription, isReliable: Bool, at index: Int, _ early: EarlyDialogID
    ) -> SessionDescription? {
        guard let invitation, let source = peer?.remote.address else { return nil }
        var negotiation = invitation.earlyDialogs[index].offerAnswer
        negotiation.targets = settings.value.mediaTargets(signalledFrom: source, to: localAddress)
        let known = negotiation.agreed
        var answer: SessionDescription?
        var media: AgreedMedia?
        if negotiation.hasLocalOffer {
            media = try? negotiation.receiveAnswer(description, isFinal: isReliable)
        } else if isReliable, known == nil, !invitation.call.offersInInvite {
            (answer, media, _) = negotiation.answerOrRefuse(description, address: localAddress)
        }
        guard isReliable || media != nil else { return nil }
        self.invitation?.earlyDialogs[index].offerAnswer = negotiation
        if isReliable, media != nil { self.invitation?.earlyDialogs[index].hasSettled = true }
        if let media, media != known { announceEarly(media, in: early) }
        return answer
    }

    /// Tells who runs the call what an early dialog sounds like.
    mutating func announceEarly(_ media: AgreedMedia, in early: EarlyDialogID) {
        guard phase != .ended, let agreement = agreement(on: media) else { return }
        emit(.earlyMedia(handle, early, agreement))
    }

    // MARK: - PRACK

    /// Acknowledges a reliable response within its early dialog (RFC 3262 §4).
    private mutating func acknowledge(
        _ number: UInt32, of response: Response, answering answer: SessionDescription?, at index: Int
    ) {
        guard var early = invitation?.earlyDialogs[index] else { return }
        var request = early.dialog.acknowledgement(of: number, in: response)
        invitation?.earlyDialogs[index] = early
        if let answer { request.setDescription(answer) }
        act(.send(request, .within(early.dialog.remoteTag, .prack), along: peer))
    }

    /// A PRACK has its final response.
    ///
    /// A refusal is the callee's affair, which repeats its response and gives up in the end. But an early dialog that is
    /// gone can answer no more (RFC 3261 §12.2.1.2). Once the call is answered nothing depends on its PRACKs.
    mutating func prackAnswered(_ response: Response, in tag: String?, at now: Instant) {
        guard response.status == 481 || response.status == 408 else { return }
        loseEarlyDialog(tag, .dialogLost(by: response), at: now)
    }

    /// An early dialog is gone. With the last one the call is over, as nobody is left to answer it.
    mutating func loseEarlyDialog(_ tag: String?, _ end: CallEnd, at now: Instant) {
        guard phase == .calling, var invitation,
            let index = invitation.earlyDialogs.firstIndex(where: { $0.dialog.remoteTag == tag })
        else { return }
        invitation.earlyDialogs[index].isLost = true
        self.invitation = invitation
        if invitation.earlyDialogs.allSatisfy(\.isLost) { self.end(end, at: now) }
    }
}

extension Invitation.EarlyDialog {
    /// Whether a reliable response is the next one: the first may bear any number (RFC 3262 §4).
    fileprivate func isNext(_ number: UInt32) -> Bool {
        lastReliable.map { number == $0 &+ 1 } ?? true
    }
}

extension Response {
    /// The RSeq of a response that is owed a PRACK; never of a 100 (RFC 3262 §4).
    var reliableNumber: UInt32? {
        guard status.isProvisional, status != 100, (try? headers.first(Require.self))?.contains(.reliable) ?? false
        else { return nil }
        return (try? headers.first(RSeq.self))?.number
    }
}

extension String {
    /// The option tag of reliable provisional responses (RFC 3262 §8.1).
    static let reliable = "100rel"
}

extension OfferAnswer {
    /// Answers an offer that can't be refused by status, as in a 2xx or a reliable provisional response: where it can't be
    /// met, the answer refuses every stream, and there is no media but a fault.
    mutating func answerOrRefuse(
        _ offer: SessionDescription, address: IPAddress
    ) -> (description: SessionDescription, media: AgreedMedia?, fault: NegotiationError?) {
        do throws(NegotiationError) {
            try receiveOffer(offer)
            let answer = try makeAnswer(address: address)
            return (answer.description, answer.media, nil)
        } catch {
            cancelOffer()
            return (refuse(offer, address: address), nil, error)
        }
    }
}
