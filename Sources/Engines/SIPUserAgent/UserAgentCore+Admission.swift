import EngineKit
import SIPMessages
import SIPTransactions

/// What is let in at all, before it costs any state (ROBUSTNESS S5, S6, S11, S14).
extension UserAgentCore {
    /// Whether a datagram is dropped unread: a request other than ACK of one who asks too much, where there is no dialog
    /// that it could belong to. What may belong to one is read first, as its requests are never refused for their rate;
    /// so is a CANCEL, whose INVITE may be here.
    mutating func dropsUnread(_ bytes: [UInt8], over flow: Flow, at now: Instant) -> Bool {
        guard !policy.admits(over: flow, at: now), !bytes.starts(with: "SIP/".utf8), !bytes.starts(with: "ACK ".utf8)
        else { return false }
        let hasDialogs = !(sessions.isEmpty && subscriptions.isEmpty && watchers.isEmpty)
        if hasDialogs, bytes.starts(with: "CANCEL ".utf8) || MessageParser.mayNameDialog(bytes) { return false }
        return !drop(.sourceRate, over: flow, at: now)
    }

    /// Whether a request may become a transaction. One that may not is answered once, statelessly, or not at all.
    ///
    /// - Parameter key: that of the request in the transaction layer.
    /// - Parameter size: the octets of the request; no answer that keeps no state is larger.
    mutating func admits(
        _ request: Request, as key: ServerTransactionKey?, size: Int, over flow: Flow, at now: Instant
    ) -> Bool {
        verdict = nil
        provenCaller = nil
        // What belongs to something that we agreed to is not judged again.
        if request.method == .ack || transactions.isExpected(request, as: key) { return true }
        let reserved = configuration.limits.reservedTransactions
        if isInDialog(request) {
            let kept = request.method == .bye ? 0 : reserved / 2
            return transactions.serverRoom > kept || drop(.transactions, over: flow, at: now)
        }
        guard policy.admit(over: flow, at: now) else { return drop(.sourceRate, over: flow, at: now) }
        guard transactions.serverRoom > reserved else { return drop(.transactions, over: flow, at: now) }
        let target = targetCall(of: request)
        var verdict = policy.outOfDialog(request, trust: policy.trust(flow), naming: target, over: flow, at: now)
        if verdict == .demandProof {
            guard isProven(request, size: size, over: flow, at: now) else { return false }
            verdict = policy.outOfDialog(
                request, trust: policy.trust(flow), provenAs: provenCaller, naming: target, over: flow, at: now)
        }
        if verdict == .drop { return drop(.sourceRate, over: flow, at: now) }
        if verdict == .defer {
            return turnAway(.messageRate, 503, request, size: size, retryAfter: 60, over: flow)
        }
        self.verdict = verdict
        guard verdict == .invite else { return true }
        if let refusal = inviteRefusal() {
            // Nobody is busy for ever: 486 says try later to a person, 503 to a machine (§21.4.24, §21.5.4).
            return turnAway(refusal, refusal == .calls ? 486 : 503, request, size: size, over: flow)
        }
        guard isProven(request, size: size, over: flow, at: now) else { return false }
        guard policy.reception(of: request, provenAs: provenCaller, over: flow) != nil else {
            // Whoever is let in nowhere may bear a forged address: it is told once (ROBUSTNESS S6).
            return turnAway(.forbidden, 403, request, size: size, over: flow)
        }
        guard policy.beginInvite(over: flow, at: now) else {
            return turnAway(.pendingInvites, 503, request, size: size, over: flow)
        }
        return true
    }

    /// Counts a refusal and says it once, without any state kept.
    ///
    /// - Returns: false, that the request is not let in.
    private mutating func turnAway(
        _ refusal: Refusal, _ status: StatusCode, _ request: Request, size: Int, retryAfter: UInt32? = nil,
        over flow: Flow
    ) -> Bool {
        refuse(refusal, from: flow, of: request)
        let response = policy.statelessRefusal(status, of: request, size: size, retryAfter: retryAfter)
        if let response { answerStatelessly(response, over: flow) }
        return false
    }

    /// Whether the sender has shown who it is, where it has to; where it has not, it is asked.
    private mutating func isProven(_ request: Request, size: Int, over flow: Flow, at now: Instant) -> Bool {
        // Whom no account is there for is refused by whoever takes the INVITE in.
        guard policy.demandsProof(over: flow), policy.reception(of: request, over: flow) != nil else { return true }
        let verdict = policy.judge(request, over: flow, at: now)
        switch verdict {
        case .proven(let username):
            provenCaller = username
            deadlines.set(.nonces, at: now + CallerAuthentication.memory)
            return true
        case .missing, .stale: refuse(.challenged, from: flow, of: request)
        case .wrong: refuse(.wrongCredentials, from: flow, of: request)
        }
        let isStale = verdict == .stale
        answerStatelessly(policy.challenge(request, isStale: isStale, size: size, over: flow, at: now), over: flow)
        return false
    }

    /// Whether a request names a dialog of ours: of a call, of a subscription, or of a watcher.
    private func isInDialog(_ request: Request) -> Bool {
        guard let tag = request.to.tag else { return false }
        return call(callID: request.callID, localTag: tag) != nil
            || subscription(callID: request.callID, localTag: tag) != nil
            || watcher(callID: request.callID, localTag: tag) != nil
    }

    /// Counts what is dropped. Of a flood it is not told each time.
    private mutating func drop(_ refusal: Refusal, over flow: Flow, at now: Instant) -> Bool {
        counters.add(refusal)
        if dropNews.admit(.dropNews, at: now) { emit(.refused(refusal, from: flow.remote)) }
        return false
    }

    private func inviteRefusal() -> Refusal? {
        let limits = configuration.limits
        if shutDown != .no { return .shuttingDown }
        if census.calls >= limits.calls { return .calls }
        if census.ringing >= limits.ringingCalls { return .ringingCalls }
        if census.dialogs >= limits.dialogs { return .dialogs }
        return nil
    }
}

extension UserAgentLimits.RequestRate {
    /// How often it is told that something was dropped.
    fileprivate static let dropNews = UserAgentLimits.RequestRate(perSecond: 20, burst: 100)
}
