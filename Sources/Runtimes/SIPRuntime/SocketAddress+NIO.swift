import EngineKit
import Glibc
import NIOCore

extension EngineKit.SocketAddress {
    /// The address of an Internet socket; nil for a UNIX domain one. An IPv4-mapped IPv6 address becomes IPv4.
    init?(_ address: NIOCore.SocketAddress?) {
        switch address {
        case .v4(let v4): self.init(v4.address)
        case .v6(let v6): self.init(v6.address)
        default: return nil
        }
    }

    init(_ raw: sockaddr_in) {
        self.init(.v4(UInt32(bigEndian: raw.sin_addr.s_addr)), port: UInt16(bigEndian: raw.sin_port))
    }

    init(_ raw: sockaddr_in6) {
        let (high, low) = withUnsafeBytes(of: raw.sin6_addr) { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        let address = IPAddress.v6(
            high: UInt64(bigEndian: high), low: UInt64(bigEndian: low), scope: raw.sin6_scope_id)
        self.init(address.unmapped, port: UInt16(bigEndian: raw.sin6_port))
    }

    /// What the kernel stored; nil for another family.
    init?(_ storage: sockaddr_storage) {
        let address: EngineKit.SocketAddress? = withUnsafeBytes(of: storage) { bytes in
            switch CInt(storage.ss_family) {
            case AF_INET: Self(bytes.loadUnaligned(as: sockaddr_in.self))
            case AF_INET6: Self(bytes.loadUnaligned(as: sockaddr_in6.self))
            default: nil
            }
        }
        guard let address else { return nil }
        self = address
    }

    var nio: NIOCore.SocketAddress {
        switch address {
        case .v4: NIOCore.SocketAddress(ipv4)
        case .v6: NIOCore.SocketAddress(ipv6)
        }
    }

    /// Calls `body` with the address as socket calls take it.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        func rebound<Raw>(_ raw: Raw) -> Result {
            withUnsafeBytes(of: raw) { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                    guard let base = pointer.baseAddress else { preconditionFailure("an address has bytes") }
                    return body(base, socklen_t(MemoryLayout<Raw>.size))
                }
            }
        }
        return address.isV4 ? rebound(ipv4) : rebound(ipv6)
    }

    private var ipv4: sockaddr_in {
        var raw = sockaddr_in()
        raw.sin_family = sa_family_t(AF_INET)
        raw.sin_port = port.bigEndian
        if case .v4(let bits) = address { raw.sin_addr.s_addr = bits.bigEndian }
        return raw
    }

    private var ipv6: sockaddr_in6 {
        var raw = sockaddr_in6()
        raw.sin6_family = sa_family_t(AF_INET6)
        raw.sin6_port = port.bigEndian
        if case .v6(let high, let low, let scope) = address {
            withUnsafeMutableBytes(of: &raw.sin6_addr) { bytes in
                bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            raw.sin6_scope_id = scope
        }
        return raw
    }
}
