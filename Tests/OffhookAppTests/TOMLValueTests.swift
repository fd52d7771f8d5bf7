import EngineKit
import Proofs
import Testing

@testable import OffhookApp

struct TOMLValueTests {
    private func parse(_ text: String) throws -> TOMLValue {
        try TOMLValue(parsing: Array(text.utf8))
    }

    @Test func givesTheLineAndColumnOfEveryKeyAndValue() throws {
        let document = try parse("first = 1\n\n[section]\n  \"é\" = [ true, 'x' ]\n")
        guard case .table(let entries) = document.content else { return #expect(Bool(false), "the root is a table") }
        #expect(entries.map(\.key) == ["first", "section"])
        #expect(entries[0].keyPosition == TextPosition(line: 1, column: 1))
        #expect(entries[0].value.position == TextPosition(line: 1, column: 9))
        guard case .table(let section) = entries[1].value.content, case .array(let items) = section[0].value.content
        else { return #expect(Bool(false), "a table with a list") }
        #expect(section[0].key == "é")
        #expect(section[0].keyPosition == TextPosition(line: 4, column: 3))
        // Columns count code points: é is one.
        #expect(items.map(\.position) == [TextPosition(line: 4, column: 11), TextPosition(line: 4, column: 17)])
    }

    @Test func keepsTheOrderOfTheText() throws {
        guard case .table(let entries) = try parse("zebra = 1\nant = 2\nmouse = 3\n").content else { return }
        #expect(entries.map(\.key) == ["zebra", "ant", "mouse"])
    }

    @Test(arguments: [
        ("a = \n", 1), ("a = 1\na = 2\n", 2), ("a = 1\n[[[[[\n", 2), ("\u{feff}\n\nx", 3), ("a = \"x\n", 1),
    ])
    func saysWhereADocumentIsNotTOML(text: String, line: Int) {
        let error = #expect(throws: TOMLValue.SyntaxError.self) { try parse(text) }
        #expect(error?.position.line == line)
        #expect((error?.position.column ?? 0) >= 1)
        #expect(error?.problem.isEmpty == false)
    }

    @Test(.proves(.incident(31)))
    func refusesDottedKeysThatWouldOverrunTheStack() throws {
        let deep = String(repeating: "a.", count: 400_000) + "a = 1"
        let error = #expect(throws: TOMLValue.SyntaxError.self) { try parse("# ....\n" + deep) }
        #expect(error == TOMLValue.SyntaxError(problem: "too many dotted keys", position: .init(line: 2, column: 1)))
        // Dots in strings and comments make no levels.
        let dots = String(repeating: ".", count: 5_000)
        _ = try parse("a = \"\(dots)\\\"\"\nb = '\(dots)' # \(dots)\nc = \"\"\"\n\(dots)\n\"\"\"\nd = '''\(dots)'''\n")
    }

    @Test func takesAnyBytes() {
        var random = RandomSource(seed: 5)
        let seed = Array("[[account]]\nname = \"work\"\na.b = {c = [1, 2.5], 'd' = 1979-05-27}\n".utf8)
        for _ in 0..<2_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            do {
                _ = try TOMLValue(parsing: bytes)
            } catch {
                #expect(error.position.line >= 1)
            }
        }
    }
}
