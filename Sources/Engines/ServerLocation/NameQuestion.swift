import SIPMessages

/// A question about a name: to the domain name system, or to the table of this machine.
package struct NameQuestion: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// `/etc/hosts`, which goes before the domain name system.
        case hostsTable
        case records(DNSRecord.Kind)
    }

    /// In lower case, without a dot at its end.
    package let name: String
    package let kind: Kind

    /// Nil where `name` is none: empty, a label of none or more than 63 octets, more than 253 in all (RFC 1035 §2.3.4),
    /// or octets that no host or service has.
    package init?(_ name: String, _ kind: Kind) {
        var text = Array(name.utf8.map { ($0 &- 0x41) < 26 ? $0 | 0x20 : $0 }[...])
        if text.last == UInt8(ascii: ".") { text.removeLast() }
        guard (1...253).contains(text.count), text.allSatisfy(Self.isPlain),
            text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
                .allSatisfy({ (1...63).contains($0.count) })
        else { return nil }
        self.name = String(decoding: text, as: UTF8.self)
        self.kind = kind
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}

/// What came back to a question.
package enum NameAnswer: Hashable, Sendable {
    /// None: the name is known, and has nothing of that kind.
    case records([DNSRecord])
    case failed(NameFailure)

    var records: [DNSRecord] {
        if case .records(let records) = self { records } else { [] }
    }
}

/// Why a question has no answer.
package enum NameFailure: Error, Hashable, Sendable {
    /// There is no such name (RFC 1035 §4.1.1, RCODE 3).
    case noSuchName
    /// The name server can't or does not want to answer, or what it says is no answer to the question.
    case serverFailed
    case timedOut
}
