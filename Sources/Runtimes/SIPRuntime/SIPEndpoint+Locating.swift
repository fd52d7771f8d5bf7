import EngineKit
import SIPMessages
import SIPUserAgent
import ServerLocation

extension SIPEndpoint {
    /// Finds the servers of the core's next hop.
    func resolve(_ id: ResolveID, _ request: LocationRequest) {
        locator.locate(request, as: LocationID(rawValue: id.rawValue), at: SystemClock.now)
        settleLocator()
    }

    /// Whoever asks the name servers.
    func makeResolver() -> NameResolver {
        NameResolver(servers: configuration.nameServers, on: thread) { [weak self] question, answer in
            self?.assumeIsolated { $0.receive(answer, to: question) }
        }
    }

    /// What the name servers said.
    func receive(_ answer: NameAnswer, to question: NameQuestion) {
        guard !isShutDown else { return }
        locator.receive(answer, to: question, at: SystemClock.now)
        settleLocator()
        settle()
    }

    /// Asks what the locator asks, and gives the core what it found.
    func settleLocator() {
        while let output = locator.nextOutput() {
            switch output {
            case .ask(let question):
                guard resolver?.ask(question) != true else { continue }
                locator.receive(.failed(.serverFailed), to: question, at: SystemClock.now)
            case .found(let id, let servers):
                core.receive(answer(ResolveID(rawValue: id.rawValue), servers), at: SystemClock.now)
            case .failed(let id, let failure):
                core.receive(.resolutionFailed(ResolveID(rawValue: id.rawValue), failure), at: SystemClock.now)
            }
        }
    }

    private func answer(_ id: ResolveID, _ servers: [RankedServer]) -> Input {
        let ways = RankedServer.ordered(servers) { server in
            listeningAddress(for: server.transport, towards: server.address).map { ($0.address, $0) }
        }
        let destinations = ways.map {
            Destination(transport: $0.server.transport, remote: $0.server.address, local: $0.source)
        }
        return destinations.isEmpty ? .resolutionFailed(id, .noRoute) : .resolved(id, destinations)
    }

    /// What our listeners can reach servers by.
    var reach: Reach {
        let listeners = listeners
        return Reach(
            transports: [.udp, .tcp].filter { transport in listeners.contains { $0.transport == transport } },
            hasIPv4: listeners.contains { $0.address.address.isV4 },
            hasIPv6: listeners.contains { !$0.address.address.isV4 })
    }

    /// Where a peer at `remote` reaches us: the address of a listener, or that of the interface on the way to it.
    func listeningAddress(for transport: Transport, towards remote: SocketAddress) -> SocketAddress? {
        let listeners = listeners.filter {
            $0.transport == transport && $0.address.address.isV4 == remote.address.isV4
        }
        guard let source = DatagramSocket.localAddress(towards: remote) else { return nil }
        if let exact = listeners.first(where: { $0.address.address == source }) { return exact.address }
        if let any = listeners.first(where: { $0.address.address.isUnspecified }) {
            return SocketAddress(source, port: any.address.port)
        }
        // Bound to one address: used on every way, except that loopback and the world do not reach each other.
        return listeners.first { $0.address.address.isLoopback == source.isLoopback }?.address
    }
}
