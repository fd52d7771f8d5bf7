/// A field whose value is one count of seconds.
package protocol SecondsField: HeaderField {
    var seconds: UInt32 { get }
    init(_ seconds: UInt32)
}

extension SecondsField {
    package static var shape: FieldShape { .single }

    /// A number beyond 32 bits is a fault (RFC 3261 §20.19: at most 2**32-1).
    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        self.init(UInt32(truncatingIfNeeded: try cursor.number()))
    }

    package func write(to writer: inout MessageWriter) { writer.write(number: UInt64(seconds)) }
}

/// For how long the message or registration is valid (RFC 3261 §20.19).
package struct Expires: SecondsField {
    package static var name: HeaderName { .expires }
    package var seconds: UInt32
    package init(_ seconds: UInt32) { self.seconds = seconds }
}

/// The shortest registration that a registrar takes (RFC 3261 §20.23).
package struct MinExpires: SecondsField {
    package static var name: HeaderName { .minExpires }
    package var seconds: UInt32
    package init(_ seconds: UInt32) { self.seconds = seconds }
}

/// When to try again (RFC 3261 §20.33): seconds, a comment, `duration` and other parameters.
package struct RetryAfter: HeaderField {
    package static var name: HeaderName { .retryAfter }
    package static var shape: FieldShape { .single }
    package var seconds: UInt32
    package var parameters: Parameters

    package init(_ seconds: UInt32, parameters: Parameters = Parameters()) {
        self.seconds = seconds
        self.parameters = parameters
    }

    /// The comment is read and dropped: it is for people who would read it in a trace.
    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        seconds = UInt32(truncatingIfNeeded: try cursor.number())
        cursor.skipBlanks()
        try cursor.skipComment()
        parameters = try Parameters(parsingField: &cursor)
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(number: UInt64(seconds))
        parameters.write(to: &writer, as: .field)
    }
}

extension FieldCursor {
    /// Passes over a comment in parentheses, nested ones counted and not recursed into; nothing if there is none.
    mutating func skipComment() throws(FieldFault) {
        let start = position
        guard take(UInt8(ascii: "(")) else { return }
        var depth = 1
        while let byte = next {
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            if depth == 0 { return try spend(position - start) }
        }
        throw FieldFault(.unterminatedQuote, at: start)
    }
}
