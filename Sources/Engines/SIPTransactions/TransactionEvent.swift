import SIPMessages

extension TransactionLayer {
    package enum Output: Equatable, Sendable {
        case transmit(Transmit)
        case event(Event)
    }

    /// What the transaction user is told. Messages are held indirectly, as a queue moves its elements about.
    package enum Event: Equatable, Sendable {
        /// A new request other than ACK. A CANCEL comes here only where it matches no INVITE: it is owed a 481.
        indirect case request(Request, ServerTransactionID, Flow)
        /// A CANCEL that matches an INVITE server transaction, whatever the state of that. The user answers both: the
        /// CANCEL with 200 (RFC 3261 §9.2), the INVITE with 487 where it has no final response yet.
        indirect case cancelled(invite: ServerTransactionID, cancel: ServerTransactionID, Request)
        /// An ACK that no transaction absorbs: for the dialog, or nobody's.
        indirect case acknowledgement(Request, Flow)
        /// Every response that the user must see; for an INVITE also each repeated 2xx.
        indirect case response(Response, ClientTransactionID, Flow)
        /// A response that matches no transaction. A late 2xx to INVITE is to be acknowledged and ended by BYE.
        indirect case strayResponse(Response, Flow)
        /// No final response came in time: to be treated as a 408 (§8.1.3.1).
        case timedOut(ClientTransactionID)
        /// A message of the transaction could not be sent: for a client transaction to be treated as a 503 (§8.1.3.1).
        case transportFailed(TransactionID)
        /// The INVITE's non-2xx final response was never acknowledged.
        case acknowledgementTimedOut(ServerTransactionID)
        /// The last word on every transaction, and said once.
        case terminated(TransactionID)
    }

    /// How many transactions a layer may hold at a time.
    package struct Limits: Equatable, Sendable {
        package var server: Int
        /// Those that only absorb the repetitions of their answer make room for new ones.
        package var client: Int

        package init(server: Int = 1024, client: Int = 256) {
            self.server = server
            self.client = client
        }

        package static let standard = Limits()
    }

    /// What a layer holds, and what it refused since it began.
    package struct Counts: Equatable, Sendable {
        package var clientTransactions = 0
        package var serverTransactions = 0
        package var deadlines = 0
        /// The keys by which messages find those transactions.
        package var keys = 0
        /// Requests from the network beyond `Limits.server`.
        package var refusedRequests: UInt64 = 0
        /// Requests of the user beyond `Limits.client`, or under a branch in use.
        package var refusedSends: UInt64 = 0
        /// Responses with the branch and method of a transaction, but another sent-by (§18.1.2), Call-ID or CSeq.
        package var mismatchedResponses: UInt64 = 0
        /// ACKs and responses that a transaction absorbed, and requests that came again.
        package var absorbed: UInt64 = 0

        /// Whether nothing is left: no transaction, no deadline, no key.
        package var isQuiescent: Bool {
            clientTransactions == 0 && serverTransactions == 0 && deadlines == 0 && keys == 0
        }
    }
}
