import EngineKit
import SIPMessages
import SIPTransactions

/// What is let in at all, before it costs any state (ROBUSTNESS S5, S6, S11, S14).
extension UserAgentCore {
    /// Whether a request may become a transaction. One that may not is answered once, statelessly, or not at all.
    ///
    /// - Parameter size: the octets of the request; no answer that keeps no state is larger.
    mutating func admits(_ request: Request, size: Int, over flow: Flow, at now: Instant) -> Bool {
        verdict = nil
        // What belongs to something that we agreed to is not judged again.
        if request.method == .ack || transactions.isExpected(request) { return true }
        if call(callID: request.callID, localTag: request.to.tag) != nil { return true }
        guard policy.admit(over: flow, at: now) else { return drop(.sourceRate, over: flow) }
        guard transactions.acceptsRequests else { return drop(.transactions, over: flow) }
        let verdict = policy.outOfDialog(request, trust: policy.trust(flow), over: flow, at: now)
        if verdict == .drop { return drop(.sourceRate, over: flow) }
        if verdict == .defer {
            refuse(.messageRate, from: flow)
            let response = policy.statelessRefusal(503, of: request, size: size, retryAfter: 60)
            if let response { answerStatelessly(response, over: flow) }
            return false
        }
        self.verdict = verdict
        guard verdict == .invite else { return true }
        if let refusal = inviteRefusal() {
            refuse(refusal, from: flow)
            // Nobody is busy for ever: 486 says try later to a person, 503 to a machine (§21.4.24, §21.5.4).
            let status: StatusCode = refusal == .calls ? 486 : 503
            let response = policy.statelessRefusal(status, of: request, size: size)
            if let response { answerStatelessly(response, over: flow) }
            return false
        }
        guard policy.beginInvite(over: flow, at: now) else {
            refuse(.pendingInvites, from: flow)
            if let response = policy.statelessRefusal(503, of: request, size: size) {
                answerStatelessly(response, over: flow)
            }
            return false
        }
        return true
    }

    private mutating func drop(_ refusal: Refusal, over flow: Flow) -> Bool {
        refuse(refusal, from: flow)
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
