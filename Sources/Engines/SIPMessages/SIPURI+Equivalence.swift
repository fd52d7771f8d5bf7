extension SIPURI {
    /// Whether both URIs mean the same (RFC 3261 §19.1.4): user and password with case, the rest without; a parameter
    /// of both must agree; `user`, `ttl`, `method` and `maddr` must be in both or none, `transport` too; headers must
    /// all agree.
    package func isEquivalent(to other: SIPURI) -> Bool {
        guard isSecure == other.isSecure, user == other.user, password == other.password, host == other.host,
            port == other.port
        else { return false }
        return Self.agree(parameters, other.parameters) && Self.agree(headers, other.headers)
    }

    private static let decisive = ["user", "ttl", "method", "maddr", "transport"]

    private static func agree(_ left: Parameters, _ right: Parameters) -> Bool {
        for name in decisive where left.contains(name) != right.contains(name) { return false }
        for (name, value) in left.list where right.contains(name) {
            guard let theirs = right[name], let value else {
                if right[name] != value { return false }
                continue
            }
            if !theirs.equalsIgnoringCase(value) { return false }
        }
        return true
    }

    private static func agree(
        _ left: [(name: String, value: String)], _ right: [(name: String, value: String)]
    ) -> Bool {
        func sorted(_ list: [(name: String, value: String)]) -> [(String, String)] {
            list.map { ($0.name.asciiLowercased, $0.value) }.sorted { $0 < $1 }
        }
        guard left.count == right.count else { return false }
        return zip(sorted(left), sorted(right)).allSatisfy { $0 == $1 }
    }
}

extension URI {
    /// As `SIPURI.isEquivalent(to:)`; URIs of other schemes are compared as written but for the scheme's case.
    package func isEquivalent(to other: URI) -> Bool {
        switch (self, other) {
        case (.sip(let left), .sip(let right)): left.isEquivalent(to: right)
        default: self == other
        }
    }
}
