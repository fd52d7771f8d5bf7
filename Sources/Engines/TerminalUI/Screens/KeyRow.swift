extension AppState {
    /// The bottom row: the keys that work here and now.
    func drawKeyRow(into canvas: inout Canvas) {
        let row = canvas.rows - 1
        let offered = offeredHints
        // The last two, help and quit, keep their place at the end; those before them go as room goes.
        let tail = offered.suffix(2)
        let tailWidth = tail.reduce(0) { $0 + $1.width }
        var column = 1
        for (index, hint) in offered.enumerated() {
            let isTail = index >= offered.count - tail.count
            guard isTail || column + hint.width + tailWidth <= canvas.columns else { continue }
            let end = canvas.put(hint.key, column: column, row: row, style: .key)
            column = canvas.put(" " + hint.title, column: end, row: row) + 2
        }
    }

    /// A key on the bottom row, and what it does now.
    private struct Hint {
        var key: String
        var title: String

        var width: Int { CellWidth.of(key) + 1 + CellWidth.of(title) + 2 }
    }

    private var offeredHints: [Hint] {
        if question != nil { return hints([.confirm, .decline], in: .question) }
        if let line {
            let edits: [Action] = line == .callNumber ? [] : [.complete, .edit(.older), .edit(.deleteWord)]
            return hints(edits + [.commitLine, .leaveLine], in: .line)
        }
        if page != nil {
            let moves: [Action] = lastPageOffset > 0 ? [.lineUp, .lineDown, .pageUp, .pageDown] : []
            let end: [Action] = selectedCall?.isLive == true ? [.hangUp] : []
            return hints(end, in: .phone) + hints(moves + [.closePage], in: .page)
        }
        if !ringingCalls.isEmpty {
            let hold: [Action] = calls.contains(where: \.isTalking) ? [.holdAndAnswer] : []
            let end: [Action] = selectedCall?.isEstablished == true ? [.hangUp] : []
            return hints([.answer] + hold + [.reject, .ignore], in: .incoming)
                + hints(end + [.help, .quit], in: .phone)
        }
        if transferringCall != nil {
            return hints([.acceptTransfer, .declineTransfer], in: .transfer)
                + hints([.hangUp, .help, .quit], in: .phone)
        }
        return hints(phoneActions + [.help, .quit], in: .phone)
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

    private func hints(_ actions: [Action], in scope: Scope) -> [Hint] {
        actions.compactMap { action in
            guard let binding = Binding.forAction(action, in: scope) else { return nil }
            // The key that mutes also unmutes.
            let meant = action == .mute && selectedCall?.isMuted == true ? Action.unmute : action
            return Hint(key: binding.keyText, title: Binding.forAction(meant, in: scope)?.title ?? binding.title)
        }
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
