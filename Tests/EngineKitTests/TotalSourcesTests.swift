import FoundationEssentials
import Proofs
import Testing

/// Where bytes of peers are read there is nothing that ends the process: a trap there would end every call.
@Suite struct TotalSourcesTests {
    private static let rooms = [
        "Engines/SIPMessages", "Engines/SIPTransactions", "Engines/SDP", "Engines/ServerLocation",
        "Engines/EventPackages", "Engines/SIPUserAgent", "Engines/RTPMedia",
    ]
    private static let words = ["fatalError", "precondition", "assert(", "assertionFailure", "try!", "as!", "unowned"]

    @Test(.proves(.incident(59)), arguments: rooms)
    func nothingThatReadsTheWireTraps(_ room: String) throws {
        let folder =
            String(#filePath.dropLast("Tests/EngineKitTests/TotalSourcesTests.swift".count)) + "Sources/\(room)"
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
        #expect(!files.isEmpty)
        for file in files.sorted() {
            let bytes = try #require(FileManager.default.contents(atPath: "\(folder)/\(file)"))
            let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
            for (number, line) in lines.enumerated() {
                let code = Self.code(of: String(decoding: line, as: UTF8.self))
                let found = Self.words.filter { code.contains($0) } + (Self.unwraps(code) ? ["!"] : [])
                #expect(found == [], "\(room)/\(file):\(number + 1)")
            }
        }
    }

    /// A line without its comment and without what stands in quotes.
    private static func code(of line: String) -> String {
        var code = ""
        var isQuoted = false
        var previous: Character = " "
        for letter in line {
            if letter == "\"", previous != "\\" { isQuoted.toggle() }
            if !isQuoted { code.append(letter) }
            previous = letter
        }
        return code.firstRange(of: "//").map { String(code[..<$0.lowerBound]) } ?? code
    }

    /// Whether something is taken out of an optional by force.
    private static func unwraps(_ code: String) -> Bool {
        let letters = Array(code)
        return letters.indices.dropFirst().contains { index in
            guard letters[index] == "!", index + 1 == letters.count || letters[index + 1] != "=" else { return false }
            let before = letters[index - 1]
            return before.isLetter || before.isNumber || [")", "]", "_"].contains(before)
        }
    }

    @Test func aTrapWouldBeSeen() {
        #expect(Self.unwraps(Self.code(of: "let first = list.first! + 1")))
        #expect(!Self.unwraps(Self.code(of: "if a != b, !c { d(\"no!\") }  // e!")))
    }
}
