extension LineEditor {
    /// The part of the line that a field of `width` cells shows, and the cursor's column in it.
    ///
    /// The view moves by half a field at a time, so that it stands still under most keys; `…` at either end says that the
    /// line goes on there.
    package func view(width: Int) -> (text: String, cursor: Int) {
        guard width > 2 else { return ("", 0) }
        let cursorCell = CellWidth.of(before)
        let half = max(width / 2, 1)
        let start = cursorCell < width - 1 ? 0 : (cursorCell / half - 1) * half
        var shown = ""
        var cell = 0
        var used = 0
        var cursor: Int?
        for piece in CellText.pieces(of: text) {
            if cell >= cursorCell, cursor == nil { cursor = used }
            defer { cell += piece.width }
            guard cell >= start else { continue }
            if shown.isEmpty, start > 0 {
                // The first character that is shown gives its cells to the mark.
                shown = "…" + CellText.blanks(piece.width - 1)
                used = piece.width
                continue
            }
            guard used + piece.width < width else {
                shown += "…"
                used = width
                break
            }
            shown += piece.text
            used += piece.width
        }
        return (shown, min(cursor ?? used, width - 1))
    }
}
