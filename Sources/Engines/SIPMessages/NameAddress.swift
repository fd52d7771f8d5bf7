/// A `name-addr` or `addr-spec` with its parameters, as in From, To, Contact and Route (RFC 3261 §20.10, §20.20): the
/// text that it came in or was put together as, and where its parts stand there.
package struct NameAddress: Sendable {
    private let bytes: [UInt8]
    private let name: Extent
    private let nameForm: NameForm
    /// Whether the URI came between angle brackets, as it always goes. Without them what follows it are parameters of the
    /// field, never its own (RFC 3261 §20).
    package private(set) var isBracketed = true
    private let uriLayout: URI.Layout
    private let parametersExtent: Extent

    /// How the display name stands in the bytes.
    private enum NameForm {
        case absent
        /// As it is meant.
        case plain
        /// With backslashes before some of its characters.
        case escaped
    }

    package init(displayName: String? = nil, uri: URI, parameters: Parameters = Parameters()) {
        var writer = MessageWriter(reserving: 96)
        var name = 0..<0
        if let displayName {
            writer.write(quoted: displayName)
            name = 1..<Int(writer.end) - 1
        }
        uriLayout = uri.place(in: &writer)
        let parametersStart = Int(writer.end)
        parameters.write(to: &writer, as: .field)
        self.name = Extent(name)
        nameForm = displayName == nil ? .absent : .escaped
        parametersExtent = Extent(parametersStart..<Int(writer.end))
        bytes = writer.bytes
    }

    /// Reads a whole `name-addr` or `addr-spec` with parameters, as a configuration or a user gives it.
    package init(parsing text: String) throws(ParseError) {
        var cursor = FieldCursor(text)
        do throws(FieldFault) {
            try self.init(parsing: &cursor)
            try cursor.expectEnd()
        } catch {
            throw ParseError(error.kind, offset: error.offset)
        }
    }

    /// The display name without quotes and backslashes.
    package var displayName: String? {
        get {
            switch nameForm {
            case .absent: nil
            case .plain: FieldCursor(bytes, name.range).text(name.range)
            case .escaped: FieldCursor(bytes, name.range).unquoted(name.range)
            }
        }
        set { self = NameAddress(displayName: newValue, uri: uri, parameters: parameters) }
    }

    package var uri: URI {
        get { URI(bytes, uriLayout) }
        set { self = NameAddress(displayName: displayName, uri: newValue, parameters: parameters) }
    }

    /// The parameters of the header field, not those of the URI.
    package var parameters: Parameters {
        get { Parameters(.field, checked: bytes, parametersExtent.range) }
        set { self = NameAddress(displayName: displayName, uri: uri, parameters: newValue) }
    }

    package var tag: String? {
        get { parameters["tag"] }
        set { parameters["tag"] = newValue }
    }

    /// Whether there is a tag; cheaper than to look at it.
    package var hasTag: Bool { parameters.hasValue("tag") }

    /// Whether the tag has more octets than that on the wire.
    @inline(__always)
    func hasTag(longerThan limit: UInt16) -> Bool {
        parametersExtent.count > UInt32(limit) && parameters.exceeds(limit, in: "tag")
    }
}

extension NameAddress: Hashable {
    package static func == (left: NameAddress, right: NameAddress) -> Bool {
        left.displayName == right.displayName && left.uri == right.uri && left.parameters == right.parameters
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(displayName)
        hasher.combine(uri)
        hasher.combine(parameters)
    }
}

// MARK: - Reading

extension NameAddress {
    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        let (name, form) = try Self.displayName(&cursor)
        let isBare = !cursor.take(UInt8(ascii: "<"))
        let uri = try URI.Layout(parsing: &cursor, isBare: isBare)
        if !isBare, !cursor.take(UInt8(ascii: ">")) { throw cursor.fault(.expected(.angleBracket)) }
        let (parameters, isPlain) = try Parameters.passFieldParameters(&cursor)
        self.init(
            bytes: cursor.bytes, name: Extent(name), nameForm: form, uriLayout: uri,
            parametersExtent: Extent(parameters))
        // White space between the parameters is the rare case, and pays for a copy.
        if !isPlain { self.parameters = Parameters(normalising: cursor, parameters) }
        isBracketed = !isBare
    }

    private init(
        bytes: [UInt8], name: Extent, nameForm: NameForm, uriLayout: URI.Layout, parametersExtent: Extent
    ) {
        self.bytes = bytes
        self.name = name
        self.nameForm = nameForm
        self.uriLayout = uriLayout
        self.parametersExtent = parametersExtent
    }

    /// The display name, if a `<` follows it; no white space need stand between (RFC 4475 §3.1.1.6).
    @inline(__always)
    private static func displayName(
        _ cursor: inout FieldCursor
    ) throws(FieldFault) -> (range: Range<Int>, form: NameForm) {
        cursor.skipBlanks()
        guard let first = cursor.next else { throw cursor.fault(.expected(.address)) }
        if first == UInt8(ascii: "<") { return (0..<0, .absent) }
        return try nonEmptyName(&cursor, first)
    }

    private static func nonEmptyName(
        _ cursor: inout FieldCursor, _ first: UInt8
    ) throws(FieldFault) -> (range: Range<Int>, form: NameForm) {
        if first == UInt8(ascii: "\"") {
            let (range, isEscaped) = try cursor.quotedRange()
            cursor.skipBlanks()
            if cursor.next != UInt8(ascii: "<") { throw cursor.fault(.expected(.address)) }
            return (range, isEscaped ? .escaped : .plain)
        }
        let start = cursor.position
        var last = start
        // Tokens, and beyond the grammar UTF-8, which peers do not always quote.
        while let byte = cursor.next {
            if ByteSet.token.contains(byte) || byte >= 0x80 {
                cursor.position &+= 1
                last = cursor.position
            } else if byte.isBlank {
                cursor.position &+= 1
            } else {
                break
            }
        }
        try cursor.spend(cursor.position &- start)
        if cursor.next == UInt8(ascii: "<") { return (start..<last, .plain) }
        cursor.position = start
        return (0..<0, .absent)
    }
}

// MARK: - Writing

extension NameAddress: CustomStringConvertible {
    package func write(to writer: inout MessageWriter) {
        switch nameForm {
        case .absent:
            writer.write(fixed: "<")
        case .plain:
            writer.write(fixed: "\"")
            writer.write(raw: bytes, name.range)
            writer.write(fixed: "\" <")
        case .escaped:
            writer.write(quoted: displayName ?? "")
            writer.write(fixed: " <")
        }
        uriLayout.write(bytes, to: &writer)
        writer.write(fixed: ">")
        writer.write(raw: bytes, parametersExtent.range)
    }

    package var description: String {
        var writer = MessageWriter(reserving: 64)
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
