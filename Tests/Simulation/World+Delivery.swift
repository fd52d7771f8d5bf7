import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

extension World {
    /// Puts a message of `host` on the network.
    mutating func send(_ transmit: Transmit, from host: HostID) {
        if transmit.flow.transport.isReliable {
            sendOverStream(transmit, from: host)
        } else {
            sendDatagram(transmit, from: host)
        }
    }

    private mutating func sendDatagram(_ transmit: Transmit, from host: HostID) {
        let flow = transmit.flow
        let target = listener(at: flow.remote)
        let delays = network.fate()
        note(transmit.bytes, from: host, to: target, at: flow.remote, isLost: delays.isEmpty)
        guard let target else { return }
        let arrival = Flow(transport: flow.transport, local: flow.remote, remote: flow.local)
        for delay in delays { agenda.plan(.arrival(transmit.bytes, at: target, over: arrival), at: now + delay) }
    }

    private mutating func sendOverStream(_ transmit: Transmit, from host: HostID) {
        var id = transmit.flow.connection.flatMap { streams.open[$0] == nil ? nil : $0 }
        var remote = transmit.flow.remote
        if id == nil, transmit.flow.connection != nil, let fallback = transmit.fallback { remote = fallback }
        id = id ?? streams.connection(from: host, to: remote)
        if id == nil, let server = listener(at: remote) {
            id = streams.connect(host, at: hosts[host.index].address.address, to: server, at: remote)
        }
        guard let id, let connection = streams.open[id] else {
            note(transmit.bytes, from: host, to: nil, at: remote, isLost: true)
            let failure = Input.transmitFailed(transmit.flow, cause: transmit.cause, .refused)
            return agenda.plan(.input(host, failure), at: now + network.streamDelay())
        }
        let isFromClient = connection.client == host
        let target = isFromClient ? connection.server : connection.client
        note(transmit.bytes, from: host, to: target, at: remote, isLost: false)
        let local = isFromClient ? connection.serverAddress : connection.clientAddress
        let peer = isFromClient ? connection.clientAddress : connection.serverAddress
        let flow = Flow(transport: transmit.flow.transport, local: local, remote: peer, connection: id)
        let at = streams.arrival(on: id, toServer: isFromClient, after: network.streamDelay(), now: now)
        agenda.plan(.arrival(transmit.bytes, at: target, over: flow), at: at)
    }

    /// Resets every connection of `host`; both ends are told.
    package mutating func resetConnections(of host: HostID) {
        let ids = streams.open.filter { $0.value.client == host || $0.value.server == host }.keys
        for id in ids.sorted(by: { $0.rawValue < $1.rawValue }) {
            guard let connection = streams.close(id) else { continue }
            agenda.plan(.input(connection.client, .connectionClosed(id)), at: now)
            agenda.plan(.input(connection.server, .connectionClosed(id)), at: now)
        }
    }

    /// Tells `host` that a datagram to `remote` came back as unreachable.
    package mutating func reportUnreachable(_ remote: SocketAddress, to host: HostID) {
        let flow = Flow(transport: .udp, local: hosts[host.index].address, remote: remote)
        give(.transmitFailed(flow, cause: nil, .hostUnreachable), to: host)
    }

    private func listener(at address: SocketAddress) -> HostID? {
        hosts.firstIndex { $0.address == address }.map { HostID(index: $0) }
    }

    private mutating func note(
        _ bytes: [UInt8], from host: HostID, to target: HostID?, at remote: SocketAddress, isLost: Bool
    ) {
        let what = (try? MessageParser.parse(bytes))?.summary ?? "\(bytes.count) bytes"
        let receiver = target.map { hosts[$0.index].name } ?? remote.description
        ladder.add(what, from: hosts[host.index].name, to: receiver, isLost: isLost || target == nil, at: now)
    }
}
