/// The methods that a peer takes (RFC 3261 §20.5).
package struct Allow: HeaderField {
    package static var name: HeaderName { .allow }
    package static var shape: FieldShape { .set }
    package var methods: [Method]

    package init(_ methods: [Method]) { self.methods = methods }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        methods = try cursor.tokens().map { Method($0) }
    }

    package func write(to writer: inout MessageWriter) { writer.write(list: methods) { $0.name } }

    package mutating func join(_ next: Allow) { methods += next.methods }
}

/// A field that lists option tags (RFC 3261 §19.2).
package protocol OptionTagField: HeaderField {
    var tags: [String] { get set }
    init(_ tags: [String])
}

extension OptionTagField {
    package static var shape: FieldShape { .set }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) { self.init(try cursor.tokens()) }

    package func write(to writer: inout MessageWriter) { writer.write(list: tags) { $0 } }

    package mutating func join(_ next: Self) { tags += next.tags }

    /// Option tags compare without case.
    package func contains(_ tag: String) -> Bool { tags.contains { $0.equalsIgnoringCase(tag) } }
}

/// The extensions that the sender understands (RFC 3261 §20.37).
package struct Supported: OptionTagField {
    package static var name: HeaderName { .supported }
    package var tags: [String]
    package init(_ tags: [String]) { self.tags = tags }
}

/// The extensions that the recipient must understand (RFC 3261 §20.32).
package struct Require: OptionTagField {
    package static var name: HeaderName { .require }
    package var tags: [String]
    package init(_ tags: [String]) { self.tags = tags }
}

/// The extensions that every proxy on the way must understand (RFC 3261 §20.29).
package struct ProxyRequire: OptionTagField {
    package static var name: HeaderName { .proxyRequire }
    package var tags: [String]
    package init(_ tags: [String]) { self.tags = tags }
}

/// The required extensions that are not understood (RFC 3261 §20.40).
package struct Unsupported: OptionTagField {
    package static var name: HeaderName { .unsupported }
    package var tags: [String]
    package init(_ tags: [String]) { self.tags = tags }
}

/// The codings that the body went through (RFC 3261 §20.12).
package struct ContentEncoding: OptionTagField {
    package static var name: HeaderName { .contentEncoding }
    package var tags: [String]
    package init(_ tags: [String]) { self.tags = tags }
}

/// The codings that the sender takes (RFC 3261 §20.2), without their preferences.
package struct AcceptEncoding: OptionTagField {
    package static var name: HeaderName { .acceptEncoding }
    package var tags: [String]
    package init(_ tags: [String]) { self.tags = tags }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        tags = try cursor.tokens { cursor throws(FieldFault) in _ = try Parameters(parsingField: &cursor) }
    }
}

/// The event packages that a peer knows (RFC 6665 §8.2.2).
package struct AllowEvents: OptionTagField {
    package static var name: HeaderName { .allowEvents }
    package var tags: [String]
    package init(_ tags: [String]) { self.tags = tags }
}

extension FieldCursor {
    /// Tokens between commas, to the end; none at all is an empty list (§20.5, §20.37 allow that). What may stand
    /// behind each of them, `readRest` reads.
    mutating func tokens(
        _ readRest: (inout FieldCursor) throws(FieldFault) -> Void = { _ throws(FieldFault) in }
    ) throws(FieldFault) -> [String] {
        var tokens: [String] = []
        skipBlanks()
        if isAtEnd { return [] }
        repeat {
            if tokens.count >= Int(limits.elements) { throw fault(.tooMany(.elements)) }
            skipBlanks()
            tokens.append(try token())
            try readRest(&self)
        } while takeSeparator(UInt8(ascii: ","))
        return tokens
    }
}

extension MessageWriter {
    @inline(__always)
    mutating func write<Element>(list: [Element], _ text: (Element) -> String) {
        var isFirst = true
        for element in list {
            if !isFirst { write(fixed: ", ") }
            isFirst = false
            write(text(element))
        }
    }
}
