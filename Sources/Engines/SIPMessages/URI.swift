/// A URI of a request line or a header field: SIP and SIPS taken apart, others kept as text.
package enum URI: Hashable, Sendable {
    case sip(SIPURI)
    /// The scheme in lower case, and what follows its colon.
    case other(scheme: String, rest: String)

    /// Reads a whole URI, as in a request line or a user's target; nothing may follow.
    package init(parsing text: String) throws(ParseError) {
        var cursor = FieldCursor(text)
        do throws(FieldFault) {
            try self.init(parsing: &cursor, isBare: false)
            if !cursor.isAtEnd { throw cursor.fault(.expected(.end)) }
        } catch {
            throw ParseError(error.kind, offset: error.offset)
        }
    }

    /// The scheme in lower case.
    package var scheme: String {
        switch self {
        case .sip(let uri): uri.isSecure ? "sips" : "sip"
        case .other(let scheme, _): scheme
        }
    }

    package var sipURI: SIPURI? {
        if case .sip(let uri) = self { uri } else { nil }
    }

    init(parsing cursor: inout FieldCursor, isBare: Bool) throws(FieldFault) {
        self.init(cursor.bytes, try Layout(parsing: &cursor, isBare: isBare))
    }

    static func checkLength(_ cursor: borrowing FieldCursor, from start: Int) throws(FieldFault) {
        if cursor.position - start > Int(cursor.limits.uri) { throw FieldFault(.tooLong(.uri), at: start) }
    }
}

// MARK: - Over the bytes of something larger

extension URI {
    /// Where the parts of a URI stand in the bytes that hold it.
    enum Layout: Sendable {
        case sip(SIPURI.Layout)
        case other(scheme: Extent, rest: Extent)
    }

    init(_ bytes: [UInt8], _ layout: Layout) {
        switch layout {
        case .sip(let layout):
            self = .sip(SIPURI(bytes, layout))
        case .other(let scheme, let rest):
            let cursor = FieldCursor(bytes, scheme.range)
            self = .other(scheme: cursor.text(scheme.range).asciiLowercased, rest: cursor.text(rest.range))
        }
    }

    /// The same in a buffer of its own, for whoever keeps it longer than the message that it came in.
    package var detached: URI {
        var writer = MessageWriter(reserving: 64)
        let layout = place(in: &writer)
        return URI(writer.bytes, layout)
    }

    /// Writes the URI and tells where its parts stand then.
    func place(in writer: inout MessageWriter) -> Layout {
        let start = Int(writer.end)
        write(to: &writer)
        switch self {
        case .sip(let uri):
            return .sip(uri.layout.moved(to: writer.end &- UInt32(truncatingIfNeeded: uri.layout.text.count)))
        case .other:
            let end = Int(writer.end)
            let colon = writer.bytes[start..<end].firstIndex(of: UInt8(ascii: ":")) ?? start
            return .other(scheme: Extent(start..<colon), rest: Extent(min(colon + 1, end)..<end))
        }
    }
}

extension URI.Layout {
    @inline(__always)
    init(parsing cursor: inout FieldCursor, isBare: Bool) throws(FieldFault) {
        let start = cursor.position
        let isSIP = cursor.take("sip:")
        if isSIP || cursor.take("sips:") {
            self = .sip(try SIPURI.Layout(afterScheme: &cursor, isSecure: !isSIP, isBare: isBare, from: start))
        } else {
            self = try Self.other(&cursor, isBare: isBare)
        }
    }

    private static func other(_ cursor: inout FieldCursor, isBare: Bool) throws(FieldFault) -> URI.Layout {
        let start = cursor.position
        let scheme = try cursor.run(of: .scheme)
        guard !scheme.isEmpty, cursor.take(UInt8(ascii: ":")), let first = cursor.byte(at: start), !first.isDigit
        else { throw FieldFault(.expected(.uri), at: start) }
        let rest = try cursor.escapedRun(of: isBare ? .bareOpaque : .opaque)
        if rest.isEmpty { throw FieldFault(.expected(.uri), at: start) }
        try URI.checkLength(cursor, from: start)
        return .other(scheme: Extent(scheme), rest: Extent(rest))
    }

    func write(_ bytes: [UInt8], to writer: inout MessageWriter) {
        switch self {
        case .sip(let layout):
            if layout.isSecure { writer.write(fixed: "sips:") } else { writer.write(fixed: "sip:") }
            writer.write(raw: bytes, layout.text)
        case .other:
            URI(bytes, self).write(to: &writer)
        }
    }
}

extension URI: CustomStringConvertible {
    func write(to writer: inout MessageWriter) {
        switch self {
        case .sip(let uri):
            Layout.sip(uri.layout).write(uri.bytes, to: &writer)
        case .other(let scheme, let rest):
            writer.write(escaping: scheme, keeping: .scheme)
            writer.write(fixed: ":")
            // The text came with its escapes, so the percent sign stays; what can't stand in a URI is escaped.
            var isFirst = true
            for piece in rest.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false) {
                if !isFirst { writer.write(fixed: "%") }
                writer.write(escaping: String(Substring(piece)), keeping: .opaque)
                isFirst = false
            }
        }
    }

    package var description: String {
        var writer = MessageWriter(reserving: 64)
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
