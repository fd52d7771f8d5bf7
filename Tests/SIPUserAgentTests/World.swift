import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import ServerLocation

/// A few user agents, and scripted peers, on one virtual network with one virtual clock.
struct World {
    /// A message on the wire, as the ladder shows it.
    struct Step {
        let at: Instant
        let from: String
        let to: String
        let message: Message
        let bytes: Int
        let transport: Transport

        var summary: String {
            switch message {
            case .request(let request): "\(from)>\(to) \(request.method.name)"
            case .response(let response): "\(from)>\(to) \(response.status.value) \(response.cSeq.method.name)"
            }
        }
    }

    private struct Packet {
        let at: Instant
        let bytes: [UInt8]
        let flow: Flow
    }

    var now = Instant.zero
    private(set) var cores: [String: UserAgentCore] = [:]
    private(set) var addresses: [String: SocketAddress] = [:]
    private(set) var events: [String: [SIPUserAgent.Event]] = [:]
    private(set) var ladder: [Step] = []
    /// Servers that a user agent said have failed, in order.
    private(set) var failedServers: [String: [SocketAddress]] = [:]
    /// What scripted peers were sent.
    private(set) var mailbox: [String: [Message]] = [:]
    /// What was sent that is no message: an answer that copies what could not be read.
    private(set) var unreadable: [[UInt8]] = []
    /// Keep-alives, with the time of each.
    private(set) var keepAlives: [(at: Instant, bytes: [UInt8], flow: Flow)] = []
    /// Connections that user agents gave up.
    private(set) var abandoned: [ConnectionID] = []
    private var inFlight: [Packet] = []
    /// Decides the fate of the n-th message (from 0) as it leaves.
    var loses: @Sendable (Step, Int) -> Bool = { _, _ in false }
    /// Addresses that accept TCP connections.
    var acceptsTCP: Set<SocketAddress> = []
    /// Host names that resolve.
    var names: [String: [SocketAddress]] = [:]
    var delay = Duration.milliseconds(10)
    /// What the resolver finds servers for.
    var transports: [Transport] = [.udp, .tcp]
    private var connections: [ConnectionID: ConnectionID] = [:]
    private var connectionFlows: [ConnectionID: Flow] = [:]
    private var lastConnection: UInt64 = 0

    static let media = LocalMedia(rtpPort: 16384)

    /// Adds a user agent at `address`:5060, reached by UDP.
    mutating func add(
        _ name: String, at address: String, configuration: UserAgentConfiguration? = nil, seed: UInt64? = nil
    ) {
        guard let ip = IPAddress(address) else { return }
        let socket = SocketAddress(ip, port: 5060)
        let configuration = configuration ?? Self.configuration(user: name)
        var core = UserAgentCore(
            configuration: configuration, random: RandomSource(seed: seed ?? UInt64(cores.count + 1)))
        core.receive(
            .listening([Listener(transport: .udp, address: socket), Listener(transport: .tcp, address: socket)]),
            at: now)
        cores[name] = core
        addresses[name] = socket
        events[name] = []
    }

    /// Adds a peer that says only what the test says for it.
    mutating func addScripted(_ name: String, at address: String) {
        guard let ip = IPAddress(address) else { return }
        addresses[name] = SocketAddress(ip, port: 5060)
        mailbox[name] = []
    }

    static func configuration(user: String, capabilities: LocalMedia = media) -> UserAgentConfiguration {
        UserAgentConfiguration(
            accounts: [.anonymousPeerToPeer(user: user)], product: "", capabilities: capabilities,
            maximumCallDuration: nil)
    }

    // MARK: - Doing

    mutating func perform(_ command: Command, by name: String) {
        cores[name]?.perform(command, at: now)
        drain(name)
    }

    mutating func receive(_ input: Input, by name: String) {
        cores[name]?.receive(input, at: now)
        drain(name)
    }

    /// The host of a user agent gets another address.
    mutating func move(_ name: String, to address: String) {
        guard let ip = IPAddress(address) else { return }
        let socket = SocketAddress(ip, port: 5060)
        addresses[name] = socket
        cores[name]?.receive(
            .listening([Listener(transport: .udp, address: socket), Listener(transport: .tcp, address: socket)]),
            at: now)
    }

    /// A scripted peer sends.
    mutating func send(_ message: Message, from name: String, to target: String) {
        guard let source = addresses[name], let destination = addresses[target] else { return }
        carry(Transmit(bytes: message.bytes(), flow: Flow(transport: .udp, local: source, remote: destination)))
    }

    mutating func send(_ text: String, from name: String, to target: String) {
        send(bytes: Array(text.utf8), from: name, to: target)
    }

    /// Raw bytes from a scripted peer.
    mutating func send(bytes: [UInt8], from name: String, to target: String) {
        guard let source = addresses[name], let destination = addresses[target] else { return }
        inFlight.append(
            Packet(
                at: now + delay, bytes: bytes,
                flow: Flow(transport: .udp, local: destination, remote: source)))
    }

    /// Lets time pass, with everything that falls due in it.
    mutating func run(for duration: Duration) {
        let end = now + duration
        while let next = nextInstant, next <= end {
            now = max(now, next)
            step()
        }
        now = end
    }

    private var nextInstant: Instant? {
        let packets = inFlight.map(\.at)
        let deadlines = cores.keys.sorted().compactMap { cores[$0]?.deadline }
        return (packets + deadlines).min()
    }

    private mutating func step() {
        if let index = inFlight.indices.first(where: { inFlight[$0].at <= now }) {
            let packet = inFlight.remove(at: index)
            deliver(packet)
            return
        }
        for name in cores.keys.sorted() where cores[name]?.deadline.map({ $0 <= now }) ?? false {
            cores[name]?.handleDeadline(at: now)
            drain(name)
            return
        }
    }

    private mutating func deliver(_ packet: Packet) {
        guard let name = name(of: packet.flow.local) else { return }
        if cores[name] != nil {
            receive(.received(packet.bytes, over: packet.flow), by: name)
        } else if let message = try? MessageParser.parse(packet.bytes) {
            mailbox[name]?.append(message)
        }
    }

    // MARK: - Outputs

    private mutating func drain(_ name: String) {
        while let output = cores[name]?.nextOutput() {
            switch output {
            case .event(let event): events[name]?.append(event)
            case .transmit(let transmit): transmitted(transmit, by: name)
            case .serverFailed(let destination, _): failedServers[name, default: []].append(destination.remote)
            case .abandon(let connection): abandoned.append(connection)
            case .resolve(let id, let request): resolve(id, request, for: name)
            }
        }
    }

    private mutating func resolve(_ id: ResolveID, _ request: LocationRequest, for name: String) {
        guard let local = addresses[name] else { return }
        guard !request.transports(among: transports).isEmpty else {
            return receive(.resolutionFailed(id, .transportUnsupported), by: name)
        }
        let remotes: [SocketAddress] =
            switch request.target {
            case .address(let address): [SocketAddress(address, port: request.port ?? 5060)]
            case .name(let text): names[text] ?? []
            }
        let destinations = remotes.map {
            Destination(transport: request.transport ?? .udp, remote: $0, local: local)
        }
        cores[name]?.receive(
            destinations.isEmpty ? .resolutionFailed(id, .noSuchName) : .resolved(id, destinations), at: now)
    }

    private mutating func transmitted(_ transmit: Transmit, by name: String) {
        if transmit.isKeepAlive { return keepAlives.append((now, transmit.bytes, transmit.flow)) }
        guard transmit.flow.transport != .udp else { return carry(transmit) }
        if let mine = transmit.flow.connection {
            guard let theirs = connections[mine], let flow = connectionFlows[theirs] else { return }
            return carry(transmit, arrivingBy: flow)
        }
        guard acceptsTCP.contains(transmit.flow.remote) else {
            let cause = transmit.cause
            cores[name]?.receive(.transmitFailed(transmit.flow, cause: cause, .refused), at: now)
            return
        }
        carry(transmit, arrivingBy: connect(transmit.flow))
    }

    private mutating func connect(_ flow: Flow) -> Flow {
        let known = connectionFlows.values.first { $0.remote == ephemeral(of: flow) && $0.local == flow.remote }
        if let known { return known }
        lastConnection += 2
        let (mine, theirs) = (ConnectionID(rawValue: lastConnection), ConnectionID(rawValue: lastConnection + 1))
        connections[mine] = theirs
        connections[theirs] = mine
        let arriving = Flow(
            transport: flow.transport, local: flow.remote, remote: ephemeral(of: flow), connection: theirs)
        connectionFlows[theirs] = arriving
        connectionFlows[mine] = Flow(
            transport: flow.transport, local: ephemeral(of: flow), remote: flow.remote, connection: mine)
        return arriving
    }

    private func ephemeral(of flow: Flow) -> SocketAddress { SocketAddress(flow.local.address, port: 40000) }

    private mutating func carry(_ transmit: Transmit, arrivingBy arrival: Flow? = nil) {
        let flow = transmit.flow
        guard let message = try? MessageParser.parse(transmit.bytes) else {
            unreadable.append(transmit.bytes)
            return
        }
        let step = Step(
            at: now, from: name(of: flow.local) ?? "?", to: name(of: flow.remote) ?? "?", message: message,
            bytes: transmit.bytes.count, transport: flow.transport)
        ladder.append(step)
        guard !loses(step, ladder.count - 1) else { return }
        inFlight.append(
            Packet(
                at: now + delay, bytes: transmit.bytes,
                flow: arrival ?? Flow(transport: flow.transport, local: flow.remote, remote: flow.local)))
    }

    private func name(of address: SocketAddress) -> String? {
        addresses.keys.sorted().first { addresses[$0]?.address == address.address }
    }

    // MARK: - Asking

    /// The ladder as lines, from the message with that index on.
    func steps(from index: Int = 0) -> [String] { ladder.dropFirst(index).map(\.summary) }

    func count(_ summary: String) -> Int { ladder.lazy.filter { $0.summary == summary }.count }

    /// The handle of the n-th call that came in.
    func incoming(at name: String, _ index: Int = 0) -> CallHandle? {
        let handles = (events[name] ?? []).compactMap { event in
            if case .incomingCall(let handle, _) = event { handle } else { nil }
        }
        return handles.indices.contains(index) ? handles[index] : nil
    }

    func warnings(at name: String) -> [UserAgentWarning] {
        (events[name] ?? []).compactMap { if case .warning(let warning) = $0 { warning } else { nil } }
    }

    func ends(at name: String) -> [CallEnd] {
        (events[name] ?? []).compactMap { if case .ended(_, let end) = $0 { end } else { nil } }
    }

    func agreements(at name: String) -> [MediaAgreement] {
        (events[name] ?? []).compactMap { if case .mediaAgreed(_, let agreement) = $0 { agreement } else { nil } }
    }

    /// The events of a user agent by their names; `placed` and `offered` aside, with which every call of ours begins.
    func story(of name: String) -> [String] {
        (events[name] ?? []).compactMap { event in
            switch event {
            case .placed, .offered: return nil
            default: break
            }
            let text = String(describing: event)
            return String(text.prefix { $0 != "(" })
        }
    }

    func requests(_ method: Method, from name: String) -> [Request] {
        ladder.compactMap { step in
            if step.from == name, case .request(let request) = step.message, request.method == method {
                request
            } else {
                nil
            }
        }
    }

    func responses(_ status: StatusCode, from name: String) -> [Response] {
        ladder.compactMap { step in
            if step.from == name, case .response(let response) = step.message, response.status == status {
                response
            } else {
                nil
            }
        }
    }
}

let caller = CallHandle(rawValue: 1)

func target(_ text: String) throws -> URI { try URI(parsing: text) }

/// Alice and Bob, one hop apart.
func aliceAndBob(
    alice: UserAgentConfiguration? = nil, bob: UserAgentConfiguration? = nil
) -> World {
    var world = World()
    world.add("alice", at: "192.0.2.1", configuration: alice)
    world.add("bob", at: "192.0.2.2", configuration: bob)
    return world
}

/// Bob, and a Carol who says only what the test says for her.
func bobAndCarol(_ bob: UserAgentConfiguration? = nil) -> World {
    var world = World()
    world.add("bob", at: "192.0.2.2", configuration: bob)
    world.addScripted("carol", at: "192.0.2.9")
    return world
}

extension World {
    /// Alice calls Bob, and it rings.
    mutating func dial(_ call: OutgoingCall? = nil) throws -> CallHandle {
        let call = try call ?? OutgoingCall(target: target("sip:bob@192.0.2.2"), media: Self.media)
        perform(.call(caller, call), by: "alice")
        run(for: .milliseconds(50))
        guard let handle = incoming(at: "bob") else { throw NoCall() }
        perform(.ring(handle), by: "bob")
        run(for: .milliseconds(50))
        return handle
    }

    /// Alice calls Bob, and he answers.
    mutating func talk(_ call: OutgoingCall? = nil) throws -> CallHandle {
        let handle = try dial(call)
        perform(.answer(handle, Self.media), by: "bob")
        run(for: .milliseconds(50))
        return handle
    }

    struct NoCall: Error {}
}
