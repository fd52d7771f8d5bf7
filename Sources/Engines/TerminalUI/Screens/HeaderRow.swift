import EngineKit

extension AppState {
    /// The first row: can I be reached, and what is the time; then a rule.
    func drawHeader(into canvas: inout Canvas, at now: Instant) {
        let clock = timeOfDay(at: now)?.hoursAndMinutes ?? ""
        let missed = missedCalls > 0 ? "  ⚑\(missedCalls)" : ""
        let right = clock + missed + " "
        let rightColumn = canvas.columns - CellWidth.of(right)
        let start = canvas.put(canvas.layout.isNarrow ? " " : " offhook  ", column: 0, row: 0, style: .bright)
        var column = start
        var room = rightColumn - start - 1
        // An account that does not fit in full gives up its address before it gives up its sign.
        for (index, account) in accounts.enumerated() {
            let rest = accounts.count - index - 1
            let reserved = rest > 0 ? rest * 16 : 0
            let text = account.header(width: max(14, room - reserved))
            guard text.width <= room else {
                canvas.put("+\(rest + 1)", column: column, row: 0, style: .quiet)
                break
            }
            column = canvas.put(text, column: column, row: 0) + 2
            room = rightColumn - column - 1
        }
        if accounts.isEmpty { canvas.put("no account", column: column, row: 0, style: .waiting) }
        canvas.put(clock, column: rightColumn, row: 0)
        canvas.put(missed, column: rightColumn + CellWidth.of(clock), row: 0, style: .waiting)
        if canvas.layout.hasRules { canvas.rule(row: 1) }
    }
}

extension AccountLine {
    /// Name, sign, and address or what is wrong, in at most `width` cells.
    func header(width: Int) -> StyledText {
        var text = StyledText(CellText.cut(name.text, to: 12))
        text.append(" \(sign) ", style)
        if messagesWaiting > 0 { text.append("✉\(min(messagesWaiting, 99)) ", .waiting) }
        let rest = width - text.width
        if rest >= 6 { text.append(CellText.cut(isReachable ? address.text : word, to: rest), style) }
        return text
    }

    var isReachable: Bool {
        switch state {
        case .peerToPeer, .registered: true
        case .registering, .unregistered, .failed: false
        }
    }

    var sign: String {
        switch state {
        case .registered: "●"
        case .peerToPeer, .unregistered: "○"
        case .registering: "◌"
        case .failed: "✕"
        }
    }

    var word: String {
        switch state {
        case .registered: "registered"
        case .peerToPeer: "peer to peer"
        case .unregistered: "not registered"
        case .registering: "registering"
        case .failed(let cause, _): cause.text
        }
    }

    var style: Style {
        switch state {
        case .registered: .good
        case .peerToPeer: .bright
        case .registering, .unregistered: .waiting
        case .failed: .urgent
        }
    }
}
