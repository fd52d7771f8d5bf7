import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import ServerLocation

extension World {
    // MARK: - What the person does

    package mutating func perform(_ command: Command, at host: HostID) {
        if hosts[host.index].core != nil { hosts[host.index].watch.commanded(command) }
        hosts[host.index].core?.perform(command, at: now)
        drain(host)
    }

    /// Has the person do something later.
    package mutating func perform(_ command: Command, at host: HostID, after delay: Duration) {
        agenda.plan(.command(host, command), at: now + delay)
    }

    /// Has `caller` call `target`.
    package mutating func call(_ target: URI, from caller: HostID, as number: UInt32 = 1) -> CallHandle {
        let handle = CallHandle(rawValue: number)
        perform(.call(handle, OutgoingCall(target: target, media: Self.media())), at: caller)
        return handle
    }

    /// The phone gets another address, and its connections end.
    mutating func move(_ host: HostID, to address: IPAddress) {
        resetConnections(of: host)
        let socket = SocketAddress(address, port: hosts[host.index].address.port)
        hosts[host.index].address = socket
        give(
            .listening([Listener(transport: .udp, address: socket), Listener(transport: .tcp, address: socket)]),
            to: host)
        give(.localAddressesChanged, to: host)
    }

    // MARK: - What the phone says

    /// All that the phone told of so far.
    package func notices(of host: HostID) -> [Notice] { hosts[host.index].notices }

    /// The user agent itself, to look at.
    package func core(of host: HostID) -> UserAgentCore? { hosts[host.index].core }

    // MARK: - The runtime's part

    mutating func give(_ input: Input, to host: HostID) {
        if case .transmitFailed(_, let cause?, _) = input { hosts[host.index].proxy?.transportFailed(cause, at: now) }
        switch input {
        case .transmitFailed, .resolutionFailed, .connectionClosed: hosts[host.index].watch.noteTrouble()
        default: break
        }
        hosts[host.index].core?.receive(input, at: now)
        drain(host)
    }

    mutating func arrive(_ bytes: [UInt8], at host: HostID, over flow: Flow) {
        let message = try? MessageParser.parse(bytes)
        if hosts[host.index].isPhone {
            watchArrival(message, bytes, over: flow, at: host)
            return give(.received(bytes, over: flow), to: host)
        }
        guard let message else { return }
        if hosts[host.index].proxy != nil || hosts[host.index].rogue != nil {
            hosts[host.index].proxy?.receive(message, over: flow, at: now)
            hosts[host.index].rogue?.receive(message, over: flow, at: now)
            return drain(host)
        }
        hosts[host.index].inbox.append(Received(message: message, flow: flow, at: now))
    }

    mutating func drain(_ host: HostID) {
        while let transmit = hosts[host.index].proxy?.nextTransmit() { send(transmit, from: host) }
        while let transmit = hosts[host.index].rogue?.nextTransmit(at: now) {
            if hosts[host.index].rogue?.kind == .talksNonsense { noteDeceit() }
            send(transmit, from: host)
        }
        drainCore(host)
        while let output = hosts[host.index].locator.nextOutput() {
            switch output {
            case .ask(let question):
                ask(question, by: host)
            case .found(let id, let servers):
                give(resolved(id, servers, by: host), to: host)
            case .failed(let id, let failure):
                give(.resolutionFailed(ResolveID(rawValue: id.rawValue), failure), to: host)
            }
        }
    }

    private mutating func drainCore(_ host: HostID) {
        while let output = hosts[host.index].core?.nextOutput() {
            switch output {
            case .transmit(let transmit) where transmit.isKeepAlive:
                // It keeps a translator's way open, and nobody reads it.
                if transmit.flow.transport == .udp {
                    _ = publicSource(of: transmit.flow.local, at: host, towards: transmit.flow.remote)
                }
            case .transmit(let transmit):
                send(transmit, from: host)
            case .abandon(let connection): reset(connection)
            case .resolve(let id, let request):
                hosts[host.index].watch.credentials.found(request.target, at: addresses(of: request.target))
                hosts[host.index].locator.locate(request, as: LocationID(rawValue: id.rawValue), at: now)
            case .serverFailed(let destination, let duration):
                let server = ServerAddress(destination.transport, destination.remote)
                hosts[host.index].locator.noteFailure(of: server, for: duration, at: now)
            case .event(let event):
                tell(event, at: host)
            }
        }
    }

    /// The person makes up their mind about a transfer, if they ever do.
    private mutating func decideTransfer(of handle: CallHandle, at host: HostID) {
        let behaviour = hosts[host.index].behaviour
        guard let delay = behaviour.decidesTransfersAfter else { return }
        transfers += 1
        let new = CallHandle(rawValue: Self.firstTransfer + transfers)
        let command =
            behaviour.takesTransfers
            ? Command.acceptTransfer(handle, as: new, Self.media()) : .declineTransfer(handle)
        perform(command, at: host, after: delay)
    }

    mutating func tell(_ event: Event, at host: HostID) {
        hosts[host.index].notices.append(Notice(at: now, event: event))
        watchTelling(event, at: host)
        if logsEvents { log(event, at: host) }
        switch event {
        case .incomingCall(let handle, let call):
            let behaviour = hosts[host.index].behaviour
            if let delay = behaviour.ringAfter { perform(.ring(handle), at: host, after: delay) }
            if call.replacement != nil, let delay = behaviour.takesReplacementsAfter {
                perform(.answer(handle, Self.media(rtpPort: 30_000)), at: host, after: delay)
            } else if let delay = behaviour.answerAfter, !behaviour.isAutomatic || call.mayAnswerAutomatically {
                let answer = Command.answer(handle, Self.media(rtpPort: 30_000), automatic: behaviour.isAutomatic)
                perform(answer, at: host, after: delay)
            }
        case .transferRequested(let handle, _):
            decideTransfer(of: handle, at: host)
        case .shutDownFinished:
            // The process ends: nothing more is sent, and nothing arrives.
            hosts[host.index].offSince = now
            hosts[host.index].core = nil
            resetConnections(of: host)
        default:
            break
        }
    }
}
