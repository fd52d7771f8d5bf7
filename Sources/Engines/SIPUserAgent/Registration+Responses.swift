import EngineKit
import SIPMessages

/// How a REGISTER ended, and what follows.
extension Registration {
    /// A response to the outstanding request.
    /// - Parameter source: where the request was sent to, which decides whether a challenge is answered.
    package mutating func receive(
        _ response: Response, from source: ChallengeSource = .registrar, at now: Instant
    ) -> Step {
        guard let request = outstanding, response.cSeq == request.cSeq, response.status.isFinal else { return .none }
        outstanding = nil
        switch response.status.value {
        case 200..<300:
            authentication.receiveSuccess(response, to: request)
            return succeed(response, at: now)
        case 401, 407:
            return challenged(response, request: request, source: source, at: now)
        case 423 where state == .registering:
            return extend(response, at: now)
        default:
            return fail(response, at: now)
        }
    }

    /// There was no request to send, as the registrar's address is not known.
    mutating func missed(_ reason: String, at now: Instant) -> Step {
        fail(nil, reason: reason, asked: .zero, at: now)
    }

    /// Nothing came back: within the life of the transaction (RFC 3261 §17.1.2, Timer F), or because the request could
    /// not be sent.
    package mutating func unanswered(_ reason: String, at now: Instant) -> Step {
        guard isBusy else { return .none }
        outstanding = nil
        return fail(nil, reason: reason, asked: .zero, at: now)
    }
}

extension Registration {
    private mutating func succeed(_ response: Response, at now: Instant) -> Step {
        guard state == .registering else {
            abandoned = nil
            return finishRemoval()
        }
        if let requestedContact, let contact, !requestedContact.isEquivalent(to: contact), isWanted {
            // Our address changed while the registrar was asked.
            abandoned = requestedContact
            return ask(reporting: nil)
        }
        abandoned = nil
        boundUntil = nil
        guard let granted = grantedExpires(in: response) else {
            return fail(response, because: "the registrar lists other contacts and not ours", at: now)
        }
        guard granted > 0 else { return fail(response, because: "the registrar granted no time", at: now) }
        backoff.reset()
        state = .bound(refreshAt: now + refreshInterval(granted))
        boundUntil = now + .seconds(Int64(granted))
        // What the user wanted meanwhile comes now.
        guard isWanted else { return remove() }
        return Step(state: .registered(expires: granted))
    }

    /// The lifetime of our Contact in seconds: its own parameter, the Expires field, or what was asked (§10.2.4).
    ///
    /// - Returns: nil where the registrar lists Contacts and ours is not among them: the list is that of all current
    ///   bindings (§10.3, step 8), so calls will not come here. One that lists none at all has said by its 2xx alone
    ///   that all was done (step 7).
    private func grantedExpires(in response: Response) -> UInt32? {
        let contacts = (try? response.headers.all(Contact.self)) ?? []
        let field = (try? response.headers.first(Expires.self))?.seconds
        // A registrar that knows us behind a NAT may list another host: the user part alone is then ours.
        let ours = contacts.first { $0.isOurs(contact) } ?? contacts.first { $0.hasUser(of: contact) }
        guard ours != nil || contacts.isEmpty else { return nil }
        return ours?.expires ?? field ?? askedExpires
    }

    /// A 2xx that binds nothing.
    private mutating func fail(_ response: Response, because why: String, at now: Instant) -> Step {
        fail(response.status, reason: "\(response.reason): \(why)", asked: .zero, at: now)
    }

    /// Early enough for a refresh that times out (32 s) to be tried once more, and never more often than each 5 s.
    private mutating func refreshInterval(_ granted: UInt32) -> Duration {
        let lifetime = Int64(granted)
        let margin = lifetime >= 160 ? max(80, lifetime / 10) : lifetime / 2
        let spread = Int64.random(in: 0...max(1, lifetime / 20), using: &random)
        return .seconds(max(5, lifetime - margin - spread))
    }

    private mutating func challenged(
        _ response: Response, request: Request, source: ChallengeSource, at now: Instant
    ) -> Step {
        var next = request
        sequence &+= 1
        next.cSeq.number = sequence
        let verdict = authentication.answer(
            response, to: &next, sentTo: source, attempts: &attempts, random: &random)
        guard verdict == .authorized else {
            sequence &-= 1
            return stop(response.status, reason: verdict.reason(response.reason))
        }
        // What is there from before is removed at once, now that the registrar's nonce is known.
        guard isWanted || state == .unregistering else { return remove() }
        outstanding = next
        return Step(request: next)
    }

    /// 423 Interval Too Brief: asks for what the registrar wants at least (§10.2.8), twice at most and up to a week.
    private mutating func extend(_ response: Response, at now: Instant) -> Step {
        let least = (try? response.headers.first(MinExpires.self))?.seconds ?? 0
        guard isWanted, least > askedExpires, least <= 604_800, briefIntervals < 2 else {
            return fail(response, at: now)
        }
        briefIntervals += 1
        askedExpires = least
        return Step(request: request(expires: least))
    }

    private mutating func fail(_ response: Response, at now: Instant) -> Step {
        let asked = (try? response.headers.first(RetryAfter.self))?.seconds ?? 0
        return fail(
            response.status, reason: response.reason, asked: .seconds(Int64(min(asked, 86_400))), at: now)
    }

    /// Waits before the next attempt; a removal that fails is let be, as the binding expires by itself.
    private mutating func fail(
        _ status: StatusCode?, reason: String, asked: Duration, at now: Instant
    ) -> Step {
        guard isWanted else {
            // What could not be refreshed may still be there.
            return state == .registering && isBound(at: now) ? remove() : finishRemoval()
        }
        if state == .unregistering { return ask(reporting: .registering) }
        let wait = backoff.next(notBefore: asked, random: &random)
        state = .waiting(retryAt: now + wait)
        askedExpires = wishedExpires
        return Step(state: .failed(status, reason: reason, retryAfter: wait))
    }

    /// Credentials that are missing, wrong or not asked for by whom they are for: trying again does not mend it, and
    /// may lock the account.
    private mutating func stop(_ status: StatusCode, reason: String) -> Step {
        guard isWanted else { return finishRemoval() }
        state = .stopped
        return Step(state: .failed(status, reason: reason, retryAfter: nil))
    }

    /// The binding is gone, or will expire; begins anew where the user changed his mind meanwhile.
    mutating func finishRemoval() -> Step {
        state = .idle
        boundUntil = nil
        guard isWanted else { return Step(state: .unregistered) }
        return ask(reporting: .registering)
    }
}

extension Contact {
    fileprivate func isOurs(_ contact: SIPURI?) -> Bool {
        guard let contact, case .sip(let uri)? = uri else { return false }
        return uri.isEquivalent(to: contact)
    }

    fileprivate func hasUser(of contact: SIPURI?) -> Bool {
        guard let contact, case .sip(let uri)? = uri else { return false }
        return contact.user != nil && uri.user == contact.user
    }
}

extension AuthenticationVerdict {
    /// The verdict for people; `phrase` is what the server said.
    package func reason(_ phrase: String) -> String {
        switch self {
        case .authorized: phrase
        case .noCredentials: "\(phrase): the account has no credentials"
        case .foreignRealm(let realm): "\(phrase): realm \"\(realm)\" is not the account's"
        case .proxyNotConfigured(let realm):
            "\(phrase): realm \"\(realm)\" is a proxy's; it is answered where the account names that proxy or realm"
        case .untrusted:
            "\(phrase): the request did not go by the account's outbound proxy or registration; "
                + "the server is answered where the account names it as its proxy"
        case .refused: "\(phrase): user name or password is wrong"
        case .exhausted: "\(phrase): challenged too often"
        case .unsupported: "\(phrase): no challenge that can be answered"
        case .downgraded: "\(phrase): the challenge is weaker than before"
        }
    }
}
