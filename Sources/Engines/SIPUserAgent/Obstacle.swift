import EngineKit
import SIPMessages
import ServerLocation

/// What kept a request of ours from its next hop (RFC 3261 §8.1.3.1, RFC 3263 §4), with words for people.
package enum Obstacle: Hashable, Sendable, CustomStringConvertible {
    /// The next hop is no SIP URI: a `tel` URI, say, which only a proxy can route (RFC 3966).
    case notSIP(scheme: String)
    case unresolved(Host, Transport, LocationFailure)
    case undelivered(Transport, SocketAddress, TransmitFailure)

    static func unresolved(_ request: LocationRequest, _ failure: LocationFailure) -> Obstacle {
        // What must be secure and names another transport is for TLS all the same.
        let transport = request.isSecure && request.transport != .wss ? .tls : request.transport
        return .unresolved(request.target, transport ?? .udp, failure)
    }

    package var description: String {
        switch self {
        case .notSIP(let scheme): "a \(scheme) URI needs an outbound proxy"
        case .unresolved(let host, let transport, let failure):
            switch failure {
            case .noSuchName: "no such host, \(host)"
            case .noAddress: "no address of a kind that we listen on (for IPv6: --listen '[::]:0'), \(host)"
            case .notOfAHost: "no host has that address, \(host)"
            case .notOffered: "no SIP service there, says its domain, \(host)"
            case .serverFailed: "the name servers have no answer, \(host)"
            case .timedOut: "the name was not resolved in time, \(host)"
            case .overloaded: "too many names are looked for, \(host)"
            case .noRoute: "no route from where we listen, \(host)"
            case .transportUnsupported: "no \(transport.name.lowercased()) here to reach it by, \(host)"
            }
        case .undelivered(let transport, let remote, let failure):
            "\(failure.words(transport)), \(transport.name.lowercased()) \(remote)"
        }
    }
}

extension TransmitFailure {
    fileprivate func words(_ transport: Transport) -> String {
        switch self {
        case .refused: transport == .udp ? "port unreachable (ICMP)" : "connection refused"
        case .reset: "connection closed"
        case .unreadable: "what it sends is no SIP message, or has no end (Content-Length)"
        case .hostUnreachable: "host unreachable"
        case .networkUnreachable: "network unreachable"
        case .notPermitted: "not permitted by this machine"
        case .timedOut: "connection timed out"
        case .tooLarge: "message too large"
        case .noListener: "not listening there"
        case .overloaded: "too many connections, or too much in their queues"
        case .other: "could not be sent"
        }
    }
}
