import EngineKit
import SIPMessages
import SIPTransactions

/// What strangers may do: which account a request is for, who is answered without a person, how much one source may
/// ask. It decides and counts; the user agent acts.
package struct IncomingPolicy: Sendable {
    /// The servers of one account that registers, as far as they are known by now.
    package struct ProxySet: Hashable, Sendable {
        /// Where the registrar and the outbound proxy were resolved to.
        package var addresses: [SocketAddress]
        /// The connections that requests of the account went over.
        package var connections: [ConnectionID]

        package init(addresses: [SocketAddress] = [], connections: [ConnectionID] = []) {
            self.addresses = addresses
            self.connections = connections
        }
    }

    let accounts: [Account]
    /// Whether any account has a registrar.
    private let isRegistering: Bool
    let limits: UserAgentLimits
    let rules: AutomaticAnswerRules
    private var proxySets: [AccountID: ProxySet] = [:]
    /// Users by which an account is reached beside its own: temporary GRUUs (RFC 5627 §4.4), newest last.
    private var aliases: [AccountID: [String]] = [:]
    var sources: SourceTable
    /// The requests of all sources that the limits for one hold for.
    var strangers = RateMeter()
    /// The callers that are answered without a person, by call, and how many calls each of them has.
    var automaticCalls: [CallHandle: SourceTable.Key] = [:]
    var automaticCallers: [SourceTable.Key: Int] = [:]
    /// Who may prove to be somebody.
    var callers: CallerAuthentication
    /// Makes the To tags of responses that belong to no dialog.
    let tagKey: String

    package init(configuration: UserAgentConfiguration, random: inout RandomSource) {
        accounts = configuration.accounts
        isRegistering = accounts.contains { $0.registrar != nil }
        limits = configuration.limits
        rules = configuration.automaticAnswer
        sources = SourceTable(capacity: configuration.limits.sources)
        tagKey = random.hexadecimal(48)
        let isChallenging = !configuration.callers.isEmpty
        callers = CallerAuthentication(configuration.callers, random: isChallenging ? random.split() : random)
    }

    /// Tells where an account's servers are, as the resolver and the registration found them.
    package mutating func setProxySet(_ set: ProxySet, of account: AccountID) {
        proxySets[account] = set
    }

    /// Adds names under which an account is reached. The older ones stay good for as long as the registration
    /// (RFC 5627 §3.2); the last 16 are remembered.
    package mutating func setAliases(_ users: [String], of account: AccountID) {
        let known = aliases[account, default: []].filter { !users.contains($0) }
        aliases[account] = (known + users).suffix(16)
    }

    /// The account that a request outside any dialog is for, and why its sender is trusted.
    package struct Reception: Hashable, Sendable {
        package var account: AccountID
        package var trust: CallerTrust
    }

    /// Finds the account for a request that would make a dialog or stands alone; nil refuses it with 403.
    ///
    /// An account that registers is reached from its registrar, its proxies and its listed sources alone, under the user
    /// of its Contact or of its address. All else is for the peer-to-peer account, if there is one.
    package func reception(of request: Request, provenAs username: String? = nil, over flow: Flow) -> Reception? {
        let user = request.uri.user
        if isRegistering {
            for account in accounts where account.registrar != nil {
                guard let trust = trust(flow, by: account),
                    user == account.contactUser || user == account.address.uri.user
                        || aliases[account.id]?.contains(where: { $0 == user }) == true
                else { continue }
                return Reception(account: account.id, trust: flow.remote.address.isLoopback ? .loopback : trust)
            }
        }
        // By their indices, as each account that is taken out of the array is copied; so is the policy by a closure.
        let number = user == nil ? TelephoneURI(request.uri) : nil
        var found: Int?
        for index in accounts.indices where accounts[index].isPeerToPeer || !isRegistering {
            found = found ?? index
            guard user == nil ? accounts[index].has(number) : user == accounts[index].contactUser else { continue }
            found = index
            break
        }
        guard let index = found else { return nil }
        return Reception(account: accounts[index].id, trust: username == nil ? trust(flow) : .authenticated)
    }

    /// Whether an address is the telephone number of an account: other numbers are for servers that know the way.
    func isNumberOfOurs(_ uri: URI) -> Bool {
        guard let number = TelephoneURI(uri) else { return false }
        return accounts.contains { $0.has(number) }
    }

    /// Why the sender of a request is trusted, whatever account it is for.
    package func trust(_ flow: Flow) -> CallerTrust {
        if flow.remote.address.isLoopback { return .loopback }
        var trust = rules.ranges.contains { $0.contains(flow.remote.address) } ? CallerTrust.allowListed : .stranger
        for account in accounts {
            switch self.trust(flow, by: account) {
            case .registrarFlow?: return .registrarFlow
            case .allowListed?: trust = .allowListed
            default: break
            }
        }
        return trust
    }

    /// Whether a flow leads to the registrar or a proxy of any account.
    func isServer(_ flow: Flow) -> Bool { accounts.contains { isServer(flow, of: $0.id) } }

    /// Whether a flow leads to the registrar or a proxy of an account.
    func isServer(_ flow: Flow, of account: AccountID) -> Bool {
        proxySets[account]?.contains(flow) ?? false
    }

    /// Why an account trusts a flow; nil where it does not.
    private func trust(_ flow: Flow, by account: Account) -> CallerTrust? {
        if isServer(flow, of: account.id) { return .registrarFlow }
        return account.sources.contains { $0.contains(flow.remote.address) } ? .allowListed : nil
    }
}

extension IncomingPolicy.ProxySet {
    /// On UDP address and port count. A server that opens a connection to us has any port.
    fileprivate func contains(_ flow: Flow) -> Bool {
        if let connection = flow.connection, connections.contains(connection) { return true }
        guard flow.transport.isReliable else { return addresses.contains(flow.remote) }
        return addresses.contains { $0.address == flow.remote.address }
    }
}

extension Account {
    /// Whether its address is a telephone number, and `number` the same (RFC 3966 §4).
    fileprivate func has(_ number: TelephoneURI?) -> Bool {
        guard let number, let own = TelephoneURI(address.uri) else { return false }
        return own.isEquivalent(to: number)
    }
}

extension URI {
    /// The user part without escapes, of a SIP or SIPS URI.
    fileprivate var user: String? {
        if case .sip(let uri) = self { uri.user } else { nil }
    }
}
