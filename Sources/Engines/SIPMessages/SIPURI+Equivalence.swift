extension SIPURI {
    /// Whether both URIs mean the same (RFC 3261 §19.1.4): user and password with case, the rest without; a parameter
    /// of both must agree; `user`, `ttl`, `method` and `maddr` must be in both or none, `transport` too; headers must
    /// all agree. What is escaped is compared octet by octet.
    package func isEquivalent(to other: SIPURI) -> Bool {
        guard isSecure == other.isSecure, host == other.host, port == other.port,
            Self.octets(escapedUser) == Self.octets(other.escapedUser),
            Self.octets(escapedPassword) == Self.octets(other.escapedPassword)
        else { return false }
        return Self.agree(parameters.comparable, other.parameters.comparable)
            && headerCounts == other.headerCounts
    }

    private static func octets(_ escaped: String?) -> [UInt8]? {
        escaped.map { FieldCursor.unescapedOctets(Array($0.utf8)[...]) }
    }

    private static let decisive = ["user", "ttl", "method", "maddr", "transport"].map { Array($0.utf8) }

    private static func agree(_ left: [[UInt8]: [UInt8]?], _ right: [[UInt8]: [UInt8]?]) -> Bool {
        for name in decisive where (left[name] == nil) != (right[name] == nil) { return false }
        return left.allSatisfy { name, value in
            guard let theirs = right[name] else { return true }
            return theirs == value
        }
    }

    /// How often each header with its value is there: the order does not count.
    private var headerCounts: [HeaderPair: Int] {
        let pairs = (escapedHeaders ?? "").utf8.split(separator: UInt8(ascii: "&")).map { pair in
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            return HeaderPair(
                name: FieldCursor.unescapedOctets(Array(name)[...]).map(\.lowercased),
                value: FieldCursor.unescapedOctets(Array(pair.dropFirst(name.count + 1))[...]))
        }
        return Dictionary(pairs.map { ($0, 1) }, uniquingKeysWith: +)
    }

    private struct HeaderPair: Hashable {
        var name: [UInt8]
        var value: [UInt8]
    }
}

extension URI {
    /// As `SIPURI.isEquivalent(to:)` and `TelephoneURI.isEquivalent(to:)`; URIs of other schemes are compared as written but for the scheme's case.
    package func isEquivalent(to other: URI) -> Bool {
        switch (self, other) {
        case (.sip(let left), .sip(let right)): left.isEquivalent(to: right)
        default:
            if let mine = TelephoneURI(self), let theirs = TelephoneURI(other) {
                mine.isEquivalent(to: theirs)
            } else {
                self == other
            }
        }
    }
}
