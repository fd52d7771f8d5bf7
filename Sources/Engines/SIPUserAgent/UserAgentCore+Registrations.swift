import EngineKit
import SIPMessages
import SIPTransactions
import ServerLocation

/// Registrations of the configured accounts (RFC 3261 §10), and where their servers are.
extension UserAgentCore {
    /// A registrar or proxy of an account, as the resolver found it.
    struct Server: Sendable {
        var hop: URI
        var addresses: [SocketAddress]
        /// Connections on which it answered, newest last.
        var connections: [ConnectionID] = []
    }

    private static let rememberedConnections = 4

    // MARK: - Commands

    /// Registers, or refreshes at once. First the way to the registrar is asked for: it tells our Contact.
    mutating func register(_ account: AccountID, at now: Instant) {
        guard registrations[account] != nil, shutDown == .no else { return emit(.warning(.commandIgnored)) }
        findRegistrar(of: account, at: now)
    }

    mutating func unregister(_ account: AccountID, at now: Instant) {
        let asked = registrarQuestions.filter { $0.value == account }.map(\.key)
        for question in asked { registrarQuestions[question] = nil }
        step(account, at: now) { $0.unregister(at: now) }
    }

    /// Calls and registrations move to where we are now (ROBUSTNESS row 38).
    mutating func localAddressesChanged(at now: Instant) {
        for account in configuration.accounts where registrations[account.id]?.isWanted ?? false {
            findRegistrar(of: account.id, at: now)
        }
        for handle in subscriptions.keys.sorted() { update(handle, at: now) { $0.move(at: now) } }
        for handle in sessions.keys.sorted() where sessions[handle]?.phase == .confirmed {
            update(handle, at: now) { $0.reinvite(nil, at: now) }
        }
    }

    private mutating func findRegistrar(of id: AccountID, at now: Instant) {
        guard let account = account(id), let hop = account.firstHop else { return }
        let question = ResolveID(rawValue: nextOutboundID().rawValue)
        registrarQuestions[question] = id
        outputs.append(.resolve(question, hop.location(unlessSaid: account.transport)))
    }

    mutating func registrarFound(
        _ id: AccountID, _ result: Result<[Destination], LocationFailure>, at now: Instant
    ) {
        guard let account = account(id), let hop = account.firstHop else { return }
        let first: Destination
        switch result.flatMap({ $0.first.map { .success($0) } ?? .failure(.noSuchName) }) {
        case .success(let destination): first = destination
        case .failure(let failure):
            // The address of the registrar may come back; until then the binding, if any, stands.
            let obstacle = hop.unresolved(failure, unlessSaid: account.transport)
            return step(id, at: now) { $0.unlocated(obstacle, at: now) }
        }
        guard let contact = contact(of: account, at: first.local, over: first.transport).uri.sipURI else { return }
        step(id, at: now) { registration in
            registration.isBound(at: now) && registration.isWanted
                ? registration.moveOrRefresh(to: contact, at: now) : registration.begin(contact: contact, at: now)
        }
    }

    // MARK: - The machine

    mutating func registrationDue(_ account: AccountID, at now: Instant) {
        if registrations[account]?.contact == nil {
            findRegistrar(of: account, at: now)
        } else {
            step(account, at: now) { $0.handleDeadline(at: now) }
        }
    }

    mutating func registrationAnswered(
        _ account: AccountID, _ response: Response, to request: OutboundRequest, at now: Instant
    ) {
        let source: ChallengeSource =
            response.status == 407 && request.account.outboundProxy != nil ? .outboundProxy : .registrar
        step(account, at: now) { $0.receive(response, from: source, at: now) }
    }

    mutating func registrationFailed(_ account: AccountID, _ failure: RequestFailure, at now: Instant) {
        step(account, at: now) { $0.unanswered(failure.reason, at: now) }
    }

    private mutating func step(
        _ id: AccountID, at now: Instant, _ body: (inout Registration) -> Registration.Step
    ) {
        guard var registration = registrations[id], let account = account(id) else { return }
        let step = body(&registration)
        registrations[id] = registration
        deadlines.set(.registration(id), at: registration.deadline)
        if let state = step.state { emit(.registration(id, state)) }
        if let request = step.request { send(request, for: .registration(id), account: account, along: nil, at: now) }
    }

    /// The way to the registrar now starts at another address of ours: the binding follows when this request is through.
    mutating func noteContact(_ contact: NameAddress, of id: AccountID) {
        guard let uri = contact.uri.sipURI else { return }
        registrations[id]?.expect(uri)
    }

    // MARK: - Servers

    /// Whether a request goes to the registrar or outbound proxy of its account.
    private func serverHop(of request: OutboundRequest) -> URI? {
        if case .registration = request.owner { return request.nextHop }
        guard let proxy = request.account.outboundProxy?.sipURI, let hop = request.nextHop.sipURI,
            hop.host == proxy.host, hop.port == proxy.port
        else { return nil }
        return request.nextHop
    }

    /// Remembers where an account's servers are: only they are believed (ROBUSTNESS S6, S10).
    mutating func noteServers(of request: OutboundRequest, at destinations: [Destination]) {
        guard let hop = serverHop(of: request), !destinations.isEmpty else { return }
        let addresses = destinations.prefix(16).map(\.remote)
        var known = servers[request.account.id] ?? []
        if let index = known.firstIndex(where: { $0.hop == hop }) {
            known[index].addresses = addresses
        } else {
            known.append(Server(hop: hop, addresses: addresses))
        }
        servers[request.account.id] = known
        shareServers(of: request.account.id)
    }

    mutating func noteConnection(_ flow: Flow, of request: OutboundRequest) {
        guard let connection = flow.connection, let hop = serverHop(of: request),
            let index = servers[request.account.id]?.firstIndex(where: { $0.hop == hop }),
            servers[request.account.id]?[index].connections.contains(connection) == false
        else { return }
        servers[request.account.id]?[index].connections.append(connection)
        if let count = servers[request.account.id]?[index].connections.count, count > Self.rememberedConnections {
            servers[request.account.id]?[index].connections.removeFirst()
        }
        shareServers(of: request.account.id)
    }

    private mutating func shareServers(of account: AccountID) {
        let known = servers[account] ?? []
        policy.setProxySet(
            IncomingPolicy.ProxySet(
                addresses: known.flatMap(\.addresses), connections: known.flatMap(\.connections)),
            of: account)
    }
}

extension Account {
    /// Where its REGISTER goes first.
    fileprivate var firstHop: SIPURI? { (outboundProxy ?? registrar)?.sipURI }
}

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

    /// Notes where we are reached from now on, while a request is on its way; its success then asks again.
    mutating func expect(_ contact: SIPURI) {
        if self.contact.map({ !$0.isEquivalent(to: contact) }) ?? true { self.contact = contact }
    }
}
