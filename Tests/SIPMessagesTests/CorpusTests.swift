import EngineKit
import Proofs
import SIPMessages
import Testing

/// Messages that others wrote: real captures, other projects' tests, and inputs made to break parsers.
@Suite(.enabled(if: Corpora.arePresent, "\(Corpora.absence)"))
struct CorpusTests {
    /// Reads everything that a user agent might read in a message, and writes it back.
    @discardableResult
    static func exercise(_ bytes: [UInt8]) throws -> Bool {
        let explanation = MessageExplanation(of: bytes)
        #expect(!explanation.entries.isEmpty)
        do throws(ParseError) {
            let message = try MessageParser.parse(bytes)
            let written = message.bytes()
            let read: Message
            do throws(ParseError) {
                read = try MessageParser.parse(written)
            } catch {
                // What gets longer when it is written in full may go beyond a limit, never anything else.
                guard case .tooLong = error.kind else { throw error }
                return true
            }
            let isSame = read == message
            if !isSame { Issue.record("write and read differ:\n\(String(decoding: bytes, as: UTF8.self))") }
            return true
        } catch {
            #expect(error.offset >= 0 && error.offset <= bytes.count)
            if let answer = error.owedResponse { #expect(answer.status == error.kind.status) }
            return false
        }
    }

    @Test(.proves(.incident(5)), arguments: ["rfc3665", "rfc5118", "rfc4475"])
    func realMessagesAreReadAndWrittenBack(_ group: String) throws {
        let files = Corpora.files(group).filter { !$0.hasSuffix(".tsv") }
        try #require(files.count > 10)
        var read = 0
        for file in files {
            if try Self.exercise(try #require(Corpora.bytes(file))) { read += 1 }
        }
        // The rest is malformed on purpose or by whoever copied it.
        #expect(Double(read) / Double(files.count) > (group == "rfc4475" ? 0.5 : 0.75))
    }

    /// What people's phones and servers said, and what testers wrote: nothing is refused but for what is wrong with it.
    @Test(.proves(.incident(5)))
    func everyRealMessageIsWrittenBackOrRefusedForAReason() throws {
        var refused: [String: [String]] = [:]
        let files = Corpora.files("sip-messages", endingIn: ".sip")
        #expect(files.count == 489)
        for file in files {
            let bytes = try #require(Corpora.bytes(file))
            do throws(ParseError) {
                let message = try MessageParser.parse(bytes)
                #expect(try MessageParser.parse(message.bytes()) == message, "\(file)")
            } catch {
                let reason = (error.header.map { "\($0): " } ?? "") + "\(error.kind)"
                refused[reason, default: []].append(String(file.dropFirst(13).dropLast(4)))
                let faults = MessageExplanation(of: bytes).entries.filter { $0.kind == .fault }
                #expect(faults.contains { $0.text == "\(error.kind)" && $0.clause != nil }, "\(file)")
            }
        }
        #expect(refused == RefusedMessages.byReason)
    }

    @Test(.proves(.incident(25), .incident(27), .incident(35)))
    func hostileInputsNeverTrap() throws {
        var count = 0
        for file in Corpora.files("fuzz") where Self.mayBeSIP(file) {
            let bytes = try #require(Corpora.bytes(file))
            try Self.exercise(bytes)
            count += 1
            guard bytes.count <= 2048 else { continue }
            for length in bytes.indices { _ = parseError(Array(bytes[..<length])) }
        }
        #expect(count > 50)
    }

    private static func mayBeSIP(_ file: String) -> Bool {
        file.contains("sip") || file.contains("dialog") || file.contains("kamailio") || file.contains("presence")
    }

    @Test(.proves(.incident(7), .incident(27)))
    func everyTruncationOfATortureMessageIsReadOrRefused() throws {
        for file in Corpora.files("rfc4475") where file.hasSuffix(".dat") {
            let bytes = try #require(Corpora.bytes(file))
            for length in bytes.indices { try Self.exercise(Array(bytes[..<length])) }
        }
    }

    @Test(.proves(.incident(5), .incident(25)))
    func mutatedMessagesAreReadOrRefused() throws {
        var random = RandomSource(seed: 4475)
        let seeds = Corpora.files("rfc4475").filter { $0.hasSuffix(".dat") }.compactMap(Corpora.bytes)
        try #require(!seeds.isEmpty)
        for _ in 0..<4000 {
            var bytes = seeds[Int.random(in: 0..<seeds.count, using: &random)]
            Mutation.apply(&bytes, &random)
            try Self.exercise(bytes)
        }
    }
}
