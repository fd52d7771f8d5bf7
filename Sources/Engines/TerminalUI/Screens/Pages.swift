import EngineKit

extension AppState {
    /// Rows of a page that are in view at once: what the header, the call that is up, the title, the rule, the line and
    /// the keys leave.
    var pageHeight: Int { max(1, layout.bottom - layout.top - 1 - (callOverPage == nil ? 0 : 1)) }

    /// The call that stays in sight above a page: the selected one, else any that lives.
    var callOverPage: CallLine? {
        guard page != nil else { return nil }
        return selectedCall.flatMap { $0.isLive ? $0 : nil } ?? liveCalls.first
    }

    /// How far the page can be scrolled.
    var lastPageOffset: Int {
        guard let page else { return 0 }
        return max(0, rows(of: page.subject, width: columns, at: .zero).count - pageHeight)
    }

    func draw(_ page: Page, into canvas: inout Canvas, at now: Instant) {
        var top = canvas.layout.top
        if let call = callOverPage {
            let isSelected = call.reference == selection
            canvas.put(call.row(width: canvas.columns, isSelected: isSelected, at: now), column: 0, row: top)
            top += 1
        }
        canvas.put(title(of: page.subject), column: 0, row: top)
        let rows = rows(of: page.subject, width: canvas.columns, at: now)
        let height = canvas.layout.bottom - top - 1
        let first = min(page.offset, max(0, rows.count - height))
        for (index, row) in rows.dropFirst(first).prefix(height).enumerated() {
            canvas.put(row, column: 0, row: top + 1 + index)
        }
        let below = rows.count - first - height
        if below > 0 { canvas.put("↓ \(below) more", column: canvas.columns - 14, row: top, style: .waiting) }
    }

    private func title(of subject: Page.Subject) -> StyledText {
        switch subject {
        case .help: return StyledText(" HELP", .bright)
        case .calls: return StyledText(" CALLS of now and before", .bright)
        case .contacts: return StyledText(" CONTACTS", .bright)
        case .registrations: return StyledText(" ACCOUNTS", .bright)
        case .status(let reference): return callTitle(reference, "status")
        case .ladder(let reference): return callTitle(reference, "ladder")
        }
    }

    private func callTitle(_ reference: CallReference, _ word: String) -> StyledText {
        guard let call = call(reference) else { return StyledText(" CALL", .bright) }
        let peer = call.peer.displayName.flatMap { $0.isEmpty ? nil : $0 } ?? call.peer.address
        return StyledText(" CALL \(call.number)  \(CellText.cut(peer.text, to: 30)) · \(word)", .bright)
    }

    private func rows(of subject: Page.Subject, width: Int, at now: Instant) -> [StyledText] {
        switch subject {
        case .help: return Self.helpRows(width: width)
        case .calls: return callListRows(width: width, at: now)
        case .contacts: return contactRows(width: width)
        case .registrations: return registrationRows(width: width)
        case .status(let reference): return call(reference)?.statusRows(width: width, at: now) ?? []
        case .ladder(let reference): return call(reference).map { ladderRows(of: $0, width: width) } ?? []
        }
    }
}
