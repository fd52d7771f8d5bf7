import EngineKit

/// A SIP or SIPS URI (RFC 3261 §19.1), kept as the text that it came in or was put together as, and where its parts
/// stand there. It leaves as it came, escapes and all; `==` compares what is written, `isEquivalent(to:)` what is
/// meant (§19.1.4).
package struct SIPURI: Sendable {
    let bytes: [UInt8]
    let layout: Layout

    /// Where the parts stand: `user:password@host:port;parameters?headers`.
    struct Layout: Sendable {
        /// The first octet behind the colon of the scheme.
        var start: UInt32
        var userEnd: UInt32
        /// `start` where there is no user.
        var hostStart: UInt32
        var hostEnd: UInt32
        /// Behind `hostEnd` where there is a port.
        var parametersStart: UInt32
        var parametersEnd: UInt32
        /// Behind `parametersEnd` where there are headers.
        var end: UInt32
        var port: UInt16
        var isSecure: Bool
    }

    init(_ bytes: [UInt8], _ layout: Layout) {
        self.bytes = bytes
        self.layout = layout
    }

    package init(
        isSecure: Bool = false, user: String? = nil, password: String? = nil, host: Host, port: UInt16? = nil,
        parameters: Parameters = Parameters(.uri), headers: [(name: String, value: String)] = []
    ) {
        self.init(
            Parts(
                isSecure: isSecure, user: user.map { $0.escaped(keeping: .user) },
                password: password.map { $0.escaped(keeping: .password) }, host: host, port: port,
                parameters: parameters, headers: Self.joined(headers)))
    }

    package var isSecure: Bool {
        get { layout.isSecure }
        set { change { $0.isSecure = newValue } }
    }

    /// The user part without escapes.
    package var user: String? {
        get { escapedUser.map(\.unescaped) }
        set { change { $0.user = newValue.map { $0.escaped(keeping: .user) } } }
    }

    /// The user part with its `%HH` escapes.
    package var escapedUser: String? { layout.user.map(text) }

    /// The password without escapes.
    package var password: String? {
        get { escapedPassword.map(\.unescaped) }
        set { change { $0.password = newValue.map { $0.escaped(keeping: .password) } } }
    }

    var escapedPassword: String? { layout.password.map(text) }

    package var host: Host {
        get { Host(written: bytes, layout.host) }
        set { change { $0.host = newValue } }
    }

    package var port: UInt16? {
        get { layout.hasPort ? layout.port : nil }
        set { change { $0.port = newValue } }
    }

    package var parameters: Parameters {
        get { Parameters(.uri, checked: bytes, layout.parameters) }
        set { change { $0.parameters = newValue } }
    }

    /// The headers part, names and values without escapes, in order.
    package var headers: [(name: String, value: String)] {
        get {
            guard let escapedHeaders else { return [] }
            return escapedHeaders.utf8.split(separator: UInt8(ascii: "&")).map { pair in
                let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                let texts = halves.map { (String(Substring($0)).unescaped) }
                return (texts.first ?? "", texts.count > 1 ? texts[1] : "")
            }
        }
        set { change { $0.headers = Self.joined(newValue) } }
    }

    /// The headers part behind the question mark, with its escapes, as text.
    package var escapedHeaders: String? { layout.headers.map(text) }

    private static func joined(_ headers: [(name: String, value: String)]) -> String? {
        guard !headers.isEmpty else { return nil }
        return headers.map { name, value in
            name.escaped(keeping: .uriHeader) + "=" + value.escaped(keeping: .uriHeader)
        }.joined(separator: "&")
    }

    private func text(_ range: Range<Int>) -> String { FieldCursor(bytes, range).text(range) }

    package var transport: Transport? {
        get { parameters["transport"].map { Transport($0) } }
        set { parameters["transport"] = newValue?.name.asciiLowercased }
    }

    /// The address or name to send to in place of `host` (§19.1.1).
    package var maddr: Host? { parameters["maddr"].map { Host($0) } }

    /// Whether the element is a loose router (§16.12).
    package var isLooseRouter: Bool { parameters.contains("lr") }

    /// The port that a request to this URI goes to where no SRV record says otherwise (§19.1.2).
    package var effectivePort: UInt16 { port ?? (isSecure ? 5061 : (transport ?? .udp).defaultPort) }
}

// MARK: - Putting together

extension SIPURI {
    /// What a URI is made of, user, password and headers with their escapes.
    private struct Parts {
        var isSecure: Bool
        var user: String?
        var password: String?
        var host: Host
        var port: UInt16?
        var parameters: Parameters
        var headers: String?
    }

    /// Writes the parts into a buffer of their own.
    private init(_ parts: Parts) {
        var writer = MessageWriter(reserving: 64)
        if let user = parts.user {
            writer.write(user)
        }
        let userEnd = writer.end
        if parts.user != nil {
            if let password = parts.password {
                writer.write(fixed: ":")
                writer.write(password)
            }
            writer.write(fixed: "@")
        }
        let hostStart = writer.end
        parts.host.write(to: &writer)
        let hostEnd = writer.end
        if let port = parts.port {
            writer.write(fixed: ":")
            writer.write(number: UInt64(port))
        }
        let parametersStart = writer.end
        parts.parameters.write(to: &writer, as: .uri)
        let parametersEnd = writer.end
        if let headers = parts.headers {
            writer.write(fixed: "?")
            writer.write(headers)
        }
        layout = Layout(
            start: 0, userEnd: userEnd, hostStart: hostStart, hostEnd: hostEnd, parametersStart: parametersStart,
            parametersEnd: parametersEnd, end: writer.end, port: parts.port ?? 0, isSecure: parts.isSecure)
        bytes = writer.bytes
    }

    private mutating func change(_ change: (inout Parts) -> Void) {
        var parts = Parts(
            isSecure: isSecure, user: escapedUser, password: escapedPassword, host: host, port: port,
            parameters: parameters, headers: escapedHeaders)
        change(&parts)
        self = SIPURI(parts)
    }
}

extension SIPURI.Layout {
    @inline(__always) var text: Range<Int> { Int(start)..<Int(end) }
    @inline(__always) var host: Range<Int> { Int(hostStart)..<Int(hostEnd) }
    @inline(__always) var parameters: Range<Int> { Int(parametersStart)..<Int(parametersEnd) }
    @inline(__always) var hasPort: Bool { parametersStart > hostEnd }

    var user: Range<Int>? { hostStart > start ? Int(start)..<Int(userEnd) : nil }

    var password: Range<Int>? {
        hostStart > start && hostStart &- 1 > userEnd ? Int(userEnd) + 1..<Int(hostStart) - 1 : nil
    }

    var headers: Range<Int>? { end > parametersEnd ? Int(parametersEnd) + 1..<Int(end) : nil }

    /// The layout of the same text where it begins at `start`.
    func moved(to start: UInt32) -> SIPURI.Layout {
        let distance = start &- self.start
        var layout = self
        layout.start = start
        layout.userEnd &+= distance
        layout.hostStart &+= distance
        layout.hostEnd &+= distance
        layout.parametersStart &+= distance
        layout.parametersEnd &+= distance
        layout.end &+= distance
        return layout
    }
}

extension SIPURI: Hashable {
    package static func == (left: SIPURI, right: SIPURI) -> Bool {
        guard left.isSecure == right.isSecure else { return false }
        if left.bytes[left.layout.text] == right.bytes[right.layout.text] { return true }
        return left.escapedUser == right.escapedUser && left.escapedPassword == right.escapedPassword
            && left.host == right.host && left.port == right.port && left.parameters == right.parameters
            && left.escapedHeaders == right.escapedHeaders
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(isSecure)
        hasher.combine(escapedUser)
        hasher.combine(host)
        hasher.combine(port)
        hasher.combine(parameters)
    }
}

extension SIPURI: CustomStringConvertible {
    package var description: String { URI.sip(self).description }
}
