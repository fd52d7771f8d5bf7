extension FieldCursor {
    /// A token and the parameters behind it.
    mutating func tokenAndParameters() throws(FieldFault) -> (String, Parameters) {
        skipBlanks()
        return (try token(), try Parameters(parsingField: &self))
    }
}

extension MessageWriter {
    /// A token and the parameters behind it.
    mutating func write(_ token: String, _ parameters: Parameters) {
        write(token)
        parameters.write(to: &self, as: .field)
    }
}

/// Why a request or response was sent (RFC 3326): `SIP;cause=200;text="Call completed elsewhere"`.
package struct Reason: HeaderField {
    package static var name: HeaderName { .reason }
    package static var shape: FieldShape { .list(limit: 16) }
    /// `SIP`, `Q.850` or another.
    package var protocolName: String
    package var parameters: Parameters

    package init(protocolName: String, cause: Int? = nil, text: String? = nil) {
        self.protocolName = protocolName
        parameters = Parameters()
        if let cause { parameters.append("cause", String(cause)) }
        if let text { parameters.append("text", text) }
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        (protocolName, parameters) = try cursor.tokenAndParameters()
    }

    package func write(to writer: inout MessageWriter) { writer.write(protocolName, parameters) }

    package var cause: Int? { parameters["cause"].flatMap { Int($0) } }
    package var text: String? { parameters["text"] }
}

/// A note on the status of a response (RFC 3261 §20.43).
package struct Warning: HeaderField {
    package static var name: HeaderName { .warning }
    package static var shape: FieldShape { .list(limit: 16) }
    /// Three digits, 3xx in SIP.
    package var code: Int
    /// The host or name of who adds the note.
    package var agent: String
    package var text: String

    package init(code: Int, agent: String, text: String) {
        self.code = code
        self.agent = agent
        self.text = text
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        code = Int(truncatingIfNeeded: try cursor.number(upTo: 999))
        cursor.skipBlanks()
        let range = try cursor.run(of: .parameterValue)
        if range.isEmpty { throw cursor.fault(.expected(.host)) }
        agent = cursor.text(range)
        cursor.skipBlanks()
        text = try cursor.quotedString()
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(number: UInt64(clamping: min(code, 999)))
        writer.write(fixed: " ")
        writer.write(agent)
        writer.write(fixed: " ")
        writer.write(quoted: text)
    }
}
