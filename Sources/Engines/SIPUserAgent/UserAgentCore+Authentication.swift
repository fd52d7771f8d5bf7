import EngineKit
import SIPMessages
import SIPTransactions

/// Challenges to our requests, RFC 3261 §22.2 and §22.3.
extension UserAgentCore {
    /// Sends a request once more with credentials, where the challenge is ours to answer.
    ///
    /// - Returns: false where it is not, so that the challenge is the final response. REGISTER answers its own.
    mutating func authenticate(_ id: OutboundID, against response: Response, at now: Instant) -> Bool {
        guard var outbound = outbound[id], let destination = outbound.destination, stillWants(outbound) else {
            return false
        }
        if case .registration = outbound.owner { return false }
        var request = outbound.request
        request.body = outbound.body
        let account = outbound.account.id
        let standing = account.firstRegistration
        let source = challengeSource(of: outbound)
        let verdict: AuthenticationVerdict
        if var registration = registrations[standing] {
            verdict = registration.authentication.answer(
                response, to: &request, sentTo: source, attempts: &outbound.attempts, random: &random)
            registrations[standing] = registration
        } else if var authentication = authentications[account] {
            verdict = authentication.answer(
                response, to: &request, sentTo: source, attempts: &outbound.attempts, random: &random)
            authentications[account] = authentication
        } else {
            verdict = .noCredentials
        }
        switch verdict {
        case .authorized:
            break
        case .foreignRealm(let realm):
            emit(.warning(.foreignRealm(account, realm)))
            return false
        default:
            emit(.warning(.challengeNotAnswered(account, verdict.reason(response.reason))))
            return false
        }
        guard let sequence = nextSequence(for: outbound) else { return false }
        request.cSeq.number = sequence
        outbound.request = request
        outbound.destinations.insert(destination, at: 0)
        self.outbound[id] = outbound
        if case .call(let handle, let purpose) = outbound.owner {
            update(handle, at: now) { $0.reissued(request, for: purpose) }
        }
        switch outbound.owner {
        case .subscription(let handle): update(handle, at: now) { $0.reissued(request) }
        case .watcher(let id): watchers[id]?.reissued(request)
        case .publication(let id): publications[id]?.reissued(request)
        case .call, .registration, .request: break
        }
        sendToNextDestination(id, at: now)
        return true
    }

    private mutating func nextSequence(for outbound: OutboundRequest) -> UInt32? {
        guard case .call(let handle, let purpose) = outbound.owner else { return outbound.request.cSeq.number + 1 }
        return sessions[handle]?.value.nextSequence(for: purpose)
    }

    /// Whom a challenge comes from, by where the request went (ROBUSTNESS S10).
    private func challengeSource(of outbound: OutboundRequest) -> ChallengeSource {
        if outbound.account.hasProxy(at: outbound.nextHop) { return .outboundProxy }
        guard let flow = outbound.flow, policy.isServer(flow, of: outbound.account.id) else { return .stranger }
        return .proxySet
    }
}
