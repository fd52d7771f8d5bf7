extension AppState {
    /// Every key and command, from the table.
    static func helpRows(width: Int) -> [StyledText] {
        var rows: [StyledText] = []
        let sections: [(title: String, scope: Scope)] = [
            ("The phone", .phone), ("While a call rings", .incoming),
            ("When a peer asks for a transfer", .transfer), ("On a page", .page), ("In a line", .line),
            ("At a question", .question),
        ]
        for section in sections {
            if !rows.isEmpty { rows.append(StyledText()) }
            rows.append(StyledText(" " + section.title, .bright))
            for binding in Binding.table where binding.scope == section.scope { rows += binding.helpRows(width: width) }
        }
        rows.append(StyledText())
        rows.append(StyledText(" Signs", .bright))
        let signs = [
            ("●", "up, registered"), ("‖", "held"), ("◌", "ringing, registering"), ("✕", "failed"),
            ("○", "ended; an account without registrar"), ("⚑", "calls missed"),
        ]
        for (sign, meaning) in signs {
            var row = StyledText("   \(sign)", .key)
            row.pad(to: Layout.isNarrow(width) ? 6 : 33)
            row.append(meaning)
            rows.append(row)
        }
        return rows
    }
}

extension Binding {
    /// Keys, command with its argument, and what it does.
    fileprivate func helpRows(width: Int) -> [StyledText] {
        let isNarrow = Layout.isNarrow(width)
        let column = isNarrow ? 6 : 33
        var rows: [StyledText] = []
        if isNarrow { rows.append(heading) }
        let aliases = names.count > 1 ? " (also \(names.dropFirst().joined(separator: ", ")))" : ""
        for part in CellText.wrapped(help + aliases, to: width - column - 1) {
            var row = StyledText()
            if rows.isEmpty { row = heading }
            row.pad(to: column)
            row.append(part)
            rows.append(row)
        }
        return rows
    }

    private var heading: StyledText {
        var row = StyledText("   " + allKeysText, .key)
        row.pad(to: 13)
        if let name = names.first { row.append(":" + name + (argument.isEmpty ? "" : " " + argument)) }
        return row
    }
}
