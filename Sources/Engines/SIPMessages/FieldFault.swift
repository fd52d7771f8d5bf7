/// What is wrong and where, without the message around it: the error of everything that reads a single field.
package struct FieldFault: Error, Hashable, Sendable {
    package var kind: ParseError.Kind
    /// The octet, counted from the start of the bytes that hold the field.
    package var offset: Int

    package init(_ kind: ParseError.Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}
