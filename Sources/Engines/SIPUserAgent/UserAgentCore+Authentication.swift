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
        let source = challengeSource(of: outbound, status: response.status)
        let answer = authenticated(as: account) { authentication, random in
            authentication.answer(
                response, to: &request, sentTo: source, attempts: &outbound.attempts, random: &random)
        }
        let verdict = answer ?? .noCredentials
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
        reissued(request, for: outbound.owner, at: now)
        sendToNextDestination(id, at: now)
        return true
    }

    /// Gives a request credentials of its own for the next server: it is another request there, though what the first
    /// server got may have been counted, and both may count together (RFC 7616 §3.4).
    mutating func renewCredentials(of id: OutboundID, at now: Instant) {
        guard let outbound = outbound[id] else { return }
        var request = outbound.request
        guard request.headers.contains(.authorization) || request.headers.contains(.proxyAuthorization) else { return }
        request.body = outbound.body
        if case .registration(let registration) = outbound.owner {
            registrations[registration]?.authentication.authorize(&request, random: &random)
        } else if !outbound.attempts.answered.isEmpty {
            authenticated(as: outbound.account.id) { authentication, random in
                authentication.authorize(&request, after: outbound.attempts, random: &random)
            }
        }
        self.outbound[id]?.request = request
        reissued(request, for: outbound.owner, at: now)
    }

    /// Does something with the credentials of an account; nil where there are none.
    @discardableResult
    private mutating func authenticated<Result>(
        as account: AccountID, _ body: (inout DigestAuthentication, inout RandomSource) -> Result
    ) -> Result? {
        let standing = account.firstRegistration
        if var registration = registrations[standing] {
            defer { registrations[standing] = registration }
            return body(&registration.authentication, &random)
        }
        guard var authentication = authentications[account] else { return nil }
        defer { authentications[account] = authentication }
        return body(&authentication, &random)
    }

    /// Tells whoever a request is from how it now reads.
    private mutating func reissued(_ request: Request, for owner: OutboundRequest.Owner, at now: Instant) {
        switch owner {
        case .call(let handle, let purpose): update(handle, at: now) { $0.reissued(request, for: purpose) }
        case .subscription(let handle): update(handle, at: now) { $0.reissued(request) }
        case .watcher(let id): watchers[id]?.reissued(request)
        case .publication(let id): publications[id]?.reissued(request)
        case .registration, .request: break
        }
    }

    private mutating func nextSequence(for outbound: OutboundRequest) -> UInt32? {
        guard case .call(let handle, let purpose) = outbound.owner else { return outbound.request.cSeq.number + 1 }
        return sessions[handle]?.value.nextSequence(for: purpose)
    }

    /// Whom a challenge comes from, by where the request went (ROBUSTNESS S10). Behind the outbound proxy the server of
    /// the account's own domain may ask with 401; those of other domains may not.
    private func challengeSource(of outbound: OutboundRequest, status: StatusCode) -> ChallengeSource {
        let account = outbound.account
        if account.hasProxy(at: outbound.nextHop) {
            let isServed = account.isServed(outbound.request.uri)
            return status == 401 && isServed ? .domain : .outboundProxy
        }
        if account.hasRegistrar(at: outbound.nextHop) { return .domain }
        guard let flow = outbound.flow, policy.isServer(flow, of: outbound.account.id) else { return .stranger }
        return .proxySet
    }
}
