extension AppState {
    /// The row above the keys: the line that has the focus, else a notice, else how to dial.
    func drawLineRow(into canvas: inout Canvas) {
        let row = canvas.rows - 2
        if page != nil, canvas.layout.hasRules { canvas.rule(row: row - 1) }
        if let line, let editor = focusedLine {
            draw(line, editor, into: &canvas, row: row)
        } else if line == .noTransfer {
            canvas.put(CellText.cut(Self.noTransfer, to: canvas.columns - 2), column: 1, row: row, style: .waiting)
        } else if let notice {
            canvas.put(
                " " + CellText.cut(notice.text.text, to: canvas.columns - 2), column: 0, row: row, style: notice.style)
        } else {
            let column = canvas.put(" dial ▏", column: 0, row: row, style: .quiet)
            let hint = CellText.cut(idleHint, to: canvas.columns - column - 3)
            canvas.put(hint, column: column + 2, row: row, style: .quiet)
        }
    }

    static let noTransfer = "no call is up to transfer: what is typed goes nowhere"

    /// Who is writing to us, else how to dial.
    private var idleHint: String {
        guard let writer = writers.last else { return "d or a number dials, : takes commands" }
        return "\(writer.shown) is writing"
    }

    private func draw(_ line: LineKind, _ editor: LineEditor, into canvas: inout Canvas, row: Int) {
        let prompt =
            switch line {
            case .dial: dialAccount.map { " dial from \(CellText.cut($0.text, to: 12)) ▏" } ?? " dial ▏"
            case .command: " : ▏"
            case .callNumber: " call @▏"
            case .noTransfer: " "
            case .transfer(let reference): " transfer call \(call(reference).map { String($0.number) } ?? "") to ▏"
            }
        let column = canvas.put(prompt, column: 0, row: row, style: .bright)
        let room = canvas.columns - column - 1
        let hint = completionHint(of: line, editor)
        // What could follow gives way to what is typed.
        let hintWidth = hint.isEmpty ? 0 : min(CellWidth.of(hint) + 2, room / 2)
        let view = editor.view(width: room - hintWidth)
        canvas.put(view.text, column: column, row: row)
        if !hint.isEmpty {
            let at = canvas.columns - hintWidth
            canvas.put(CellText.cut(hint, to: hintWidth - 1), column: at, row: row, style: .quiet)
        }
        canvas.cursor = Canvas.Cursor(column: min(column + view.cursor, canvas.columns - 1), row: row)
    }

    private func completionHint(of line: LineKind, _ editor: LineEditor) -> String {
        switch line {
        case .command: return completions.isEmpty ? "" : "⇥ " + completions.joined(separator: " ")
        case .dial, .transfer: return target(beginning: editor).map { "⇥ " + $0 } ?? ""
        case .callNumber, .noTransfer: return ""
        }
    }
}
