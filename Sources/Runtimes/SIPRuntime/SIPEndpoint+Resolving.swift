import EngineKit
import SIPMessages
import SIPUserAgent

/// The questions to the resolver that are open.
struct Resolutions {
    /// Threads that may wait for the system's resolver at once.
    static let mostLookups = 16

    private var open = DeadlineQueue<ResolveID>()
    /// Includes lookups whose question has timed out: their threads still wait.
    var runningLookups = 0

    var deadline: Instant? { open.deadline }

    mutating func begin(_ id: ResolveID, until deadline: Instant) { open.set(id, at: deadline) }

    /// Whether the question was still open.
    mutating func finish(_ id: ResolveID) -> Bool {
        defer { open.cancel(id) }
        return open[id] != nil
    }

    mutating func popDue(at now: Instant) -> ResolveID? { open.popDue(at: now) }
}

extension SIPEndpoint {
    /// Answers the core's question where a host is. Numbers at once, names by the system's resolver (RFC 3263 §4.2, the
    /// part without NAPTR and SRV records: UDP unless said otherwise, and the transport's own port).
    func resolve(_ id: ResolveID, host: Host, port: UInt16?, transport: Transport?) {
        let transport = transport ?? .udp
        let isServed =
            switch transport {
            case .udp: !datagramListeners.isEmpty
            case .tcp: !streamListeners.isEmpty
            default: false
            }
        guard isServed else {
            core.receive(.resolutionFailed(id, .transportUnsupported), at: SystemClock.now)
            return
        }
        let port = port ?? transport.defaultPort
        switch host {
        case .address(let address):
            answer(id, [address], port: port, transport: transport)
        case .name(let name):
            guard resolutions.runningLookups < Resolutions.mostLookups,
                HostLookup.ask(
                    name, on: loop,
                    completion: { [weak self] result in
                        self?.assumeIsolated { $0.finish(id, result, port: port, transport: transport) }
                    })
            else {
                core.receive(.resolutionFailed(id, .timedOut), at: SystemClock.now)
                return
            }
            resolutions.runningLookups += 1
            resolutions.begin(id, until: SystemClock.now + configuration.resolutionTimeout)
        }
    }

    private func finish(
        _ id: ResolveID, _ result: Result<[IPAddress], ResolutionFailure>, port: UInt16, transport: Transport
    ) {
        resolutions.runningLookups -= 1
        guard !isShutDown, resolutions.finish(id) else { return }
        switch result {
        case .success(let addresses): answer(id, addresses, port: port, transport: transport)
        case .failure(let failure): core.receive(.resolutionFailed(id, failure), at: SystemClock.now)
        }
        settle()
    }

    private func answer(_ id: ResolveID, _ addresses: [IPAddress], port: UInt16, transport: Transport) {
        let destinations = addresses.compactMap { address -> Destination? in
            let remote = SocketAddress(address.unmapped, port: port)
            return listeningAddress(for: transport, towards: remote).map {
                Destination(transport: transport, remote: remote, local: $0)
            }
        }
        let input: Input =
            destinations.isEmpty ? .resolutionFailed(id, .noRoute) : .resolved(id, destinations)
        core.receive(input, at: SystemClock.now)
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
