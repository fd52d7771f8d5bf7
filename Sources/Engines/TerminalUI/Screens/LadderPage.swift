import EngineKit

extension AppState {
    /// The SIP messages of a call: when, how long after the one before, what, and which way.
    func ladderRows(of call: CallLine, width: Int) -> [StyledText] {
        guard let first = call.messages.first else {
            return [StyledText("      No SIP message of this call yet.", .quiet)]
        }
        let isNarrow = Layout.isNarrow(width)
        let arrowColumn = isNarrow ? width - 5 : min(width - 18, 102)
        var heading = StyledText()
        heading.pad(to: arrowColumn - 1)
        heading.append(isNarrow ? "peer" : "us            peer", .quiet)
        var rows = [heading]
        var media = mediaRow(of: call, arrowColumn: arrowColumn, isNarrow: isNarrow)
        var before = first.time
        for (index, message) in call.messages.enumerated() {
            // The media end with the call.
            if message.summary.text.hasPrefix("BYE "), let row = media {
                rows.append(row)
                media = nil
            }
            let delta = (message.time - before).saturatedNanoseconds / 1_000_000
            before = message.time
            var row = StyledText(" ")
            if !isNarrow {
                row.append(CellText.fitted(timeOfDay(at: message.time)?.withMilliseconds ?? "", to: 12), .quiet)
            }
            row.append(CellText.fittedRight(index == 0 ? "" : "+\(delta)", to: 7), .quiet)
            row.append("  ")
            row.append(CellText.cut(message.summary.text, to: arrowColumn - row.width - 1))
            row.pad(to: arrowColumn)
            switch message.direction {
            case .sent: row.append(isNarrow ? "──▶│" : "│──────────────▶│", .good)
            case .received: row.append(isNarrow ? "◀──│" : "│◀──────────────│", .waiting)
            }
            rows.append(row)
        }
        if let media { rows.append(media) }
        return rows
    }

    private func mediaRow(of call: CallLine, arrowColumn: Int, isNarrow: Bool) -> StyledText? {
        guard let media = call.media, call.isEstablished || call.duration != nil else { return nil }
        var row = StyledText(CellText.blanks(isNarrow ? 10 : 22))
        row.append(CellText.cut("═ RTP \(media.codec) ═", to: arrowColumn - row.width - 1))
        row.pad(to: arrowColumn)
        row.append(isNarrow ? "◀═▶│" : "│◀═════════════▶│", .good)
        return row
    }
}
