/// The sequence number and method of a request (RFC 3261 §20.16).
package struct CSeq: Hashable, Sendable {
    package var number: UInt32
    package var method: Method

    package init(_ number: UInt32, _ method: Method) {
        self.number = number
        self.method = method
    }

    package init(number: UInt32, method: Method) {
        self.init(number, method)
    }

    init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        number = UInt32(truncatingIfNeeded: try cursor.number())
        guard let blank = cursor.next, blank.isBlank else { throw cursor.fault(.expected(.separator)) }
        cursor.skipBlanks()
        method = try Method(parsing: &cursor)
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(number: UInt64(number))
        writer.write(fixed: " ")
        writer.write(method.name)
    }
}

extension CSeq: CustomStringConvertible {
    package var description: String { "\(number) \(method)" }
}
