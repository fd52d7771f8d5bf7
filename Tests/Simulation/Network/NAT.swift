import EngineKit

/// A router that lends its address to the hosts behind it: each of their ports gets one of its own, for as long as it is
/// used (RFC 4787: endpoint-independent mapping, address-dependent filtering).
struct NAT: Sendable {
    let address: IPAddress
    /// A mapping that sends nothing for so long is gone.
    let patience: Duration
    private var mappings: [Mapping] = []
    private var nextPort: UInt16 = 61_000

    private struct Mapping: Sendable {
        let inside: SocketAddress
        let port: UInt16
        var usedAt: Instant
        /// Whom it sent to: nobody else is let in.
        var peers: Set<IPAddress>
    }

    init(address: IPAddress, patience: Duration) {
        self.address = address
        self.patience = patience
    }

    /// The source that others see of a datagram from inside.
    mutating func outbound(from inside: SocketAddress, to peer: SocketAddress, at now: Instant) -> SocketAddress {
        if let index = mappings.firstIndex(where: { $0.inside == inside && now - $0.usedAt < patience }) {
            mappings[index].usedAt = now
            mappings[index].peers.insert(peer.address)
            return SocketAddress(address, port: mappings[index].port)
        }
        mappings.removeAll { $0.inside == inside }
        nextPort = nextPort < 65_000 ? nextPort + 1 : 61_000
        mappings.append(Mapping(inside: inside, port: nextPort, usedAt: now, peers: [peer.address]))
        return SocketAddress(address, port: nextPort)
    }

    /// Whom a datagram from outside is for; nil where it is not let in.
    func inbound(from peer: SocketAddress, to port: UInt16, at now: Instant) -> SocketAddress? {
        mappings.first {
            $0.port == port && now - $0.usedAt < patience && $0.peers.contains(peer.address)
        }?.inside
    }

    /// It starts anew: what it lent is lost.
    mutating func rebind() {
        mappings = []
    }
}
