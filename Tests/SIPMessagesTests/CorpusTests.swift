import EngineKit
import Proofs
import SIPMessages
import Testing

/// Messages that others wrote: real captures, other projects' tests, and inputs made to break parsers.
@Suite(.enabled(if: Corpus.isPresent, "OFFHOOK_CORPORA is not set"))
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

    @Test(.proves(.incident(5)), arguments: ["sip-messages", "rfc3665", "rfc5118", "rfc4475"])
    func realMessagesAreReadAndWrittenBack(_ group: String) throws {
        let files = Corpus.files(group).filter { !$0.hasSuffix(".tsv") }
        try #require(files.count > 10)
        var read = 0
        for file in files {
            if try Self.exercise(try #require(Corpus.bytes(file))) { read += 1 }
        }
        // The rest is malformed on purpose or by whoever copied it.
        #expect(Double(read) / Double(files.count) > (group == "rfc4475" ? 0.5 : 0.75))
    }

    @Test(.proves(.incident(25), .incident(27), .incident(35)))
    func hostileInputsNeverTrap() throws {
        var count = 0
        for file in Corpus.files("fuzz") where Self.mayBeSIP(file) {
            let bytes = try #require(Corpus.bytes(file))
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
        for file in Corpus.files("rfc4475") where file.hasSuffix(".dat") {
            let bytes = try #require(Corpus.bytes(file))
            for length in bytes.indices { try Self.exercise(Array(bytes[..<length])) }
        }
    }

    @Test(.proves(.incident(5), .incident(25)))
    func mutatedMessagesAreReadOrRefused() throws {
        var random = RandomSource(seed: 4475)
        let seeds = Corpus.files("rfc4475").filter { $0.hasSuffix(".dat") }.compactMap(Corpus.bytes)
        try #require(!seeds.isEmpty)
        for _ in 0..<4000 {
            var bytes = seeds[Int.random(in: 0..<seeds.count, using: &random)]
            Mutation.apply(&bytes, &random)
            try Self.exercise(bytes)
        }
    }
}
