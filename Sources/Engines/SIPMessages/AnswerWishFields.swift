/// Which of the two fields it is that says how the caller wants to be put through.
package protocol AnswerModeName {
    static var name: HeaderName { get }
}

/// Whether the caller wants to be put through without a person (RFC 5373 §4): `Auto`, `Manual`.
package struct AnswerModeField<Name: AnswerModeName>: HeaderField {
    package static var name: HeaderName { Name.name }
    package static var shape: FieldShape { .single }
    package var mode: String
    package var parameters: Parameters

    package init(_ mode: String) {
        self.mode = mode
        parameters = Parameters()
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        (mode, parameters) = try cursor.tokenAndParameters()
    }

    package func write(to writer: inout MessageWriter) { writer.write(mode, parameters) }

    package var isAutomatic: Bool { mode.equalsIgnoringCase("Auto") }
    package var isManual: Bool { mode.equalsIgnoringCase("Manual") }
    /// Whether the call is to be refused where the wish is not met.
    package var isRequired: Bool { parameters.contains("require") }
}

package typealias AnswerMode = AnswerModeField<OrdinaryAnswerMode>

/// The same of one who claims the right to be put through whatever the callee does.
package typealias PrivAnswerMode = AnswerModeField<PrivilegedAnswerMode>

package enum OrdinaryAnswerMode: AnswerModeName {
    package static var name: HeaderName { .answerMode }
}

package enum PrivilegedAnswerMode: AnswerModeName {
    package static var name: HeaderName { .privAnswerMode }
}

/// A field of which each value is an address in angle brackets with parameters (RFC 3261 §20.4, §20.9). PBXs write some
/// without the address, or begin with the name of a parameter: `;answer-after=0`, `info=alert-autoanswer`.
package protocol InformationField: HeaderField {
    var uri: URI? { get }
    var parameters: Parameters { get }
    init(uri: URI?, parameters: Parameters)
}

extension InformationField {
    package static var shape: FieldShape { .list(limit: 16) }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        if cursor.take(UInt8(ascii: "<")) {
            let uri = try URI(parsing: &cursor, isBare: false)
            guard cursor.take(UInt8(ascii: ">")) else { throw cursor.fault(.expected(.angleBracket)) }
            self.init(uri: uri, parameters: try Parameters(parsingField: &cursor))
        } else if cursor.next == UInt8(ascii: ";") {
            self.init(uri: nil, parameters: try Parameters(parsingField: &cursor))
        } else {
            let name = try cursor.token()
            guard cursor.takeSeparator(UInt8(ascii: "=")) else { throw cursor.fault(.expected(.parameter)) }
            let value = cursor.next == UInt8(ascii: "\"") ? try cursor.quotedString() : try cursor.token()
            var parameters = Parameters(.field, [(name, value)])
            for (name, value) in try Parameters(parsingField: &cursor).list { parameters.append(name, value) }
            self.init(uri: nil, parameters: parameters)
        }
    }

    package func write(to writer: inout MessageWriter) {
        if let uri {
            writer.write(fixed: "<")
            uri.write(to: &writer)
            writer.write(fixed: ">")
        }
        parameters.write(to: &writer, as: .field)
    }
}

/// How the phone should ring (RFC 3261 §20.4).
package struct AlertInfo: InformationField {
    package static var name: HeaderName { .alertInfo }
    package var uri: URI?
    package var parameters: Parameters

    package init(uri: URI?, parameters: Parameters = Parameters()) {
        self.uri = uri
        self.parameters = parameters
    }

    /// `info=alert-autoanswer`, as many PBXs ask to be put through.
    package var asksForAnswer: Bool { parameters["info"]?.equalsIgnoringCase("alert-autoanswer") ?? false }
}

/// More about the caller (RFC 3261 §20.9).
package struct CallInfo: InformationField {
    package static var name: HeaderName { .callInfo }
    package var uri: URI?
    package var parameters: Parameters

    package init(uri: URI?, parameters: Parameters = Parameters()) {
        self.uri = uri
        self.parameters = parameters
    }

    /// `answer-after=0`, as many PBXs ask to be put through; a later moment is no such wish.
    package var asksForAnswer: Bool { parameters["answer-after"] == "0" }
}
