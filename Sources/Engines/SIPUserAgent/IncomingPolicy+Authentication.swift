import EngineKit
import SIPMessages
import SIPTransactions

/// Who has to prove who they are before they may ring the phone (RFC 3261 §22.2, ROBUSTNESS S1, S11).
extension IncomingPolicy {
    /// Whether a request that begins something must carry credentials. Nobody has to where nobody could; callers who
    /// come by the registrar or from a listed network are known by that, and those on this machine where a rule says so.
    package func demandsProof(over flow: Flow) -> Bool {
        guard !callers.isEmpty else { return false }
        switch trust(flow) {
        case .registrarFlow, .allowListed, .authenticated: return false
        case .loopback: return !rules.loopback && !isListed(flow)
        case .stranger: return true
        }
    }

    /// Judges the credentials of a request.
    package mutating func judge(_ request: Request, over flow: Flow, at now: Instant) -> CallerVerdict {
        callers.judge(request, from: SourceTable.Key(flow.remote.address), at: now)
    }

    /// The 401 that asks for credentials, for which no state is kept.
    ///
    /// Over UDP, where the source may be forged, it offers beside the best hash no other where it would then be longer
    /// than the request.
    package mutating func challenge(
        _ request: Request, isStale: Bool, size: Int, over flow: Flow, at now: Instant
    ) -> Response {
        let source = SourceTable.Key(flow.remote.address)
        let response = statelessResponse(401, to: request)
        var full = response
        for challenge in callers.challenges(isStale: isStale, to: source, at: now) {
            full.headers.append(challenge)
        }
        guard !flow.transport.isReliable, full.bytes().count > size else { return full }
        var short = response
        for challenge in callers.challenges(isShort: true, isStale: isStale, to: source, at: now) {
            short.headers.append(challenge)
        }
        return short
    }
}
