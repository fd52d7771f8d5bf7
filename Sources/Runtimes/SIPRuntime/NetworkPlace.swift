import EngineKit
import Glibc

import struct EngineKit.SocketAddress

/// Where this machine is in the network: the addresses of its working interfaces, and those that it would use on the way
/// to the rest of the world. Compared, and nothing else: most news of interfaces (a lifetime that is renewed, a neighbour)
/// leave it as it was.
struct NetworkPlace: Hashable, Sendable {
    struct Interface: Hashable, Sendable {
        let name: String
        let address: IPAddress
    }

    private(set) var interfaces: Set<Interface> = []
    /// On the way to addresses that are nobody's (RFC 5737, RFC 3849), so by the default routes.
    private(set) var sources: [IPAddress] = []

    var addresses: Set<IPAddress> { Set(interfaces.map(\.address)) }

    static func current() -> NetworkPlace {
        var place = NetworkPlace()
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return place }
        defer { freeifaddrs(first) }
        var next = first
        while let entry = next?.pointee {
            next = entry.ifa_next
            let isWorking =
                entry.ifa_flags & UInt32(IFF_UP) != 0
                && entry.ifa_flags & UInt32(IFF_RUNNING) != 0
            guard isWorking, let name = entry.ifa_name, let address = address(of: entry.ifa_addr) else { continue }
            place.interfaces.insert(Interface(name: String(cString: name), address: address))
        }
        place.sources = ["192.0.2.1:9", "[2001:db8::1]:9"].compactMap { SocketAddress($0) }
            .compactMap { DatagramSocket.localAddress(towards: $0) }
        return place
    }

    private static func address(of pointer: UnsafeMutablePointer<sockaddr>?) -> IPAddress? {
        guard let pointer else { return nil }
        var storage = sockaddr_storage()
        let family = Int32(pointer.pointee.sa_family)
        let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        guard family == AF_INET || family == AF_INET6 else { return nil }
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: size))
        }
        return SocketAddress(storage)?.address
    }
}

/// Notices by two clocks that the machine slept: the one goes on in a sleep, the other does not. A wall clock that is set
/// moves neither (ROBUSTNESS row 59).
struct SleepGauge {
    /// Less than this is the reading of two clocks one after the other, or of no consequence.
    static let least = Duration.seconds(2)

    private var asleep: Duration

    init(asleep: Duration) { self.asleep = asleep }

    /// - Parameter asleep: how long the machine has slept since its start.
    /// - Returns: how long it slept since the last call; nil where it did not.
    mutating func slept(_ asleep: Duration) -> Duration? {
        defer { self.asleep = asleep }
        let more = asleep - self.asleep
        return more >= Self.least ? more : nil
    }
}
