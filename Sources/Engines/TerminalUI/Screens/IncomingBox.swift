import EngineKit

extension AppState {
    /// Who calls, over whatever is shown, until it is dealt with. Its word blinks, and nothing else on the screen.
    func drawBox(for call: CallLine, into canvas: inout Canvas, at now: Instant) {
        guard let incoming = call.incoming else { return }
        let width = canvas.boxWidth(62)
        let inner = width - 4
        let clock = Figure.clock(now - call.since)
        var title = StyledText("INCOMING", Style(.red, isBold: true, isBlinking: true))
        title.append(" on " + CellText.cut(incoming.account.text, to: inner - 20), .bright)
        title.append(CellText.blanks(inner - title.width - CellWidth.of(clock)) + clock)
        let name = incoming.peer.displayName.flatMap { $0.isEmpty ? nil : $0.text }
        var lines = [title]
        let isFlat = !canvas.layout.hasTitles
        if let name, !isFlat { lines.append(StyledText(CellText.cut(name, to: inner), .bright)) }
        lines.append(
            StyledText(
                isFlat
                    ? incoming.peer.fitted(to: inner)
                    : CellText.cut(name == nil ? incoming.peer.address.text : "<\(incoming.peer.address)>", to: inner),
                .bright))
        // What is cut for want of room must not be whether the caller is who it says.
        var facts = incoming.trust.isEmpty ? [] : [incoming.trust.text]
        if !incoming.via.isEmpty { facts.append("via \(incoming.via)") }
        if !incoming.codecs.isEmpty { facts.append(incoming.codecs.map(\.text).joined(separator: ", ")) }
        lines.append(StyledText(CellText.cut(facts.joined(separator: " · "), to: inner)))
        let waiting = ringingCalls.count - 1
        if waiting > 0 || !isFlat {
            lines.append(waiting > 0 ? StyledText("\(waiting) more ringing", .waiting) : StyledText())
        }
        if line == nil {
            lines += KeyHint.rows(incomingHints(isBrief: false), width: inner)
        } else {
            lines.append(StyledText("Esc leaves the line, then a answers", .waiting))
        }
        canvas.box(lines, width: width)
    }
}
