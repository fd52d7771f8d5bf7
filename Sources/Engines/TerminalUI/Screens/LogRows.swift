extension AppState {
    /// How many lines of the log are below its view when the oldest is at the top: further back there is nothing.
    var lastLogOffset: Int {
        // The calls' rule and the log's title are between.
        var room = layout.bottom - layout.firstCallRow - callsHeight(layout) - 1 - layout.titleRows
        var shown = 0
        for line in log.lines {
            room -= line.rows(width: columns).count
            guard room >= 0 else { break }
            shown += 1
        }
        return log.lines.count - max(shown, 1)
    }

    /// The log from its title on, down to the rule above the dial line. The newest line is at the bottom of the text,
    /// which starts at the top and scrolls alone.
    func drawLog(into canvas: inout Canvas, from top: Int) {
        let layout = canvas.layout
        let bottom = layout.bottom
        if layout.hasRules { canvas.rule(row: bottom) }
        if layout.hasTitles { canvas.put(" LOG", column: 0, row: top, style: .quiet) }
        if log.linesBelow > 0 {
            // Without a title the rule above has room for it.
            let (column, row) = layout.hasTitles ? (8, top) : (canvas.columns - 22, top - 1)
            canvas.put(" ↓ \(log.linesBelow) newer: PgDn ", column: column - 1, row: row, style: .waiting)
        }
        let first = top + layout.titleRows
        let height = bottom - first
        guard height > 0 else { return }
        if log.lines.isEmpty {
            canvas.put(
                CellText.cut("Nothing yet. What happens to accounts and calls is told here.", to: canvas.columns - 7),
                column: 6, row: first, style: .quiet)
        }
        // From the newest line in view upwards, as far as there are rows.
        var rows: [StyledText] = []
        for line in log.lines.dropLast(log.linesBelow).reversed() {
            rows = line.rows(width: canvas.columns) + rows
            if rows.count >= height { break }
        }
        for (index, text) in rows.suffix(height).enumerated() { canvas.put(text, column: 0, row: first + index) }
    }
}

extension LogPane.Line {
    /// Time, source and text; a long text goes on in the text's column.
    func rows(width: Int) -> [StyledText] {
        // Wide enough for `anonymous`, the account of a phone without configuration; with no room for that, for a call.
        let isNarrow = Layout.isNarrow(width)
        let column = isNarrow ? 16 : 21
        var rows: [StyledText] = []
        for part in CellText.wrapped(text.text, to: width - column - 1) {
            var row = StyledText(" ")
            if rows.isEmpty {
                let clock = isNarrow ? time?.hoursAndMinutes : time?.withSeconds
                row.append(CellText.fitted(clock ?? "", to: isNarrow ? 5 : 8), .quiet)
                row.append(isNarrow ? " " : "  ")
                row.append(CellText.fitted(source, to: isNarrow ? 8 : 9), sourceStyle)
                row.append(" ")
            } else {
                row.append(CellText.blanks(column - 1))
            }
            row.append(part, severity == .failure ? .bright : .plain)
            rows.append(row)
        }
        return rows
    }

    private var sourceStyle: Style {
        switch severity {
        case .info: .plain
        case .warning: .waiting
        case .failure: .urgent
        }
    }
}

extension CellText {
    /// The text in rows of at most `width` cells, broken at spaces where there are any; one empty row for no text.
    static func wrapped(_ text: String, to width: Int) -> [String] {
        guard width >= 2 else { return [cut(text, to: width)] }
        var rows: [String] = []
        var row = ""
        var used = 0
        for word in text.split(separator: " ") {
            let cells = CellWidth.of(word)
            if used > 0, used + 1 + cells <= width {
                row += " " + word
                used += 1 + cells
                continue
            }
            if used > 0 { rows.append(row) }
            row = ""
            used = 0
            for piece in pieces(of: word) {
                if used + piece.width > width {
                    rows.append(row)
                    row = ""
                    used = 0
                }
                row += piece.text
                used += piece.width
            }
        }
        return used > 0 || rows.isEmpty ? rows + [row] : rows
    }
}
