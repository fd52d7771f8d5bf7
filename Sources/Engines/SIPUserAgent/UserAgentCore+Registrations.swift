import EngineKit
import SIPMessages
import SIPTransactions
import ServerLocation

/// Registrations of the configured accounts (RFC 3261 §10), one for each flow of an account (RFC 5626 §4.2).
extension UserAgentCore {
    // MARK: - Commands

    /// Registers, or refreshes at once. First the way to the registrar is asked for: it tells our Contact.
    mutating func register(_ account: AccountID, at now: Instant) {
        let flows = flows(of: account)
        guard !flows.isEmpty, shutDown == .no else { return emit(.warning(.commandIgnored)) }
        for flow in flows { findRegistrar(of: flow, at: now) }
    }

    mutating func unregister(_ account: AccountID, at now: Instant) {
        let asked = registrarQuestions.filter { $0.value.account == account }.map(\.key)
        for question in asked { registrarQuestions[question] = nil }
        for flow in flows(of: account) { step(flow, at: now) { $0.unregister(at: now) } }
    }

    /// The registrations of an account, in the order of their flows.
    func flows(of account: AccountID) -> [RegistrationID] {
        (0..<Account.flowLimit).map { RegistrationID(account: account, flow: $0) }
            .filter { registrations[$0] != nil }
    }

    /// Whether an account is wanted registered by any flow.
    func isRegistering(_ account: AccountID) -> Bool {
        flows(of: account).contains { registrations[$0]?.isWanted ?? false }
    }

    /// The registration of an account that its requests go by: the first that stands.
    func standing(of account: AccountID) -> Registration? {
        flows(of: account).lazy.compactMap { registrations[$0] }.first(where: \.isStanding)
    }

    // MARK: - The way to the registrar

    mutating func findRegistrar(of id: RegistrationID, at now: Instant) {
        guard let account = account(id.account),
            let wanted = registrations[id]?.way.location(unlessSaid: account.transport),
            !registrarQuestions.values.contains(id)
        else { return }
        let question = ResolveID(rawValue: nextOutboundID().rawValue)
        registrarQuestions[question] = id
        outputs.append(.resolve(question, wanted))
    }

    mutating func registrarFound(
        _ id: RegistrationID, _ result: Result<[Destination], LocationFailure>, at now: Instant
    ) {
        guard let account = account(id.account),
            let wanted = registrations[id]?.way.location(unlessSaid: account.transport)
        else { return }
        let first: Destination
        switch result.flatMap({ $0.first.map { .success($0) } ?? .failure(.noSuchName) }) {
        case .success(let destination): first = destination
        case .failure(let failure):
            // The address of the registrar may come back; until then the binding, if any, stands.
            return step(id, at: now) { $0.unlocated(.unresolved(wanted, failure), at: now) }
        }
        let own = contact(of: account.value, at: first.local, over: first.transport)
        guard let contact = own.uri.sipURI else { return }
        withdrawRegistration(id, unlessFrom: contact)
        step(id, at: now) { registration in
            registration.isBound(at: now) && registration.isWanted
                ? registration.moveOrRefresh(to: contact, at: now) : registration.begin(contact: contact, at: now)
        }
    }

    /// Takes back a REGISTER that left from an address which is gone: no answer can reach it.
    private mutating func withdrawRegistration(_ id: RegistrationID, unlessFrom contact: SIPURI) {
        guard registrations[id]?.isBusy == true, registrations[id]?.contact?.host != contact.host else { return }
        let sent = outbound.filter { $0.value.owner == .registration(id) && $0.value.transaction != nil }.map(\.key)
        guard !sent.isEmpty else { return }
        for request in sent.sorted() { forgetOutbound(request) }
        registrations[id]?.withdraw()
    }

    // MARK: - The machine

    mutating func registrationDue(_ id: RegistrationID, at now: Instant) {
        step(id, at: now) { $0.handleDeadline(at: now) }
    }

    mutating func registrationAnswered(
        _ id: RegistrationID, _ response: Response, to request: OutboundRequest, over flow: Flow, at now: Instant
    ) {
        let hasProxy = registrations[id]?.way.proxy != nil
        let source: ChallengeSource = response.status == 407 && hasProxy ? .outboundProxy : .registrar
        let known = registrations[id]?.mapping
        let mapping = request.mapping(in: response)
        registrations[id]?.flow = flow
        step(id, at: now) { $0.receive(response, from: source, mapping: mapping, at: now) }
        if response.status.isSuccess { keepFlow(of: id, flow, at: now) }
        if let known, let mapping, known.local == mapping.local, known.seen != mapping.seen {
            moveCalls(of: id.account, at: now)
        }
    }

    mutating func registrationFailed(_ id: RegistrationID, _ failure: RequestFailure, at now: Instant) {
        step(id, at: now) { $0.unanswered(failure.reason, mayHaveArrived: failure.mayHaveArrived, at: now) }
    }

    mutating func step(
        _ id: RegistrationID, at now: Instant, _ body: (inout Registration) -> Registration.Step
    ) {
        guard var registration = registrations[id], let account = account(id.account) else { return }
        registration.isSpare = flows(of: id.account).contains { $0 != id && registrations[$0]?.isStanding == true }
        let known = registration.grant.temporaryGRUU
        let step = body(&registration)
        registrations[id] = registration
        deadlines.set(.registration(id), at: registration.deadline)
        if !registration.isStanding { endKeepAlive(of: id) }
        if registration.grant.temporaryGRUU != known { noteGRUUs(of: id.account) }
        if let state = step.state { report(state, of: registration) }
        if step.locates { findRegistrar(of: id, at: now) }
        guard let request = step.request else { return }
        send(request, for: .registration(id), account: account.value, along: nil, at: now)
    }

    /// An account is registered while one of its flows is; what becomes of the others is a warning.
    private mutating func report(_ state: RegistrationState, of registration: Registration) {
        if case .registered = state, let binding = registration.binding {
            emit(.registrationBound(registration.id.account, binding))
        }
        guard registration.isSpare else { return emit(.registration(registration.id.account, state)) }
        switch state {
        case .registered: emit(.registration(registration.id.account, state))
        case .failed(_, let reason, _):
            emit(.warning(.flowFailed(registration.id.account, registration.id.flow + 1, reason)))
        case .unregistered, .registering, .unregistering: break
        }
    }
}

extension Registration {
    /// What stands at the registrar; nil where it never answered.
    fileprivate var binding: RegistrationBinding? {
        guard let contact, let flow else { return nil }
        return RegistrationBinding(
            contact: contact, flow: flow, isOutbound: grant.isOutbound, publicGRUU: grant.publicGRUU,
            temporaryGRUU: grant.temporaryGRUU)
    }
}
