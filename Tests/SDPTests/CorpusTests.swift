import EngineKit
import Proofs
import Testing

@testable import SDP

/// Descriptions that others wrote.
@Suite(.enabled(if: Corpora.arePresent, "\(Corpora.absence)"))
struct CorpusTests {
    @Test(.proves(.clause("RFC 4566 §5")))
    func everyDescriptionIsWrittenBackByteForByteOrRefusedForAReason() throws {
        var refused: [String: [String]] = [:]
        let files = Corpora.files("sdp", endingIn: ".sdp")
        #expect(files.count == 417)
        for file in files {
            let bytes = try #require(Corpora.bytes(file))
            do throws(SDPError) {
                let description = try SessionDescription(parsing: bytes)
                #expect(description.bytes() == bytes, "\(file)")
                #expect((try? SessionDescription(parsing: description.bytes())) == description, "\(file)")
            } catch {
                refused["\(error.kind)", default: []].append(String(file.dropFirst(4).dropLast(4)))
            }
        }
        #expect(refused == RefusedDescriptions.byReason)
    }

    @Test func negotiatesEveryDescriptionWithoutATrap() throws {
        var answered = 0
        for file in Corpora.files("sdp", endingIn: ".sdp") {
            answered += exercise(try #require(Corpora.bytes(file))) ? 1 : 0
        }
        #expect(answered > 50)
    }

    @Test(.proves(.incident(7), .incident(8), .incident(12), .incident(33)))
    func survivesFuzzedDescriptionsAndTheirMutations() throws {
        var random = RandomSource(seed: 8866)
        var seeds = ["fuzz/pjsip-sdp", "fuzz/janus-sdp", "fuzz/pjsip-sdes"].flatMap { Corpora.files($0) }
            .compactMap(Corpora.bytes)
        #expect(seeds.count > 30)
        seeds += Corpora.files("sdp", endingIn: ".sdp").prefix(60).compactMap(Corpora.bytes)
        for bytes in seeds {
            exercise(bytes)
            for _ in 0..<100 { exercise(mutated(bytes, with: &random)) }
        }
    }
}
