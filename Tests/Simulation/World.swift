import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import ServerLocation

/// Phones and scripted agents on one network under one virtual clock, repeatable from a seed.
///
/// The phones are real `UserAgentCore` values; the world is the runtime that gives them messages, answers to their
/// `resolve` and time. Nothing in it waits: an hour of a call passes as fast as its messages can be computed.
package struct World {
    package private(set) var now = Instant.zero
    package internal(set) var ladder = Ladder()
    /// What a phone of ours did that it must never do. A test of any kind ends by finding this empty.
    package internal(set) var faults: [String] = []
    /// Hosts that the name servers know.
    package var directory: [String: [IPAddress]] = [:]
    /// Services that they know, by their whole name: `_sip._udp.example.com`.
    package var services: [String: [ServiceRecord]] = [:]
    /// How long an answer of a name server takes.
    package var resolutionDelay = Duration.zero
    var hosts: [SimulatedHost] = []
    var network: Network
    var streams = Streams()
    var agenda = Agenda<Happening>()
    private var random: RandomSource
    var branches = 0
    private var stepsAtThisInstant = 0

    enum Happening {
        case arrival([UInt8], at: HostID, over: Flow)
        case input(HostID, Input)
        case answer(HostID, NameAnswer, to: NameQuestion)
        case command(HostID, Command)
    }

    package init(seed: UInt64 = 1, conditions: NetworkConditions = .perfect) {
        random = RandomSource(seed: seed)
        network = Network(conditions: conditions, random: &random)
    }

    package var conditions: NetworkConditions {
        get { network.conditions }
        set { network.conditions = newValue }
    }

    /// Loses the datagrams with these numbers, counted from 0 over the life of the world.
    package mutating func lose(_ numbers: Set<Int>) {
        network.doomed.formUnion(numbers)
    }

    /// How many datagrams were sent, lost ones too.
    package var datagrams: Int { network.datagrams }

    // MARK: - Parties

    /// Adds a phone at `address` (port 5060, UDP and TCP).
    package mutating func addPhone(
        _ name: String, at address: IPAddress, behaviour: Behaviour = .rings,
        configure: (inout UserAgentConfiguration) -> Void = { _ in }
    ) -> HostID {
        let socket = SocketAddress(address, port: 5060)
        var configuration = UserAgentConfiguration(capabilities: Self.media(rtpPort: 0))
        configure(&configuration)
        var host = SimulatedHost(name: name, address: socket, seed: UInt64(hosts.count))
        host.core = UserAgentCore(configuration: configuration, random: random.split())
        host.behaviour = behaviour
        hosts.append(host)
        let id = HostID(index: hosts.count - 1)
        give(
            .listening([Listener(transport: .udp, address: socket), Listener(transport: .tcp, address: socket)]), to: id
        )
        return id
    }

    /// Adds an agent that says only what the test has it say.
    package mutating func addAgent(_ name: String, at address: IPAddress, port: UInt16 = 5060) -> HostID {
        hosts.append(
            SimulatedHost(name: name, address: SocketAddress(address, port: port), seed: UInt64(hosts.count)))
        return HostID(index: hosts.count - 1)
    }

    package func address(of host: HostID) -> SocketAddress { hosts[host.index].address }

    /// The URI by which others call `host`.
    package func uri(of host: HostID, user: String, transport: String? = nil) -> URI {
        var uri = SIPURI(user: user, host: .address(hosts[host.index].address.address))
        uri.port = hosts[host.index].address.port
        if let transport { uri.parameters.append("transport", transport) }
        return .sip(uri)
    }

    package static func media(rtpPort: UInt16 = 20_000) -> LocalMedia {
        LocalMedia(rtpPort: rtpPort, codecs: [.pcmu])
    }

    // MARK: - Time

    /// Lets `duration` pass.
    package mutating func run(for duration: Duration) {
        let end = now + duration
        while step(until: end) {}
    }

    /// Lets time pass until `condition` holds.
    ///
    /// - Returns: whether it came to hold before `limit` had passed.
    @discardableResult
    package mutating func run(upTo limit: Duration, until condition: (World) -> Bool) -> Bool {
        let end = now + limit
        while !condition(self) {
            if !step(until: end) { return condition(self) }
        }
        return true
    }

    /// Lets the next thing happen, or the time be `end`.
    ///
    /// - Returns: whether there was anything left before `end`.
    mutating func step(until end: Instant) -> Bool {
        let wakeUps = hosts.compactMap(\.deadline) + [agenda.next].compactMap { $0 }
        guard let next = wakeUps.min(), next <= end, stepsAtThisInstant < 10_000 else {
            if stepsAtThisInstant >= 10_000 {
                faults.append("\(Ladder.clock(now)) the world spins without time passing")
            }
            now = max(now, end)
            stepsAtThisInstant = 0
            return false
        }
        stepsAtThisInstant = next > now ? 0 : stepsAtThisInstant + 1
        now = max(now, next)
        if let happening = agenda.popDue(at: now) {
            happen(happening)
        } else if let index = hosts.indices.first(where: { hosts[$0].deadline.map { $0 <= now } ?? false }) {
            hosts[index].locator.handleDeadline(at: now)
            hosts[index].core?.handleDeadline(at: now)
            drain(HostID(index: index))
        }
        return true
    }

    private mutating func happen(_ happening: Happening) {
        switch happening {
        case .arrival(let bytes, let host, let flow): arrive(bytes, at: host, over: flow)
        case .input(let host, let input): give(input, to: host)
        case .answer(let host, let answer, let question):
            hosts[host.index].locator.receive(answer, to: question, at: now)
            drain(host)
        case .command(let host, let command): perform(command, at: host)
        }
    }
}
