import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// Being transferred: the peer's REFER, and what we tell it of the call that follows (RFC 3515 §2.4).
extension InviteSession {
    /// Takes the peer's wish that we call somebody else.
    ///
    /// - Parameters:
    ///   - verdict: what the rules say; `allow` still leaves the call to whoever runs the user agent.
    ///   - beside: the dialog that it makes, where it did not come within the call's.
    mutating func receiveRefer(
        _ request: Request, in transaction: ServerTransactionID, contact: NameAddress, _ verdict: TransferRules.Verdict,
        beside: ReferralDialog? = nil, at now: Instant
    ) {
        if let status = obstacle(toRefer: request, verdict) {
            return act(.respond(request.response(status), transaction))
        }
        guard let referTo = try? request.headers.first(ReferTo.self) else {
            return act(.respond(request.response(400, reason: "One Refer-To Needed"), transaction))
        }
        guard let target = referTo.uri.withoutHeaders else {
            return act(.respond(request.response(403), transaction))
        }
        let asksForSilence = (try? request.headers.first(ReferSub.self))?.subscribes == false
        // One that can't be read is none (RFC 3261 §8.2): whoever is called would have to make sense of it.
        let referredBy = (try? request.headers.first(ReferredBy.self))?.address
        let wish = TransferRequest(
            target: target, targetName: referTo.address.displayName, referredBy: referredBy,
            isAttended: referTo.uri.embedded(Replaces.self) != nil, isAllowed: verdict == .allow)
        if beside == nil { dialog?.refreshTarget(from: request.headers) }
        var response = request.response(202, toTag: beside?.localTag)
        if beside != nil { response.headers.copyRecordedRoute(of: request) }
        response.setCapabilities(settings.capabilities, contact: contact)
        if asksForSilence { response.headers.append(ReferSub(false)) }
        act(.respond(response, transaction))
        receivedReferral = ReceivedReferral(
            wish, uri: referTo.uri, referredBy: referredBy.flatMap { _ in request.headers.first(.referredBy) },
            sequence: request.cSeq.number, depth: referralDepth, isSubscribed: !asksForSilence, beside: beside, at: now)
        sendDueNotification(at: now)
        emit(.transferRequested(handle, wish))
    }

    private func obstacle(toRefer request: Request, _ verdict: TransferRules.Verdict) -> StatusCode? {
        switch phase {
        case .ended: return 481
        case .calling, .alerting: return 403
        case .accepted, .confirmed: break
        }
        guard let referTo = try? request.headers.first(ReferTo.self) else { return 400 }
        guard referTo.uri.isCallable else { return 403 }
        if let fault = referTo.uri.faultOfEmbeddedHeaders { return fault }
        if verdict == .deny { return 603 }
        // A transfer of a transfer of a transfer: nobody needs as many (ROBUSTNESS S3).
        if referralDepth >= ReceivedReferral.depthLimit { return 403 }
        return receivedReferral == nil ? nil : 491
    }

    // MARK: - The decision

    /// The call to place, if a wish of the peer waits for it.
    mutating func acceptReferral(
        media: LocalMedia, ringTimeout: Duration?, at now: Instant
    ) -> (call: OutgoingCall, depth: Int)? {
        guard let referral = receivedReferral, !referral.isDecided else { return nil }
        receivedReferral?.decide()
        var headers = Headers()
        if let replaces = referral.uri.embedded(Replaces.self) { headers.append(replaces) }
        if let join = referral.uri.embedded(Join.self) { headers.append(join) }
        if let require = referral.uri.embedded(Require.self) { headers.append(require) }
        if let referredBy = referral.referredBy { try? headers.append(.referredBy, referredBy) }
        let call = OutgoingCall(
            account: account.id, target: referral.request.target, headers: headers, media: media,
            ringTimeout: ringTimeout)
        return (call, referral.depth + 1)
    }

    /// A person or the call's end says no: the final NOTIFY says 603 (§2.4.5).
    mutating func declineReferral(at now: Instant) {
        guard let referral = receivedReferral, !referral.isDecided else { return }
        receivedReferral?.decide()
        reachReferral(StatusFragment(603), at: now)
    }

    /// Nobody will decide any more: the peer is told no, and whoever was asked that nothing is to be answered.
    mutating func withdrawReferral(at now: Instant) {
        guard let referral = receivedReferral, !referral.isDecided else { return }
        emit(.transferWithdrawn(handle))
        declineReferral(at: now)
    }

    /// How the call stands that the peer's wish led to.
    mutating func reachReferral(_ status: StatusFragment, at now: Instant) {
        receivedReferral?.reach(status)
        sendDueNotification(at: now)
    }

    mutating func handleReceivedReferralDeadline(at now: Instant) {
        if receivedReferral?.isUndecided(at: now) ?? false { withdrawReferral(at: now) }
        let mayNotify = mayNotify
        receivedReferral?.handleDeadline(mayNotify: mayNotify, at: now)
        sendDueNotification(at: now)
    }

    // MARK: - NOTIFY and SUBSCRIBE

    /// Whether no BYE of ours waits for its answer in the dialog of the subscription: what overtook it would keep it from
    /// ending the call (RFC 3261 §12.2.2).
    private var mayNotify: Bool { outstandingByes == 0 || receivedReferral?.beside != nil }

    mutating func sendDueNotification(at now: Instant) {
        defer { if receivedReferral?.isFinished ?? false { receivedReferral = nil } }
        guard mayNotify, let due = receivedReferral?.nextNotification(at: now),
            let sequence = receivedReferral?.sequence
        else { return }
        let isBeside = receivedReferral?.beside != nil
        let blank = isBeside ? receivedReferral?.beside?.request(.notify) : dialog?.request(.notify)
        guard var request = blank else { return }
        request.headers.append(EventPackage("refer", id: String(sequence)))
        request.headers.append(due.state)
        request.headers.append(ContentType.sipFragment)
        request.body = due.body.bytes
        let flow = isBeside ? receivedReferral?.beside?.peer : peer
        act(.send(request, .within(dialogOf: request, .notify), along: flow))
    }

    /// A NOTIFY of ours has its final response, or never will.
    mutating func notifyFinished(isTaken: Bool, at now: Instant) {
        receivedReferral?.notified(isTaken: isTaken)
        sendDueNotification(at: now)
    }

    /// The peer refreshes or ends the subscription that its REFER made; there is no other way to make one (§2.4.4).
    mutating func receiveSubscribe(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, contact: NameAddress, at now: Instant
    ) {
        guard let event = try? request.headers.first(EventPackage.self), event.isRefer else {
            // Whatever else we tell of is asked for outside the call (RFC 6665 §4.5.2, §8.3.2).
            var refusal = request.response(489)
            refusal.headers.append(AllowEvents(["refer"]))
            return act(.respond(refusal, transaction))
        }
        guard let referral = receivedReferral, referral.isSubscribed,
            event.id.map({ $0 == String(referral.sequence) }) ?? true, isBeside(request) == (referral.beside != nil)
        else { return act(.respond(request.response(403), transaction)) }
        if referral.beside == nil {
            dialog?.refreshTarget(from: request.headers)
        } else if let refusal = receivedReferral?.beside?.refusal(of: request, after: 0, over: flow) {
            return act(.respond(request.response(refusal), transaction))
        }
        let wanted = (try? request.headers.first(Expires.self))?.seconds
        let granted = receivedReferral?.refresh(wanted, at: now) ?? 0
        var response = request.response(200)
        response.headers.set(Contact.address(contact))
        response.headers.append(Expires(granted))
        act(.respond(response, transaction))
        sendDueNotification(at: now)
    }

    // MARK: - The call that follows

    /// Tells the referrer, if there is one, how this call stands; after a final status no more.
    mutating func tellReferrer(_ status: StatusFragment) {
        guard referrer != nil else { return }
        act(.tellReferrer(status))
    }
}

extension CallEnd {
    /// How a call that was not answered ended, in a status line for whoever asked for it.
    var fragment: StatusFragment {
        if let status, status.isFinal, !status.isSuccess { return StatusFragment(status, reason: reason) }
        switch cause {
        case .cancelled, .answeredElsewhere, .hungUp, .transferred, .replaced: return StatusFragment(487)
        case .ringTimeout, .timedOut, .notAcknowledged, .dialogLost, .sessionExpired: return StatusFragment(408)
        case .refused: return StatusFragment(603)
        case .mediaRefused: return StatusFragment(488)
        case .authenticationFailed: return StatusFragment(401)
        case .protocolFault: return StatusFragment(502)
        case .unreachable, .tooLong, .limited, .shutDown: return StatusFragment(503)
        }
    }
}

extension URI {
    /// Whether a call can be placed to it: a SIP, SIPS or tel address that is not meant for another method.
    var isCallable: Bool {
        switch self {
        case .sip(let uri): uri.parameters["method"].map { $0 == Method.invite.name } ?? true
        case .other(let scheme, _): scheme == "tel"
        }
    }

    /// The address without headers and `method`, where a call can be placed to it.
    var withoutHeaders: URI? { isCallable ? asRequestURI : nil }

    /// The status that a REFER to this address is owed for its headers part; nil where a call can be placed with it.
    ///
    /// Whoever asks for a call writes no more of our INVITE than which call of the target it concerns (ROBUSTNESS S3),
    /// and that the target must know how (`Require=replaces`, RFC 5589 §7).
    var faultOfEmbeddedHeaders: StatusCode? {
        guard let headers = sipURI?.headers, !headers.isEmpty else { return nil }
        func isThere(_ name: HeaderName) -> Bool { headers.contains { $0.name.equalsIgnoringCase(name.spelling) } }
        let known: [HeaderName] = [.replaces, .join, .require]
        guard headers.allSatisfy({ header in known.contains { header.name.equalsIgnoringCase($0.spelling) } }) else {
            return 403
        }
        let (replaces, join) = (isThere(.replaces), isThere(.join))
        if replaces && join { return 400 }
        if replaces && embedded(Replaces.self) == nil || join && embedded(Join.self) == nil { return 400 }
        guard isThere(.require) else { return nil }
        guard let tags = embedded(Require.self)?.tags else { return 400 }
        let means = replaces ? "replaces" : join ? "join" : ""
        return tags.allSatisfy { $0.equalsIgnoringCase(means) } ? nil : 403
    }

    /// The one header of that name in the headers part (RFC 3261 §19.1.1); nil where there is none, or more than one.
    func embedded<Field: HeaderField>(_ type: Field.Type) -> Field? {
        let values = (sipURI?.headers ?? []).filter { $0.name.equalsIgnoringCase(Field.name.spelling) }
        guard values.count == 1, let value = values.first?.value else { return nil }
        var headers = Headers()
        guard (try? headers.append(Field.name, value)) != nil else { return nil }
        return (try? headers.first(type)) ?? nil
    }

    /// The address with a header in its headers part.
    func embedding<Field: HeaderField>(_ field: Field) -> URI {
        guard case .sip(var uri) = self else { return self }
        var headers = Headers()
        headers.append(field)
        guard let value = headers.first(Field.name) else { return self }
        uri.headers.append((Field.name.spelling, value))
        return .sip(uri)
    }
}
