import EngineKit
import MediaRuntime
import SDP
import SIPMessages
import SIPUserAgent

extension ConfigurationTable {
    /// A SIP or tel URI, alone or as `"Display Name" <URI>`. `user@host` is taken for a SIP URI.
    mutating func address(_ key: String) -> NameAddress? {
        parsed(key, as: "a SIP or tel URI") { text in
            guard Self.isSafe(text) else { return nil }
            if let address = Self.nameAddress(text) { return address }
            return text.contains(":") ? nil : Self.nameAddress("sip:\(text)")
        }
    }

    private static func nameAddress(_ text: String) -> NameAddress? {
        guard let address = try? NameAddress(parsing: text) else { return nil }
        switch address.uri {
        case .sip: return address
        case .other(let scheme, let rest): return scheme == "tel" && !rest.isEmpty ? address : nil
        }
    }

    /// The URIs of servers, one or a list, each of which may be written as a host or `host:port` alone. Without the key,
    /// the domain of `account`.
    mutating func serverURIs(_ key: String, default account: NameAddress?) -> [URI] {
        guard contains(key) else {
            guard case .sip(let uri)? = account?.uri else { return [] }
            return [.sip(SIPURI(host: uri.host, port: uri.port))]
        }
        return parsedList(key, as: "the SIP URI of a server") { URI(server: $0) } ?? []
    }

    /// The most seconds between two keep-alives; 0 sends none.
    mutating func keepAlive(_ key: String) -> KeepAlivePolicy? {
        integer(key, in: 0...3600).flatMap { seconds in
            if seconds == 0 { return .off }
            guard seconds >= 5 else {
                refuse(key, "\(seconds) is too often; 5 at least, or 0 for none")
                return nil
            }
            return .every(.seconds(seconds))
        }
    }

    mutating func transport(_ key: String) -> Transport? {
        let later = ["tls", "ws", "wss"]
        if let text = string(key), later.contains(text) {
            refuse(key, "\"\(text)\" is not spoken by this version; udp and tcp are")
            return nil
        }
        return choice(key, [("udp", Transport.udp), ("tcp", Transport.tcp)])
    }

    mutating func audioSpecification(_ key: String, isOutput: Bool) -> AudioSpec? {
        guard let text = string(key) else { return nil }
        let spec: AudioSpec
        do {
            spec = try AudioSpec(parsing: text)
        } catch {
            refuse(key, error.description)
            return nil
        }
        guard spec.isOutput || !isOutput else {
            refuse(key, "'\(spec)' gives audio and takes none")
            return nil
        }
        return spec
    }

    /// Where the password is; at most one of the keys, and no secret in a file that others may read.
    static let passwordKeys = ["password", "password_command", "password_file", "password_env"]

    /// Where the password is written, if it is.
    var passwordPosition: TextPosition? { Self.passwordKeys.first { contains($0) }.map { position(of: $0) } }

    mutating func password(in file: ConfigurationFile, paths: PathExpansion) -> PasswordSource? {
        let literal = string("password")
        let command = strings("password_command")
        let path = string("password_file")
        let variable = string("password_env")
        let given = Self.passwordKeys.filter { contains($0) }
        if given.count > 1, let last = given.last {
            refuse(last, "only one of \(given.joined(separator: ", ")) can hold the password")
        }
        let mode = String(file.mode, radix: 8)
        if literal != nil, file.mode & 0o044 != 0 {
            refuse("password", "others can read this file (mode \(mode)): chmod 600 \(file.path)")
        }
        if command != nil, file.mode & 0o022 != 0 {
            refuse("password_command", "others can change this file (mode \(mode)): chmod 600 \(file.path)")
        }
        if let literal { return .literal(Secret(literal)) }
        if let command {
            guard command.first?.isEmpty == false else {
                refuse("password_command", "a program is expected, such as [\"pass\", \"sip/work\"]")
                return nil
            }
            return .command(command)
        }
        if let path { return .file(paths.expand(path)) }
        return variable.map { .environment($0) }
    }

    /// Nothing that could end a header line (RFC 3261 §7.3.1).
    fileprivate static func isSafe(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    }
}

extension URI {
    /// Reads the SIP URI of a registrar or proxy, or its host or `host:port` alone.
    init?(server text: String) {
        guard ConfigurationTable.isSafe(text) else { return nil }
        let folded = text.lowercased()
        let whole = folded.hasPrefix("sip:") || folded.hasPrefix("sips:") ? text : "sip:\(text)"
        guard let uri = try? URI(parsing: whole), case .sip = uri else { return nil }
        self = uri
    }
}

extension AddressRange {
    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let address = IPAddress(first) else { return nil }
        let width = address.isV4 ? 32 : 128
        guard parts.count == 2 else {
            self.init(network: address, prefix: width)
            return
        }
        // Digits alone, as a number is written: `/-0` would be everybody.
        guard let prefix = UInt8(parts[1]), String(prefix) == parts[1], Int(prefix) <= width else { return nil }
        self.init(network: address, prefix: Int(prefix))
    }
}

extension SocketAddress {
    /// Reads a name server: `192.0.2.53`, `2001:db8::53`, or either with a port, `[2001:db8::53]:5353`.
    init?(nameServer text: String) {
        if let address = IPAddress(text) {
            self.init(address, port: 53)
        } else {
            self.init(text)
        }
    }
}

extension CodecKind {
    /// As the configuration and `--codec` name it: `opus`, `pcmu`, `pcma`.
    package var configurationName: String { encodingName.lowercased() }
}

/// Paths as the configuration writes them: `~/` is the home directory, and a relative path starts beside the file.
struct PathExpansion {
    private let directory: String
    private let home: String?

    init(configuration path: String, home: String?) {
        directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        self.home = home
    }

    func expand(_ path: String) -> String {
        if path.hasPrefix("~/"), let home { return home + path.dropFirst(1) }
        return path.hasPrefix("/") ? path : directory + path
    }
}
