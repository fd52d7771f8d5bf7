extension AppState {
    /// The bottom row: the keys that work here and now.
    func drawKeyRow(into canvas: inout Canvas) {
        let row = canvas.rows - 1
        let offered = offeredHints
        // The way out, the last one or two, is always there; those before it go as room goes.
        let tail = offered.suffix(page != nil && line == nil && question == nil ? 1 : 2)
        let tailWidth = tail.reduce(0) { $0 + $1.width + KeyHint.gap }
        var column = 1
        for (index, hint) in offered.enumerated() {
            let isTail = index >= offered.count - tail.count
            guard isTail || column + hint.width + KeyHint.gap + tailWidth <= canvas.columns else { continue }
            let end = canvas.put(hint.key, column: column, row: row, style: .key)
            column = canvas.put(" " + hint.title, column: end, row: row) + KeyHint.gap
        }
    }

    private var offeredHints: [KeyHint] {
        if question != nil { return hints([.confirm, .decline], in: .question) }
        if let line {
            switch line {
            case .callNumber: return hints([.commitLine, .leaveLine], in: .line)
            case .noTransfer: return hints([.leaveLine], in: .line)
            case .dial, .command, .transfer:
                return hints([.complete, .edit(.older), .edit(.deleteWord), .commitLine, .leaveLine], in: .line)
            }
        }
        return boxHints + (page == nil ? hints([.help, .quit], in: .phone) : hints([.closePage], in: .page))
    }

    /// What works now besides the way out: the keys of the box, else those of the page, else the phone's.
    private var boxHints: [KeyHint] {
        if !ringingCalls.isEmpty {
            let end: [Action] = selectedCall?.isEstablished == true ? [.hangUp] : []
            return incomingHints(isBrief: true) + hints(end, in: .phone)
        }
        if transferringCall != nil {
            return hints([.acceptTransfer, .declineTransfer], in: .transfer) + hints([.hangUp], in: .phone)
        }
        guard page != nil else { return hints(phoneActions, in: .phone) }
        let moves: [Action] = lastPageOffset > 0 ? [.lineUp, .lineDown, .pageUp, .pageDown] : []
        let end: [Action] = selectedCall?.isLive == true ? [.hangUp] : []
        return hints(end, in: .phone) + hints(moves, in: .page)
    }

    private var phoneActions: [Action] {
        guard let call = selectedCall, call.isLive else {
            return [.dial, .listCalls, .listContacts, .listRegistrations, .commandLine]
        }
        let others: [Action] = calls.count > 1 ? [.nextCall] : []
        if call.isIncoming { return [.answer, .hangUp, .dial] + others }
        guard call.isEstablished else { return [.hangUp, .dial, .ladder] + others }
        let hold: Action = call.isHeldByUs ? .resume : .hold
        let digits: [Action] = call.isTalking ? [.digits] : []
        let passed: Action = calls.count { $0.isEstablished } > 1 ? .connect : .transfer
        return [.dial, .hangUp, hold, passed, .mute] + others + digits + [.callStatus, .ladder]
    }
}

extension Binding {
    /// The key that the bottom row names; help names all.
    var keyText: String {
        action == .digits ? "0-9*#" : keys.first?.name ?? ""
    }

    var allKeysText: String {
        action == .digits ? "0-9 * #" : keys.map(\.name).joined(separator: " ")
    }
}
