/// A `name-addr` or `addr-spec` with its parameters, as in From, To, Contact and Route (RFC 3261 §20.10, §20.20).
package struct NameAddress: Hashable, Sendable {
    /// The display name without quotes and backslashes.
    package var displayName: String?
    package var uri: URI
    /// The parameters of the header field, not those of the URI.
    package var parameters: Parameters

    package init(displayName: String? = nil, uri: URI, parameters: Parameters = Parameters()) {
        self.displayName = displayName
        self.uri = uri
        self.parameters = parameters
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

    package var tag: String? {
        get { parameters["tag"] }
        set { parameters["tag"] = newValue }
    }
}

extension NameAddress {
    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        let displayName = try Self.displayName(&cursor)
        let isBare = !cursor.take(UInt8(ascii: "<"))
        let uri = try URI(parsing: &cursor, isBare: isBare)
        if !isBare, !cursor.take(UInt8(ascii: ">")) { throw cursor.fault(.expected(.angleBracket)) }
        self.init(displayName: displayName, uri: uri, parameters: try Parameters(parsingField: &cursor))
    }

    /// The display name, if a `<` follows it; no white space need stand between (RFC 4475 §3.1.1.6).
    private static func displayName(_ cursor: inout FieldCursor) throws(FieldFault) -> String? {
        cursor.skipBlanks()
        guard let first = cursor.next else { throw cursor.fault(.expected(.address)) }
        if first == UInt8(ascii: "<") { return nil }
        if first == UInt8(ascii: "\"") {
            let name = try cursor.quotedString()
            cursor.skipBlanks()
            if cursor.next != UInt8(ascii: "<") { throw cursor.fault(.expected(.address)) }
            return name
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
        if cursor.next == UInt8(ascii: "<") { return cursor.text(start..<last) }
        cursor.position = start
        return nil
    }

    package func write(to writer: inout MessageWriter) {
        if let displayName {
            writer.write(quoted: displayName)
            writer.write(fixed: " ")
        }
        writer.write(fixed: "<")
        uri.write(to: &writer)
        writer.write(fixed: ">")
        parameters.write(to: &writer, as: .field)
    }
}

extension NameAddress: CustomStringConvertible {
    package var description: String {
        var writer = MessageWriter(reserving: 64)
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
