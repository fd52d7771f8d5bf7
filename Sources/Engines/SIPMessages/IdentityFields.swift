/// The identity that a trusted proxy vouches for (RFC 3325 §9.1).
package struct PAssertedIdentity: AddressField {
    package static var name: HeaderName { .pAssertedIdentity }
    package static var shape: FieldShape { .list(limit: 8) }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}

/// The identity that we would have our proxy vouch for (RFC 3325 §9.2).
package struct PPreferredIdentity: AddressField {
    package static var name: HeaderName { .pPreferredIdentity }
    package static var shape: FieldShape { .list(limit: 8) }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}

/// Who sent the call on, the last one first (RFC 5806 §4).
package struct Diversion: AddressField {
    package static var name: HeaderName { .diversion }
    package static var shape: FieldShape { .list(limit: 20) }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }

    /// `user-busy`, `no-answer`, `unconditional` or another word.
    package var reason: String? { address.parameters["reason"] }
}

/// One address that the call was for, the first one first (RFC 7044 §5).
package struct HistoryInfo: AddressField {
    package static var name: HeaderName { .historyInfo }
    package static var shape: FieldShape { .list(limit: 20) }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}

/// What the sender does not want to be known of it (RFC 3323 §4.2): words between semicolons.
package struct Privacy: HeaderField {
    package static var name: HeaderName { .privacy }
    package static var shape: FieldShape { .single }
    package var values: [String]

    package init(_ values: [String]) { self.values = values }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        values = [try cursor.token()]
        while cursor.takeSeparator(UInt8(ascii: ";")) {
            if values.count >= Int(cursor.limits.elements) { throw cursor.fault(.tooMany(.elements)) }
            values.append(try cursor.token())
        }
    }

    package func write(to writer: inout MessageWriter) {
        for (index, value) in values.enumerated() {
            if index > 0 { writer.write(fixed: ";") }
            writer.write(value)
        }
    }

    package func contains(_ value: String) -> Bool { values.contains { $0.equalsIgnoringCase(value) } }
}
