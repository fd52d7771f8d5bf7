import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import ServerLocation

extension World {
    // MARK: - What the person does

    package mutating func perform(_ command: Command, at host: HostID) {
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

    // MARK: - What the phone says

    /// All that the phone told of so far.
    package func notices(of host: HostID) -> [Notice] { hosts[host.index].notices }

    /// The user agent itself, to look at.
    package func core(of host: HostID) -> UserAgentCore? { hosts[host.index].core }

    // MARK: - The runtime's part

    mutating func give(_ input: Input, to host: HostID) {
        hosts[host.index].core?.receive(input, at: now)
        drain(host)
    }

    mutating func arrive(_ bytes: [UInt8], at host: HostID, over flow: Flow) {
        if hosts[host.index].core != nil { return give(.received(bytes, over: flow), to: host) }
        guard let message = try? MessageParser.parse(bytes) else {
            faults.append("\(Ladder.clock(now)) \(hosts[host.index].name) got what is no message")
            return
        }
        hosts[host.index].inbox.append(Received(message: message, flow: flow, at: now))
    }

    mutating func drain(_ host: HostID) {
        drainCore(host)
        while let output = hosts[host.index].locator.nextOutput() {
            switch output {
            case .ask(let question):
                let delay = question.kind == .hostsTable ? .zero : resolutionDelay
                agenda.plan(.answer(host, answer(to: question), to: question), at: now + delay)
            case .found(let id, let servers): give(resolved(id, servers, by: host), to: host)
            case .failed(let id, let failure):
                give(.resolutionFailed(ResolveID(rawValue: id.rawValue), failure), to: host)
            }
        }
    }

    private mutating func drainCore(_ host: HostID) {
        while let output = hosts[host.index].core?.nextOutput() {
            switch output {
            case .transmit(let transmit):
                check(transmit, from: host)
                send(transmit, from: host)
            case .resolve(let id, let request):
                hosts[host.index].locator.locate(request, as: LocationID(rawValue: id.rawValue), at: now)
            case .serverFailed(let destination, let duration):
                let server = ServerAddress(destination.transport, destination.remote)
                hosts[host.index].locator.noteFailure(of: server, for: duration, at: now)
            case .event(let event):
                hosts[host.index].notices.append(Notice(at: now, event: event))
                react(to: event, at: host)
            }
        }
    }

    private static let everything = Capabilities(
        methods: Method.known, optionTags: ["100rel", "timer", "replaces", "norefersub"],
        bodies: [MethodBodies(.notify, [.sipFragment])])

    /// Every message of ours must be one that we would take ourselves.
    private mutating func check(_ transmit: Transmit, from host: HostID) {
        let name = hosts[host.index].name
        do {
            let message = try MessageParser.parse(transmit.bytes)
            if case .request(let request) = message,
                let violation = Validation.violations(of: request, Self.everything).first
            {
                faults.append("\(Ladder.clock(now)) \(name) sent \(message.summary): \(violation)")
            }
        } catch {
            faults.append("\(Ladder.clock(now)) \(name) sent what is no message: \(error)")
        }
    }

    private mutating func react(to event: Event, at host: HostID) {
        guard case .incomingCall(let handle, let call) = event else { return }
        let behaviour = hosts[host.index].behaviour
        if let delay = behaviour.ringAfter { perform(.ring(handle), at: host, after: delay) }
        if let delay = behaviour.answerAfter, !behaviour.isAutomatic || call.mayAnswerAutomatically {
            let answer = Command.answer(handle, Self.media(rtpPort: 30_000), automatic: behaviour.isAutomatic)
            perform(answer, at: host, after: delay)
        }
    }
}
