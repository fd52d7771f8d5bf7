import EngineKit

extension NameAnswer {
    /// Records that one answer may hold before the rest is not read.
    private static let mostRecords = 128
    /// Aliases that may follow one another.
    private static let longestChain = 8

    /// Reads the reply of a name server (RFC 1035 §4) to a question for records.
    ///
    /// Any bytes give an answer. Only what answers the question is believed: records of its name, or of the name that its
    /// aliases lead to, in the answer section. What a server adds of itself is not read.
    package init(parsing bytes: [UInt8], to question: NameQuestion) {
        guard case .records(let kind) = question.kind, let reply = Reply(bytes) else {
            self = .failed(.serverFailed)
            return
        }
        // The resolver completes a host name by the search list (resolv.conf), so the name may have become longer.
        guard reply.kind == kind.rawValue, reply.name == question.name || reply.name.hasPrefix(question.name + ".")
        else {
            self = .failed(.serverFailed)
            return
        }
        switch reply.code {
        case 0: self = .records(reply.records(of: kind))
        case 3: self = .failed(.noSuchName)
        default: self = .failed(.serverFailed)
        }
    }

    private struct Reply {
        struct Record {
            let name: String
            let kind: UInt16
            let timeToLive: UInt32
            let data: DNSReader
        }

        private static let internet: UInt16 = 1
        private static let alias: UInt16 = 5

        let code: UInt16
        let name: String
        let kind: UInt16
        private let answers: [Record]

        /// Nil where it is no whole reply to one question.
        init?(_ bytes: [UInt8]) {
            var reader = DNSReader(bytes)
            guard reader.number16() != nil, let flags = reader.number16(), let questions = reader.number16(),
                let count = reader.number16(), reader.number32() != nil, questions == 1,
                let name = reader.name(), let kind = reader.number16(), reader.number16() == Self.internet
            else { return nil }
            // A response (QR), to a standard query (OPCODE 0), not truncated (TC).
            guard flags & 0xfa00 == 0x8000 else { return nil }
            code = flags & 0xf
            self.name = name
            self.kind = kind
            var answers: [Record] = []
            for _ in 0..<min(Int(count), NameAnswer.mostRecords) {
                // A name that is none leaves nothing to go on from.
                guard let name = reader.name(), let kind = reader.number16(), let domain = reader.number16(),
                    let timeToLive = reader.number32(), let length = reader.number16(),
                    let data = reader.part(Int(length))
                else { break }
                guard domain == Self.internet else { continue }
                // With its highest bit set it counts as 0 (RFC 2181 §8).
                answers.append(
                    Record(
                        name: name, kind: kind, timeToLive: timeToLive > Int32.max ? 0 : timeToLive, data: data))
            }
            self.answers = answers
        }

        func records(of kind: DNSRecord.Kind) -> [DNSRecord] {
            var owner = name
            var longest = UInt32.max
            for _ in 0..<NameAnswer.longestChain {
                guard let alias = answers.first(where: { $0.kind == Self.alias && $0.name == owner }) else { break }
                var data = alias.data
                guard let target = data.name() else { return [] }
                owner = target
                longest = min(longest, alias.timeToLive)
            }
            return answers.compactMap { record in
                guard record.kind == kind.rawValue, record.name == owner else { return nil }
                return DNSRecord.Content(kind, record.data).map {
                    DNSRecord($0, timeToLive: min(record.timeToLive, longest))
                }
            }
        }
    }
}

extension DNSRecord.Content {
    /// The RDATA of a record: all of it, and nothing else.
    fileprivate init?(_ kind: DNSRecord.Kind, _ data: DNSReader) {
        var data = data
        switch kind {
        case .a:
            guard let bits = data.number32() else { return nil }
            self = .address(.v4(bits))
        case .aaaa:
            guard let high = data.number64(), let low = data.number64() else { return nil }
            self = .address(.v6(high: high, low: low))
        case .srv:
            guard let priority = data.number16(), let weight = data.number16(), let port = data.number16(),
                let target = data.name()
            else { return nil }
            self = .service(ServiceRecord(priority: priority, weight: weight, port: port, target: target))
        case .naptr:
            guard let order = data.number16(), let preference = data.number16(), let flags = data.characterString(),
                let service = data.characterString(), let expression = data.characterString(),
                let replacement = data.name()
            else { return nil }
            self = .pointer(
                NamingAuthorityPointer(
                    order: order, preference: preference, flags: flags, service: service,
                    regularExpression: expression, replacement: replacement))
        }
        guard data.isAtEnd else { return nil }
    }
}
