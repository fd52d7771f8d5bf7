/// A telephone number as a URI (RFC 3966).
package struct TelephoneURI: Sendable {
    /// The number as written, with its visual separators; a global one begins with `+`.
    package let number: String
    package let parameters: Parameters

    package init?(_ uri: URI) {
        guard case .other("tel", let rest) = uri else { return nil }
        let written = rest.utf8.prefix { $0 != UInt8(ascii: ";") }
        let number = String(decoding: FieldCursor.unescapedOctets(Array(written)[...]), as: UTF8.self)
        let list = Array(rest.utf8.dropFirst(written.count))
        var cursor = FieldCursor(list, list.indices)
        guard (try? Parameters.passURIParameters(&cursor)) != nil, cursor.isAtEnd else { return nil }
        let digits = number.utf8.filter { !Self.separators.contains($0) }
        // Local numbers have the digits of keypads and of hexadecimal extensions (§3, `phonedigit-hex`).
        let isSound =
            digits.first == UInt8(ascii: "+")
            ? digits.count > 1 && digits.dropFirst().allSatisfy(\.isDigit)
            : !digits.isEmpty && digits.allSatisfy { $0.hexadecimalValue != nil || $0 == 0x2a || $0 == 0x23 }
        guard isSound else { return nil }
        self.number = number
        parameters = Parameters(.uri, checked: list, list.indices)
    }

    private static let separators = Array("-.()".utf8)

    private static func withoutSeparators(_ text: String) -> String {
        String(decoding: text.utf8.filter { !separators.contains($0) }.map(\.lowercased), as: UTF8.self)
    }

    package var isGlobal: Bool { number.hasPrefix("+") }

    /// The number without its visual separators.
    package var digits: String { Self.withoutSeparators(number) }

    /// Where a local number is valid: a domain, or the global number that it goes on from (§5.1.5).
    package var context: String? { parameters["phone-context"] }

    /// Whether both mean the same number (§4): digits, and every parameter of either.
    package func isEquivalent(to other: TelephoneURI) -> Bool {
        guard digits == other.digits else { return false }
        let (mine, theirs) = (parameters.comparable, other.parameters.comparable)
        guard mine.keys == theirs.keys else { return false }
        return mine.allSatisfy { name, value in
            let text = value.map { String(decoding: $0, as: UTF8.self) }
            let theirs = theirs[name].flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
            return text.map(Self.withoutSeparators) == theirs.map(Self.withoutSeparators)
                || text?.equalsIgnoringCase(theirs ?? "") == true
        }
    }

    /// The number as an address within a domain, as a proxy there is asked to route it (RFC 3261 §19.1.6).
    package func sipURI(in domain: SIPURI) -> SIPURI {
        var user = digits
        // The extension first, then the context, then the rest (RFC 3261 §19.1.6 by way of RFC 3966 §3).
        for name in ["isub", "ext", "phone-context"] {
            if let value = parameters[name] { user += ";\(name)=\(value)" }
        }
        var uri = SIPURI(isSecure: domain.isSecure, user: user, host: domain.host, port: domain.port)
        uri.parameters.append("user", "phone")
        return uri
    }
}
