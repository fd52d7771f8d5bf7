import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// An ACK that went out, kept because every repeated 2xx is owed the same one again (RFC 3261 §13.2.2.4).
struct SentAcknowledgement: Sendable {
    let remoteTag: String
    let sequence: UInt32
    let request: Request
    /// nil while its way is being resolved, and where there was none.
    var transmit: Transmit?
    /// Why no way was found; the next repetition of the 2xx asks again.
    var failure: RequestFailure?
    var failures = 0
}

/// The caller's side of a 2xx, RFC 3261 §13.2.2.4.
extension InviteSession {
    /// Also of an INVITE that was done with: refused, redirected, or asked again with credentials. Such an answer is one
    /// that nobody waits for any more.
    mutating func receiveSuccess(_ response: Response, over flow: Flow, at now: Instant) {
        let tag = response.to.tag
        let isAwaited = invitation?.request.cSeq.number == response.cSeq.number
        let wasPending = isAwaited && invitation?.isPending ?? false
        if isAwaited { invitation?.isPending = false }
        guard let tag, !tag.isEmpty else {
            // It can't be acknowledged; the call fails as if by 502 (ROBUSTNESS row 60).
            if wasPending && phase == .calling {
                end(CallEnd(cause: .protocolFault, by: .remote, status: 502), at: now)
            }
            return
        }
        if acknowledgements.contains(where: { $0.remoteTag == tag && $0.sequence == response.cSeq.number }) {
            repeatAcknowledgement(remoteTag: tag, sequence: response.cSeq.number)
        } else if isAwaited && phase == .calling && dialog == nil {
            confirm(by: response, tag: tag, over: flow, at: now)
        } else if isKnown(tag, isAwaited: isAwaited) {
            // So late that its ACK is forgotten; the dialog is not another one for that.
            acknowledge(tag, response.cSeq.number, answering: nil)
        } else {
            endUnwanted(response, over: flow, at: now)
        }
    }

    /// Whether a 2xx makes no further dialog: it has the call's own, one that was ended, or, where a peer takes one tag for
    /// all that it answers, one that its answer to the present INVITE may yet make the call's.
    private func isKnown(_ tag: String, isAwaited: Bool) -> Bool {
        dialog?.remoteTag == tag || unwanted.contains { $0.remoteTag == tag }
            || !isAwaited && phase == .calling
                && invitation?.earlyDialogs.contains { $0.dialog.remoteTag == tag } == true
    }

    private mutating func confirm(by response: Response, tag: String, over flow: Flow, at now: Instant) {
        guard let invitation else { return }
        peer = flow
        let early = invitation.earlyDialogs.first { $0.dialog.remoteTag == tag }
        let isBroken = (try? Dialog(of: invitation.request, answeredBy: response)) == nil
        guard var dialog = confirmedDialog(of: response) else { return }
        if let ended = unwanted.first(where: { $0.remoteTag == tag }) { dialog.countOn(from: ended.localSequence) }
        self.dialog = dialog
        self.invitation?.earlyDialogs.removeAll { $0.dialog.remoteTag == tag }
        self.invitation?.ringsUntil = nil
        phase = .confirmed
        takeSessionTimer(from: response, at: now)
        minimumInterval = nil
        if let early { offerAnswer = early.offerAnswer }
        offerAnswer.targets = settings.value.mediaTargets(signalledFrom: flow.remote.address, to: localAddress)

        let answer = agree(on: response, hasSettled: early?.hasSettled ?? false)
        acknowledge(tag, response.cSeq.number, answering: answer.description)
        if isBroken {
            end(
                CallEnd(cause: .protocolFault, by: .local, status: response.status, reason: "Contact unusable"), at: now
            )
            return
        }
        guard let media = answer.media else {
            end(CallEnd(cause: .mediaRefused, by: .local, status: response.status, reason: answer.fault), at: now)
            return
        }
        emit(
            .answered(
                handle,
                CallAnswer(
                    status: response.status, reason: response.reason, dialog: EarlyDialogID(remoteTag: tag),
                    headers: response.headers)))
        settle(on: media)
        emit(.established(handle))
        tellReferrer(StatusFragment(response.status, reason: response.reason))
        carryModification(from: tag)
    }

    /// What changed in another early dialog than the one that answered is still to be said there.
    private mutating func carryModification(from tag: String) {
        if modification.remoteTag != tag, modification.remoteTag != "" {
            modification.request = nil
            modification.retryAt = nil
            modification.isWanted = true
        }
        sendDueModification()
    }

    /// The dialog that a 2xx confirms, or makes where no provisional response did (RFC 3261 §13.2.2.4).
    private func confirmedDialog(of response: Response) -> Dialog? {
        guard let invitation else { return nil }
        let early = invitation.earlyDialogs.first { $0.dialog.remoteTag == response.to.tag }
        guard var dialog = early?.dialog else {
            return try? invitation.dialog(answeredBy: response)
        }
        dialog.confirm(by: response)
        return dialog
    }

    private struct Outcome {
        var media: AgreedMedia?
        /// What the ACK carries, where the 2xx offered.
        var description: SessionDescription?
        var fault: String?
    }

    /// Completes offer and answer by a 2xx, which bears the answer, or the offer where the INVITE had none.
    ///
    /// - Parameter hasSettled: whether a reliable provisional response did so; then a description in the 2xx is no answer,
    ///   and one that is outstanding is of an UPDATE.
    private mutating func agree(on response: Response, hasSettled: Bool) -> Outcome {
        if hasSettled { return Outcome(media: offerAnswer.agreed) }
        do throws(NegotiationError) {
            guard offerAnswer.hasLocalOffer else {
                if invitation?.call.offersInInvite ?? false { return Outcome(fault: "no usable answer") }
                guard let offer = response.sessionDescription else { return Outcome(fault: "no offer in the answer") }
                let answer = offerAnswer.answerOrRefuse(offer, address: localAddress)
                return Outcome(media: answer.media, description: answer.description, fault: answer.fault?.description)
            }
            if let answer = response.sessionDescription {
                return Outcome(media: try offerAnswer.receiveAnswer(answer))
            }
            return Outcome(media: offerAnswer.acceptEarlyAnswer(), fault: "no description in the answer")
        } catch {
            offerAnswer.cancelOffer()
            return Outcome(fault: error.description)
        }
    }

    /// How many answers are ended. More phones than that are no place that somebody is called at, and each costs us a
    /// dialog, an ACK and a BYE.
    private static let unwantedLimit = 64

    /// A 2xx of another fork, or one that crossed our CANCEL: acknowledged, then ended.
    private mutating func endUnwanted(_ response: Response, over flow: Flow, at now: Instant) {
        guard unwanted.count < Self.unwantedLimit, let other = confirmedDialog(of: response) else { return }
        unwanted.append(other)
        acknowledge(other.remoteTag, response.cSeq.number, answering: refusal(ofOfferIn: response))
        sendBye(toUnwanted: unwanted.count - 1)
    }

    /// The answer that the offer of an unwanted 2xx is owed in its ACK; the call's own negotiation goes on without it.
    private func refusal(ofOfferIn response: Response) -> SessionDescription? {
        guard let invitation, !invitation.call.offersInInvite, let offer = response.sessionDescription else {
            return nil
        }
        var negotiation = offerAnswer
        return negotiation.refuse(offer, address: localAddress)
    }

    // MARK: - ACK

    /// How many are kept of one dialog.
    private static let acknowledgementLimit = 8

    /// Sends the ACK of a 2xx. It bears the credentials of the INVITE (§13.2.2.4).
    mutating func acknowledge(_ remoteTag: String, _ sequence: UInt32, answering answer: SessionDescription?) {
        guard let dialog = dialog(with: remoteTag) else { return }
        var request = dialog.acknowledgement(of: sequence)
        let invites = [modification.request, invitation?.request]
        let invite = invites.lazy.compactMap { $0 }.first { $0.cSeq == CSeq(sequence, .invite) }
        if let invite { request.copyCredentials(from: invite) }
        if let answer { request.setDescription(answer) }
        // A 2xx may come again for 64*T1, whatever was changed meanwhile.
        let known = acknowledgements.indices.filter { acknowledgements[$0].remoteTag == remoteTag }
        if known.count >= Self.acknowledgementLimit, let oldest = known.first { acknowledgements.remove(at: oldest) }
        acknowledgements.append(SentAcknowledgement(remoteTag: remoteTag, sequence: sequence, request: request))
        act(.send(request, .within(remoteTag, .acknowledgement(of: sequence)), along: peer))
    }

    /// The core sent an ACK: it is kept to be repeated.
    mutating func acknowledged(_ transmit: Transmit, remoteTag: String, sequence: UInt32) {
        let index = acknowledgements.firstIndex { $0.remoteTag == remoteTag && $0.sequence == sequence }
        if let index { acknowledgements[index].transmit = transmit }
    }

    mutating func repeatAcknowledgement(remoteTag: String, sequence: UInt32) {
        let known = acknowledgements.firstIndex { $0.remoteTag == remoteTag && $0.sequence == sequence }
        guard let known else { return }
        if let transmit = acknowledgements[known].transmit {
            act(.transmit(transmit))
        } else if acknowledgements[known].failure != nil {
            acknowledgements[known].failure = nil
            let request = acknowledgements[known].request
            act(.send(request, .within(remoteTag, .acknowledgement(of: sequence)), along: peer))
        }
    }

    /// How often a way for an ACK is looked for: with the 2xx, and with the repetitions that come in the 1.5 s after it.
    private static let acknowledgementTries = 3

    /// No way for an ACK was found. Where none is found again and again, nothing of this call will ever reach its peer
    /// (ROBUSTNESS row 30).
    mutating func acknowledgementLost(
        _ remoteTag: String, _ sequence: UInt32, _ failure: RequestFailure, at now: Instant
    ) {
        let index = acknowledgements.firstIndex { $0.remoteTag == remoteTag && $0.sequence == sequence }
        guard let index else { return }
        acknowledgements[index].failure = failure
        acknowledgements[index].failures += 1
        guard acknowledgements[index].failures >= Self.acknowledgementTries, remoteTag == dialog?.remoteTag else {
            return
        }
        end(.failed(failure), at: now)
    }

    /// Why the peer has no ACK from us, if it has none: then a BYE does not get there either.
    var unacknowledged: RequestFailure? {
        acknowledgements.last { $0.remoteTag == dialog?.remoteTag }?.failure
    }
}
