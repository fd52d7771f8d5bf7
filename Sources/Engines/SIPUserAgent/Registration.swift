import EngineKit
import SIPMessages

/// The registration of one account's Contact with its registrar (RFC 3261 §10.2).
///
/// ```
///   idle --begin--> registering --2xx--> bound --refresh--> registering
///                     |    ^               |
///                failure  retry         unregister
///                     v    |               v
///                    waiting          unregistering --any end--> idle
/// ```
///
/// A value machine: it makes requests without Via, Route and Max-Forwards policy, which the user agent adds, and is told
/// how each one ended. At most one is outstanding (§10.2).
package struct Registration: Sendable {
    /// What to do after an input: at most one request to send and one state to report.
    package struct Step: Equatable, Sendable {
        package var request: Request?
        package var state: RegistrationState?

        static let none = Step()
    }

    enum State: Equatable, Sendable {
        case idle
        /// A REGISTER that binds is outstanding.
        case registering
        case bound(refreshAt: Instant)
        /// Failed; tried again then.
        case waiting(retryAt: Instant)
        /// Failed in a way that trying again does not mend.
        case stopped
        /// A REGISTER that removes the binding is outstanding.
        case unregistering
    }

    package let account: AccountID
    package internal(set) var authentication: DigestAuthentication
    /// Where peers reach us; the user agent knows the way to the registrar, and with it our address.
    package internal(set) var contact: SIPURI?

    let registrar: URI
    let addressOfRecord: NameAddress
    let wishedExpires: UInt32
    let callID: String
    var random: RandomSource
    var state = State.idle
    /// When the last binding that the registrar granted runs out, whatever became of its refresh; nil: it is removed.
    var boundUntil: Instant?
    /// Whether the user wants to be registered; a change while a request is outstanding is acted upon at its end.
    var isWanted = false
    var sequence: UInt32 = 0
    /// The lifetime asked for: the account's, or the registrar's least.
    var askedExpires: UInt32
    /// A Contact of ours that the registrar may still hold.
    var abandoned: SIPURI?
    var outstanding: Request?
    /// The Contact in `outstanding`, which may no longer be the one that is wanted.
    var requestedContact: SIPURI?
    var attempts = AuthenticationAttempts()
    var briefIntervals = 0
    var backoff = RetryBackoff()

    /// Nil for an account that has no registrar.
    package init?(account: Account, pinnedRealms: PinnedRealms = PinnedRealms(), random: RandomSource) {
        guard let registrar = account.registrar else { return nil }
        var random = random
        self.account = account.id
        self.registrar = registrar.withoutUser
        addressOfRecord = NameAddress(displayName: account.address.displayName, uri: account.address.uri)
        wishedExpires = max(1, account.expires)
        askedExpires = wishedExpires
        authentication = DigestAuthentication(credentials: account.credentials, pinnedRealms: pinnedRealms)
        callID = random.hexadecimal(32)
        self.random = random
    }

    /// When `handleDeadline` has something to do: refresh, or try again.
    package var deadline: Instant? {
        switch state {
        case .bound(let refreshAt): refreshAt
        case .waiting(let retryAt): retryAt
        case .idle, .registering, .stopped, .unregistering: nil
        }
    }

    /// Whether a request is outstanding whose end the user agent has to tell.
    package var isBusy: Bool { outstanding != nil }

    /// Whether the registrar holds a binding of ours, as far as we know.
    package func isBound(at now: Instant) -> Bool {
        boundUntil.map { now < $0 } ?? false
    }
}

// MARK: - What the user wants

extension Registration {
    /// Registers `contact`, or refreshes it at once.
    package mutating func begin(contact: SIPURI, at now: Instant) -> Step {
        isWanted = true
        backoff.reset()
        use(contact)
        guard !isBusy else { return .none }
        return ask(reporting: .registering)
    }

    /// Registers another Contact in place of the present one: our address changed. Nothing to do where it is the same.
    package mutating func move(to contact: SIPURI, at now: Instant) -> Step {
        guard isWanted, state != .stopped, self.contact.map({ !$0.isEquivalent(to: contact) }) ?? true else {
            return .none
        }
        use(contact)
        guard !isBusy else { return .none }
        return ask(reporting: nil)
    }

    /// Removes the binding. Where there may be none, no request is made.
    package mutating func unregister(at now: Instant) -> Step {
        isWanted = false
        guard !isBusy else { return .none }
        guard isBound(at: now) else { return finishRemoval() }
        return remove()
    }

    /// Refreshes, or tries again.
    package mutating func handleDeadline(at now: Instant) -> Step {
        guard let deadline, deadline <= now, !isBusy, contact != nil else { return .none }
        if case .waiting = state { return ask(reporting: .registering) }
        return ask(reporting: nil)
    }

    private mutating func use(_ contact: SIPURI) {
        if let old = self.contact, !old.isEquivalent(to: contact) { abandoned = old }
        self.contact = contact
    }
}

// MARK: - Requests

extension Registration {
    mutating func ask(reporting report: RegistrationState?) -> Step {
        attempts = AuthenticationAttempts()
        briefIntervals = 0
        state = .registering
        return Step(request: request(expires: askedExpires), state: report)
    }

    mutating func remove() -> Step {
        attempts = AuthenticationAttempts()
        state = .unregistering
        return Step(request: request(expires: 0), state: .unregistering)
    }

    /// A new REGISTER, with credentials where the registrar's nonce is known.
    mutating func request(expires: UInt32) -> Request? {
        guard let contact else { return nil }
        sequence &+= 1
        var from = addressOfRecord
        from.tag = random.hexadecimal(16)
        var request = Request(
            method: .register, uri: registrar, from: from, to: addressOfRecord, callID: callID,
            cSeq: CSeq(number: sequence, method: .register))
        request.headers.append(Contact(contact))
        if let abandoned {
            request.headers.append(Contact(abandoned, parameters: .expired))
        }
        request.headers.append(Expires(expires))
        authentication.authorize(&request, random: &random)
        outstanding = request
        requestedContact = contact
        return request
    }
}

extension Parameters {
    fileprivate static var expired: Parameters {
        var parameters = Parameters()
        parameters["expires"] = "0"
        return parameters
    }
}

extension URI {
    /// The Request-URI of REGISTER names a domain alone (RFC 3261 §10.2).
    fileprivate var withoutUser: URI {
        guard case .sip(var uri) = self else { return self }
        uri.user = nil
        uri.password = nil
        return .sip(uri)
    }
}
