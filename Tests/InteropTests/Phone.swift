import FoundationEssentials
import Glibc
import Testing

/// The phone under test: the binary `offhook` beside the test bundle, run as a script would run it.
struct Phone {
    let program: Program

    /// One line of `--json`, as far as tests look at it.
    struct Event: Decodable, Sendable {
        struct Side: Decodable, Sendable {
            var packets: Int
            var bytes: Int?
        }

        struct Statistics: Decodable, Sendable {
            var codec: String
            var tx: Side
            var rx: Side
            var lost: Int?
            var concealed: Int?
            var recovered: Int?
            var listeningMOS: Double?

            enum CodingKeys: String, CodingKey {
                case codec, tx, rx, lost
                case concealed = "concealed_ms"
                case recovered = "fec_recovered"
                case listeningMOS = "mos_lq"
            }
        }

        var v: Int
        var event: String
        var code: Int?
        var reason: String?
        var cause: String?
        var by: String?
        var peer: String?
        var codec: String?
        var direction: String?
        var addresses: [String]?
        var redirections: [String]?
        var failed: [String]?
        var state: String?
        var replaces: String?
        var user: String?
        var open: Bool?
        var activities: [String]?
        var active: Bool?
        var waiting: Bool?
        var new: Int?
        var digit: String?
        var type: String?
        var exit: Int32?
        var hz: Double?
        var allow: String?
        var text: String?
        var stats: Statistics?
    }

    /// Starts a command with `--json` and its own loopback port; a bound of its own ends it should the test not.
    init(_ arguments: String..., listen: String? = "127.0.0.1:0") throws {
        try self.init(arguments, listen: listen)
    }

    /// - Parameters:
    ///   - wrapper: the words of a command that runs the one after it, as `ip netns exec NAME` does.
    ///   - bound: when it ends by itself.
    init(
        _ arguments: [String], listen: String? = "127.0.0.1:0", through wrapper: [String] = [], bound: String = "25s"
    ) throws {
        var words = wrapper + [try Self.binary] + arguments + ["--json", "--timeout", bound]
        if !arguments.contains("--config") { words.append("--no-config") }
        if let listen { words += ["--listen", listen] }
        program = try Program(words)
    }

    /// Every line on standard output, each of which must be an event.
    var events: [Event] {
        get throws { try program.output.map(Self.event) }
    }

    func events(named name: String) throws -> [Event] {
        try events.filter { $0.event == name }
    }

    /// How its only call ended.
    var callEnd: Event {
        get throws {
            let ends = try events(named: "call.ended")
            #expect(ends.count == 1, "\(program.written)")
            return try #require(ends.first)
        }
    }

    /// The first event of a name, which may have come already.
    @discardableResult
    func event(_ name: String, within bound: Duration = .seconds(10)) async throws -> Event {
        let member = "\"event\":\"\(name)\""
        return try Self.event(await program.line(name, within: bound) { $0.contains(member) })
    }

    /// Waits for what the events come to.
    func eventually(within bound: Duration = .seconds(10), _ condition: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + bound
        while ContinuousClock.now < deadline, !program.hasEnded {
            if try condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        try #require(try condition(), "\(program.written)")
    }

    /// The port that `ready` says is bound.
    var port: UInt16 {
        get async throws {
            let addresses = try await event("ready").addresses ?? []
            let port = addresses.first?.split(separator: ":").last.flatMap { UInt16($0) }
            return try #require(port, "ready without an address")
        }
    }

    func end(within bound: Duration = .seconds(20)) async throws -> Int32 {
        try await program.end(within: bound)
    }

    private static func event(_ line: String) throws -> Event {
        try JSONDecoder().decode(Event.self, from: Data(line.utf8))
    }

    static var binary: String {
        get throws {
            var path = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/self/exe", &path, path.count)
            let bundle = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let binary = bundle.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/offhook"
            try #require(access(binary, X_OK) == 0, "the phone was not built: there is no \(binary)")
            return binary
        }
    }
}

/// A `[[caller]]` in a configuration file of its own, and an account that can be called from anywhere.
struct ConfiguredCaller {
    let folder: TemporaryFolder
    /// What to give to `--config`.
    let path: String

    static let password = "wonderland"
    static let realm = "interop.example"

    init(_ user: String, at host: String, digest: String) throws {
        folder = try TemporaryFolder()
        let text = """
            [[account]]
            address = "sip:phone@\(host)"
            peer_to_peer = true

            [[caller]]
            username = "\(user)"
            password = "\(Self.password)"
            digest = "\(digest)"
            realm = "\(Self.realm)"
            """
        path = try folder.write(Array(text.utf8), as: "config.toml")
    }
}

/// An `[[account]]` in a configuration file of its own, with its password in another.
struct ConfiguredAccount {
    let folder: TemporaryFolder
    /// What to give to `--config`.
    let path: String

    /// - Parameter more: further lines of the account.
    init(
        _ user: String, password: String, at port: UInt16, on host: String = "127.0.0.1", transport: String = "udp",
        more: String = ""
    ) throws {
        folder = try TemporaryFolder()
        let secret = try folder.write(Array("\(password)\n".utf8), as: "password")
        let text = """
            [[account]]
            name = "\(user)"
            address = "sip:\(user)@\(host):\(port)"
            registrar = "sip:\(host):\(port)"
            username = "\(user)"
            password_file = "\(secret)"
            transport = "\(transport)"
            \(more)
            """
        path = try folder.write(Array(text.utf8), as: "config.toml")
    }
}
