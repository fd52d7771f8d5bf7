import EngineKit
import SIPMessages
import SIPTransactions

/// The servers of an account: how its requests go by them, and where they are.
extension UserAgentCore {
    /// A registrar or proxy of an account, as the resolver found it.
    struct Server: Sendable {
        var hop: URI
        var addresses: [SocketAddress]
        /// Connections on which it answered, newest last.
        var connections: [ConnectionID] = []
    }

    private static let rememberedConnections = 4

    // MARK: - Routes

    /// The servers that a request outside dialogs visits first: the account's proxy (RFC 3261 §8.1.2), then the way that
    /// the registrar gave (RFC 3608 §6.1).
    func preloadedRoute(of owner: OutboundRequest.Owner, _ account: Account) -> [URI] {
        if case .registration(let id) = owner { return registrations[id]?.way.proxy.map { [$0] } ?? [] }
        guard let registration = standing(of: account.id) else { return account.outboundProxy.map { [$0] } ?? [] }
        let given = registration.grant.serviceRoute.map(\.uri)
        guard let proxy = registration.way.proxy else { return given }
        let isThere = given.first?.sipURI.map { $0.host == proxy.sipURI?.host && $0.port == proxy.sipURI?.port }
        return isThere == true ? given : [proxy] + given
    }

    /// The address that dialogs of this account name for us: the GRUU (RFC 5627 §4.3), or our own, with `ob` where
    /// requests of the dialog are to come over the flow that we keep (RFC 5626 §4.3).
    func dialogContact(of account: Account, at local: SocketAddress, over transport: Transport) -> NameAddress {
        var own = contact(of: account, at: local, over: transport)
        guard let registration = standing(of: account.id) else { return own }
        // The public one names the account, which an anonymous call is not to do (RFC 3323 §4.1).
        if !account.isAnonymous, let gruu = registration.grant.publicGRUU { return NameAddress(uri: .sip(gruu)) }
        if registration.grant.isOutbound, case .sip(var uri) = own.uri {
            uri.parameters.append("ob")
            own.uri = .sip(uri)
        }
        return own
    }

    /// Lets requests in that name a temporary GRUU, which bears another user than the account (RFC 5627 §4.4).
    mutating func noteGRUUs(of account: AccountID) {
        let users = flows(of: account).compactMap { registrations[$0]?.grant.temporaryGRUU?.user }
        policy.setAliases(users, of: account)
    }

    // MARK: - Addresses

    /// Whether a request goes to the registrar, a proxy or the service route of its account.
    private func serverHop(of request: OutboundRequest) -> URI? {
        let hop = request.nextHop
        if case .registration = request.owner { return hop }
        if request.account.hasProxy(at: hop) || request.account.hasRegistrar(at: hop) { return hop }
        let route = standing(of: request.account.id)?.grant.serviceRoute.first?.uri.sipURI
        guard let route, let asked = hop.sipURI, route.host == asked.host, route.port == asked.port else { return nil }
        return hop
    }

    /// Remembers where an account's servers are: only they are believed (ROBUSTNESS S6, S10).
    mutating func noteServers(of request: OutboundRequest, at destinations: [Destination]) {
        guard let hop = serverHop(of: request), !destinations.isEmpty else { return }
        let addresses = destinations.prefix(16).map(\.remote)
        var known = servers[request.account.id] ?? []
        if let index = known.firstIndex(where: { $0.hop == hop }) {
            guard known[index].addresses != addresses else { return }
            known[index].addresses = addresses
        } else {
            known.append(Server(hop: hop, addresses: addresses))
            if known.count > Self.rememberedServers { known.removeFirst() }
        }
        servers[request.account.id] = known
        shareServers(of: request.account.id)
    }

    /// As many as a configuration may name, and the ways that registrars add.
    private static let rememberedServers = 32

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
