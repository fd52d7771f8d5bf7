import EngineKit
import SIPMessages
import SIPTransactions

/// What is let in at all, before it costs any state (ROBUSTNESS S6, S11, S14).
extension UserAgentCore {
    /// Whether a request may become a transaction. One that may not is answered once, statelessly, or not at all.
    mutating func admits(_ request: Request, over flow: Flow, at now: Instant) -> Bool {
        // What belongs to something that we agreed to is not judged again.
        if request.method == .ack || request.method == .cancel || transactions.isRetransmission(request) {
            return true
        }
        if request.to.tag != nil, call(callID: request.callID, localTag: request.to.tag) != nil { return true }
        guard transactions.acceptsRequests else {
            refuse(.transactions, from: flow)
            return false
        }
        guard request.method == .invite, request.to.tag == nil, let refusal = inviteRefusal() else { return true }
        refuse(refusal, from: flow)
        answerStatelessly(request.response(refusal == .calls ? 486 : 503), over: flow)
        return false
    }

    private func inviteRefusal() -> Refusal? {
        let limits = configuration.limits
        if shutDown != .no { return .shuttingDown }
        if callsInUse >= limits.calls { return .calls }
        if callsRinging >= limits.ringingCalls { return .ringingCalls }
        if dialogsInUse >= limits.dialogs { return .dialogs }
        return nil
    }

    /// The account that a request is for, and why its sender is trusted (ROBUSTNESS S6).
    func addressee(of request: Request, over flow: Flow) -> (Account, CallerTrust)? {
        let source = flow.remote.address
        let user = request.uri.sipURI?.user
        let candidates = configuration.accounts.filter { account in
            account.isPeerToPeer || account.sources.contains { $0.contains(source) }
        }
        guard let account = candidates.first(where: { $0.contactUser == user }) ?? candidates.first else { return nil }
        if source.isLoopback { return (account, .loopback) }
        let rules = configuration.automaticAnswer.ranges + account.sources
        return (account, rules.contains { $0.contains(source) } ? .allowListed : .stranger)
    }

    func mayAnswerAutomatically(_ trust: CallerTrust) -> Bool {
        let rules = configuration.automaticAnswer
        switch trust {
        case .loopback: return rules.loopback || rules.anybody
        case .registrarFlow, .authenticated: return rules.registrarFlows || rules.anybody
        case .allowListed: return true
        case .stranger: return rules.anybody
        }
    }
}
