/// The type of the body (RFC 3261 §20.15).
package struct ContentType: HeaderField {
    package static var name: HeaderName { .contentType }
    package static var shape: FieldShape { .single }
    package var type: String
    package var subtype: String
    package var parameters: Parameters

    package init(_ type: String, _ subtype: String, parameters: Parameters = Parameters()) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
    }

    package static let sdp = ContentType("application", "sdp")
    package static let plainText = ContentType("text", "plain")
    /// Several parts, of which any that is not optional must be understood.
    /// Whether it is that of SDP, whatever its parameters.
    package var isDescription: Bool { isType("application", "sdp") }

    package static let mixed = ContentType("multipart", "mixed")
    /// The range of all types.
    package static let any = ContentType("*", "*")
    /// The range of all types of text.
    package static let anyText = ContentType("text", "*")

    /// Whether type and subtype are these, in any case, whatever the parameters.
    package func isType(_ type: String, _ subtype: String) -> Bool {
        self.type.equalsIgnoringCase(type) && self.subtype.equalsIgnoringCase(subtype)
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        type = try cursor.token()
        guard cursor.takeSeparator(UInt8(ascii: "/")) else { throw cursor.fault(.expected(.separator)) }
        subtype = try cursor.token()
        parameters = try Parameters(parsingField: &cursor)
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(type)
        writer.write(fixed: "/")
        writer.write(subtype)
        parameters.write(to: &writer, as: .field)
    }
}

/// One type or range of types that the sender takes as a body (RFC 3261 §20.1).
package struct Accept: HeaderField {
    package static var name: HeaderName { .accept }
    package static var shape: FieldShape { .list(limit: MessageLimits.standard.headerFieldsPerName, mayBeEmpty: true) }
    /// `*` stands for every type or subtype.
    package var range: ContentType

    package init(_ range: ContentType) { self.range = range }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        self.init(try ContentType(parsing: &cursor))
    }

    package func write(to writer: inout MessageWriter) { range.write(to: &writer) }
}

extension ContentType {
    /// How closely the range names a type: 2 by type and subtype, 1 by type, 0 as any; nil where it does not.
    private func closeness(to other: ContentType) -> Int? {
        if isType(other.type, other.subtype) { return 2 }
        guard subtype == "*" else { return nil }
        if type == "*" { return 0 }
        return type.equalsIgnoringCase(other.type) ? 1 : nil
    }

    /// Whether a body of that type is taken by who names these ranges; of two that are as close the first decides.
    static func admit(_ type: ContentType, by ranges: some Sequence<ContentType>) -> Bool {
        var best = -1
        var isTaken = false
        for range in ranges {
            guard let closeness = range.closeness(to: type), closeness > best else { continue }
            best = closeness
            isTaken = range.parameters["q"].map { qualityValue($0) != 0 } ?? true
        }
        return isTaken
    }
}

extension [Accept] {
    /// Whether a body of that type is taken: the range that names it most closely decides, and `q=0` shuts it out
    /// (RFC 3261 §20.1 by way of RFC 2616 §14.1).
    package func admit(_ type: ContentType) -> Bool {
        ContentType.admit(type, by: lazy.map(\.range))
    }
}

/// What the recipient is to do with the body (RFC 3261 §20.11).
package struct ContentDisposition: HeaderField {
    package static var name: HeaderName { .contentDisposition }
    package static var shape: FieldShape { .single }
    package var disposition: String
    package var parameters: Parameters

    package init(_ disposition: String, parameters: Parameters = Parameters()) {
        self.disposition = disposition
        self.parameters = parameters
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        (disposition, parameters) = try cursor.tokenAndParameters()
    }

    package func write(to writer: inout MessageWriter) { writer.write(disposition, parameters) }

    /// Whether a body that is not understood may be ignored; without the parameter it may not.
    package var isOptional: Bool { parameters["handling"]?.equalsIgnoringCase("optional") ?? false }

    /// Whether a body that is no description can be taken: what it is for is known, or nobody says in so many words that
    /// it has to be. Without `handling` that would be so too (§20.11), but peers say it of bodies that are read the same.
    package var isTaken: Bool {
        let isRequired = parameters["handling"]?.equalsIgnoringCase("required") ?? false
        return !isRequired || Self.known.contains { disposition.equalsIgnoringCase($0) }
    }

    /// RFC 3261 §20.11, RFC 2183 §2.1, RFC 3204 §6 (digits in INFO), RFC 5438 §9 (IMDN), RFC 6086 §7.3.
    private static let known = ["session", "render", "inline", "signal", "notification", "info-package"]

    /// Whether the body describes the session itself, not its early media (RFC 3959 §5) or a text to be shown.
    package var isSession: Bool { disposition.equalsIgnoringCase("session") }
}
