import EngineKit
import SIPMessages

/// How a REGISTER ended, and what follows.
extension Registration {
    /// A response to the outstanding request.
    /// - Parameter source: where the request was sent to, which decides whether a challenge is answered.
    package mutating func receive(
        _ response: Response, from source: ChallengeSource = .registrar, at now: Instant
    ) -> Step {
        receive(response, from: source, mapping: nil, at: now)
    }

    /// - Parameter mapping: our address on the way, and what the response says that it looks like from there.
    mutating func receive(
        _ response: Response, from source: ChallengeSource, mapping: AddressMapping?, at now: Instant
    ) -> Step {
        guard let request = outstanding, response.cSeq == request.cSeq, response.status.isFinal else { return .none }
        outstanding = nil
        switch response.status.value {
        case 200..<300:
            authentication.receiveSuccess(response, to: request)
            return succeed(response, mapping: mapping, at: now)
        case 401, 407:
            return challenged(response, request: request, source: source, at: now)
        case 423 where state == .registering:
            return extend(response, at: now)
        case 301, 302, 305:
            return redirect(response, at: now)
        case let status:
            // Whoever can't have `reg-id` is asked without (RFC 5626 §4.2.1).
            guard [400, 420, 439].contains(status), asksForOutbound, !grant.isOutbound, state == .registering, isWanted
            else { return fail(response, at: now) }
            asksForOutbound = false
            return ask(reporting: nil)
        }
    }

    private mutating func succeed(_ response: Response, mapping: AddressMapping?, at now: Instant) -> Step {
        let contacts = (try? response.headers.all(Contact.self)) ?? []
        perhapsBoundUntil = nil
        guard state == .registering else {
            abandoned = nil
            // The list is that of all bindings that are left (RFC 3261 §10.3, step 8).
            guard !isWanted, let left = exactBinding(in: contacts), left.expires ?? 1 > 0 else {
                return finishRemoval()
            }
            return leaveBehind(response.status, "\(response.reason), but the registrar lists it still")
        }
        if let requestedContact, let contact, !requestedContact.isEquivalent(to: contact), isWanted {
            // Our address changed while the registrar was asked.
            abandoned = requestedContact
            return ask(reporting: nil)
        }
        abandoned = nil
        boundUntil = nil
        let ours = binding(in: contacts)
        // The list is that of all current bindings (RFC 3261 §10.3, step 8): calls will not come here. A registrar that
        // lists none at all has said by its 2xx alone that all was done (step 7).
        guard ours != nil || contacts.isEmpty else {
            return fail(response, because: "the registrar lists other contacts and not ours", at: now)
        }
        let granted = ours?.expires ?? (try? response.headers.first(Expires.self))?.seconds ?? askedExpires
        guard granted > 0 else { return fail(response, because: "the registrar granted no time", at: now) }
        backoff.reset()
        failedWays = 0
        grant = RegistrationGrant(
            of: response, contact: asksForGRUU ? ours : nil, addressOfRecord: addressOfRecord.uri)
        state = .bound(refreshAt: now + refreshInterval(granted))
        boundUntil = now + .seconds(Int64(granted))
        // What the user wanted meanwhile comes now.
        guard isWanted else { return remove() }
        if follow(mapping) { return ask(reporting: nil) }
        return Step(state: .registered(expires: granted))
    }

    /// Our Contact among those of a response: by instance and flow (RFC 5626 §6), by the address, or, as a registrar that
    /// knows us behind a NAT may list another host, by the user part.
    private func binding(in contacts: [Contact]) -> Contact? {
        exactBinding(in: contacts) ?? contacts.first { $0.hasUser(of: contact) }
    }

    private func exactBinding(in contacts: [Contact]) -> Contact? {
        let byInstance = contacts.first { other in
            guard let instance, other.instance == instance else { return false }
            return other.address?.parameters["reg-id"].map { $0 == "\(id.flow + 1)" } ?? true
        }
        return byInstance ?? contacts.first { $0.isOurs(contact) }
    }

    /// Early enough for a refresh that times out (32 s) to be tried once more, and never more often than each second.
    private mutating func refreshInterval(_ granted: UInt32) -> Duration {
        let lifetime = Int64(granted) * 1_000
        let margin = lifetime >= 160_000 ? max(80_000, lifetime / 10) : lifetime / 2
        let spread = Int64.random(in: 0...lifetime / 20, using: &random)
        return .milliseconds(max(1_000, lifetime - margin - spread))
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
