import EngineKit

extension AppState {
    /// Draws the phone as it is now; the canvas is overwritten whole.
    package func draw(into canvas: inout Canvas, at now: Instant) {
        canvas = Canvas(columns: canvas.columns, rows: canvas.rows, repertoire: canvas.repertoire)
        guard !canvas.layout.isTooSmall else { return drawSmall(into: &canvas, at: now) }
        drawHeader(into: &canvas, at: now)
        if let page {
            draw(page, into: &canvas, at: now)
        } else {
            let end = drawCalls(into: &canvas, at: now)
            drawLog(into: &canvas, from: end)
        }
        drawLineRow(into: &canvas)
        drawKeyRow(into: &canvas)
        if let question {
            draw(question, into: &canvas)
        } else if let call = ringingCalls.first {
            drawBox(for: call, into: &canvas, at: now)
        } else if let call = transferringCall {
            drawTransferBox(for: call, into: &canvas)
        }
    }

    /// What is left when the terminal is too small: who is on the line. All keys work.
    private func drawSmall(into canvas: inout Canvas, at now: Instant) {
        var row = 0
        func put(_ text: String, _ style: Style = .plain) {
            canvas.put(CellText.cut(text, to: canvas.columns), column: 0, row: row, style: style)
            row += 1
        }
        if let question { put(question.text(calls: liveCalls.count) + "  y yes  n no", .urgent) }
        if let call = ringingCalls.first {
            put("INCOMING \(call.peer.shown)", .urgent)
            put("a answer  r reject  i ignore", .key)
        }
        if let call = transferringCall, let target = call.requestedTransfer {
            put("TRANSFER to \(target.shown)?", .urgent)
            put("y call them  n decline", .key)
        }
        for call in calls {
            let mark = call.reference == selection ? ">" : " "
            put("\(mark)\(call.number) \(call.stateText(at: now)) \(call.peer.shown)", call.stateStyle)
        }
        if let notice { put(notice.text.text, notice.style) }
        if let line, let editor = focusedLine {
            let view = editor.view(width: canvas.columns - 2)
            canvas.cursor = Canvas.Cursor(column: min(2 + view.cursor, canvas.columns - 1), row: row)
            put((line == .dial ? "> " : line == .command ? ": " : "@ ") + view.text)
            if row > canvas.rows { canvas.cursor = nil }
        }
        if line == .noTransfer { put(Self.noTransfer, .waiting) }
        put("offhook needs \(Layout.minimumColumns)x\(Layout.minimumRows) cells", .quiet)
        put("this terminal has \(canvas.columns)x\(canvas.rows)", .quiet)
        put("keys work: b hang up, q quit", .quiet)
    }

    private func draw(_ question: Question, into canvas: inout Canvas) {
        var keys = StyledText()
        for action in [Action.confirm, .decline] {
            guard let binding = Binding.forAction(action, in: .question) else { continue }
            keys.append(binding.keyText, .key)
            keys.append(" \(binding.title)   ")
        }
        let lines = [
            StyledText(), StyledText(question.text(calls: liveCalls.count), .bright), StyledText(), keys, StyledText(),
        ]
        canvas.box(lines, width: canvas.boxWidth(50))
    }
}

extension AppState.Question {
    func text(calls: Int) -> String {
        let up = calls == 1 ? "1 call is up." : "\(calls) calls are up."
        switch self {
        case .quit: return "\(up) Hang up and quit?"
        case .hangUpAll: return "\(up) Hang up all of them?"
        }
    }
}

extension AppState.Notice {
    var style: Style {
        switch severity {
        case .info: .bright
        case .warning: .waiting
        case .failure: .urgent
        }
    }
}
