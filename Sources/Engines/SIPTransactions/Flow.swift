import EngineKit
import SIPMessages

/// One connection of a reliable transport, for as long as the runtime keeps it open. Never reused.
package struct ConnectionID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// The way between us and one peer: a pair of addresses, or a connection between them.
package struct Flow: Hashable, Sendable {
    package var transport: Transport
    package var local: SocketAddress
    package var remote: SocketAddress
    /// The connection to use; nil on UDP. For something to send, nil also means any connection to `remote`, opened
    /// where there is none.
    package var connection: ConnectionID?

    package init(transport: Transport, local: SocketAddress, remote: SocketAddress, connection: ConnectionID? = nil) {
        self.transport = transport
        self.local = local
        self.remote = remote
        self.connection = connection
    }
}

/// A message to put on the wire.
package struct Transmit: Equatable, Sendable {
    package var bytes: [UInt8]
    package var flow: Flow
    /// Where to connect for a response whose connection is gone (RFC 3261 §18.2.2).
    package var fallback: SocketAddress?
    /// Whom to tell, by `TransactionLayer.transportFailed`, where this can't be sent.
    package var cause: TransactionID?

    package init(bytes: [UInt8], flow: Flow, fallback: SocketAddress? = nil, cause: TransactionID? = nil) {
        self.bytes = bytes
        self.flow = flow
        self.fallback = fallback
        self.cause = cause
    }
}

/// Where the responses of one server transaction go (RFC 3261 §18.2.2, RFC 3581 §4).
package struct ResponseRoute: Equatable, Sendable {
    package let flow: Flow
    /// Only for reliable transports: the address to connect to where the connection is gone.
    package let fallback: SocketAddress?

    /// The route for a request that arrived over `flow` with `via` on top.
    ///
    /// The address is always the one that the packet came from, which is what `received` would say. A `maddr` is not
    /// followed: by it a stranger would have us send to whom it likes.
    package init(of via: Via, over flow: Flow) {
        let port = via.port ?? via.transport.defaultPort
        guard !flow.transport.isReliable else {
            self.flow = flow
            fallback = SocketAddress(flow.remote.address, port: port)
            return
        }
        var target = flow
        if via.rport == .absent { target.remote.port = port }
        self.flow = target
        fallback = nil
    }
}
