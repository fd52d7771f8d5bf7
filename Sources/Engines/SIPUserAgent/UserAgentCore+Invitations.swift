import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// Requests that start something: what is wrong with them, and new calls (RFC 3261 §8.2, §13.3).
extension UserAgentCore {
    /// The answer that a request is owed for what it is, before anybody looks at what it wants (§8.2.1 to §8.2.4).
    mutating func fault(
        of request: Request, _ verdict: OutOfDialogVerdict?, in transaction: ServerTransactionID, over flow: Flow
    ) -> Response? {
        if verdict == .accept { return nil }
        if request.method == .cancel {
            refuse(.unknownDialog, from: flow, of: request)
            return request.response(481)
        }
        if request.to.hasTag, let refusal = request.infoPackageRefusal {
            refuse(.invalid, from: flow, of: request)
            return refusal
        }
        // A BYE ends its call whatever it carries: gateways put statistics in there.
        let violations = Validation.violations(of: request, settings.capabilities)
        let violation = violations.first { violation in
            !(request.method == .bye && violation.isAboutBody)
                && !(violation.kind == .uriSchemeUnsupported && policy.isNumberOfOurs(request.uri))
        }
        if let violation {
            refuse(violation.refusal, from: flow, of: request)
            return violation.response(to: request, settings.capabilities, toTag: nil)
        }
        if request.method != .invite, request.headers.contains(.replaces) || request.headers.contains(.join) {
            // They speak of a call that is to be placed (RFC 3891 §3, RFC 3911 §4).
            refuse(.invalid, from: flow, of: request)
            return request.response(400)
        }
        if request.uri.isSecure, !request.to.hasTag, !flow.transport.isSecure {
            // Nobody who asks for security is answered as if there were any.
            refuse(.invalid, from: flow, of: request)
            return request.response(416)
        }
        if transactions.isMerged(transaction) {
            refuse(.merged, from: flow, of: request)
            return request.response(482)
        }
        return nil
    }

    /// A request that starts nothing, outside any dialog.
    mutating func receiveStandAlone(
        _ request: Request, _ verdict: OutOfDialogVerdict?, from provenCaller: String?,
        in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        switch verdict {
        case .answerOptions(let isMinimal):
            answerOptions(request, isMinimal: isMinimal, in: transaction, over: flow, at: now)
        case .accept:
            respond(request.response(200), in: transaction, at: now)
            receiveUnsolicited(request, over: flow)
        case .takeSubscription(let call):
            receiveSubscribe(
                request, toCall: call, isProven: provenCaller != nil, in: transaction, over: flow, at: now)
        case .takeReferral(let call):
            receiveRefer(request, of: call, in: transaction, over: flow, at: now)
        case .takeMessage:
            receiveMessage(request, from: provenCaller, in: transaction, over: flow, at: now)
        case .refuse(let status):
            refuse(status == 481 ? .unknownDialog : .unsupportedMethod, from: flow, of: request)
            respond(request.response(status), in: transaction, at: now)
        case .invite, .demandProof, .defer, .drop, nil:
            refuse(.unknownDialog, from: flow, of: request)
            respond(request.response(481), in: transaction, at: now)
        }
    }

    mutating func receiveInvite(
        _ request: Request, from provenCaller: String?, in transaction: ServerTransactionID, over flow: Flow,
        at now: Instant
    ) {
        if let own = call(callID: request.callID, localTag: request.from.tag), sessions[own]?.dialog == nil {
            // Our own INVITE came back to us.
            refuse(.loop, from: flow, of: request)
            return respond(request.response(482), in: transaction, at: now)
        }
        guard let reception = policy.reception(of: request, provenAs: provenCaller, over: flow),
            let account = account(reception.account)
        else {
            refuse(.forbidden, from: flow, of: request)
            return respond(request.response(403), in: transaction, at: now)
        }
        guard configuration.reliableProvisionals != .required || request.supports(.reliable) else {
            refuse(.unsupportedExtension, from: flow, of: request)
            var response = request.response(421)
            response.headers.append(Require([.reliable]))
            return respond(response, in: transaction, at: now)
        }
        let trust = reception.trust
        var replacement: Replacement?
        var joining: CallHandle?
        switch self.replacement(asked: request, trust: trust, provenAs: provenCaller, over: flow, at: now) {
        case .nothingAsked: break
        case .replaces(let found): replacement = found
        case .joins(let call): joining = call
        case .refuse(let status):
            refuse(status == 481 ? .unknownDialog : .forbidden, from: flow, of: request)
            return respond(request.response(status), in: transaction, at: now)
        }
        let handle = nextIncomingHandle()
        let information = CallerInformation(of: request, isVouchedFor: policy.isServer(flow))
        // Who joins a call listens in: that is for a person to allow.
        let mayAnswerAutomatically =
            joining == nil
            && policy.mayAnswerAutomatically(trust, from: request.from, provenAs: provenCaller, over: flow)
        let isUnproven = mayAnswerAutomatically && trust == .stranger && flow.transport == .udp
        if let wish = information.answerWish, wish.isAutomatic, wish.isRequired, !mayAnswerAutomatically {
            refuse(.forbidden, from: flow, of: request)
            return respond(request.response(403, reason: "Automatic Answer Forbidden"), in: transaction, at: now)
        }
        let lifetime = (try? request.headers.first(Expires.self))?.seconds
        guard lifetime != 0 else {
            // It is over before anybody can answer it, so nobody hears of it (§13.3.1).
            refuse(.expired, from: flow, of: request)
            return respond(request.response(487), in: transaction, at: now)
        }
        let arrival = Boxed(
            Arrival(
                request: request, transaction: transaction, flow: flow, trust: trust, provenCaller: provenCaller,
                contact: dialogContact(of: account.value, at: flow.local, over: flow.transport),
                replacement: replacement, wantsToJoin: joining != nil,
                ringsUntil: configuration.incomingRingTimeout.map { now + $0 },
                expiresAt: lifetime.map { now + .seconds(Int64($0)) },
                provisionals: ReliableProvisionals(
                    use: provisionalUse(towards: request, isUnproven: isUnproven),
                    firstNumber: UInt32.random(in: 1...UInt32(Int32.max), using: &random)),
                isUnproven: isUnproven))
        let offer: SessionDescription?
        let takesEarlyMedia: Bool
        do throws(RequestRefusal) {
            var session = Boxed(
                try InviteSession(
                    arriving: arrival, handle: handle, account: account, capabilities: configuration.capabilities,
                    settings: settings, random: random.split()))
            try checkReach(of: session.value.firstHop, unlessSaid: account.transport, askedBy: request, over: flow)
            offer = session.value.remoteOffer
            takesEarlyMedia = session.value.takesEarlyMedia
            deadlines.set(.call(handle), at: session.value.deadline)
            callsByInvite[transaction] = handle
            pendingArrivals.insert(handle)
            add(consume session)
        } catch {
            let isLackOfMedia = error.response.status == 488 && mayAnswerAutomatically
            refuse(isLackOfMedia ? .incompatibleMedia : .invalid, from: flow, of: request)
            return respond(error.response, in: transaction, at: now)
        }
        emit(
            .incomingCall(
                handle,
                IncomingCall(
                    account: account.id, from: request.from, to: request.to, requestURI: request.uri,
                    callID: request.callID, flow: flow, trust: trust, provenCaller: provenCaller,
                    mayAnswerAutomatically: mayAnswerAutomatically, information: information,
                    isToBeAnsweredAtOnce: account.answerWishes.meets(
                        information.answerWish, mayAnswerAutomatically: mayAnswerAutomatically),
                    isPrivileged: mayAnswerAutomatically
                        && account.answerWishes.isPrivileged(information.answerWish, of: trust),
                    offer: offer, takesEarlyMedia: takesEarlyMedia,
                    headers: request.headers, replacement: replacement, joining: joining)))
    }
}

extension UserAgentCore {
    /// How the sender of an INVITE takes provisional responses.
    ///
    /// - Parameter isUnproven: whether it may be answered without a person and before it proved its path (ROBUSTNESS S1):
    ///   nothing is repeated to such a one that it need not have.
    private func provisionalUse(towards request: Request, isUnproven: Bool) -> ReliableProvisionals.Use {
        if configuration.reliableProvisionals == .off { return .never }
        // What would have to offer may be told unreliably where it is not the caller who requires it (§5).
        let isRequired = configuration.reliableProvisionals == .required && request.claimsDescription
        if isRequired || request.requires(.reliable) { return isUnproven ? .withheld : .always }
        return request.supports(.reliable) && !isUnproven ? .forDescriptions : .never
    }
}

extension Violation {
    fileprivate var isAboutBody: Bool {
        switch kind {
        case .contentTypeMissing, .contentTypeUnsupported, .contentEncodingUnsupported,
            .contentDispositionUnsupported:
            true
        default: false
        }
    }

    /// How the violation is counted.
    fileprivate var refusal: Refusal {
        switch kind {
        case .methodUnknown, .methodNotAllowed: .unsupportedMethod
        case .extensionRequired: .unsupportedExtension
        default: .invalid
        }
    }
}
