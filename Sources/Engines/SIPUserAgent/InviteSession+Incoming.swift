import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// What a callee keeps of the INVITE until the call is decided.
struct Arrival: Sendable {
    let request: Request
    let transaction: ServerTransactionID
    let flow: Flow
    let trust: CallerTrust
    /// The user that the caller proved to be.
    let provenCaller: String?
    /// Our address for the peer's requests.
    let contact: NameAddress
    /// The call whose place it takes when it is answered (RFC 3891).
    var replacement: Replacement?
    /// Whether it wants to be let into a call of ours (RFC 3911).
    let wantsToJoin: Bool
    /// When the phone stops to ring here.
    var ringsUntil: Instant?
    /// When the caller's invitation runs out (§13.3.1).
    var expiresAt: Instant?
    /// The description that an unreliable 183 carried; the 2xx repeats it (RFC 3261 §13.2.1).
    var earlyAnswer: SessionDescription?
    var provisionals: ReliableProvisionals
    /// Whether offer and answer were exchanged before the 2xx, reliably, so that it carries no description (RFC 3262 §5).
    var hasSettledEarly = false
    /// The person's answer, while a PRACK has to come before the 2xx.
    var heldAnswer: HeldAnswer?
    /// Whether the caller may be answered without a person before it has proved its path (ROBUSTNESS S1).
    let isUnproven: Bool
    /// Whether no person takes the call.
    var isAutomatic = false
    /// Provisional responses that were sent beside the 100, and those of them with a description.
    var progressCount = 0
    var descriptionCount = 0

    /// When ringing ends.
    var ringingDeadline: Instant? {
        var next = ringsUntil
        next.bringForward(to: expiresAt)
        return next
    }

    var deadline: Instant? {
        var next = ringingDeadline
        next.bringForward(to: provisionals.deadline)
        return next
    }

    /// The INVITE has its final response.
    mutating func decided() {
        ringsUntil = nil
        expiresAt = nil
        heldAnswer = nil
        provisionals.stop()
    }
}

/// Being called, RFC 3261 §13.3.
extension InviteSession {
    /// Takes a call; the caller of this has checked the INVITE, its account and the limits.
    ///
    /// - Throws: the response that refuses the INVITE: 400 for an unusable Contact, 422 for too short a session interval, 488 or 400 for its description.
    init(
        arriving arrival: Boxed<Arrival>, handle: CallHandle, account: Boxed<Account>, capabilities: LocalMedia,
        settings: Boxed<SessionSettings>, random: RandomSource
    ) throws(RequestRefusal) {
        let request = arrival.request
        var random = random
        var negotiation = OfferAnswer(
            local: capabilities, sessionID: random.next(),
            targets: settings.value.mediaTargets(
                signalledFrom: arrival.flow.remote.address, to: arrival.flow.local.address))
        let tag = random.hexadecimal(16)
        let sequence = UInt32(truncatingIfNeeded: random.next() >> 48)
        let dialog: Dialog
        do throws(Dialog.Fault) {
            dialog = try Dialog(of: request, localTag: tag, localSequence: sequence)
        } catch {
            throw RequestRefusal(response: request.response(400, reason: "Contact Unusable"))
        }
        if let refusal = settings.sessionTimers.refusal(of: request) {
            throw RequestRefusal(response: refusal)
        }
        try negotiation.receiveInitialOffer(of: request, at: arrival.flow.local.address)
        self.init(
            handle: handle, account: account, settings: settings, random: random, phase: .alerting,
            offerAnswer: consume negotiation, localAddress: arrival.flow.local.address, dialog: consume dialog,
            peer: arrival.flow, arrival: arrival)
    }

    /// What the caller offers.
    var remoteOffer: SessionDescription? {
        mutating get { offerAnswer.remoteOffer }
    }

    /// Where requests of the dialog go first.
    var firstHop: URI? {
        mutating get { dialog?.nextHop }
    }

    /// Whether a description before the 2xx lets a caller hear us of whom nothing but the INVITE is known.
    var takesEarlyMedia: Bool {
        mutating get {
            guard let provisionals = arrival?.provisionals, provisionals.use != .withheld else { return false }
            return offerAnswer.hasRemoteOffer || provisionals.isReliableForDescriptions
        }
    }

    // MARK: - Commands

    mutating func ring(at now: Instant) {
        guard phase == .alerting, let arrival else { return ignoreCommand() }
        sendProvisional(arrival.request.response(180), at: now)
    }

    /// Early media: a 183 with the answer, or with an offer where the INVITE has none and the 183 is reliable.
    mutating func progress(_ media: LocalMedia, automatic: Bool, at now: Instant) {
        guard phase == .alerting, let arrival else { return ignoreCommand() }
        self.arrival?.isAutomatic = automatic
        var response = arrival.request.response(183)
        if let description = earlyDescription(with: media) { response.setDescription(description) }
        sendProvisional(response, at: now)
    }

    private mutating func earlyDescription(with media: LocalMedia) -> SessionDescription? {
        guard let arrival, arrival.provisionals.use != .withheld else { return nil }
        // What went reliably is said once.
        if let early = arrival.earlyAnswer { return arrival.provisionals.isReliableForDescriptions ? nil : early }
        guard offerAnswer.agreed == nil, !offerAnswer.hasLocalOffer else { return nil }
        offerAnswer.local = media
        wish = media.direction
        if offerAnswer.hasRemoteOffer {
            guard let answer = try? offerAnswer.makeAnswer(address: localAddress) else { return nil }
            self.arrival?.earlyAnswer = answer.description
            announceEarly(answer.media, in: EarlyDialogID(remoteTag: dialog?.remoteTag ?? ""))
            return answer.description
        }
        guard arrival.provisionals.isReliableForDescriptions else { return nil }
        let offer = try? offerAnswer.makeOffer(address: localAddress)
        emitOffered()
        return offer
    }

    mutating func answer(_ media: LocalMedia, headers: Headers, automatic: Bool, at now: Instant) {
        // The request alone is held: an arrival that is shared would be copied to be changed.
        guard phase == .alerting, let request = arrival?.request else { return ignoreCommand() }
        arrival?.isAutomatic = automatic
        if arrival?.provisionals.holdsBackAcceptance ?? false {
            arrival?.heldAnswer = HeldAnswer(media: media, headers: headers, isAutomatic: automatic)
            return
        }
        var response = request.response(200)
        var agreedMedia: AgreedMedia?
        var awaitsAnswer = false
        do throws(NegotiationError) {
            if arrival?.hasSettledEarly ?? false {
                agreedMedia = offerAnswer.agreed
            } else if let early = arrival?.value.earlyAnswer {
                response.setDescription(early)
                agreedMedia = offerAnswer.agreed
            } else {
                offerAnswer.local = media
                wish = media.direction
                if offerAnswer.hasRemoteOffer {
                    let answer = try offerAnswer.makeAnswer(address: localAddress)
                    response.setDescription(answer.description)
                    agreedMedia = answer.media
                } else {
                    response.setDescription(try offerAnswer.makeOffer(address: localAddress))
                    awaitsAnswer = true
                }
            }
        } catch {
            respond(request.refusal(of: error, at: localAddress), headers: Headers())
            end(CallEnd(cause: .mediaRefused, by: .local, status: 488, reason: error.description), at: now)
            return
        }
        phase = .accepted
        arrival?.value.decided()
        if automatic { lastsUntil = settings.maximumDuration.map { now + $0 } }
        grantSessionTimer(in: &response, to: request, at: now)
        if AnswerWish(in: request.headers) != nil, request.supports("answermode") {
            response.headers.set(AnswerMode(automatic ? "Auto" : "Manual"))
        }
        accept(response, headers: headers, awaitsAnswer: awaitsAnswer, at: now)
        emit(
            .answered(
                handle, CallAnswer(status: 200, reason: response.reason, dialog: nil, headers: request.headers))
        )
        if let agreedMedia {
            settle(on: agreedMedia)
        } else {
            emitOffered()
        }
    }

    /// Tells of the media that our offer to the caller invites.
    private mutating func emitOffered() {
        guard let arrival, let media = offerAnswer.expectedMedia else { return }
        emit(.offered(handle, MediaAgreement(media: media, signallingPeer: arrival.flow.remote, mayTransmit: false)))
    }

    mutating func reject(_ status: StatusCode, reason: String?, headers: Headers, at now: Instant) {
        guard phase == .alerting, status.value >= 300 else { return ignoreCommand() }
        refuse(status, reason: reason, headers: headers)
        end(CallEnd(cause: .refused, by: .local, status: status, reason: reason), at: now)
    }

    // MARK: - What the caller and time do

    /// The caller cancelled (§9.2). After a final response that changes nothing.
    mutating func cancelled(by cancel: Request, at now: Instant) {
        guard phase == .alerting else { return }
        refuse(487, reason: nil, headers: Headers())
        end(.cancelled(by: cancel), at: now)
    }

    /// Rang as long as a phone may ring here, or as the invitation was good for.
    mutating func stopRinging(at now: Instant) {
        guard phase == .alerting, let arrival else { return }
        let isExpired = arrival.expiresAt == arrival.ringingDeadline
        let status: StatusCode = isExpired ? 487 : 480
        refuse(status, reason: nil, headers: Headers())
        end(CallEnd(cause: .ringTimeout, by: isExpired ? .remote : .local, status: status), at: now)
    }

    // MARK: - Responses

    /// Refuses the INVITE.
    mutating func refuse(_ status: StatusCode, reason: String?, headers: Headers) {
        guard let arrival else { return }
        respond(arrival.request.response(status, reason: reason), headers: headers)
    }

    private mutating func respond(_ response: Response, headers: Headers) {
        guard let arrival else { return }
        act(.respond(dressed(response, headers: headers), arrival.transaction))
    }

    /// Adds our tag, and in what makes a dialog our Contact and the recorded route (§12.1.1).
    func dressed(_ response: Response, headers: Headers) -> Response {
        var response = response
        // At the callee the dialog bears the To of the INVITE, with our tag.
        if !response.to.hasTag {
            if let dialog, !dialog.isCaller { response.to = dialog.localParty } else { response.to.tag = localTag }
        }
        if response.status.value < 300, let arrival {
            response.headers.copyRecordedRoute(of: arrival.request)
            response.setCapabilities(settings.capabilities, contact: arrival.contact)
        }
        response.append(headers)
        return response
    }

    /// A command came when nothing could follow from it. Where the call has ended the peer was faster, and its end is told.
    mutating func ignoreCommand() {
        guard phase != .ended else { return }
        emit(.warning(.commandIgnored))
    }
}

/// Why a request is refused: an INVITE before anybody hears of it, or what a request within a dialog offers.
struct RequestRefusal: Error {
    let response: Response
}
