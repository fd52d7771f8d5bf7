/// The name of a client transaction, unique for the life of its layer.
package struct ClientTransactionID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The name of a server transaction, unique for the life of its layer.
package struct ServerTransactionID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The name of any transaction.
package enum TransactionID: Hashable, Sendable {
    case client(ClientTransactionID)
    case server(ServerTransactionID)
}
