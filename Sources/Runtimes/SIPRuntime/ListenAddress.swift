import EngineKit
import SIPMessages

/// Where to listen: what `--listen` and `[sip] listen` say, `ADDRESS[:PORT][;transport=udp|tcp]`.
package struct ListenAddress: Hashable, Sendable {
    /// Port 0 lets the system choose.
    package var address: SocketAddress
    /// udp and tcp, on the same port, unless one is named.
    package var transports: [Transport]
    /// Whether the next free port is taken where this one is in use: only for the default that nobody asked for.
    package var mayUseNextPort: Bool
    /// Whether it is passed over where this machine knows no such addresses.
    package var mayBeMissing: Bool

    package init(
        _ address: SocketAddress, transports: [Transport] = [.udp, .tcp], mayUseNextPort: Bool = false,
        mayBeMissing: Bool = false
    ) {
        self.address = address
        self.transports = transports
        self.mayUseNextPort = mayUseNextPort
        self.mayBeMissing = mayBeMissing
    }

    package static let defaultPort: UInt16 = 5060

    /// All addresses, 5060 or the next free port.
    package static let standard = [
        ListenAddress(SocketAddress(.unspecified, port: defaultPort), mayUseNextPort: true),
        ListenAddress(SocketAddress(.unspecifiedV6, port: defaultPort), mayUseNextPort: true, mayBeMissing: true),
    ]

    /// An address without a port means 5060.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard let place = parts.first, parts.count <= 2 else { return nil }
        if let address = SocketAddress(place) {
            self.init(address)
        } else if let address = IPAddress(Self.unbracketed(place)) {
            self.init(SocketAddress(address, port: Self.defaultPort))
        } else {
            return nil
        }
        guard parts.count == 2 else { return }
        switch parts[1].lowercased() {
        case "transport=udp": transports = [.udp]
        case "transport=tcp": transports = [.tcp]
        default: return nil
        }
    }

    private static func unbracketed(_ text: some StringProtocol) -> String {
        text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
    }
}
