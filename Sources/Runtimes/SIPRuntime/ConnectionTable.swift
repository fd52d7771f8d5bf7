import EngineKit
import SIPTransactions

/// How much strangers may take of our connections (ROBUSTNESS S15).
package struct StreamLimits: Hashable, Sendable {
    /// Accepted connections at once; as many more may be opened by us, so that strangers can't keep us from calling.
    package var connections = 64
    /// Accepted connections of one remote address.
    package var connectionsPerSource = 8
    /// From accepting a connection to its first whole message.
    package var firstMessage = Duration.seconds(10)
    /// From the first octet of a message to its last.
    package var message = Duration.seconds(30)
    /// Without a message, a keep-alive or anything sent.
    package var idle = Duration.seconds(15 * 60)
    /// Octets that wait for a peer who does not read; one more closes the connection.
    package var writeHighWater = 256 * 1024
    /// From opening a connection to its being there.
    package var connect = Duration.seconds(5)

    package init() {}
}

/// The connections of an endpoint and the deadlines that S15 gives them. Values only: sockets are the endpoint's.
struct ConnectionTable {
    private struct Entry {
        let flow: Flow
        let isAccepted: Bool
        var hasHeardMessage = false
        var isInMessage = false
    }

    private let limits: StreamLimits
    private var entries: [ConnectionID: Entry] = [:]
    /// The newest connection to each remote address.
    private var newest: [SocketAddress: ConnectionID] = [:]
    private var acceptedOf: [IPAddress: Int] = [:]
    private var accepted = 0
    private var deadlines = DeadlineQueue<ConnectionID>()
    private var lastID: UInt64 = 0

    init(limits: StreamLimits) {
        self.limits = limits
    }

    var count: Int { entries.count }
    var deadline: Instant? { deadlines.deadline }

    /// Takes a connection that a peer opened; nil where there are too many.
    mutating func accept(local: SocketAddress, remote: SocketAddress, at now: Instant) -> ConnectionID? {
        let ofSource = acceptedOf[remote.address, default: 0]
        guard accepted < limits.connections, ofSource < limits.connectionsPerSource else { return nil }
        accepted += 1
        acceptedOf[remote.address] = ofSource + 1
        let id = insert(Flow(transport: .tcp, local: local, remote: remote), isAccepted: true)
        deadlines.set(id, at: now + limits.firstMessage)
        return id
    }

    /// Notes a connection that we open; nil where there are too many.
    mutating func open(local: SocketAddress, remote: SocketAddress, at now: Instant) -> ConnectionID? {
        guard entries.count - accepted < limits.connections else { return nil }
        let id = insert(Flow(transport: .tcp, local: local, remote: remote), isAccepted: false)
        deadlines.set(id, at: now + limits.idle)
        return id
    }

    private mutating func insert(_ flow: Flow, isAccepted: Bool) -> ConnectionID {
        lastID += 1
        let id = ConnectionID(rawValue: lastID)
        var flow = flow
        flow.connection = id
        entries[id] = Entry(flow: flow, isAccepted: isAccepted)
        newest[flow.remote] = id
        return id
    }

    /// All of them, oldest first.
    var flows: [Flow] { entries.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value.flow) }

    /// The flow of a living connection.
    func flow(of id: ConnectionID) -> Flow? { entries[id]?.flow }

    /// A living connection to this address, whoever opened it.
    func connection(to remote: SocketAddress) -> ConnectionID? { newest[remote] }

    /// After a read: how many whole messages were in it, and how many octets wait for the rest of theirs.
    mutating func noteRead(on id: ConnectionID, messages: Int, pending: Int, at now: Instant) {
        guard var entry = entries[id] else { return }
        if messages > 0 { entry.hasHeardMessage = true }
        let began = pending > 0 && (messages > 0 || !entry.isInMessage)
        entry.isInMessage = pending > 0
        entries[id] = entry
        // Whoever has said nothing yet gains no time by saying it slowly.
        if entry.isAccepted && !entry.hasHeardMessage { return }
        if pending == 0 {
            deadlines.set(id, at: now + limits.idle)
        } else if began {
            deadlines.set(id, at: now + limits.message)
        }
    }

    mutating func noteWrite(on id: ConnectionID, at now: Instant) {
        guard let entry = entries[id], !entry.isInMessage, entry.hasHeardMessage || !entry.isAccepted else { return }
        deadlines.set(id, at: now + limits.idle)
    }

    /// A connection whose time is up.
    mutating func popDue(at now: Instant) -> ConnectionID? { deadlines.popDue(at: now) }

    /// Forgets a connection; gives its flow unless it was forgotten before.
    mutating func remove(_ id: ConnectionID) -> Flow? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        deadlines.cancel(id)
        if newest[entry.flow.remote] == id { newest[entry.flow.remote] = nil }
        if entry.isAccepted {
            accepted -= 1
            let left = acceptedOf[entry.flow.remote.address, default: 1] - 1
            acceptedOf[entry.flow.remote.address] = left > 0 ? left : nil
        }
        return entry.flow
    }
}
