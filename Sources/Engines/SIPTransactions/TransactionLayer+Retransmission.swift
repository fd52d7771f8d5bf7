import SIPMessages

extension TransactionLayer {
    /// Whether a request belongs to something that is known already: one that comes again, or the CANCEL of an INVITE.
    package func isExpected(_ request: Request) -> Bool {
        if ServerTransactionKey(of: request).map({ serverIndex[$0] != nil }) ?? false { return true }
        guard request.method == .cancel else { return false }
        return ServerTransactionKey(of: request, as: .invite).map { serverIndex[$0] != nil } ?? false
    }
}
