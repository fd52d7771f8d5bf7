import EngineKit
import SIPMessages
import SIPTransactions

/// How much of our state and of our answers a source may have (RFC 3261 §26.3.2.4).
extension IncomingPolicy {
    /// Counts a request; false drops it without an answer, as answering would help a flood that bears a forged address.
    package mutating func admit(over flow: Flow, at now: Instant) -> Bool {
        guard let rate = limits.requestRate, !isExempt(flow) else { return true }
        // The source first, so that one that asks too much takes nothing from the others.
        guard sources.admit(SourceTable.Key(flow.remote.address), rate: rate, at: now) else { return false }
        return limits.strangerRate.map { strangers.admit($0, at: now) } ?? true
    }

    /// Whether `admit` would let a request in, without counting it.
    func admits(over flow: Flow, at now: Instant) -> Bool {
        guard let rate = limits.requestRate, !isExempt(flow) else { return true }
        return sources.admits(SourceTable.Key(flow.remote.address), rate: rate, at: now)
            && limits.strangerRate.map { strangers.admits($0, at: now) } ?? true
    }

    /// Counts an INVITE that will wait for its final response; false refuses it with 503. Ended by `endInvite`.
    package mutating func beginInvite(over flow: Flow, at now: Instant) -> Bool {
        guard let limit = limits.pendingInvitesPerSource, !isExempt(flow) else { return true }
        return sources.beginInvite(SourceTable.Key(flow.remote.address), limit: limit, at: now)
    }

    package mutating func endInvite(over flow: Flow) {
        guard limits.pendingInvitesPerSource != nil, !isExempt(flow) else { return }
        sources.endInvite(SourceTable.Key(flow.remote.address))
    }

    /// Whether the numbers for one source do not hold for this one.
    func isExempt(_ flow: Flow) -> Bool {
        switch trust(flow) {
        case .registrarFlow, .allowListed, .authenticated: true
        case .loopback: limits.sparesLoopback || isListed(flow)
        case .stranger: false
        }
    }

    /// Loopback is the stronger reason to trust, yet a list may name it too, and a registrar may be there.
    func isListed(_ flow: Flow) -> Bool {
        rules.ranges.contains { $0.contains(flow.remote.address) }
            || accounts.contains { account in
                account.sources.contains { $0.contains(flow.remote.address) } || isServer(flow, of: account.id)
            }
    }

    /// The one answer that a request is owed for which no state is kept: 401, 403, 503 and their like.
    ///
    /// Nil for ACK, and where the answer would be larger than the request, so that nobody is flooded through us. The To
    /// tag is the same for each retransmission (RFC 3261 §8.2.7).
    package func statelessRefusal(
        _ status: StatusCode, of request: Request, size: Int, retryAfter: UInt32? = nil
    ) -> Response? {
        guard request.method != .ack else { return nil }
        var response = statelessResponse(status, to: request)
        if let retryAfter { response.headers.append(RetryAfter(retryAfter)) }
        return response.bytes().count <= size ? response : nil
    }

    func statelessResponse(_ status: StatusCode, to request: Request) -> Response {
        request.response(status, toTag: tag(for: request))
    }

    /// The To tag of responses to a request that belong to no dialog; of an INVITE and its CANCEL the same (§9.2).
    func tag(for request: Request) -> String? { tag(request.callID, request.vias, request.cSeq) }

    func tag(for response: Response) -> String? { tag(response.callID, response.vias, response.cSeq) }

    /// Whether an ACK is that of a refusal for which no state was kept, and therefore says nothing.
    package func isAcknowledgementOfStatelessRefusal(_ request: Request) -> Bool {
        request.to.tag.map { $0 == tag(for: request) } ?? false
    }

    /// The same for a request each time that it comes, whether or not state is kept of it, and for its ACK (§8.2.7).
    private func tag(_ callID: String, _ vias: [Via], _ cSeq: CSeq) -> String? {
        let branch = vias.first?.branch ?? ""
        let text = "\(tagKey):\(callID):\(branch):\(cSeq.number)"
        return MessageDigest.sha256.hexadecimal(of: Array(text.utf8)).map { String($0.prefix(16)) }
    }
}

// MARK: - Answering without a person

extension IncomingPolicy {
    package enum AutomaticAnswer: Hashable, Sendable {
        /// Answered; `isProven`: media may leave and responses be repeated without the caller first showing that it
        /// hears us.
        case allowed(isProven: Bool)
        /// A person has to answer.
        case denied
        /// As many calls of this caller, or of all, are answered automatically as may be.
        case limited
    }

    /// Whether the rules let a caller be answered without a person, the number of such calls aside.
    package func mayAnswerAutomatically(
        _ trust: CallerTrust, from caller: NameAddress, provenAs username: String? = nil, over flow: Flow
    ) -> Bool {
        if rules.anybody { return true }
        if trust == .authenticated, rules.authenticated { return true }
        if rules.from.contains(where: { $0.matches(caller.uri) }), vouches(trust, for: caller, username, over: flow) {
            return true
        }
        if rules.loopback, flow.remote.address.isLoopback { return true }
        if rules.registrarFlows, trust == .registrarFlow || isServer(flow) {
            return true
        }
        return rules.ranges.contains { $0.contains(flow.remote.address) }
    }

    /// Whether a From can be believed: a registrar lets nobody write another's, and a caller who proved to be somebody
    /// has to bear that name.
    private func vouches(
        _ trust: CallerTrust, for caller: NameAddress, _ username: String?, over flow: Flow
    ) -> Bool {
        if let username { return caller.uri.sipURI?.user == username }
        return trust == .registrarFlow || isServer(flow)
    }

    /// Takes one of the automatic answers for a call, until `endAutomaticAnswer`.
    ///
    /// - Parameter replaced: a call whose place it takes, and which therefore does not count beside it.
    package mutating func beginAutomaticAnswer(
        _ call: CallHandle, trust: CallerTrust, from caller: NameAddress, provenAs username: String? = nil,
        over flow: Flow, replacing replaced: Replacement? = nil
    ) -> AutomaticAnswer {
        guard
            replaced?.isAllowed ?? false
                || mayAnswerAutomatically(trust, from: caller, provenAs: username, over: flow)
        else { return .denied }
        let key = SourceTable.Key(flow.remote.address)
        let vacated = replaced.flatMap { automaticCalls[$0.call] }
        let others = automaticCalls.count - (vacated == nil ? 0 : 1)
        let ofCaller = automaticCallers[key, default: 0] - (vacated == key ? 1 : 0)
        // Behind one registrar are many callers.
        guard others < rules.total, ofCaller < rules.perCaller || isExempt(flow) else { return .limited }
        endAutomaticAnswer(call)
        automaticCalls[call] = key
        automaticCallers[key, default: 0] += 1
        return .allowed(isProven: isPathProven(trust, over: flow))
    }

    package mutating func endAutomaticAnswer(_ call: CallHandle) {
        guard let key = automaticCalls.removeValue(forKey: call), let count = automaticCallers[key] else { return }
        automaticCallers[key] = count > 1 ? count - 1 : nil
    }

    /// Whether a caller is known to be where its packets say: only a stranger's datagrams may bear a forged address.
    package func isPathProven(_ trust: CallerTrust, over flow: Flow) -> Bool {
        trust != .stranger || flow.transport.isReliable
    }
}
