import DequeModule
import EngineKit
import SIPMessages
import SIPTransactions

/// All that a SIP user agent decides (RFC 3261 §8, §11 to §15): accounts, calls and their limits, over one transaction
/// layer.
///
/// The engine face: bytes, resolver answers and commands go in with the time; transmits, questions and events come out.
package struct UserAgentCore: Sendable {
    let configuration: UserAgentConfiguration
    private(set) var settings: Boxed<SessionSettings>
    /// Our name, as responses tell it.
    let serverField: Headers
    var random: RandomSource
    var policy: IncomingPolicy
    /// What the policy said of the request that is being taken in, until its transaction hands it over.
    var verdict: OutOfDialogVerdict?
    /// Who the sender of that request proved to be.
    var provenCaller: String?
    /// Calls that count against their source until they have a final response.
    var pendingArrivals: Set<CallHandle> = []

    var listeners: [Listener] = []
    var transactions: TransactionLayer
    var sessions: [CallHandle: Boxed<InviteSession>] = [:]
    /// The sum over `sessions`.
    var census = Census()
    /// Call-ID and our tag name a call: the peer's tag then tells its dialogs apart.
    var callsByTag: [CallKey: CallHandle] = [:]
    /// The call of each INVITE that came in, for CANCEL.
    var callsByInvite: [ServerTransactionID: CallHandle] = [:]
    var endedDialogs = EndedDialogs()

    /// Requests of ours on their way, and how to find them.
    var outbound: [OutboundID: OutboundRequest] = [:]
    var outboundByTransaction: [ClientTransactionID: OutboundID] = [:]
    var outboundByResolution: [ResolveID: OutboundID] = [:]
    /// INVITEs that another server was asked to take over, and whether they were cancelled.
    var superseded: [ClientTransactionID: Bool] = [:]
    /// Those of each call, in their order.
    var requestsOfCall: [CallHandle: [OutboundID]] = [:]
    var queries: [RequestHandle: Query] = [:]
    var lastOwnRequest: UInt32 = 0
    /// Whom the user writes to, and who writes to the user.
    var composing: [Conversation: ComposingSender] = [:]
    var correspondents: [Correspondent: (receiver: ComposingReceiver, from: NameAddress)] = [:]
    var subscriptions: [SubscriptionHandle: Subscription] = [:]
    var subscriptionsByTag: [CallKey: SubscriptionHandle] = [:]
    /// Those who subscribed to us.
    var watchers: [WatcherID: Watcher] = [:]
    var watchersByTag: [CallKey: WatcherID] = [:]
    var lastWatcher: UInt64 = 0
    var ownPresence = OwnPresence()
    var publications: [AccountID: Publication] = [:]

    var registrations: [RegistrationID: Registration] = [:]
    /// What keeps the flows of registrations open.
    var keepers: [RegistrationID: FlowKeeper] = [:]
    private let accounts: [AccountID: Boxed<Account>]
    /// Digests of the accounts that never register.
    var authentications: [AccountID: DigestAuthentication] = [:]
    /// Questions for the way to a registrar, which tells our Contact.
    var registrarQuestions: [ResolveID: RegistrationID] = [:]
    /// Questions whether a call still leaves from the address that its peer knows.
    var callQuestions: [ResolveID: CallHandle] = [:]
    /// Where the servers of each account are, by the address under which they were asked for.
    var servers: [AccountID: [Server]] = [:]

    var deadlines = DeadlineQueue<DeadlineKey>()
    var outputs = Deque<Output>()
    var shutDown = ShutDown.no
    package internal(set) var counters = RefusalCounters()
    var dropNews = RateMeter()
    private var lastIncoming = CallHandle.firstIncoming
    var lastPlaced: CallHandle?
    private var lastOutbound: UInt64 = 0

    struct CallKey: Hashable, Sendable {
        let callID: String
        let localTag: String

        /// Of the tag alone: it is a random one of ours in every key that is kept, whatever a peer asks for.
        func hash(into hasher: inout Hasher) { hasher.combine(localTag) }
    }

    enum DeadlineKey: Hashable, Sendable {
        case call(CallHandle)
        case registration(RegistrationID)
        case keepAlive(RegistrationID)
        case subscription(SubscriptionHandle)
        case watcher(WatcherID)
        case publication(AccountID)
        case destination(OutboundID)
        case composing(Conversation)
        case correspondent(Correspondent)
        /// The nonces of callers that proved who they are run out.
        case nonces
        case shutDown
    }

    package init(configuration: UserAgentConfiguration, random: RandomSource) {
        var random = random
        self.configuration = configuration
        settings = Boxed(
            SessionSettings(
                timers: configuration.timers, maximumDuration: configuration.maximumCallDuration,
                earlyDialogLimit: configuration.limits.earlyDialogs, capabilities: configuration.abilities,
                reliableProvisionals: configuration.reliableProvisionals, sessionTimers: configuration.sessionTimers))
        var serverField = Headers()
        if !configuration.product.isEmpty { try? serverField.set(.server, configuration.product) }
        self.serverField = serverField
        accounts = Dictionary(configuration.accounts.map { ($0.id, Boxed($0)) }) { first, _ in first }
        policy = IncomingPolicy(configuration: configuration, random: &random)
        for account in configuration.accounts {
            for flow in 0..<Account.flowLimit {
                let registration = Registration(
                    account: account, flow: flow, instance: configuration.instance, random: random.split())
                guard let registration else { break }
                registrations[registration.id] = registration
            }
            if account.registrar == nil {
                authentications[account.id] = DigestAuthentication(credentials: account.credentials)
            }
        }
        self.random = random
        transactions = TransactionLayer(
            timers: configuration.timers,
            limits: TransactionLayer.Limits(
                server: configuration.limits.serverTransactions, client: configuration.limits.clientTransactions))
    }

    // MARK: - The engine face

    package mutating func receive(_ input: Input, at now: Instant) {
        switch input {
        case .listening(let listeners):
            self.listeners = listeners
            settings.listeners = listeners.filter { $0.transport == .udp }.map(\.address)
        case .received(let bytes, let flow):
            receive(bytes, over: flow, at: now)
        case .resolved(let id, let destinations):
            resolved(id, .success(destinations), at: now)
        case .resolutionFailed(let id, let failure):
            resolved(id, .failure(failure), at: now)
        case .connectionClosed(let connection, let failure):
            connectionClosed(connection, failure, at: now)
        case .transmitFailed(let flow, let cause, let failure):
            if let cause {
                transmitFailed(cause, over: flow, failure, at: now)
            } else {
                flowFailed(flow, failure, at: now)
            }
        case .localAddressesChanged:
            localAddressesChanged(at: now)
        case .resumed(let duration):
            resumed(after: duration, at: now)
        case .keepAliveAnswered(let connection):
            keepAliveAnswered(on: connection, at: now)
        }
        settle(at: now)
    }

    package mutating func perform(_ command: Command, at now: Instant) {
        switch command {
        case .call(let handle, let call): place(call, as: handle, at: now)
        case .ring(let handle): instruct(handle, at: now) { $0.ring(at: now) }
        case .progress(let handle, let media, let automatic):
            instruct(handle, at: now) { $0.progress(media, automatic: automatic, at: now) }
        case .answer(let handle, let media, let headers, let automatic):
            answer(handle, media, headers: headers, automatic: automatic, at: now)
        case .reject(let handle, let status, let reason, let headers):
            instruct(handle, at: now) { $0.reject(status, reason: reason, headers: headers, at: now) }
        case .hangUp(let handle): update(handle, at: now) { $0.hangUp(at: now) }
        case .hold(let handle): instruct(handle, at: now) { $0.hold(at: now) }
        case .resume(let handle): instruct(handle, at: now) { $0.resume(at: now) }
        case .reinvite(let handle, let media): instruct(handle, at: now) { $0.reinvite(media, at: now) }
        case .update(let handle, let media): instruct(handle, at: now) { $0.update(media, at: now) }
        case .sendDigits(let handle, let steps): instruct(handle, at: now) { $0.sendDigits(steps, at: now) }
        case .request(let handle, let query):
            composed(query)
            ask(query, as: handle, at: now)
        case .compose(let recipient, let account, let isTyping):
            compose(to: recipient, of: account, isTyping: isTyping, at: now)
        case .transfer(let handle, let target, let subscribes):
            transfer(handle, to: target, subscribes: subscribes, at: now)
        case .acceptTransfer(let handle, let new, let media, let ringTimeout):
            acceptTransfer(of: handle, as: new, media, ringTimeout: ringTimeout, at: now)
        case .declineTransfer(let handle): instruct(handle, at: now) { $0.declineReferral(at: now) }
        case .subscribe(let handle, let order): subscribe(order, as: handle, at: now)
        case .unsubscribe(let handle): unsubscribe(handle, at: now)
        case .setPresence(let presence): setPresence(presence, at: now)
        case .publish(let account, let presence): publish(presence, of: account, at: now)
        case .register(let account): register(account, at: now)
        case .unregister(let account): unregister(account, at: now)
        case .shutDown: beginShutDown(at: now)
        }
        settle(at: now)
    }

    package mutating func handleDeadline(at now: Instant) {
        transactions.handleDeadline(at: now)
        settle(at: now)
        while let key = deadlines.popDue(at: now) {
            switch key {
            case .call(let handle): update(handle, at: now) { $0.handleDeadline(at: now) }
            case .registration(let id): registrationDue(id, at: now)
            case .keepAlive(let id): keepAliveDue(id, at: now)
            case .subscription(let handle): update(handle, at: now) { $0.handleDeadline(at: now) }
            case .watcher(let id): notify(id, at: now)
            case .publication(let id): publish(id, at: now) { $0.handleDeadline(at: now) }
            case .destination(let request): destinationSilent(request, at: now)
            case .composing(let conversation): composingDue(conversation, at: now)
            case .correspondent(let writer): correspondentDue(writer)
            case .nonces: policy.callers.forgetOldNonces(at: now)
            case .shutDown: shutDownDeadline(at: now)
            }
            settle(at: now)
        }
    }

    package mutating func nextOutput() -> Output? {
        outputs.popFirst()
    }

    package var deadline: Instant? {
        var next = transactions.deadline
        next.bringForward(to: deadlines.deadline)
        return next
    }

    /// How many transactions there are.
    package var transactionCount: Int { transactions.count }

    // MARK: - For the extensions

    /// Lets the transaction layer say all that it has to say.
    mutating func settle(at now: Instant) {
        while let output = transactions.nextOutput() {
            switch output {
            case .transmit(let transmit): outputs.append(.transmit(transmit))
            case .event(let event): receive(event, at: now)
            }
        }
        checkShutDown(at: now)
    }

    mutating func emit(_ event: Event) {
        outputs.append(.event(event))
    }

    /// Counts a refusal and says whom it met; of an INVITE also who calls.
    mutating func refuse(_ refusal: Refusal, from flow: Flow, of request: Request? = nil) {
        counters.add(refusal)
        let caller = request.flatMap { $0.method == .invite && !$0.to.hasTag ? $0.from : nil }
        emit(.refused(refusal, from: flow.remote, caller: caller))
    }

    mutating func nextIncomingHandle() -> CallHandle {
        defer { lastIncoming = max(lastIncoming &+ 1, CallHandle.firstIncoming) }
        return CallHandle(rawValue: lastIncoming)
    }

    /// Whether there is or was a call of that number.
    func hasBegun(_ handle: CallHandle) -> Bool {
        handle.isIncoming ? handle.rawValue < lastIncoming : lastPlaced.map { handle <= $0 } ?? false
    }

    mutating func nextOutboundID() -> OutboundID {
        lastOutbound &+= 1
        return OutboundID(rawValue: lastOutbound)
    }

    /// The account of that number; without a number the first.
    func account(_ id: AccountID?) -> Boxed<Account>? {
        (id ?? configuration.accounts.first?.id).flatMap { accounts[$0] }
    }

    /// The address that our messages name for requests to this account, as seen from `local`.
    func contact(of account: Account, at local: SocketAddress, over transport: Transport) -> NameAddress {
        var place = SocketAddress(local.address, port: listeningPort(at: local, over: transport))
        if transport == .udp, let mapping = registrations[account.id.firstRegistration]?.mapping,
            mapping.local == place
        {
            place = mapping.seen
        }
        var uri = SIPURI(user: account.contactUser, host: .address(place.address), port: place.port)
        if transport != .udp { uri.transport = transport }
        return NameAddress(uri: .sip(uri))
    }

    /// The port of the listener that takes what is sent to `local`: the port of `local` itself, unless that is our end of
    /// a connection that we opened.
    private func listeningPort(at local: SocketAddress, over transport: Transport) -> UInt16 {
        let isListening = listeners.contains { listener in
            listener.address.port == local.port && listener.transport == transport
                && listener.address.takes(local.address)
        }
        if isListening { return local.port }
        let listening = listeners.filter { $0.transport == transport }.map(\.address)
        let nearest =
            listening.first { $0.address == local.address } ?? listening.first { $0.takes(local.address) }
            ?? listening.first { $0.address.isV4 == local.address.isV4 } ?? listening.first
        return nearest?.port ?? local.port
    }
}

extension SocketAddress {
    /// Whether a listener there takes what is sent to `other`.
    fileprivate func takes(_ other: IPAddress) -> Bool {
        address == other || (address.isUnspecified && address.isV4 == other.isV4)
    }
}

/// How often each kind of message was refused or dropped.
package struct RefusalCounters: Equatable, Sendable {
    private var counts: [Int] = Array(repeating: 0, count: Refusal.allCases.count)

    package subscript(refusal: Refusal) -> Int {
        counts[refusal.index]
    }

    mutating func add(_ refusal: Refusal) {
        counts[refusal.index] &+= 1
    }
}

extension Refusal {
    fileprivate var index: Int { Refusal.allCases.firstIndex(of: self) ?? 0 }
}
