/// Pieces of text on one row, each in its style.
struct StyledText: Hashable, Sendable {
    private(set) var runs: [Run] = []

    struct Run: Hashable, Sendable {
        var text: String
        var style: Style
    }

    init() {}

    init(_ text: String, _ style: Style = .plain) {
        append(text, style)
    }

    var width: Int { runs.reduce(0) { $0 + CellWidth.of($1.text) } }

    mutating func append(_ text: String, _ style: Style = .plain) {
        guard !text.isEmpty else { return }
        runs.append(Run(text: text, style: style))
    }

    /// Blanks up to a column, at least one.
    mutating func pad(to column: Int) {
        append(CellText.blanks(max(1, column - width)))
    }
}

extension Canvas {
    /// Writes styled text and returns the column after it.
    @discardableResult
    mutating func put(_ text: StyledText, column: Int, row: Int) -> Int {
        var at = column
        for run in text.runs { at = put(run.text, column: at, row: row, style: run.style) }
        return at
    }

    mutating func rule(row: Int) {
        fill("─", columns: 0..<columns, row: row, style: .quiet)
    }

    /// The width of a box that would like to be `wanted` cells wide.
    func boxWidth(_ wanted: Int) -> Int { min(wanted, columns) }

    /// A framed box in the middle of the screen with blank inside; `lines` stand two cells in.
    mutating func box(_ lines: [StyledText], width: Int) {
        let height = lines.count + 2
        let left = max(0, (columns - width) / 2)
        let top = max(0, (rows - height) / 2)
        let edge = String(repeating: "─", count: max(0, width - 2))
        put("┌" + edge + "┐", column: left, row: top, style: .bright)
        for (index, line) in lines.enumerated() {
            let row = top + 1 + index
            put("│" + CellText.blanks(width - 2) + "│", column: left, row: row, style: .bright)
            put(line, column: left + 2, row: row)
        }
        put("└" + edge + "┘", column: left, row: top + height - 1, style: .bright)
    }
}
