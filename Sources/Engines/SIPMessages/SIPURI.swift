import EngineKit

/// A SIP or SIPS URI (RFC 3261 §19.1). User and password are kept with their escapes, so that a URI that is only
/// passed on leaves as it came; `==` compares what is written, `isEquivalent(to:)` what is meant (§19.1.4).
package struct SIPURI: Hashable, Sendable {
    package var isSecure: Bool
    /// The user part with its `%HH` escapes.
    package private(set) var escapedUser: String?
    private(set) var escapedPassword: String?
    package var host: Host
    package var port: UInt16?
    package var parameters: Parameters
    /// The headers part behind the question mark, with its escapes, as text.
    package private(set) var escapedHeaders: String?

    package init(
        isSecure: Bool = false, user: String? = nil, password: String? = nil, host: Host, port: UInt16? = nil,
        parameters: Parameters = Parameters(.uri), headers: [(name: String, value: String)] = []
    ) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.parameters = parameters
        self.user = user
        self.password = password
        self.headers = headers
    }

    /// The user part without escapes.
    package var user: String? {
        get { escapedUser.map(\.unescaped) }
        set { escapedUser = newValue.map { $0.escaped(keeping: .user) } }
    }

    /// The password without escapes.
    package var password: String? {
        get { escapedPassword.map(\.unescaped) }
        set { escapedPassword = newValue.map { $0.escaped(keeping: .password) } }
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
        set {
            guard !newValue.isEmpty else { return escapedHeaders = nil }
            escapedHeaders = newValue.map { name, value in
                name.escaped(keeping: .uriHeader) + "=" + value.escaped(keeping: .uriHeader)
            }.joined(separator: "&")
        }
    }

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

// MARK: - Reading

extension SIPURI {
    /// Reads what follows `sip:` or `sips:`. Without angle brackets around (`isBare`), parameters and headers belong to
    /// the header field and not to the URI (§20), which began at `scheme`.
    init(
        afterScheme cursor: inout FieldCursor, isSecure: Bool, isBare: Bool, from scheme: Int
    ) throws(FieldFault) {
        let start = cursor.position
        let user = try cursor.escapedRun(of: isBare ? .bareUser : .user)
        var password: Range<Int>?
        if cursor.take(UInt8(ascii: ":")) {
            password = Self.passwordBeforeAt(&cursor)
        }
        let hasUser = cursor.take(UInt8(ascii: "@")) && !user.isEmpty
        if !hasUser { cursor.position = start }
        let host = try Host(parsing: &cursor)
        var port: UInt16?
        if cursor.take(UInt8(ascii: ":")) {
            port = UInt16(truncatingIfNeeded: try cursor.number(upTo: UInt64(UInt16.max)))
        }
        if isBare, cursor.next == UInt8(ascii: "?") { throw cursor.fault(.uriNeedsBrackets) }
        let parameters = isBare ? Parameters(.uri) : try Parameters(parsingURI: &cursor)
        var headers: String?
        if !isBare, cursor.take(UInt8(ascii: "?")) { headers = try Self.headersText(&cursor) }
        try URI.checkLength(cursor, from: scheme)
        // What was read goes into its place at the end: a value that an error could leave half made would be copied.
        self.init(
            isSecure: isSecure, escapedUser: hasUser ? cursor.text(user) : nil,
            escapedPassword: hasUser ? password.map(cursor.text) : nil, host: host, port: port,
            parameters: parameters, escapedHeaders: headers)
    }

    private init(
        isSecure: Bool, escapedUser: String?, escapedPassword: String?, host: Host, port: UInt16?,
        parameters: Parameters, escapedHeaders: String?
    ) {
        self.isSecure = isSecure
        self.escapedUser = escapedUser
        self.escapedPassword = escapedPassword
        self.host = host
        self.port = port
        self.parameters = parameters
        self.escapedHeaders = escapedHeaders
    }

    /// The password, if an `@` follows it; a bad escape is left for the host to stumble over.
    private static func passwordBeforeAt(_ cursor: inout FieldCursor) -> Range<Int>? {
        let range = try? cursor.escapedRun(of: .password)
        return cursor.next == UInt8(ascii: "@") ? range : nil
    }

    private static func headersText(_ cursor: inout FieldCursor) throws(FieldFault) -> String {
        let start = cursor.position
        repeat {
            let name = try cursor.escapedRun(of: .uriHeader)
            guard !name.isEmpty, cursor.take(UInt8(ascii: "=")) else { throw cursor.fault(.expected(.parameter)) }
            _ = try cursor.escapedRun(of: .uriHeader)
        } while cursor.take(UInt8(ascii: "&"))
        return cursor.text(start..<cursor.position)
    }
}

// MARK: - Writing

extension SIPURI: CustomStringConvertible {
    func write(to writer: inout MessageWriter) {
        if isSecure { writer.write(fixed: "sips:") } else { writer.write(fixed: "sip:") }
        if let escapedUser {
            writer.write(escapedUser)
            if let escapedPassword {
                writer.write(fixed: ":")
                writer.write(escapedPassword)
            }
            writer.write(fixed: "@")
        }
        host.write(to: &writer)
        if let port {
            writer.write(fixed: ":")
            writer.write(number: UInt64(port))
        }
        parameters.write(to: &writer, as: .uri)
        if let escapedHeaders {
            writer.write(fixed: "?")
            writer.write(escapedHeaders)
        }
    }

    package var description: String { URI.sip(self).description }
}

// MARK: - Escapes (§19.1.2)

extension FieldCursor {
    /// The text in `range` with each `%HH` made the octet it stands for, once (RFC 4475 §3.1.1.3).
    func unescaped(_ range: Range<Int>) -> String {
        guard range.upperBound <= bytes.count, bytes[range].contains(UInt8(ascii: "%")) else { return text(range) }
        return Self.unescaped(bytes[range])
    }

    fileprivate static func unescaped(_ text: ArraySlice<UInt8>) -> String {
        String(decoding: unescapedOctets(text), as: UTF8.self)
    }

    static func unescapedOctets(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.endIndex,
                let high = text[index + 1].hexadecimalValue, let low = text[index + 2].hexadecimalValue
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(text[index])
                index += 1
            }
        }
        return decoded
    }
}

extension String {
    fileprivate var unescaped: String {
        utf8.contains(UInt8(ascii: "%")) ? FieldCursor.unescaped(Array(utf8)[...]) : self
    }

    fileprivate func escaped(keeping set: ByteSet) -> String {
        if set.containsAll(self) { return self }
        var writer = MessageWriter()
        writer.write(escaping: self, keeping: set)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
