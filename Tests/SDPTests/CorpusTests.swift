import EngineKit
import FoundationEssentials
import Proofs
import Testing

@testable import SDP

/// Descriptions that others wrote, under the folder that OFFHOOK_CORPORA names.
@Suite(.enabled(if: Corpus.root != nil, "OFFHOOK_CORPORA names no folder"))
struct CorpusTests {
    @Test(.proves(.clause("RFC 4566 §5")))
    func writesEveryDescriptionBackByteForByte() throws {
        var refused: [String: Int] = [:]
        let files = try Corpus.files(in: "sdp", endingIn: ".sdp")
        #expect(files.count > 400)
        for bytes in files {
            do throws(SDPError) {
                let description = try SessionDescription(parsing: bytes)
                #expect(description.bytes() == bytes)
            } catch {
                refused["\(error.kind)", default: 0] += 1
            }
        }
        // Templates whose port or version is still a pattern, parser tests with words missing, one body without o=,
        // three with more attributes in a section than we take. Every description that a phone sent is taken.
        #expect(refused.values.reduce(0, +) <= 25, "\(refused)")
    }

    @Test func negotiatesEveryDescriptionWithoutATrap() throws {
        var answered = 0
        for bytes in try Corpus.files(in: "sdp", endingIn: ".sdp") { answered += exercise(bytes) ? 1 : 0 }
        #expect(answered > 50)
    }

    @Test(.proves(.incident(7), .incident(8), .incident(12), .incident(33)))
    func survivesFuzzedDescriptionsAndTheirMutations() throws {
        var random = RandomSource(seed: 8866)
        var seeds: [[UInt8]] = []
        for folder in ["fuzz/pjsip-sdp", "fuzz/janus-sdp", "fuzz/pjsip-sdes"] {
            seeds += try Corpus.files(in: folder, endingIn: "")
        }
        #expect(seeds.count > 30)
        seeds += try Corpus.files(in: "sdp", endingIn: ".sdp").prefix(60)
        for bytes in seeds {
            exercise(bytes)
            for _ in 0..<100 { exercise(mutated(bytes, with: &random)) }
        }
    }
}

enum Corpus {
    static let root = ProcessInfo.processInfo.environment["OFFHOOK_CORPORA"]

    static func files(in folder: String, endingIn suffix: String) throws -> [[UInt8]] {
        guard let root else { return [] }
        let path = "\(root)/\(folder)"
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            .filter { $0.hasSuffix(suffix) }
            .compactMap { FileManager.default.contents(atPath: "\(path)/\($0)").map { Array($0) } }
    }
}
