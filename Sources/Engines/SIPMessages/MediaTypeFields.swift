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
    package static var shape: FieldShape { .list(limit: MessageLimits.standard.headerFieldsPerName) }
    /// `*` stands for every type.
    package var type: String
    /// `*` stands for every subtype.
    package var subtype: String
    package var parameters: Parameters

    package init(_ type: String, _ subtype: String, parameters: Parameters = Parameters()) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        let range = try ContentType(parsing: &cursor)
        self.init(range.type, range.subtype, parameters: range.parameters)
    }

    package func write(to writer: inout MessageWriter) {
        ContentType(type, subtype, parameters: parameters).write(to: &writer)
    }

    /// Whether a body of that type falls into the range; `q=0` shuts it out.
    package func admits(_ type: String, _ subtype: String) -> Bool {
        if let quality = parameters["q"], qualityValue(quality) == 0 { return false }
        return (self.type == "*" || self.type.equalsIgnoringCase(type))
            && (self.subtype == "*" || self.subtype.equalsIgnoringCase(subtype))
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
        cursor.skipBlanks()
        disposition = try cursor.token()
        parameters = try Parameters(parsingField: &cursor)
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(disposition)
        parameters.write(to: &writer, as: .field)
    }

    /// Whether a body that is not understood may be ignored; without the parameter it may not.
    package var isOptional: Bool { parameters["handling"]?.equalsIgnoringCase("optional") ?? false }
}
