/// What a name server of a test knows.
package struct Zone: Sendable {
    package var records: [ZoneRecord]

    package init(_ records: [ZoneRecord] = []) {
        self.records = records
    }

    /// A query as it came in.
    struct Query {
        let id: [UInt8]
        let name: String
        let kind: UInt16
        /// Name, type and class as they were sent, to be sent back.
        let question: [UInt8]

        init?(_ bytes: [UInt8]) {
            guard bytes.count > 16 else { return nil }
            var labels: [String] = []
            var index = 12
            while index < bytes.count, bytes[index] != 0 {
                let end = index + 1 + Int(bytes[index])
                guard bytes[index] < 64, end < bytes.count else { return nil }
                labels.append(String(decoding: bytes[(index + 1)..<end], as: UTF8.self))
                index = end
            }
            guard index + 5 <= bytes.count else { return nil }
            id = Array(bytes[0..<2])
            name = labels.joined(separator: ".").lowercased()
            kind = UInt16(bytes[index + 1]) << 8 | UInt16(bytes[index + 2])
            question = Array(bytes[12..<(index + 5)])
        }
    }

    /// The whole reply to a question for `name`: an answer, or that there is none.
    package func reply(name: String, kind: UInt16) -> [UInt8] {
        let question = ZoneRecord.encoded(name) + ZoneRecord.octets(kind) + ZoneRecord.octets(1)
        return reply(id: [0, 1], name: name, kind: kind, question: question)
    }

    func reply(to query: Query) -> [UInt8] {
        reply(id: query.id, name: query.name, kind: query.kind, question: query.question)
    }

    private func reply(id: [UInt8], name: String, kind: UInt16, question: [UInt8]) -> [UInt8] {
        var owner = name
        var answers: [ZoneRecord] = []
        while let alias = records.first(where: { $0.kind == 5 && $0.name == owner }), answers.count < 16 {
            answers.append(alias)
            owner = Self.name(alias.data)
        }
        answers += records.filter { $0.name == owner && $0.kind == kind }
        let isKnown = !answers.isEmpty || records.contains { $0.name == owner || $0.name.hasSuffix("." + owner) }
        return Self.message(id: id, code: isKnown ? 0 : 3, question: question, answers: answers)
    }

    private static func name(_ data: [UInt8]) -> String {
        var labels: [String] = []
        var rest = data[...]
        while let count = rest.popFirst(), count > 0 {
            labels.append(String(decoding: rest.prefix(Int(count)), as: UTF8.self))
            rest = rest.dropFirst(Int(count))
        }
        return labels.joined(separator: ".")
    }

    static func message(
        id: [UInt8], code: UInt8, isTruncated: Bool = false, question: [UInt8], answers: [ZoneRecord]
    ) -> [UInt8] {
        // A response to a recursive query, recursion available.
        let flags: [UInt8] = [isTruncated ? 0x83 : 0x81, 0x80 | code]
        let counts = [1, UInt16(answers.count), 0, 0].flatMap(ZoneRecord.octets)
        return id + flags + counts + question + answers.flatMap(\.bytes)
    }
}
