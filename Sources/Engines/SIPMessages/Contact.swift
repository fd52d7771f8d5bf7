/// One value of Contact: an address with its preference and lifetime, or the star of a REGISTER (RFC 3261 §20.10).
package enum Contact: HeaderField {
    case star
    case address(NameAddress)

    package static var name: HeaderName { .contact }
    package static var shape: FieldShape { .list(limit: MessageLimits.standard.contacts) }

    package init(_ uri: SIPURI, parameters: Parameters = Parameters()) {
        self = .address(NameAddress(uri: .sip(uri), parameters: parameters))
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        let start = cursor.position
        if cursor.take(UInt8(ascii: "*")) {
            cursor.skipBlanks()
            if cursor.isAtEnd {
                self = .star
                return
            }
            // A display name may start with a star.
            cursor.position = start
        }
        self = .address(try NameAddress(parsing: &cursor))
    }

    package func write(to writer: inout MessageWriter) {
        switch self {
        case .star: writer.write(fixed: "*")
        case .address(let address): address.write(to: &writer)
        }
    }

    package var address: NameAddress? {
        if case .address(let address) = self { address } else { nil }
    }

    package var uri: URI? { address?.uri }

    /// The lifetime in seconds that the registrar gave or is asked for (§10.2.1.1); nil where absent or unreadable.
    package var expires: UInt32? { address?.parameters["expires"].flatMap { UInt32($0) } }

    /// The preference in thousandths, 0 to 1000 (§20.10 qvalue); nil where absent or unreadable.
    package var preference: Int? { address?.parameters["q"].flatMap { qualityValue($0) } }
}

/// A `qvalue` (RFC 3261 §25.1) in thousandths, or nil.
func qualityValue(_ text: String) -> Int? {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, whole.elementsEqual([0x30]) || whole.elementsEqual([0x31]) else { return nil }
    var thousandths = 0
    if parts.count > 1 {
        guard parts[1].count <= 3, parts[1].allSatisfy(\.isDigit) else { return nil }
        for digit in parts[1] { thousandths = thousandths * 10 + Int(digit - 0x30) }
        for _ in parts[1].count..<3 { thousandths *= 10 }
    }
    let value = (whole.elementsEqual([0x31]) ? 1000 : 0) + thousandths
    return value <= 1000 ? value : nil
}
