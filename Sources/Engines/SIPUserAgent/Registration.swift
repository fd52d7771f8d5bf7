import EngineKit
import SIPMessages
import SIPTransactions

/// The registration of one account's Contact with its registrar (RFC 3261 §10.2), over one flow (RFC 5626 §4.2).
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
/// how each one ended. At most one is outstanding (§10.2). Where a registrar fails, the next of the account is asked at
/// once; only when all have failed does it wait.
package struct Registration: Sendable {
    /// What to do after an input: at most one request to send and one state to report.
    package struct Step: Equatable, Sendable {
        package var request: Request?
        package var state: RegistrationState?
        /// The way to the registrar is to be asked for, which tells our Contact; `begin` follows.
        var locates = false

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

    let id: RegistrationID
    package internal(set) var authentication: DigestAuthentication
    /// Where peers reach us; the user agent knows the way to the registrar, and with it our address.
    package internal(set) var contact: SIPURI?
    /// Where servers see us, where a translator (NAT) stands between (RFC 3581 §4).
    var mapping: AddressMapping?
    /// What the registrar granted, while the binding stands.
    var grant = RegistrationGrant()
    /// The flow by which the registrar answered last.
    var flow: Flow?

    let ways: [RegistrationWay]
    let addressOfRecord: NameAddress
    let wishedExpires: UInt32
    /// Who this phone is among those of the account, a URN (RFC 5626 §4.1).
    let instance: String?
    /// Whether the registrar is asked for a GRUU.
    let asksForGRUU: Bool
    /// Whether the registrar is asked to keep the flow; not once it has refused that.
    var asksForOutbound: Bool
    let callID: String
    var random: RandomSource
    var state = State.idle
    /// The way in use: it stays until it fails.
    var wayIndex = 0
    /// The way that a registrar sent us by, in place of that.
    var redirection: RegistrationWay?
    /// How many ways of this round have failed, and how many redirections were followed.
    var failedWays = 0
    var redirections = 0
    /// When the last binding that the registrar granted runs out, whatever became of its refresh; nil: it is removed.
    var boundUntil: Instant?
    /// When a binding runs out that a REGISTER without an answer may have made all the same; nil: there is none such.
    var perhapsBoundUntil: Instant?
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
    /// Whether this round has already moved to the address that the registrar sees: a translator that gives a new one
    /// each time is not chased.
    var hasFollowedMapping = false
    var attempts = AuthenticationAttempts()
    var briefIntervals = 0
    var backoff = RetryBackoff()
    /// Flows in a row that failed before the server had answered any keep-alive.
    var unprovenFlows = 0
    /// Connections in a row that the server closed soon.
    var closures = RetryBackoff()
    /// Another flow of the account stands, so this one need not hurry.
    var isSpare = false

    /// Nil for an account that has no registrar, or no such flow.
    package init?(
        account: Account, flow: Int = 0, instance: String? = nil, pinnedRealms: PinnedRealms = PinnedRealms(),
        random: RandomSource
    ) {
        let flows = RegistrationWay.flows(of: account, hasInstance: instance != nil)
        guard flows.indices.contains(flow) else { return nil }
        var random = random
        id = RegistrationID(account: account.id, flow: flow)
        ways = flows[flow]
        self.instance = instance
        asksForGRUU = account.usesGRUU && instance != nil
        asksForOutbound = account.isOutbound && instance != nil
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

    /// Whether there is, or may be, something to remove.
    func mayBeBound(at now: Instant) -> Bool {
        isBound(at: now) || perhapsBoundUntil.map { now < $0 } ?? false
    }

    /// Whether the last thing that the registrar said was that we are bound.
    var isStanding: Bool {
        switch state {
        case .bound: true
        case .registering: boundUntil != nil
        case .idle, .waiting, .stopped, .unregistering: false
        }
    }

    var way: RegistrationWay { redirection ?? ways[min(wayIndex, ways.count - 1)] }
}

/// One of our addresses, and what the server at the end of a flow sees in its place.
struct AddressMapping: Hashable, Sendable {
    var local: SocketAddress
    var seen: SocketAddress
}

// MARK: - What the user wants

extension Registration {
    /// Registers `contact`, or refreshes it at once.
    package mutating func begin(contact: SIPURI, at now: Instant) -> Step {
        isWanted = true
        backoff.reset()
        unprovenFlows = 0
        use(contact)
        guard !isBusy else { return .none }
        return askAnew(reporting: .registering)
    }

    /// Registers another Contact in place of the present one: our address changed. Nothing to do where it is the same.
    package mutating func move(to contact: SIPURI, at now: Instant) -> Step {
        guard isWanted, state != .stopped, self.contact.map({ !$0.isEquivalent(to: contact) }) ?? true else {
            return .none
        }
        use(contact)
        guard !isBusy else { return .none }
        return askAnew(reporting: nil)
    }

    /// Removes the binding. Where there may be none, no request is made.
    package mutating func unregister(at now: Instant) -> Step {
        isWanted = false
        guard !isBusy else { return .none }
        guard mayBeBound(at: now) else { return finishRemoval() }
        return remove()
    }

    /// Refreshes, or tries again.
    package mutating func handleDeadline(at now: Instant) -> Step {
        guard let deadline, deadline <= now, !isBusy else { return .none }
        guard contact != nil else {
            // The answer to the question leads on; what is due till then is due no more.
            state = .idle
            return Step(locates: true)
        }
        if case .waiting = state { return askAnew(reporting: .registering) }
        return askAnew(reporting: nil)
    }

    /// The flow is dead (RFC 5626 §4.5): a new one is made at once where it had worked, else after a wait.
    mutating func flowFailed(hadWorked: Bool, at now: Instant) -> Step {
        unprovenFlows = hadWorked ? 0 : unprovenFlows + 1
        guard case .bound = state, isWanted else { return .none }
        guard hadWorked else { return wait(nil, reason: "the flow to the registrar failed", asked: .zero, at: now) }
        state = .bound(refreshAt: now + spread())
        return .none
    }

    /// All the phones of a proxy that restarts lose their flows in one moment.
    private mutating func spread() -> Duration { .milliseconds(Int64.random(in: 0...4_000, using: &random)) }

    /// The connection that the binding was made over is gone, and with it, behind a translator, the way to us. The server
    /// promised nothing, so that this is no failure; the registration is refreshed over a new one, soon, but ever more
    /// rarely where the server closes each at once: such a one opens its own to our Contact.
    mutating func connectionClosed(isYoung: Bool, at now: Instant) -> Step {
        guard case .bound(let refreshAt) = state, isWanted else { return .none }
        if !isYoung { closures.reset() }
        let isFirst = closures.failures == 0
        let wait = closures.next(random: &random)
        state = .bound(refreshAt: min(refreshAt, now + (isFirst ? spread() : wait)))
        return .none
    }

    mutating func use(_ contact: SIPURI) {
        if let old = self.contact, !old.isEquivalent(to: contact) { abandoned = old }
        self.contact = contact
    }
}

// MARK: - Requests

extension Registration {
    /// Begins a round: every way may be tried once.
    mutating func askAnew(reporting report: RegistrationState?) -> Step {
        failedWays = 0
        redirections = 0
        hasFollowedMapping = false
        return ask(reporting: report)
    }

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
            method: .register, uri: way.registrar.withoutUser, from: from, to: addressOfRecord, callID: callID,
            cSeq: CSeq(number: sequence, method: .register))
        setContacts(contact, of: &request)
        request.headers.append(Expires(expires))
        request.headers.append(Supported(["path"] + (asksForGRUU ? ["gruu"] : []) + outboundTag))
        authentication.authorize(&request, random: &random)
        outstanding = request
        requestedContact = contact
        return request
    }

    private var outboundTag: [String] { asksForOutbound ? ["outbound"] : [] }

    /// Puts our address on the way that the request in fact takes into it, where that is another than was thought.
    mutating func complete(_ request: inout Request, contact: SIPURI) {
        guard self.contact.map({ !$0.isEquivalent(to: contact) }) ?? true else { return }
        use(contact)
        setContacts(contact, of: &request)
        requestedContact = contact
    }

    private func setContacts(_ contact: SIPURI, of request: inout Request) {
        var parameters = Parameters()
        if let instance { parameters["+sip.instance"] = "<\(instance)>" }
        if asksForOutbound { parameters["reg-id"] = "\(id.flow + 1)" }
        request.headers.set(Contact(contact, parameters: parameters))
        // With `reg-id` the registrar replaces the old address by itself (RFC 5626 §6).
        guard let abandoned, !grant.isOutbound, !abandoned.isEquivalent(to: contact) else { return }
        request.headers.append(Contact(abandoned, parameters: .expired))
    }
}

extension Parameters {
    fileprivate static var expired: Parameters {
        var parameters = Parameters()
        parameters["expires"] = "0"
        return parameters
    }
}
