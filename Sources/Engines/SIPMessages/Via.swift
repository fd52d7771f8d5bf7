import EngineKit

/// One value of Via: a hop that the request came by and the response goes back by (RFC 3261 §20.42, RFC 3581).
package struct Via: Sendable {
    /// Protocol name and version, `SIP/2.0` but from the strangest of peers.
    package var sentProtocol: String
    package var transport: Transport
    /// What holds host and parameters: the message that they came in, or their own text.
    private var bytes: [UInt8]
    private var layout: Layout

    /// Where the parts stand in the bytes.
    private struct Layout {
        var host: Extent
        var parameters: Extent
        var port: UInt16?
    }

    package init(
        transport: Transport, host: Host, port: UInt16? = nil, branch: String? = nil,
        parameters: Parameters = Parameters()
    ) {
        sentProtocol = Self.standardProtocol
        self.transport = transport
        (bytes, layout) = Self.placed(host, port, parameters)
        if let branch { self.branch = branch }
    }

    /// The host of sent-by.
    package var host: Host {
        get { Host(written: bytes, layout.host.range) }
        set { (bytes, layout) = Self.placed(newValue, port, parameters) }
    }

    /// The port of sent-by.
    package var port: UInt16? {
        get { layout.port }
        set { (bytes, layout) = Self.placed(host, newValue, parameters) }
    }

    package var parameters: Parameters {
        get { Parameters(.field, checked: bytes, layout.parameters.range) }
        set { (bytes, layout) = Self.placed(host, port, newValue) }
    }

    private static func placed(_ host: Host, _ port: UInt16?, _ parameters: Parameters) -> ([UInt8], Layout) {
        var writer = MessageWriter(reserving: 96)
        host.write(to: &writer)
        let hostEnd = Int(writer.end)
        parameters.write(to: &writer, as: .field)
        let layout = Layout(
            host: Extent(0..<hostEnd), parameters: Extent(hostEnd..<Int(writer.end)), port: port)
        return (writer.bytes, layout)
    }

    package var branch: String? {
        get { parameters["branch"] }
        set { parameters["branch"] = newValue }
    }

    /// What every branch made by RFC 3261 begins with (§8.1.1.7).
    package static let magicCookie = "z9hG4bK"

    /// Whether the branch alone names the transaction (§17.2.3): it begins with the magic cookie, as parameter values
    /// compare without case (§7.3.1), and goes on from there.
    package var isBranchUnique: Bool { uniqueBranch != nil }

    private var uniqueBranch: FieldCursor? {
        guard let branch = parameters.cursor(of: "branch") else { return nil }
        var cursor = branch
        return cursor.take("z9hg4bk") && !cursor.isAtEnd ? branch : nil
    }

    /// What names a transaction together with its method (§17.2.3): sent-by and branch. Nil where the branch names none.
    package var transactionName: [UInt8]? {
        guard let branch = uniqueBranch?.unread else { return nil }
        let sentBy = sentBy.utf8
        var name: [UInt8] = []
        name.reserveCapacity(sentBy.count + 1 + branch.count)
        name += sentBy
        // Neither host nor port has one.
        name.append(UInt8(ascii: " "))
        name += branch
        return name
    }

    /// Whether the branch is the magic cookie and nothing more.
    var isBranchBare: Bool {
        // Quoted, and with a backslash before each letter, it has 16 octets: of a longer one no text is made.
        !parameters.exceeds(16, in: "branch") && branch?.equalsIgnoringCase(Self.magicCookie) == true
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

    /// Host in lower case and port, the default one filled in: what transaction matching compares (§17.2.3).
    package var sentBy: String {
        let (range, port) = (layout.host.range, port ?? transport.defaultPort)
        // An IPv6 address has many spellings.
        if range.isEmpty || bytes[range.lowerBound] == UInt8(ascii: "[") { return "\(host):\(port)" }
        return String(unsafeUninitializedCapacity: range.count + 6) { text in
            var end = 0
            for byte in bytes[range] {
                text[end] = byte.lowercased
                end &+= 1
            }
            text[end] = UInt8(ascii: ":")
            return Self.write(port, to: text, from: end &+ 1)
        }
    }

    /// Writes at most five digits.
    ///
    /// - Returns: where they end.
    private static func write(_ port: UInt16, to text: UnsafeMutableBufferPointer<UInt8>, from start: Int) -> Int {
        var (unit, end): (UInt16, Int) = (10_000, start)
        while unit > 1, port < unit { unit /= 10 }
        while unit > 0 {
            text[end] = UInt8(truncatingIfNeeded: port / unit % 10) &+ 0x30
            end &+= 1
            unit /= 10
        }
        return end
    }

    /// As §18.2.1 and RFC 3581 §4 complete it where the request comes in: `received` and `rport` of the source, in
    /// the place of those that are there.
    package func completed(received source: IPAddress, port: UInt16?) -> Via {
        var completed = parameters
        if let port { completed["rport"] = String(port) }
        completed["received"] = source.description
        var via = self
        via.parameters = completed
        return via
    }
}

extension Via {
    init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        let sentProtocol = cursor.take("sip/2.0/") ? Self.standardProtocol : try Self.sentProtocol(&cursor)
        cursor.skipBlanks()
        let transport = try Transport(parsing: &cursor)
        guard let blank = cursor.next, blank.isBlank else { throw cursor.fault(.expected(.separator)) }
        cursor.skipBlanks()
        let host = try Host.range(&cursor)
        var port: UInt16?
        if cursor.takeSeparator(UInt8(ascii: ":")) {
            port = UInt16(truncatingIfNeeded: try cursor.number(upTo: UInt64(UInt16.max)))
        }
        let (parameters, isPlain) = try Parameters.passFieldParameters(&cursor)
        self.init(
            sentProtocol: sentProtocol, transport: transport, bytes: cursor.bytes,
            layout: Layout(host: Extent(host), parameters: Extent(parameters), port: port))
        // White space between the parameters is the rare case, and pays for a copy.
        if !isPlain { self.parameters = Parameters(normalising: cursor, parameters) }
        let limit = cursor.limits.identifier
        if layout.parameters.count > UInt32(limit), self.parameters.exceeds(limit, in: "branch") {
            throw cursor.fault(.tooLong(.identifier))
        }
    }

    private init(sentProtocol: String, transport: Transport, bytes: [UInt8], layout: Layout) {
        self.sentProtocol = sentProtocol
        self.transport = transport
        self.bytes = bytes
        self.layout = layout
    }

    /// A protocol that is none of ours or is spelt in an unusual way, and the slash before the transport.
    private static func sentProtocol(_ cursor: inout FieldCursor) throws(FieldFault) -> String {
        let name = try cursor.tokenRange()
        try cursor.expectSlash()
        let version = try cursor.tokenRange()
        try cursor.expectSlash()
        if cursor.matches(name, "sip"), cursor.isExactly(version, "2.0") { return standardProtocol }
        return cursor.text(name) + "/" + cursor.text(version)
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(sentProtocol)
        writer.write(fixed: "/")
        writer.write(transport.name)
        writer.write(fixed: " ")
        writer.write(raw: bytes, layout.host.range)
        if let port {
            writer.write(fixed: ":")
            writer.write(number: UInt64(port))
        }
        writer.write(raw: bytes, layout.parameters.range)
    }

    private static var standardProtocol: String { "SIP/2.0" }
}

extension Via: Hashable {
    package static func == (left: Via, right: Via) -> Bool {
        left.sentProtocol == right.sentProtocol && left.transport == right.transport && left.host == right.host
            && left.port == right.port && left.parameters == right.parameters
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(sentProtocol)
        hasher.combine(transport)
        hasher.combine(host)
        hasher.combine(port)
        hasher.combine(parameters)
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
