/// The scheme and `name=value` list of a challenge or of credentials (RFC 3261 §20.44, §20.7; RFC 7616 §3.3, §3.4).
package struct AuthenticationParameters: Equatable, Sendable {
    /// `Digest`, or a scheme that we do not know.
    package var scheme: String
    private var list: [(name: String, value: String, isQuoted: Bool)]

    package init(scheme: String) {
        self.scheme = scheme
        list = []
    }

    package var isDigest: Bool { scheme.equalsIgnoringCase("Digest") }

    /// The value of the first parameter of that name, without quotes.
    package subscript(_ name: String) -> String? {
        list.first { $0.name.equalsIgnoringCase(name) }?.value
    }

    /// Whether a parameter is there more than once.
    package var hasRepetition: Bool {
        let names = list.map(\.name.asciiLowercased)
        return Set(names).count != names.count
    }

    package mutating func append(_ name: String, quoted value: String) { list.append((name, value, true)) }
    package mutating func append(_ name: String, token value: String) { list.append((name, value, false)) }

    package static func == (left: AuthenticationParameters, right: AuthenticationParameters) -> Bool {
        left.scheme.equalsIgnoringCase(right.scheme)
            && left.list.elementsEqual(right.list) { $0.name.equalsIgnoringCase($1.name) && $0.value == $1.value }
    }

    init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        self.init(scheme: try cursor.token())
        cursor.skipBlanks()
        try readList(&cursor)
    }

    /// A list without a scheme in front, as Authentication-Info has it.
    init(listIn cursor: inout FieldCursor) throws(FieldFault) {
        self.init(scheme: "")
        cursor.skipBlanks()
        try readList(&cursor)
    }

    private mutating func readList(_ cursor: inout FieldCursor) throws(FieldFault) {
        if cursor.isAtEnd { return }
        repeat {
            if list.count >= 32 { throw cursor.fault(.tooMany(.elements)) }
            cursor.skipBlanks()
            // An empty element of a list is allowed by RFC 7230 §7 and does occur.
            if cursor.isAtEnd || cursor.next == UInt8(ascii: ",") { continue }
            let name = try cursor.token()
            guard cursor.takeSeparator(UInt8(ascii: "=")) else { throw cursor.fault(.expected(.parameter)) }
            if cursor.next == UInt8(ascii: "\"") {
                list.append((name, try cursor.quotedString(), true))
            } else {
                list.append((name, cursor.text(try cursor.run(of: .parameterValue)), false))
            }
        } while cursor.takeSeparator(UInt8(ascii: ","))
    }

    func write(to writer: inout MessageWriter) {
        if !scheme.isEmpty {
            writer.write(scheme)
            writer.write(fixed: " ")
        }
        for (index, (name, value, isQuoted)) in list.enumerated() {
            if index > 0 { writer.write(fixed: ", ") }
            writer.write(name)
            writer.write(fixed: "=")
            if isQuoted || !ByteSet.unquoted.containsAll(value) {
                writer.write(quoted: value)
            } else {
                writer.write(value)
            }
        }
    }
}

/// A field that is a scheme and its parameters: a challenge, or what answers one.
package protocol AuthenticationField: HeaderField {
    var parameters: AuthenticationParameters { get }
    init(parameters: AuthenticationParameters)
}

extension AuthenticationField {
    package static var shape: FieldShape { .lines }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        self.init(parameters: try AuthenticationParameters(parsing: &cursor))
    }

    package func write(to writer: inout MessageWriter) { parameters.write(to: &writer) }

    package var scheme: String { parameters.scheme }
    package var isDigest: Bool { parameters.isDigest }
    package var realm: String? { parameters["realm"] }
    package var nonce: String? { parameters["nonce"] }
    package var algorithm: String? { parameters["algorithm"] }
}

/// A challenge of a server or proxy.
package protocol Challenge: AuthenticationField {}

extension Challenge {
    package var opaque: String? { parameters["opaque"] }
    package var domain: String? { parameters["domain"] }
    package var isStale: Bool { parameters["stale"]?.equalsIgnoringCase("true") ?? false }

    /// The offered qualities of protection in lower case; empty where the field has none (RFC 2069 style).
    package var qop: [String] {
        guard let text = parameters["qop"] else { return [] }
        return text.utf8.split { $0 == UInt8(ascii: ",") || $0.isBlank }.map { String(Substring($0)).asciiLowercased }
    }
}

/// The challenge of a user agent server or registrar, 401 (RFC 3261 §20.44).
package struct WWWAuthenticate: Challenge {
    package static var name: HeaderName { .wwwAuthenticate }
    package var parameters: AuthenticationParameters
    package init(parameters: AuthenticationParameters) { self.parameters = parameters }
}

/// The challenge of a proxy, 407 (RFC 3261 §20.27).
package struct ProxyAuthenticate: Challenge {
    package static var name: HeaderName { .proxyAuthenticate }
    package var parameters: AuthenticationParameters
    package init(parameters: AuthenticationParameters) { self.parameters = parameters }
}

/// What answers a challenge.
package protocol Credentials: AuthenticationField {}

extension Credentials {
    package var username: String? { parameters["username"] }
    package var uri: String? { parameters["uri"] }
    package var response: String? { parameters["response"] }
    package var cnonce: String? { parameters["cnonce"] }
    package var nonceCount: UInt32? { parameters["nc"].flatMap { UInt32($0, radix: 16) } }
}

/// Credentials for a user agent server or registrar (RFC 3261 §20.7).
package struct Authorization: Credentials {
    package static var name: HeaderName { .authorization }
    package var parameters: AuthenticationParameters
    package init(parameters: AuthenticationParameters) { self.parameters = parameters }
}

/// Credentials for a proxy (RFC 3261 §20.28).
package struct ProxyAuthorization: Credentials {
    package static var name: HeaderName { .proxyAuthorization }
    package var parameters: AuthenticationParameters
    package init(parameters: AuthenticationParameters) { self.parameters = parameters }
}

/// The server's side of a mutual authentication, and its next nonce (RFC 3261 §20.6, RFC 7616 §3.5).
package struct AuthenticationInfo: HeaderField {
    package static var name: HeaderName { .authenticationInfo }
    package static var shape: FieldShape { .single }
    package var parameters: AuthenticationParameters

    package init(parameters: AuthenticationParameters) { self.parameters = parameters }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        parameters = try AuthenticationParameters(listIn: &cursor)
    }

    package func write(to writer: inout MessageWriter) { parameters.write(to: &writer) }

    package var nextNonce: String? { parameters["nextnonce"] }
    package var responseDigest: String? { parameters["rspauth"] }
}
