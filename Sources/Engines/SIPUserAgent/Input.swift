import EngineKit
import SIPMessages
import SIPTransactions
import ServerLocation

/// What the network tells the user agent.
package enum Input: Sendable {
    /// What we listen on: before anything else, and again when it changes.
    case listening([Listener])
    /// One datagram, or one message that the stream framer cut out. `flow.local` names a concrete address of ours.
    case received([UInt8], over: Flow)
    /// The answer to `Output.resolve`, in order of preference.
    case resolved(ResolveID, [Destination])
    case resolutionFailed(ResolveID, LocationFailure)
    /// By the peer, or by us for a reason that we know.
    case connectionClosed(ConnectionID, TransmitFailure = .reset)
    /// A transmit could not be made: connection refused or reset, ICMP unreachable, no route.
    case transmitFailed(Flow, cause: TransactionID?, TransmitFailure)
    /// An interface came, went or changed its address.
    case localAddressesChanged
    /// The machine slept for so long: our clock stood, those of the servers went on.
    case resumed(after: Duration)
    /// A peer answered our keep-alive on a connection (RFC 5626 §4.4.1).
    case keepAliveAnswered(ConnectionID)
}

/// A transport address on which peers reach us. The address may be unspecified (`0.0.0.0`), the port is the one bound.
package struct Listener: Hashable, Sendable {
    package var transport: Transport
    package var address: SocketAddress

    package init(transport: Transport, address: SocketAddress) {
        self.transport = transport
        self.address = address
    }
}

/// One place to send a request to (RFC 3263 §4).
package struct Destination: Hashable, Sendable {
    package var transport: Transport
    package var remote: SocketAddress
    /// The address and port on which we listen for this transport, as seen on the way to `remote`.
    package var local: SocketAddress

    package init(transport: Transport, remote: SocketAddress, local: SocketAddress) {
        self.transport = transport
        self.remote = remote
        self.local = local
    }
}

package enum TransmitFailure: Hashable, Sendable {
    /// A connection that nobody takes, or over UDP an ICMP port unreachable.
    case refused
    case reset, hostUnreachable, networkUnreachable
    /// What came over the connection can't be cut into messages, so we ended it (RFC 3261 §18.3).
    case unreadable
    /// A packet filter of our own, or an address that may not be sent to.
    case notPermitted
    case timedOut, tooLarge, noListener
    /// Our own limits on connections, or on what waits in one.
    case overloaded
    case other
}
