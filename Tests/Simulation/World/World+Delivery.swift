import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

extension World {
    /// Puts a message of `host` on the network.
    mutating func send(_ transmit: Transmit, from host: HostID) {
        let message = try? MessageParser.parse(transmit.bytes)
        let summary = message?.summary ?? "\(transmit.bytes.count) bytes"
        if hosts[host.index].isPhone { watchSending(transmit, message, from: host) }
        fingerprint.add(UInt64(bitPattern: now.nanoseconds))
        fingerprint.add(transmit.bytes)
        if transmit.flow.transport.isReliable {
            sendOverStream(transmit, summary, from: host)
        } else {
            sendDatagram(transmit, summary, from: host)
        }
    }

    // MARK: - Datagrams

    private mutating func sendDatagram(_ transmit: Transmit, _ summary: String, from host: HostID) {
        let flow = transmit.flow
        if let failure = outages.sending(of: host, at: now) {
            note(summary, from: host, to: name(of: nil, at: flow.remote), isLost: true)
            return agenda.plan(.input(host, .transmitFailed(flow, cause: transmit.cause, failure)), at: now)
        }
        let source = publicSource(of: flow.local, at: host, towards: flow.remote)
        let target = listener(at: flow.remote, from: source)
        let receiver = name(of: target, at: flow.remote)
        let key = DatagramKey(sender: hosts[host.index].name, receiver: receiver, summary: summary, at: now, copy: 0)
        let arrivals = network.fate(of: transmit.bytes, key)
        let isCut = target.map { outages.isCut(host, $0, at: now) } ?? true
        note(summary, from: host, to: receiver, isLost: arrivals.isEmpty || isCut)
        if isCut { return }
        for arrival in arrivals {
            let datagram = Datagram(
                bytes: arrival.bytes, transport: flow.transport, sender: source, receiver: flow.remote,
                isCorrupted: arrival.isCorrupted)
            agenda.plan(.datagram(datagram), at: now + arrival.delay)
        }
    }

    mutating func arrive(_ datagram: Datagram) {
        guard let host = listener(at: datagram.receiver, from: datagram.sender) else { return }
        if datagram.isCorrupted { noteDeceit() }
        let local = hosts[host.index].nat == nil ? datagram.receiver : hosts[host.index].address
        let flow = Flow(transport: datagram.transport, local: local, remote: datagram.sender)
        arrive(datagram.bytes, at: host, over: flow)
    }

    /// From now on messages may be answered that nobody sent so, by whoever believed this one.
    mutating func noteDeceit() {
        for index in hosts.indices { hosts[index].watch.isDeceived = true }
    }

    // MARK: - Streams

    private mutating func sendOverStream(_ transmit: Transmit, _ summary: String, from host: HostID) {
        guard let id = connection(for: transmit, from: host), let connection = streams.open[id] else {
            note(summary, from: host, to: transmit.flow.remote.description, isLost: true)
            let cause: TransmitFailure = transmit.flow.connection == nil ? .refused : .reset
            let failure = Input.transmitFailed(transmit.flow, cause: transmit.cause, cause)
            return agenda.plan(.input(host, failure), at: now + network.streamDelay())
        }
        let toServer = connection.client == host
        note(summary, from: host, to: hosts[connection.peer(of: host).index].name, isLost: false)
        for piece in network.pieces(of: transmit.bytes) {
            let at = streams.arrival(on: id, toServer: toServer, after: piece.delay, now: now)
            agenda.plan(.piece(piece.bytes, id, toServer: toServer), at: at)
        }
    }

    /// The connection that a message takes: the one that it names, one to the same place, or a new one.
    private mutating func connection(for transmit: Transmit, from host: HostID) -> ConnectionID? {
        var remote = transmit.flow.remote
        if let named = transmit.flow.connection {
            if streams.open[named] != nil { return named }
            guard let fallback = transmit.fallback else { return nil }
            remote = fallback
        }
        if let known = streams.connection(from: host, to: remote) { return known }
        guard let server = listener(at: remote), hosts[server.index].nat == nil,
            !outages.isCut(host, server, at: now), !outages.isCut(server, host, at: now)
        else { return nil }
        let address = hosts[host.index].nat.map { nats[$0].address } ?? hosts[host.index].address.address
        return streams.connect(host, at: address, to: server, at: remote, over: transmit.flow.transport)
    }

    mutating func arrive(_ piece: [UInt8], on id: ConnectionID, toServer: Bool) {
        guard let connection = streams.open[id] else { return }
        let receiver = toServer ? connection.server : connection.client
        // What is lost is sent again until the connection is given up.
        if outages.isCut(connection.peer(of: receiver), receiver, at: now) { return reset(id) }
        guard let messages = streams.messages(in: piece, on: id, toServer: toServer) else { return reset(id) }
        for bytes in messages { arrive(bytes, at: receiver, over: connection.flow(toServer: toServer, id)) }
    }

    /// Resets every connection of `host`; both ends are told, and what is on its way is lost.
    package mutating func resetConnections(of host: HostID) {
        for id in streams.connections(of: host) { reset(id) }
    }

    /// Nothing moves on the connections of `host` for a while.
    mutating func stallConnections(of host: HostID, for duration: Duration) {
        for id in streams.connections(of: host) { streams.stall(id, until: now + duration) }
    }

    /// `host` says nothing more on its connections; what it said still arrives, and then the other end closes.
    mutating func halfCloseConnections(of host: HostID) {
        for id in streams.connections(of: host) {
            guard let connection = streams.open[id] else { continue }
            let toServer = connection.client == host
            let at = streams.arrival(on: id, toServer: toServer, after: network.streamDelay(), now: now)
            agenda.plan(.closing(id), at: at)
        }
    }

    mutating func reset(_ id: ConnectionID) {
        guard let connection = streams.close(id) else { return }
        agenda.plan(.input(connection.client, .connectionClosed(id)), at: now)
        agenda.plan(.input(connection.server, .connectionClosed(id)), at: now)
    }

    // MARK: - Places

    /// Tells `host` that a datagram to `remote` came back as unreachable.
    package mutating func reportUnreachable(_ remote: SocketAddress, to host: HostID) {
        let flow = Flow(transport: .udp, local: hosts[host.index].address, remote: remote)
        give(.transmitFailed(flow, cause: nil, .hostUnreachable), to: host)
    }

    /// Who gets what is sent to an address; through a NAT only from those that were sent to.
    private func listener(at address: SocketAddress, from peer: SocketAddress? = nil) -> HostID? {
        if let nat = nats.indices.first(where: { nats[$0].address == address.address }) {
            guard let peer, let inside = nats[nat].inbound(from: peer, to: address.port, at: now) else { return nil }
            return hosts.firstIndex { $0.nat == nat && $0.address == inside && !$0.isOff }.map { HostID(index: $0) }
        }
        return hosts.firstIndex { $0.answers(at: address) && $0.nat == nil && !$0.isOff }.map { HostID(index: $0) }
    }

    /// The source address that others see.
    mutating func publicSource(
        of local: SocketAddress, at host: HostID, towards peer: SocketAddress
    ) -> SocketAddress {
        guard let nat = hosts[host.index].nat else { return local }
        return nats[nat].outbound(from: local, to: peer, at: now)
    }

    private func name(of host: HostID?, at address: SocketAddress) -> String {
        host.map { hosts[$0.index].name } ?? address.description
    }

    private mutating func note(_ what: String, from host: HostID, to receiver: String, isLost: Bool) {
        ladder.add(what, from: hosts[host.index].name, to: receiver, isLost: isLost, at: now)
    }
}
