import EngineKit
import NIOCore

extension EngineKit.SocketAddress {
    /// The address of an Internet socket; nil for a UNIX domain one. An IPv4-mapped IPv6 address becomes IPv4.
    init?(_ address: NIOCore.SocketAddress) {
        switch address {
        case .v4(let v4):
            let value = v4.address
            self.init(.v4(UInt32(bigEndian: value.sin_addr.s_addr)), port: UInt16(bigEndian: value.sin_port))
        case .v6(let v6):
            let value = v6.address
            let halves = withUnsafeBytes(of: value.sin6_addr) { bytes in
                (
                    bytes.loadUnaligned(as: UInt64.self),
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                )
            }
            let full = IPAddress.v6(
                high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1), scope: value.sin6_scope_id)
            self.init(full.unmapped, port: UInt16(bigEndian: value.sin6_port))
        case .unixDomainSocket:
            return nil
        }
    }
}
