/// A key and what it does now, as the bottom row and the boxes name it.
struct KeyHint: Hashable, Sendable {
    var key: String
    var title: String

    var width: Int { CellWidth.of(key) + 1 + CellWidth.of(title) }

    /// Between one hint and the next.
    static let gap = 2

    /// Hints in rows of at most `width` cells.
    static func rows(_ hints: [KeyHint], width: Int) -> [StyledText] {
        var rows: [StyledText] = []
        var row = StyledText()
        for hint in hints {
            if row.width > 0, row.width + gap + hint.width > width {
                rows.append(row)
                row = StyledText()
            }
            if row.width > 0 { row.append(CellText.blanks(gap)) }
            row.append(hint.key, .key)
            row.append(CellText.cut(" " + hint.title, to: width - CellWidth.of(hint.key)))
        }
        return rows + [row]
    }
}

extension AppState {
    /// The keys of an incoming call's box. Where another call is up, its key comes first that keeps the two apart.
    ///
    /// - Parameter isBrief: for the bottom row, which has less room than the box.
    func incomingHints(isBrief: Bool) -> [KeyHint] {
        guard calls.contains(where: \.isTalking) else { return hints([.answer, .reject, .ignore], in: .incoming) }
        var hints = hints([.holdAndAnswer, .answer, .reject, .ignore], in: .incoming)
        if isBrief, layout.isNarrow { hints[0].title = "hold, answer" }
        if !hearingCalls.isEmpty { hints[1].title = isBrief ? "answer too" : "answer, all hear you" }
        return hints
    }

    func hints(_ actions: [Action], in scope: Scope) -> [KeyHint] {
        actions.compactMap { action in
            guard let binding = Binding.forAction(action, in: scope) else { return nil }
            return KeyHint(key: binding.keyText, title: title(of: action, in: scope) ?? binding.title)
        }
    }

    /// What a key does now, where that is not what it always does.
    private func title(of action: Action, in scope: Scope) -> String? {
        switch action {
        // The key that mutes also unmutes.
        case .mute where selectedCall?.isMuted == true: Binding.forAction(.unmute, in: scope)?.title
        // Beside a box it is not the call in the box that ends.
        case .hangUp where !ringingCalls.isEmpty: selectedCall.map { "hang up call \($0.number)" }
        default: nil
        }
    }
}
