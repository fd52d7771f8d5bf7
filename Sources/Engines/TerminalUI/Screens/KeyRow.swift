extension AppState {
    /// The bottom row: the keys that work here and now.
    func drawKeyRow(into canvas: inout Canvas) {
        let row = canvas.rows - 1
        let offered = offeredBindings
        // The last two, help and quit, keep their place at the end; those before them go as room goes.
        let tail = offered.suffix(2)
        let tailWidth = tail.reduce(0) { $0 + $1.hintWidth }
        var column = 1
        for (index, binding) in offered.enumerated() {
            let isTail = index >= offered.count - tail.count
            guard isTail || column + binding.hintWidth + tailWidth <= canvas.columns else { continue }
            let end = canvas.put(binding.keyText, column: column, row: row, style: .key)
            column = canvas.put(" " + binding.title, column: end, row: row) + 2
        }
    }

    private var offeredBindings: [Binding] {
        if question != nil { return bindings([.confirm, .decline], in: .question) }
        if let line {
            let edits: [Action] = line == .callNumber ? [] : [.complete, .edit(.older), .edit(.deleteWord)]
            return bindings(edits + [.commitLine, .leaveLine], in: .line)
        }
        if page != nil {
            return bindings([.lineUp, .lineDown, .pageUp, .pageDown, .closePage], in: .page)
        }
        if !ringingCalls.isEmpty {
            let hold: [Action] = calls.contains(where: \.isTalking) ? [.holdAndAnswer] : []
            let end: [Action] = selectedCall?.isEstablished == true ? [.hangUp] : []
            return bindings([.answer] + hold + [.reject, .ignore], in: .incoming)
                + bindings(end + [.help, .quit], in: .phone)
        }
        return bindings(phoneActions + [.help, .quit], in: .phone)
    }

    private var phoneActions: [Action] {
        guard let call = selectedCall, call.isLive else {
            return [.dial, .listCalls, .listRegistrations, .commandLine]
        }
        let others: [Action] = calls.count > 1 ? [.nextCall] : []
        if call.isIncoming { return [.answer, .hangUp, .dial] + others }
        guard call.isEstablished else { return [.hangUp, .dial, .ladder] + others }
        let hold: Action = call.isHeldByUs ? .resume : .hold
        return [.dial, .hangUp, hold, .mute] + others + [.digits, .callStatus, .ladder]
    }

    private func bindings(_ actions: [Action], in scope: Scope) -> [Binding] {
        actions.compactMap { Binding.forAction($0, in: scope) }
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

    fileprivate var hintWidth: Int {
        CellWidth.of(keyText) + 1 + CellWidth.of(title) + 2
    }
}
