import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// A stateful forking proxy with the registrar of its domain (RFC 3261 §16, §10.3).
///
/// It writes Record-Route with a flow token (RFC 5626 §5.3), so that requests of a dialog find the way back to phones
/// behind a NAT.
struct Proxy: Sendable {
    struct Settings: Sendable {
        let name: String
        let domain: String
        let address: SocketAddress
        /// Users that stand for several addresses.
        var groups: [String: [SIPURI]] = [:]
        /// The proxies of other domains.
        var neighbours: [String: SocketAddress] = [:]
        /// Whether calls must be authenticated, and not only registrations.
        var challengesCalls = true
        /// Whether it stays in the path of dialogs.
        var recordsRoute = true
    }

    let settings: Settings
    var registrar: Registrar
    var guardian: DigestGuard
    var agent: StateAgent
    /// The subscribers whose NOTIFY is on its way.
    var notices: [ClientTransactionID: String] = [:]
    var transactions = TransactionLayer()
    /// One for each request in hand (§16.7: the response context).
    var contexts: [ServerTransactionID: ResponseContext] = [:]
    var contextOfBranch: [ClientTransactionID: ServerTransactionID] = [:]
    var deadlines = DeadlineQueue<ServerTransactionID>()
    /// Out of service, and for how many seconds it says so.
    var outage: (until: Instant, retryAfter: UInt32)?
    /// The flows whose names travel in Record-Route.
    private var flows: [Flow] = []
    private var transmits: [Transmit] = []
    private var branches = 0

    init(_ settings: Settings, registrar: Registrar, guardian: DigestGuard) {
        self.settings = settings
        self.registrar = registrar
        self.guardian = guardian
        agent = StateAgent(name: settings.name, address: settings.address)
    }

    // MARK: - The engine face

    mutating func receive(_ message: Message, over flow: Flow, at now: Instant) {
        switch message {
        case .request(var request):
            guard !request.vias.isEmpty else { return }
            request.vias[0].received = flow.remote.address
            if request.vias[0].rport != .absent { request.vias[0].rport = .value(flow.remote.port) }
            transactions.receive(.request(request), over: flow, at: now)
        case .response:
            guard let via = message.vias.first, via.host == .address(settings.address.address) else { return }
            transactions.receive(message, over: flow, at: now)
        }
        settle(at: now)
    }

    mutating func handleDeadline(at now: Instant) {
        transactions.handleDeadline(at: now)
        while let context = deadlines.popDue(at: now) { timerC(context, at: now) }
        agent.handleDeadline(at: now)
        settle(at: now)
    }

    mutating func transportFailed(_ id: TransactionID, at now: Instant) {
        transactions.transportFailed(id, at: now)
        settle(at: now)
    }

    mutating func nextTransmit() -> Transmit? {
        transmits.isEmpty ? nil : transmits.removeFirst()
    }

    var deadline: Instant? {
        [transactions.deadline, deadlines.deadline, agent.deadline].compactMap { $0 }.min()
    }

    /// The process starts anew: bindings, nonces and transactions are gone.
    mutating func restart() {
        registrar.forget()
        guardian.forget()
        agent.forget()
        notices = [:]
        transactions = TransactionLayer()
        contexts = [:]
        contextOfBranch = [:]
        deadlines = DeadlineQueue()
        flows = []
    }

    // MARK: - For the extensions

    mutating func settle(at now: Instant) {
        sendNotices(at: now)
        while let output = transactions.nextOutput() {
            switch output {
            case .transmit(let transmit): transmits.append(transmit)
            case .event(let event): receive(event, at: now)
            }
            sendNotices(at: now)
        }
    }

    mutating func transmit(_ bytes: [UInt8], over flow: Flow) {
        transmits.append(Transmit(bytes: bytes, flow: flow))
    }

    /// Our Via for the next hop, with a branch of its own (§16.6 step 8).
    mutating func via(_ transport: Transport) -> Via {
        branches += 1
        return Via(
            transport: transport, host: .address(settings.address.address), port: settings.address.port,
            branch: "\(Via.magicCookie)-\(settings.name)-\(branches)")
    }

    /// Our address in Record-Route, with the name of a flow as its user part.
    mutating func route(naming flow: Flow?) -> NameAddress {
        var uri = SIPURI(host: .address(settings.address.address), port: settings.address.port)
        uri.parameters.append("lr")
        if let flow {
            let index = flows.firstIndex(of: flow) ?? flows.count
            if index == flows.count { flows.append(flow) }
            uri.user = "flow\(index)"
        }
        return NameAddress(uri: .sip(uri))
    }

    func flow(named user: String?) -> Flow? {
        guard let user, user.hasPrefix("flow"), let index = Int(user.dropFirst(4)), flows.indices.contains(index)
        else { return nil }
        return flows[index]
    }

    func isOurs(_ uri: URI) -> Bool {
        guard let uri = uri.sipURI else { return false }
        return uri.host == .address(settings.address.address) && (uri.port ?? 5060) == settings.address.port
    }
}
