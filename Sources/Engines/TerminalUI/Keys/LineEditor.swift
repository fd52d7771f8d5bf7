/// One editable line of text: what is before the cursor and what is after it.
///
/// The cursor moves and deletes by whole characters as a person sees them (grapheme clusters). The line holds nothing
/// that ``Printable`` would not, as it is drawn as it stands, and at most ``maximumBytes`` of UTF-8: whatever is typed
/// or pasted beyond is dropped.
package struct LineEditor: Hashable, Sendable {
    package private(set) var before = ""
    package private(set) var after = ""
    private var history = LineHistory()

    package static let maximumBytes = 2048

    package init() {}

    package var text: String { before + after }
    package var isEmpty: Bool { before.isEmpty && after.isEmpty }

    /// The text without surrounding space.
    package var trimmed: String {
        var text = self.text[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    /// Inserts what of `text` may be shown and still fits, at the cursor. False if something did not fit.
    @discardableResult
    package mutating func insert(_ text: String) -> Bool {
        history.leave()
        var room = Self.maximumBytes - before.utf8.count - after.utf8.count
        for scalar in text.unicodeScalars {
            guard let harmless = PrintableFilter.harmless(scalar) else { continue }
            // A mark needs a letter to sit on.
            if before.isEmpty, CellWidth.of(harmless) == 0 { continue }
            room -= Unicode.UTF8.width(harmless)
            guard room >= 0 else { return false }
            before.unicodeScalars.append(harmless)
        }
        return true
    }

    /// Replaces the line; the cursor is at its end.
    package mutating func replace(with text: String) {
        before = ""
        after = ""
        insert(text)
    }

    /// Puts a line that nobody typed into the history, as its newest.
    package mutating func suggest(_ line: Printable) {
        history.append(line.text)
    }

    /// Empties the line and, if it had text, remembers it as the newest of the history.
    package mutating func commit() -> String {
        let line = trimmed
        history.append(line)
        before = ""
        after = ""
        return line
    }

    /// Empties the line and forgets it.
    package mutating func cancel() {
        replace(with: "")
        history.leave()
    }

    /// The newest line of the history that begins with `prefix` and is longer.
    package func remembered(beginning prefix: String) -> String? {
        history.newest { $0.hasPrefix(prefix) && $0 != prefix }
    }

    /// Does one edit.
    package mutating func perform(_ edit: Edit) {
        switch edit {
        case .left: move(back: 1)
        case .right: move(forward: 1)
        case .home: move(back: before.count)
        case .end: move(forward: after.count)
        case .deleteBackward: before = String(before.dropLast())
        case .deleteForward: after = String(after.dropFirst())
        case .deleteWord: deleteWord()
        case .deleteToStart: before = ""
        case .deleteToEnd: after = ""
        case .older:
            if let line = history.older(than: text) { show(line) }
        case .newer:
            if let line = history.newer() { show(line) }
        }
    }

    private mutating func show(_ line: String) {
        before = line
        after = ""
    }

    private mutating func move(back count: Int) {
        after = String(before.suffix(count)) + after
        before = String(before.dropLast(count))
    }

    private mutating func move(forward count: Int) {
        before += String(after.prefix(count))
        after = String(after.dropFirst(count))
    }

    private mutating func deleteWord() {
        while before.last == " " { before.removeLast() }
        while let last = before.last, last != " " { before.removeLast() }
    }
}

/// The edits of a line.
package enum Edit: Hashable, Sendable {
    case left, right, home, end
    case deleteBackward, deleteForward, deleteWord, deleteToStart, deleteToEnd
    /// The line before in the history, and the one after.
    case older, newer
}
