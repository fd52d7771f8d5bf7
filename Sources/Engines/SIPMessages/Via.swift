import EngineKit

/// One value of Via: a hop that the request came by and the response goes back by (RFC 3261 §20.42, RFC 3581).
package struct Via: Hashable, Sendable {
    /// Protocol name and version, `SIP/2.0` but from the strangest of peers.
    package var sentProtocol: String
    package var transport: Transport
    /// The host of sent-by.
    package var host: Host
    /// The port of sent-by.
    package var port: UInt16?
    package var parameters: Parameters

    package init(
        transport: Transport, host: Host, port: UInt16? = nil, branch: String? = nil,
        parameters: Parameters = Parameters()
    ) {
        sentProtocol = "SIP/2.0"
        self.transport = transport
        self.host = host
        self.port = port
        self.parameters = parameters
        if let branch { self.branch = branch }
    }

    package var branch: String? {
        get { parameters["branch"] }
        set { parameters["branch"] = newValue }
    }

    /// What every branch made by RFC 3261 begins with (§8.1.1.7).
    package static let magicCookie = "z9hG4bK"

    /// Whether the branch alone names the transaction (§17.2.3): it begins with the magic cookie, as parameter values
    /// compare without case (§7.3.1), and goes on from there.
    package var isBranchUnique: Bool {
        guard let branch, branch.utf8.count > Self.magicCookie.utf8.count else { return false }
        return zip(branch.utf8, Self.magicCookie.utf8).allSatisfy { $0.lowercased == $1.lowercased }
    }

    /// Where the request really came from (§18.2.1).
    package var received: IPAddress? {
        get { parameters["received"].flatMap { Host($0).address } }
        set { parameters["received"] = newValue?.description }
    }

    /// The state of the rport parameter (RFC 3581).
    package enum ResponsePort: Hashable, Sendable {
        case absent
        /// `;rport`: the server is asked to answer to the source port.
        case requested
        case value(UInt16)
    }

    package var rport: ResponsePort {
        get {
            guard parameters.contains("rport") else { return .absent }
            guard let port = parameters["rport"].flatMap({ UInt16($0) }) else { return .requested }
            return .value(port)
        }
        set {
            switch newValue {
            case .absent:
                parameters.remove("rport")
            case .requested:
                parameters.remove("rport")
                parameters.append("rport")
            case .value(let port):
                parameters["rport"] = String(port)
            }
        }
    }

    package var maddr: Host? { parameters["maddr"].map { Host($0) } }

    /// The multicast time to live.
    package var ttl: UInt8? { parameters["ttl"].flatMap { UInt8($0) } }

    /// Host in lower case and port, the default one filled in: what transaction matching compares (§17.2.3).
    package var sentBy: String { "\(host.description.asciiLowercased):\(port ?? transport.defaultPort)" }
}

extension Via {
    init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        let name = try cursor.tokenRange()
        try cursor.expectSlash()
        let version = try cursor.tokenRange()
        try cursor.expectSlash()
        let transport = try Transport(parsing: &cursor)
        guard let blank = cursor.next, blank.isBlank else { throw cursor.fault(.expected(.separator)) }
        cursor.skipBlanks()
        let host = try Host(parsing: &cursor)
        var port: UInt16?
        if cursor.takeSeparator(UInt8(ascii: ":")) {
            port = UInt16(truncatingIfNeeded: try cursor.number(upTo: UInt64(UInt16.max)))
        }
        let parameters = try Parameters(parsingField: &cursor)
        if parameters.exceeds(cursor.limits.identifier, in: "branch") {
            throw cursor.fault(.tooLong(.identifier))
        }
        self.init(transport: transport, host: host, port: port, parameters: parameters)
        if !cursor.matches(name, "sip") || !cursor.isExactly(version, "2.0") {
            sentProtocol = cursor.text(name) + "/" + cursor.text(version)
        }
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(sentProtocol)
        writer.write(fixed: "/")
        writer.write(transport.name)
        writer.write(fixed: " ")
        host.write(to: &writer)
        if let port {
            writer.write(fixed: ":")
            writer.write(number: UInt64(port))
        }
        parameters.write(to: &writer, as: .field)
    }
}

extension FieldCursor {
    @inline(__always)
    fileprivate mutating func expectSlash() throws(FieldFault) {
        if !takeSeparator(UInt8(ascii: "/")) { throw fault(.expected(.separator)) }
    }
}

extension Via: CustomStringConvertible {
    package var description: String {
        var writer = MessageWriter(reserving: 64)
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
