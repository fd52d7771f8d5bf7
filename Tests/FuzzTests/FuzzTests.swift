import FoundationEssentials
import FuzzTargets
import Proofs
import Testing

/// What fuzzers found once, and the inputs that reach the most of the code, through the same targets again.
@Suite struct FuzzTests {
    @Test(
        .proves(
            .incident(2), .incident(3), .incident(4), .incident(5), .incident(24), .incident(25), .incident(30),
            .incident(48), .incident(76)),
        arguments: FuzzTarget.allCases)
    func everythingThatWasFoundIsTaken(_ target: FuzzTarget) throws {
        let folders = [Self.folder + "/Corpus/\(target.rawValue)", Self.folder + "/Finds/\(target.rawValue)"]
        var count = 0
        for folder in folders {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                let bytes = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
                do throws(FuzzTarget.Fault) {
                    try target.run(Array(bytes))
                } catch {
                    Issue.record("\(folder)/\(name): \(error)")
                }
                count += 1
            }
        }
        #expect(count > 0, "\(target.rawValue) has no inputs")
    }

    private static let folder = String(#filePath.dropLast("FuzzTests.swift".count)) + "../Fuzzing"
}
