import EngineKit
import Testing

@testable import TerminalUI

@Suite struct LineEditorTests {
    private func editor(_ text: String) -> LineEditor {
        var editor = LineEditor()
        editor.insert(text)
        return editor
    }

    @Test func movesAndDeletesByWhatAPersonSeesAsOneCharacter() {
        var line = editor("ae\u{301}🎷漢")
        line.perform(.deleteBackward)
        #expect(line.text == "ae\u{301}🎷")
        line.perform(.left)
        line.perform(.deleteBackward)
        #expect(line.text == "a🎷")
        line.perform(.home)
        line.perform(.deleteForward)
        #expect(line.text == "🎷")
    }

    @Test func joinsAMarkThatIsTypedAfterItsLetter() {
        var line = editor("e")
        line.insert("\u{301}")
        #expect(line.text.count == 1)
        line.perform(.deleteBackward)
        #expect(line.isEmpty)
        line.insert("\u{301}")
        #expect(line.isEmpty)
    }

    @Test func deletesWordsAndBothEnds() {
        var line = editor("call bob  now")
        line.perform(.deleteWord)
        #expect(line.text == "call bob  ")
        line.perform(.deleteWord)
        #expect(line.text == "call ")
        line.insert("carol")
        for _ in 0..<5 { line.perform(.left) }
        line.perform(.deleteToEnd)
        #expect(line.text == "call ")
        line.perform(.deleteToStart)
        #expect(line.isEmpty)
    }

    @Test func keepsOutWhatATerminalWouldObey() {
        #expect(editor("a\u{1B}[2Jb\u{202E}c\u{200B}\nd").text == "a[2Jbc d")
    }

    @Test func dropsWhatIsPastedBeyondItsBound() {
        var line = LineEditor()
        let isWhole = line.insert(String(repeating: "漢", count: 100_000))
        #expect(!isWhole)
        #expect(line.text.utf8.count <= LineEditor.maximumBytes)
        let fitsMore = line.insert("漢漢")
        #expect(!fitsMore)
        #expect(line.text.utf8.count <= LineEditor.maximumBytes)
    }

    @Test func walksThroughTheHistoryAndComesBackToTheDraft() {
        var line = LineEditor()
        for text in ["one", "two", "two", " ", "three"] {
            line.insert(text)
            _ = line.commit()
        }
        line.insert("draft")
        var seen: [String] = []
        for _ in 0..<5 {
            line.perform(.older)
            seen.append(line.text)
        }
        #expect(seen == ["three", "two", "one", "one", "one"])
        for _ in 0..<4 { line.perform(.newer) }
        #expect(line.text == "draft")
        #expect(line.remembered(beginning: "t") == "three")
        #expect(line.remembered(beginning: "three") == nil)
    }

    @Test func remembersABoundedHistory() {
        var line = LineEditor()
        for number in 0..<1000 {
            line.insert("\(number)")
            _ = line.commit()
        }
        for _ in 0..<2000 { line.perform(.older) }
        #expect(line.text == "\(1000 - LineHistory.capacity)")
    }

    @Test func showsTheCursorInEveryFieldForEveryText() {
        var random = RandomSource(seed: 7)
        let pieces = ["a", "漢", "e\u{301}", "🎷", " ", "@", "한", "\u{1B}", "ß"]
        let edits: [Edit] = [
            .left, .right, .home, .end, .deleteBackward, .deleteForward, .deleteWord, .deleteToStart, .deleteToEnd,
            .older, .newer,
        ]
        for _ in 0..<40 {
            var line = LineEditor()
            for _ in 0..<120 {
                switch Int.random(in: 0..<8, using: &random) {
                case 0...4: line.insert(pieces.randomElement(using: &random) ?? "")
                case 5: if Bool.random(using: &random) { _ = line.commit() }
                default: line.perform(edits.randomElement(using: &random) ?? .left)
                }
                #expect(line.text == line.before + line.after)
                let width = Int.random(in: 0...50, using: &random)
                let view = line.view(width: width)
                #expect(CellWidth.of(view.text) <= max(width, 0))
                #expect(view.cursor >= 0 && view.cursor < max(width, 1))
                // Moving there and back changes nothing.
                var moved = line
                moved.perform(.home)
                moved.perform(.end)
                #expect(moved.text == line.text && moved.after.isEmpty)
            }
        }
    }

    @Test func scrollsSidewaysByHalfAField() {
        var line = editor(String(repeating: "x", count: 30))
        #expect(line.view(width: 20).text.hasPrefix("…"))
        line.perform(.home)
        let view = line.view(width: 20)
        #expect(view.cursor == 0 && view.text.hasSuffix("…") && view.text.hasPrefix("x"))
    }
}
