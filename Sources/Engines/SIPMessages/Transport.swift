/// The transport that a Via or a URI names (RFC 3261 §20.42, RFC 7118 for the WebSocket ones).
package enum Transport: Hashable, Sendable {
    case udp, tcp, tls, ws, wss, sctp
    /// A transport that we have no name for, in upper case.
    case other(String)

    package init(_ name: String) {
        self =
            switch name.asciiLowercased {
            case "udp": .udp
            case "tcp": .tcp
            case "tls": .tls
            case "ws": .ws
            case "wss": .wss
            case "sctp": .sctp
            default: .other(String(decoding: name.utf8.map { $0 &- 0x61 < 26 ? $0 & 0xdf : $0 }, as: UTF8.self))
            }
    }

    init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        let range = try cursor.tokenRange()
        if cursor.matches(range, "udp") {
            self = .udp
        } else if cursor.matches(range, "tcp") {
            self = .tcp
        } else if range.count > 64 {
            throw FieldFault(.tooLong(.identifier), at: range.lowerBound)
        } else {
            self = Transport(cursor.text(range))
        }
    }

    /// The name as a Via writes it.
    package var name: String {
        switch self {
        case .udp: "UDP"
        case .tcp: "TCP"
        case .tls: "TLS"
        case .ws: "WS"
        case .wss: "WSS"
        case .sctp: "SCTP"
        case .other(let name): name
        }
    }

    /// Whether the transport repeats what is lost, so that transactions need not (§17).
    package var isReliable: Bool { self != .udp }

    /// Whether nobody on the way can read what goes over it (§26.2.2).
    package var isSecure: Bool { self == .tls || self == .wss }

    /// The port where none is given (§19.1.2, RFC 7118 §4.2).
    package var defaultPort: UInt16 {
        switch self {
        case .tls: 5061
        case .ws: 80
        case .wss: 443
        default: 5060
        }
    }
}

extension Transport: CustomStringConvertible {
    package var description: String { name }
}
