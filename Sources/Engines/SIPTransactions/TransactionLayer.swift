import DequeModule
import EngineKit
import SIPMessages

/// All transactions of one user agent or proxy, RFC 3261 §17 as corrected by RFC 6026.
///
/// Every input costs O(log n) in the number of transactions. A request is serialised once; transactions that wait for stragglers keep only their last message.
package struct TransactionLayer: Sendable {
    let timers: TransactionTimers
    let limits: Limits

    var inviteClients: [ClientTransactionID: Hosted<InviteClientTransaction>] = [:]
    var nonInviteClients: [ClientTransactionID: Hosted<NonInviteClientTransaction>] = [:]
    /// Of `nonInviteClients` those that have their final response, oldest first; some may be gone.
    var answeredClients = Deque<ClientTransactionID>()
    var inviteServers: [ServerTransactionID: Served<InviteServerTransaction>] = [:]
    var nonInviteServers: [ServerTransactionID: Served<NonInviteServerTransaction>] = [:]
    var clientIndex: [ClientTransactionKey: ClientTransactionID] = [:]
    var serverIndex: [ServerTransactionKey: ServerTransactionID] = [:]
    /// The first server transaction of each request outside a dialog.
    var originals: [RequestIdentity: ServerTransactionID] = [:]
    var deadlines = DeadlineQueue<TransactionID>()
    var outputs = Deque<Output>()
    var tally = Counts()
    var lastID: UInt64 = 0

    /// A client transaction with what the layer knows of it.
    struct Hosted<Machine: Sendable>: Sendable {
        var machine: Machine
        let key: ClientTransactionKey
        let sentBy: String
        let callID: String
        let sequence: UInt32
        let flow: Flow

        init(_ machine: Machine, of request: Request, key: ClientTransactionKey, over flow: Flow) {
            self.machine = machine
            self.key = key
            sentBy = request.vias.first?.sentBy ?? ""
            callID = request.callID
            sequence = request.cSeq.number
            self.flow = flow
        }

        /// Whether a response with the right branch and method is for this request too, and not one that a peer mixed up
        /// (§18.1.2, §8.2.6.2).
        func matches(_ response: Response) -> Bool {
            response.vias.first?.sentBy == sentBy && response.cSeq.number == sequence && response.callID == callID
        }
    }

    /// A server transaction with what the layer knows of it.
    struct Served<Machine: Sendable>: Sendable {
        var machine: Machine
        let key: ServerTransactionKey
        /// Of an RFC 2543 peer: the second key, for the ACK.
        var acknowledgementKey: ServerTransactionKey?
        /// Set where this transaction is the first one of its request.
        let identity: RequestIdentity?
        let isMerged: Bool
        let route: ResponseRoute
    }

    package init(timers: TransactionTimers = .standard, limits: Limits = .standard) {
        self.timers = timers
        self.limits = limits
    }

    // MARK: - Inputs

    /// Takes a message from the network. The top Via of a request already bears `received` and `rport` (§18.2.1).
    package mutating func receive(_ message: Message, over flow: Flow, at now: Instant) {
        switch message {
        case .request(let request):
            receive(request, as: request.method == .ack ? nil : ServerTransactionKey(of: request), over: flow, at: now)
        case .response(let response):
            receive(response, over: flow, at: now)
        }
    }

    /// Does what is due, in order of time.
    package mutating func handleDeadline(at now: Instant) {
        while let id = deadlines.popDue(at: now) {
            switch id {
            case .client(let id): handleDeadline(of: id, at: now)
            case .server(let id): handleDeadline(of: id, at: now)
            }
        }
    }

    /// A message could not be sent, after all alternatives failed (§17.1.4, §17.2.4, RFC 6026 §7.1).
    package mutating func transportFailed(_ id: TransactionID, at now: Instant) {
        switch id {
        case .client(let id): transportFailed(id)
        case .server(let id): transportFailed(id)
        }
    }

    // MARK: - Outputs

    package mutating func nextOutput() -> Output? {
        outputs.popFirst()
    }

    /// When to call `handleDeadline`.
    package var deadline: Instant? { deadlines.deadline }

    package var counts: Counts {
        var counts = tally
        counts.clientTransactions = inviteClients.count + nonInviteClients.count
        counts.serverTransactions = inviteServers.count + nonInviteServers.count
        counts.deadlines = deadlines.count
        counts.keys = clientIndex.count + serverIndex.count + originals.count
        return counts
    }

    /// How many transactions there are.
    package var count: Int {
        inviteClients.count + nonInviteClients.count + inviteServers.count + nonInviteServers.count
    }

    /// How many more requests would be made transactions. Beyond that they are dropped and counted, unless the user
    /// answers them without a transaction before they get here.
    package var serverRoom: Int { max(0, limits.server - inviteServers.count - nonInviteServers.count) }

    // MARK: - For the extensions

    mutating func nextID() -> UInt64 {
        lastID &+= 1
        return lastID
    }

    mutating func emit(_ event: Event) {
        outputs.append(.event(event))
    }
}
