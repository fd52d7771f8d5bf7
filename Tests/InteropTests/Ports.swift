import Glibc
import Synchronization

/// Ports on loopback for programs that can't choose one and say which.
///
/// They lie below those that the system gives out and those that the phone takes for media, and each is given once, so
/// that tests that run at the same time do not meet.
enum Ports {
    private static let range: Range<UInt16> = 10_000..<16_000
    private static let next = Mutex(range.lowerBound + UInt16(truncatingIfNeeded: getpid()) % 700 * 8)

    /// A port of which UDP and TCP are free, and the three UDP ports after it too: SIPp takes two pairs for media.
    static func take() -> UInt16 {
        next.withLock { next in
            for _ in range {
                let port = next
                next = next + 8 < range.upperBound ? next + 4 : range.lowerBound
                if canBind(port, SOCK_STREAM), (port...port + 3).allSatisfy({ canBind($0, SOCK_DGRAM) }) { return port }
            }
            preconditionFailure("no port is free between \(range.lowerBound) and \(range.upperBound)")
        }
    }

    private static func canBind(_ port: UInt16, _ type: __socket_type) -> Bool {
        let descriptor = socket(AF_INET, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    enum Kind: String { case udp, tcp }

    /// Waits until a program listens on a port; false if it ends before that, or the bound passes.
    static func wait(
        for port: UInt16, _ kind: Kind, of program: Program, within bound: Duration = .seconds(10)
    ) async -> Bool {
        let deadline = ContinuousClock.now + bound
        while ContinuousClock.now < deadline, !program.hasEnded {
            if isOpen(port, kind, of: program.process) { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    /// Whether the kernel's table of sockets, that of the program's network, has a listener at the port; asking the
    /// program itself would be traffic.
    private static func isOpen(_ port: UInt16, _ kind: Kind, of process: pid_t) -> Bool {
        let digits = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        let tables = ["", "6"].map { "/proc/\(process)/net/\(kind.rawValue)\($0)" }
        return tables.flatMap { lines(of: $0) }.contains { line in
            let fields = line.split(separator: " ")
            guard fields.count > 3, fields[1].hasSuffix(suffix) else { return false }
            return kind == .udp || fields[3] == "0A"
        }
    }

    /// How many datagrams (UDP) or segments (TCP) the network of a program has taken in since it was made.
    static func received(_ kind: Kind, in network: Program) -> Int {
        let name = kind == .udp ? "Udp:" : "Tcp:"
        let rows = lines(of: "/proc/\(network.process)/net/snmp").filter { $0.hasPrefix(name) }
            .map { $0.split(separator: " ") }
        let column = rows.first?.firstIndex(of: kind == .udp ? "InDatagrams" : "InSegs")
        return column.flatMap { index in rows.last.flatMap { $0.indices.contains(index) ? Int($0[index]) : nil } } ?? 0
    }

    private static func lines(of path: String) -> [Substring] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
