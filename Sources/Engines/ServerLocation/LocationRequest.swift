import EngineKit
import SIPMessages

/// What is to be found: the next hop of a request (RFC 3263 §4).
package struct LocationRequest: Hashable, Sendable {
    /// TARGET: the `maddr` of the URI, else its host.
    package var target: Host
    package var port: UInt16?
    /// The transport that the URI, the account or the size of the request asks for.
    package var transport: Transport?
    /// A `sips` URI: over TLS or not at all.
    package var isSecure: Bool

    package init(target: Host, port: UInt16?, transport: Transport?, isSecure: Bool) {
        self.target = target
        self.port = port
        self.transport = transport
        self.isSecure = isSecure
    }
}

/// One request to find a server, numbered by whoever asks.
package struct LocationID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// Why no server was found.
package enum LocationFailure: Error, Hashable, Sendable {
    case noSuchName
    /// The name is known, and has no address of a family that we have.
    case noAddress
    /// The address is one that no host has: unspecified, multicast or broadcast.
    case notOfAHost
    /// The domain says that it does not have the service (RFC 2782, a target of `.`).
    case notOffered
    /// The name servers gave no usable answer.
    case serverFailed
    case timedOut
    /// Servers were found, and nothing leads there from where we listen: for whoever knows our own addresses to say.
    case noRoute
    /// Nothing of ours speaks the transport.
    case transportUnsupported
    /// Too many are looked for at once.
    case overloaded
}

/// What we can reach servers by.
package struct Reach: Hashable, Sendable {
    /// Each once, the preferred one first.
    package var transports: [Transport]
    package var hasIPv4: Bool
    package var hasIPv6: Bool

    package init(transports: [Transport], hasIPv4: Bool, hasIPv6: Bool) {
        self.transports = transports
        self.hasIPv4 = hasIPv4
        self.hasIPv6 = hasIPv6
    }

    /// Whether packets to an address may have a way, and the address is one of a host.
    func mayReach(_ address: IPAddress) -> Bool {
        address.isOfAHost && (address.unmapped.isV4 ? hasIPv4 : hasIPv6)
    }

    /// Whether what is looked for can be reached at all, as far as that is known without asking for its name: over one
    /// of our transports, and in a family that we have.
    package func mayReach(_ request: LocationRequest) -> Bool {
        guard !request.transports(among: transports).isEmpty else { return false }
        return request.target.address.map(mayReach) ?? true
    }

    var families: [DNSRecord.Kind] {
        (hasIPv6 ? [.aaaa] : []) + (hasIPv4 ? [.a] : [])
    }
}

extension IPAddress {
    /// Whether a packet can be for one host there.
    var isOfAHost: Bool {
        switch unmapped.reach {
        case .unspecified, .multicast, .broadcast: false
        default: true
        }
    }
}

extension LocationRequest {
    /// The transports that may be used, the preferred one first (RFC 3263 §4.1). Security is never given up: what was
    /// asked for by `sips` goes over TLS.
    package func transports(among supported: [Transport]) -> [Transport] {
        guard isSecure else { return supported.filter { transport == nil || $0 == transport } }
        switch transport {
        case nil, .tcp, .tls: return supported.filter { $0 == .tls }
        case .wss: return supported.filter { $0 == .wss }
        default: return []
        }
    }
}
