import CLinux
import EngineKit
import Glibc

/// A bound UDP socket of the signalling loop: binding, sending, and what the network says about what was sent.
///
/// Belongs to the thread of signalling; `DatagramReader` reads a duplicate of its descriptor.
final class DatagramSocket {
    let descriptor: CInt
    /// Where it is bound, with the port that the system chose for port 0.
    let address: SocketAddress
    /// What leaves next.
    let outbox = DatagramOutbox()

    /// Binds. IPv6 sockets take IPv6 alone, so that an IPv4 one can stand beside them.
    init(binding wanted: SocketAddress) throws(EndpointError) {
        let isV4 = wanted.address.isV4
        let descriptor = socket(
            isV4 ? AF_INET : AF_INET6,
            CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw EndpointError(errno, binding: wanted) }
        // As much as the system allows: what comes while this thread waits for the processor is else lost.
        Self.set(SO_RCVBUF, level: SOL_SOCKET, to: 4 << 20, of: descriptor)
        if isV4 {
            Self.enable(IP.receiveErrors, level: CInt(IPPROTO_IP), of: descriptor)
        } else {
            Self.enable(IPV6_V6ONLY, level: CInt(IPPROTO_IPV6), of: descriptor)
            Self.enable(IPv6.receiveErrors, level: CInt(IPPROTO_IPV6), of: descriptor)
        }
        // A response leaves from the address that its request went to.
        if wanted.address.isUnspecified { _ = cs_inbox_ask_for_local(descriptor, isV4 ? 0 : 1) }
        guard wanted.withSockaddr({ bind(descriptor, $0, $1) }) == 0, let bound = Self.localAddress(of: descriptor)
        else {
            let code = errno
            close(descriptor)
            throw EndpointError(code, binding: wanted)
        }
        self.descriptor = descriptor
        address = bound
    }

    deinit {
        close(descriptor)
    }

    /// A second descriptor of the same socket; the caller closes it. nil when the process has no more.
    func duplicate() -> CInt? {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        return copy >= 0 ? copy : nil
    }

    private static func enable(_ option: CInt, level: CInt, of descriptor: CInt) {
        set(option, level: level, to: 1, of: descriptor)
    }

    private static func set(_ option: CInt, level: CInt, to value: CInt, of descriptor: CInt) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    static func localAddress(of descriptor: CInt) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
        }
        return result == 0 ? SocketAddress(storage) : nil
    }

    /// The address that the kernel would send from on the way to `remote`: RFC 3261 wants a Via and a Contact that the
    /// peer can reach, and an unspecified listener has none to show. No packet is sent. nil where there is no route.
    static func localAddress(towards remote: SocketAddress) -> IPAddress? {
        let probe = socket(
            remote.address.isV4 ? AF_INET : AF_INET6, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return nil }
        defer { close(probe) }
        guard remote.withSockaddr({ connect(probe, $0, $1) }) == 0 else { return nil }
        return localAddress(of: probe)?.address
    }
}

/// Numbers of <linux/in.h>, <linux/in6.h> and <linux/socket.h> that the Glibc module does not show.
enum IP {
    static let receiveErrors: CInt = 11
    static let packetInfo: CInt = 8
}

enum IPv6 {
    static let receiveErrors: CInt = 25
    static let packetInfo: CInt = 50
}
