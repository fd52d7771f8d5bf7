import EngineKit
import SIPTransactions

/// The connections of a simulated network: reliable, in order, framed.
struct Streams {
    struct Connection {
        let client: HostID
        let server: HostID
        /// The client's address, with the port of this connection.
        let clientAddress: SocketAddress
        let serverAddress: SocketAddress
        /// What was sent last in each direction arrives no later than what is sent next.
        var lastArrival = [Instant.zero, Instant.zero]
    }

    private(set) var open: [ConnectionID: Connection] = [:]
    private var lastID: UInt64 = 0

    func connection(from host: HostID, to remote: SocketAddress) -> ConnectionID? {
        open.filter {
            ($0.value.client == host && $0.value.serverAddress == remote)
                || ($0.value.server == host && $0.value.clientAddress == remote)
        }.keys.min { $0.rawValue < $1.rawValue }
    }

    mutating func connect(
        _ client: HostID, at address: IPAddress, to server: HostID, at remote: SocketAddress
    ) -> ConnectionID {
        lastID += 1
        let id = ConnectionID(rawValue: lastID)
        let port = UInt16(truncatingIfNeeded: 40_000 + lastID % 20_000)
        open[id] = Connection(
            client: client, server: server, clientAddress: SocketAddress(address, port: port), serverAddress: remote)
        return id
    }

    mutating func close(_ id: ConnectionID) -> Connection? { open.removeValue(forKey: id) }

    /// When a piece that takes `delay` arrives, behind all that went before it.
    mutating func arrival(on id: ConnectionID, toServer: Bool, after delay: Duration, now: Instant) -> Instant {
        let direction = toServer ? 0 : 1
        let at = max(now + delay, open[id]?.lastArrival[direction] ?? now)
        open[id]?.lastArrival[direction] = at
        return at
    }
}
