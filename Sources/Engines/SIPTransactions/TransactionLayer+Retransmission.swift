import SIPMessages

extension TransactionLayer {
    /// Whether a request belongs to something that is known already: one that comes again, or the CANCEL of an INVITE.
    ///
    /// - Parameter key: that of the request, which `receive` takes too, as it is not made in passing.
    package func isExpected(_ request: Request, as key: ServerTransactionKey?) -> Bool {
        if let key, serverIndex[key] != nil { return true }
        guard request.method == .cancel else { return false }
        return ServerTransactionKey(of: request, as: .invite).map { serverIndex[$0] != nil } ?? false
    }
}
