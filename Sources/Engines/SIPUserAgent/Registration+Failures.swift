import EngineKit
import SIPMessages

/// What becomes of a registration that failed: the next registrar, a wait, or an end.
extension Registration {
    /// There was no request to send, as the registrar's address is not known.
    mutating func missed(_ reason: String, at now: Instant) -> Step {
        fail(nil, reason: reason, asked: .zero, at: now)
    }

    /// Nothing came back: within the life of the transaction (RFC 3261 §17.1.2, Timer F), or because the request could
    /// not be sent.
    ///
    /// - Parameter mayHaveArrived: whether the registrar may have acted upon it.
    package mutating func unanswered(_ reason: String, mayHaveArrived: Bool = true, at now: Instant) -> Step {
        guard isBusy else { return .none }
        outstanding = nil
        noteUnanswered(mayHaveArrived: mayHaveArrived, at: now)
        return fail(nil, reason: reason, asked: .zero, at: now)
    }

    /// There is no time left to wait for an answer.
    mutating func leaveUnanswered(at now: Instant) -> Step {
        guard isBusy else { return .none }
        outstanding = nil
        noteUnanswered(mayHaveArrived: true, at: now)
        return leaveBehind(nil, "no response in the time that there was")
    }

    private mutating func noteUnanswered(mayHaveArrived: Bool, at now: Instant) {
        guard state == .registering, mayHaveArrived else { return }
        perhapsBoundUntil = now + .seconds(Int64(askedExpires))
    }

    mutating func fail(_ response: Response, at now: Instant) -> Step {
        let asked = (try? response.headers.first(RetryAfter.self))?.seconds ?? 0
        return fail(
            response.status, reason: response.reason, asked: .seconds(Int64(min(asked, 86_400))), at: now)
    }

    /// A 2xx that binds nothing.
    mutating func fail(_ response: Response, because why: String, at now: Instant) -> Step {
        fail(response.status, reason: "\(response.reason): \(why)", asked: .zero, at: now)
    }

    /// Goes on to the next registrar, or waits; a removal that fails is said and let be, as the binding expires by
    /// itself.
    private mutating func fail(
        _ status: StatusCode?, reason: String, asked: Duration, at now: Instant
    ) -> Step {
        guard isWanted else {
            guard mayBeBound(at: now) else { return finishRemoval() }
            // What could not be refreshed may still be there.
            return state == .registering ? remove() : leaveBehind(status, reason)
        }
        if state == .unregistering { return askAnew(reporting: .registering) }
        if let step = tryAnotherWay(after: status) { return step }
        return wait(status, reason: reason, asked: asked, at: now)
    }

    /// The next registrar of the account, where it is the server that failed and not what we asked.
    private mutating func tryAnotherWay(after status: StatusCode?) -> Step? {
        let isOfServer = status.map { $0 == 408 || $0 == 430 || (500..<600).contains($0.value) } ?? true
        guard isOfServer, failedWays + 1 < ways.count else { return nil }
        failedWays += 1
        redirection = nil
        wayIndex = (wayIndex + 1) % ways.count
        guard contact != nil else { return Step(locates: true) }
        return ask(reporting: nil)
    }

    mutating func wait(_ status: StatusCode?, reason: String, asked: Duration, at now: Instant) -> Step {
        // The next round begins with the registrar that comes after the one that failed last.
        if ways.count > 1 { wayIndex = (wayIndex + 1) % ways.count }
        redirection = nil
        grant = RegistrationGrant()
        let base = isSpare ? RetryBackoff.relaxedBase : RetryBackoff.base
        let wait = backoff.next(from: base, notBefore: asked, random: &random)
        state = .waiting(retryAt: now + wait)
        askedExpires = wishedExpires
        return Step(state: .failed(status, reason: reason, retryAfter: wait))
    }

    /// Credentials that are missing, wrong or not asked for by whom they are for: trying again does not mend it, and
    /// may lock the account.
    mutating func stop(_ status: StatusCode, reason: String) -> Step {
        guard isWanted else { return leaveBehind(status, reason) }
        state = .stopped
        grant = RegistrationGrant()
        return Step(state: .failed(status, reason: reason, retryAfter: nil))
    }

    /// The binding is gone, or will expire; begins anew where the user changed his mind meanwhile.
    mutating func finishRemoval() -> Step {
        state = .idle
        (boundUntil, perhapsBoundUntil) = (nil, nil)
        grant = RegistrationGrant()
        guard isWanted else { return Step(state: .unregistered) }
        return askAnew(reporting: .registering)
    }

    /// The registrar did not remove the binding: calls still come until it expires.
    mutating func leaveBehind(_ status: StatusCode?, _ reason: String) -> Step {
        guard boundUntil != nil || perhapsBoundUntil != nil else { return finishRemoval() }
        _ = finishRemoval()
        return Step(state: .failed(status, reason: "\(reason): the registration was not removed", retryAfter: nil))
    }

    /// 301, 302 and 305 (RFC 3261 §21.3): followed twice a round, within the registrar's domain.
    mutating func redirect(_ response: Response, at now: Instant) -> Step {
        guard isWanted, state == .registering, redirections < 2 else { return fail(response, at: now) }
        guard let target = way.redirected(by: response), target != way else {
            return fail(response, because: "it leads where the account does not; name that server in it", at: now)
        }
        redirections += 1
        redirection = target
        return ask(reporting: nil)
    }
}

// MARK: - Where we are

extension Registration {
    /// The registrar's address is not known just now: as if it could not be reached.
    mutating func unlocated(_ obstacle: Obstacle, at now: Instant) -> Step {
        guard !isBusy else { return .none }
        isWanted = true
        return missed(obstacle.description, at: now)
    }

    /// The user or a change of network asks again while a binding stands.
    mutating func moveOrRefresh(to contact: SIPURI, at now: Instant) -> Step {
        let step = move(to: contact, at: now)
        return step == .none ? begin(contact: contact, at: now) : step
    }

    /// The request on its way left from an address that is gone, so no answer will come to it.
    mutating func withdraw() {
        outstanding = nil
        if state == .registering { state = .idle }
    }

    /// The machine slept while the registrar's clock went on.
    mutating func slept(for duration: Duration) {
        boundUntil = boundUntil.map { $0 - duration }
        perhapsBoundUntil = perhapsBoundUntil.map { $0 - duration }
    }

    /// Takes over the address that a server sees.
    ///
    /// - Returns: whether the registrar has to be told: its binding names another address, and it does not keep our flow.
    mutating func follow(_ mapping: AddressMapping?) -> Bool {
        guard let mapping else { return false }
        self.mapping = mapping.local == mapping.seen || grant.isOutbound ? nil : mapping
        guard !grant.isOutbound, !hasFollowedMapping, var uri = contact,
            uri.host != .address(mapping.seen.address) || uri.port ?? 5060 != mapping.seen.port
        else { return false }
        hasFollowedMapping = true
        uri.place(at: mapping.seen)
        use(uri)
        return true
    }

    /// The translator on the way gave us another address, as an answer to something else shows.
    mutating func remap(to mapping: AddressMapping) -> Step {
        guard case .bound = state, isWanted, !isBusy, var uri = contact else { return .none }
        self.mapping = mapping
        uri.place(at: mapping.seen)
        use(uri)
        return askAnew(reporting: nil)
    }
}

extension SIPURI {
    fileprivate mutating func place(at address: SocketAddress) {
        host = .address(address.address)
        port = address.port
    }
}
