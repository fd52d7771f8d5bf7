import Glibc
import Synchronization
import Testing

/// A network of a test's own with the one address ``address``, for programs that do not take the loopback interface.
struct NetworkNamespace {
    static let address = "192.0.2.1"

    let name: String

    /// The words before a command that is to run in it.
    var entry: [String] { ["ip", "netns", "exec", name] }

    /// Makes a namespace, hands it to `body`, and removes it whatever comes.
    ///
    /// - Parameter cabled: whether it gets the address; else it has loopback alone.
    static func use(cabled: Bool = true, _ body: (NetworkNamespace) async throws -> Void) async throws {
        let namespace = NetworkNamespace(
            name: "offhook-\(getpid())-\(made.wrappingAdd(1, ordering: .relaxed).newValue)")
        do {
            try await namespace.make(cabled: cabled)
            try await body(namespace)
        } catch {
            try? await namespace.run("netns", "delete", namespace.name)
            throw error
        }
        try await namespace.run("netns", "delete", namespace.name)
    }

    /// Whether this process may make one: CAP_NET_ADMIN and CAP_SYS_ADMIN, which root has.
    static var mayBeMade: Bool {
        guard let file = fopen("/proc/self/status", "r") else { return false }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, CInt(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("CapEff:"), let digits = text.split(whereSeparator: \.isWhitespace).last else {
                continue
            }
            let needed: UInt64 = 1 << 12 | 1 << 21
            return UInt64(digits, radix: 16).map { $0 & needed == needed } ?? false
        }
        return false
    }

    private static let made = Atomic<Int>(0)

    /// One end of a pair of virtual cables has the address; the other only keeps it plugged in.
    private func make(cabled: Bool) async throws {
        try await run("netns", "add", name)
        try await run("-n", name, "link", "set", "lo", "up")
        guard cabled else { return }
        try await run("-n", name, "link", "add", "inside", "type", "veth", "peer", "name", "other")
        try await run("-n", name, "address", "add", "\(Self.address)/24", "dev", "inside")
        for end in ["inside", "other"] { try await run("-n", name, "link", "set", end, "up") }
    }

    /// Runs `ip` with these words.
    func run(_ words: String...) async throws {
        let program = try Program(["ip"] + words)
        let status = try await program.end()
        try #require(status == 0, "\(program.written)")
    }
}
