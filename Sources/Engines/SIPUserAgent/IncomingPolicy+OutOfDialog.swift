import EngineKit
import SIPMessages
import SIPTransactions

/// What becomes of a request that stands alone, or belongs to a dialog that is not there.
package enum OutOfDialogVerdict: Hashable, Sendable {
    /// An INVITE: on to the account.
    case invite
    /// 200 with all that we can do, or with nothing but the Allow list.
    case answerOptions(isMinimal: Bool)
    /// 200, and nothing follows.
    case accept
    /// An instant message: to whoever reads them.
    case takeMessage
    /// The sender has to prove who it is, and is then judged anew.
    case demandProof
    case refuse(StatusCode)
    /// A subscription of somebody who may know of us, or of one call of ours.
    case takeSubscription(toCall: CallHandle? = nil)
    /// A wish that we call somebody in place of the peer of a call, by somebody who knows that call's dialog.
    case takeReferral(ofCall: CallHandle)
    /// Too many: 503 where that costs no state, and later again.
    case `defer`
    /// No answer at all.
    case drop
}

extension IncomingPolicy {
    static let optionsInterval = Duration.seconds(1)

    /// Decides on a request that no dialog took. The sender's own servers may ask what a stranger may not.
    ///
    /// - Parameters:
    ///   - username: the user that the sender proved to be, where it did.
    ///   - call: the call whose dialog the sender names by Target-Dialog. Who knows it has the word of one who is in it,
    ///     from whatever address (RFC 4538 §4).
    package mutating func outOfDialog(
        _ request: Request, trust: CallerTrust, provenAs username: String? = nil, naming call: CallHandle? = nil,
        over flow: Flow, at now: Instant
    ) -> OutOfDialogVerdict {
        guard !request.to.hasTag else {
            // It names a dialog that ended or never was (RFC 3261 §12.2.2).
            return request.method == .ack ? .drop : .refuse(481)
        }
        let isOwnServer = trust == .registrarFlow || isServer(flow)
        switch request.method {
        case .invite:
            return .invite
        case .ack:
            return .drop
        case .options:
            if isOwnServer || limits.requestRate == nil || isExempt(flow) { return .answerOptions(isMinimal: false) }
            let key = SourceTable.Key(flow.remote.address)
            return sources.admitOptions(key, interval: Self.optionsInterval, at: now)
                ? .answerOptions(isMinimal: true) : .drop
        case .notify where isOwnServer:
            // Voice mail is announced without a subscription by many registrars; we know no other package.
            let package = request.headers.first(.event).map { $0.prefix { $0 != ";" && $0 != " " } }
            return package.map { String($0).equalsIgnoringCase("message-summary") } == true ? .accept : .refuse(489)
        case .subscribe:
            let reception = reception(of: request, provenAs: username, over: flow)
            if let reception, isOwnServer || mayWatch(reception, request, over: flow) { return .takeSubscription() }
            if let call { return .takeSubscription(toCall: call) }
            guard reception != nil else { return .refuse(403) }
            return demandsProof(over: flow) ? .demandProof : .refuse(403)
        case .message:
            return message(request, provenAs: username, over: flow, at: now)
        case .cancel, .bye, .info, .update, .prack, .notify:
            return .refuse(481)
        case .refer:
            // Only who is in a call with us may send us elsewhere (ROBUSTNESS S3).
            return call.map { .takeReferral(ofCall: $0) } ?? .refuse(403)
        case .register, .publish:
            return .refuse(405)
        case .other:
            return .refuse(501)
        }
    }

    /// Whether there is a reason to believe who sends a request that stands alone.
    private func isKnown(_ reception: Reception, _ request: Request, over flow: Flow) -> Bool {
        switch reception.trust {
        case .registrarFlow, .authenticated, .allowListed: true
        case .loopback, .stranger: mayAnswerAutomatically(reception.trust, from: request.from, over: flow)
        }
    }

    /// Whether the sender may know when we talk, and to whom. That everybody is answered says nothing of that.
    private func mayWatch(_ reception: Reception, _ request: Request, over flow: Flow) -> Bool {
        reception.trust != .stranger && isKnown(reception, request, over: flow)
    }

    /// A message of a sender who is known may come, and anybody's where the account wants it so; a few a minute
    /// (ROBUSTNESS S5).
    private mutating func message(
        _ request: Request, provenAs username: String?, over flow: Flow, at now: Instant
    ) -> OutOfDialogVerdict {
        guard let reception = reception(of: request, provenAs: username, over: flow) else { return .refuse(403) }
        let isOpen = accounts.first { $0.id == reception.account }?.takesMessages ?? false
        guard isOpen || isKnown(reception, request, over: flow) else {
            return demandsProof(over: flow) ? .demandProof : .refuse(403)
        }
        guard let limit = limits.messagesPerMinute, !isExempt(flow) else { return .takeMessage }
        let key = SourceTable.Key(flow.remote.address)
        return sources.admitMessage(key, perMinute: limit, at: now) ? .takeMessage : .defer
    }
}
