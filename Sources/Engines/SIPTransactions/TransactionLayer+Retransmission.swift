import SIPMessages

extension TransactionLayer {
    /// Whether a request is one that a server transaction knows already, so that it costs no new state.
    package func isRetransmission(_ request: Request) -> Bool {
        ServerTransactionKey(of: request).map { serverIndex[$0] != nil } ?? false
    }
}
