import EngineKit
import SIPMessages
import SIPTransactions

/// The connections of a simulated network: reliable, in order, cut into messages by the engine's own framer.
struct Streams {
    struct Connection {
        let transport: Transport
        let client: HostID
        let server: HostID
        /// The client's address, with the port of this connection.
        let clientAddress: SocketAddress
        let serverAddress: SocketAddress
        /// What was sent last in each direction arrives no later than what is sent next.
        var lastArrival = [Instant.zero, Instant.zero]
        /// Towards the server, and towards the client.
        var framers = [StreamFramer(), StreamFramer()]
        /// Nothing arrives before.
        var stallsUntil = Instant.zero

        func peer(of host: HostID) -> HostID { client == host ? server : client }

        /// The flow as the receiver of one direction sees it.
        func flow(toServer: Bool, _ id: ConnectionID) -> Flow {
            Flow(
                transport: transport, local: toServer ? serverAddress : clientAddress,
                remote: toServer ? clientAddress : serverAddress, connection: id)
        }
    }

    private(set) var open: [ConnectionID: Connection] = [:]
    private var lastID: UInt64 = 0

    func connection(from host: HostID, to remote: SocketAddress) -> ConnectionID? {
        open.filter {
            ($0.value.client == host && $0.value.serverAddress == remote)
                || ($0.value.server == host && $0.value.clientAddress == remote)
        }.keys.min { $0.rawValue < $1.rawValue }
    }

    /// The connections of `host`, oldest first.
    func connections(of host: HostID) -> [ConnectionID] {
        open.filter { $0.value.client == host || $0.value.server == host }.keys.sorted { $0.rawValue < $1.rawValue }
    }

    mutating func connect(
        _ client: HostID, at address: IPAddress, to server: HostID, at remote: SocketAddress, over transport: Transport
    ) -> ConnectionID {
        lastID += 1
        let id = ConnectionID(rawValue: lastID)
        let port = UInt16(truncatingIfNeeded: 40_000 + lastID % 20_000)
        open[id] = Connection(
            transport: transport, client: client, server: server,
            clientAddress: SocketAddress(address, port: port), serverAddress: remote)
        return id
    }

    mutating func close(_ id: ConnectionID) -> Connection? { open.removeValue(forKey: id) }

    mutating func stall(_ id: ConnectionID, until instant: Instant) { open[id]?.stallsUntil = instant }

    /// When a piece that takes `delay` arrives, behind all that went before it.
    mutating func arrival(on id: ConnectionID, toServer: Bool, after delay: Duration, now: Instant) -> Instant {
        let direction = toServer ? 0 : 1
        let at = max(now + delay, open[id]?.lastArrival[direction] ?? now, open[id]?.stallsUntil ?? now)
        open[id]?.lastArrival[direction] = at
        return at
    }

    /// The messages that a piece completes; nil where the stream can't be cut any further and is to be closed.
    mutating func messages(in piece: [UInt8], on id: ConnectionID, toServer: Bool) -> [[UInt8]]? {
        guard open[id] != nil else { return [] }
        let direction = toServer ? 0 : 1
        open[id]?.framers[direction].append(piece)
        var messages: [[UInt8]] = []
        do throws(FramingError) {
            while let frame = try open[id]?.framers[direction].next() {
                if case .message(let bytes) = frame { messages.append(bytes) }
            }
        } catch {
            return nil
        }
        return messages
    }
}
