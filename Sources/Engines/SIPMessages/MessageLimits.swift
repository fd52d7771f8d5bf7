/// How much of a message we are willing to read. Beyond any of these the message is refused with a named fault.
///
/// The defaults are far above what real messages carry and far below what would hurt.
package struct MessageLimits: Hashable, Sendable {
    /// Octets of a whole message.
    package var message = 65_535
    /// Octets of the request or status line.
    package var startLine = 2048
    /// Octets of one header field, folded lines together.
    package var headerField = 4096
    /// Header fields of a message.
    package var headerFields = 128
    /// Header fields of one name.
    package var headerFieldsPerName = 64
    /// Folded lines of a message.
    package var foldedLines = 16
    /// Route or Record-Route values.
    package var routes = 20
    package var contacts = 16
    /// Octets of a body.
    package var body = 32_768
    package var field = FieldLimits()

    package init() {}

    package static let standard = MessageLimits()
}

/// The limits that hold inside a field. They travel with every cursor, so they are kept small.
package struct FieldLimits: Hashable, Sendable {
    /// Octets of a method.
    package var method: UInt16 = 64
    /// Octets of a tag, a branch or a Call-ID each.
    package var identifier: UInt16 = 256
    /// Octets of a URI.
    package var uri: UInt16 = 1024
    /// Via values: the default Max-Forwards, as no honest path is longer.
    package var vias: UInt16 = 70
    /// Elements of a list of tokens in one line.
    package var elements: UInt16 = 128
    /// Steps of the parser for each octet of a field. One pass takes at most one.
    package var stepsPerByte: UInt16 = 4

    package init() {}

    package static var standard: FieldLimits { FieldLimits() }
}
