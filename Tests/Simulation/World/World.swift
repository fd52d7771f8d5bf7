import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import ServerLocation

/// Phones, servers and strangers on one network under one virtual clock, repeatable from a seed.
///
/// The phones are real `UserAgentCore` values; the world is the runtime that gives them messages, answers to their
/// `resolve` and time. Nothing in it waits: an hour of a call passes as fast as its messages can be computed.
package struct World: Sendable {
    package private(set) var now = Instant.zero
    package internal(set) var ladder = Ladder()
    /// What must hold and did not. A test of any kind ends by finding this empty.
    package internal(set) var violations: [Violation] = []
    /// Hosts that the name servers know.
    package var directory: [String: [IPAddress]] = [:]
    /// Services that they know, by their whole name: `_sip._udp.example.com`.
    package var services: [String: [ServiceRecord]] = [:]
    /// How long an answer of a name server takes.
    package var resolutionDelay = Duration.zero
    /// Of all that was sent, told and commanded, in order.
    package internal(set) var fingerprint = Fingerprint()
    /// Whether events too go into the fingerprint, and are searched for secrets.
    package var logsEvents = false
    var hosts: [SimulatedHost] = []
    var network: Network
    var streams = Streams()
    var nats: [NAT] = []
    var outages = Outages()
    var agenda = Agenda<Happening>()
    private var random: RandomSource
    var branches = 0
    /// How many transfers were decided on; the calls that follow are numbered from there.
    var transfers: UInt32 = 0
    static let firstTransfer: UInt32 = 2_000_000
    private var stepsAtThisInstant = 0

    enum Happening {
        case datagram(Datagram)
        case piece([UInt8], ConnectionID, toServer: Bool)
        case closing(ConnectionID)
        case input(HostID, Input)
        case answer(HostID, NameAnswer, to: NameQuestion)
        case command(HostID, Command)
    }

    struct Datagram {
        let bytes: [UInt8]
        let transport: Transport
        let sender: SocketAddress
        let receiver: SocketAddress
        let isCorrupted: Bool
    }

    package init(seed: UInt64 = 1, conditions: NetworkConditions = .perfect) {
        random = RandomSource(seed: seed)
        network = Network(conditions: conditions, seed: seed)
    }

    package var conditions: NetworkConditions {
        get { network.conditions }
        set { network.conditions = newValue }
    }

    /// Loses the datagrams with these numbers, counted from 0 over the life of the world.
    package mutating func lose(_ numbers: Set<Int>) {
        for number in numbers { network.appointed[number, default: []].append(.lost) }
    }

    /// How many datagrams were sent, lost ones too.
    package var datagrams: Int { network.datagrams }

    mutating func violate(_ invariant: Invariant, _ text: String) {
        violations.append(Violation(invariant: invariant, at: now, text: text))
    }

    // MARK: - Parties

    /// Adds a phone at `address` (port 5060, UDP and TCP).
    package mutating func addPhone(
        _ name: String, at address: IPAddress, behaviour: Behaviour = .rings,
        configure: (inout UserAgentConfiguration) -> Void = { _ in }
    ) -> HostID {
        let socket = SocketAddress(address, port: 5060)
        var configuration = UserAgentConfiguration(capabilities: Self.media(rtpPort: 0))
        configure(&configuration)
        let core = UserAgentCore(configuration: configuration, random: random.split())
        var host = SimulatedHost(name: name, address: socket, core: core, seed: UInt64(hosts.count))
        host.behaviour = behaviour
        host.watch.credentials = CredentialRule(accounts: configuration.accounts)
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

    /// Adds a proxy with the registrar of its domain, and makes the name of that known.
    mutating func addProxy(_ proxy: Proxy) -> HostID {
        var host = SimulatedHost(name: proxy.settings.name, address: proxy.settings.address)
        host.proxy = proxy
        hosts.append(host)
        directory[proxy.settings.domain] = [proxy.settings.address.address]
        return HostID(index: hosts.count - 1)
    }

    mutating func addRogue(_ rogue: Rogue) -> HostID {
        var host = SimulatedHost(name: rogue.name, address: rogue.address)
        host.rogue = rogue
        hosts.append(host)
        return HostID(index: hosts.count - 1)
    }

    /// Puts a NAT between a phone and everybody else.
    mutating func putBehindNAT(_ host: HostID, _ nat: NAT) {
        nats.append(nat)
        hosts[host.index].nat = nats.count - 1
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
        run(until: now + duration)
    }

    /// Lets time pass until `end`.
    package mutating func run(until end: Instant) {
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
        guard let next = nextWakeUp, next <= end, stepsAtThisInstant < 10_000 else {
            if stepsAtThisInstant >= 10_000 { violate(.timePasses, "10,000 things happen at one instant") }
            now = max(now, end)
            stepsAtThisInstant = 0
            return false
        }
        stepsAtThisInstant = next > now ? 0 : stepsAtThisInstant + 1
        now = max(now, next)
        if let happening = agenda.popDue(at: now) {
            happen(happening)
        } else if let index = hosts.indices.first(where: { (hosts[$0].deadline ?? .distantFuture) <= now }) {
            hosts[index].locator.handleDeadline(at: now)
            hosts[index].core?.handleDeadline(at: now)
            hosts[index].proxy?.handleDeadline(at: now)
            drain(HostID(index: index))
        }
        return true
    }

    /// In their places: a host is large, and a copy retains all that it holds.
    private var nextWakeUp: Instant? {
        var next = agenda.next
        for index in hosts.indices {
            guard let deadline = hosts[index].deadline else { continue }
            next = min(next ?? deadline, deadline)
        }
        return next
    }

    private mutating func happen(_ happening: Happening) {
        switch happening {
        case .datagram(let datagram): arrive(datagram)
        case .piece(let bytes, let connection, let toServer):
            arrive(bytes, on: connection, toServer: toServer)
        case .closing(let connection): reset(connection)
        case .input(let host, let input): give(input, to: host)
        case .answer(let host, let answer, let question):
            hosts[host.index].locator.receive(answer, to: question, at: now)
            drain(host)
        case .command(let host, let command): perform(command, at: host)
        }
    }
}
