/// A screen as a value: a grid of cells, and where the cursor stands.
///
/// Drawing outside the grid is cut off. A wide character takes two cells, the right one with empty text; where only half
/// of it would be left, a space is. So every row is as wide as the grid, whatever is drawn in whatever order.
package struct Canvas: Hashable, Sendable {
    /// One cell: a character with its marks, or nothing where the wide character to its left extends into it.
    package struct Cell: Hashable, Sendable {
        package var text: String
        package var style: Style

        package static let blank = Cell(text: " ", style: .plain)
    }

    /// Where the cursor is shown.
    package struct Cursor: Hashable, Sendable {
        package var column: Int
        package var row: Int
    }

    package let columns: Int
    package let rows: Int
    package let repertoire: Repertoire
    package var cursor: Cursor?
    private var cells: [Cell]

    /// The largest grid, each way: more than any screen, and little enough to allocate.
    package static let maximumSide = 1000

    /// A blank screen; sizes are held to 1 to ``maximumSide``.
    package init(columns: Int, rows: Int, repertoire: Repertoire = .unicode) {
        self.columns = min(max(columns, 1), Self.maximumSide)
        self.rows = min(max(rows, 1), Self.maximumSide)
        self.repertoire = repertoire
        cells = [Cell](repeating: .blank, count: self.columns * self.rows)
    }

    /// One row of cells, from the left; empty where there is no such row.
    package func row(_ row: Int) -> ArraySlice<Cell> {
        guard (0..<rows).contains(row) else { return [] }
        return cells[row * columns..<(row + 1) * columns]
    }

    /// The row's characters as text, blanks at the right left out.
    package func text(ofRow row: Int) -> String {
        var text = self.row(row).map(\.text).joined()
        while text.last == " " { text.removeLast() }
        return text
    }

    /// Writes `text` from `column` on and returns the column after it, which may lie outside the grid.
    @discardableResult
    package mutating func put(_ text: some StringProtocol, column: Int, row: Int, style: Style = .plain) -> Int {
        var at = column
        for piece in CellText.pieces(of: text) {
            // Columns beyond the grid need no exact count.
            guard at < columns else { return at }
            put(piece: piece.text, width: piece.width, column: at, row: row, style: style)
            at += piece.width
        }
        return at
    }

    /// Fills a row's span with one character of width 1.
    package mutating func fill(_ character: String, columns span: Range<Int>, row: Int, style: Style = .plain) {
        for column in span.clamped(to: 0..<columns) {
            put(piece: character, width: 1, column: column, row: row, style: style)
        }
    }

    private mutating func put(piece: String, width: Int, column: Int, row: Int, style: Style) {
        guard (0..<rows).contains(row), column < columns, column + width > 0 else { return }
        guard column >= 0, column + width <= columns else {
            set(Cell(text: " ", style: style), column: max(column, 0), row: row)
            return
        }
        let shown = repertoire.rendering(piece, width: width)
        if width == 2, shown.utf8.count == 2, shown.utf8.allSatisfy({ $0 < 0x80 }) {
            set(Cell(text: String(shown.prefix(1)), style: style), column: column, row: row)
            set(Cell(text: String(shown.suffix(1)), style: style), column: column + 1, row: row)
        } else {
            set(Cell(text: shown, style: style), column: column, row: row)
            if width == 2 { set(Cell(text: "", style: style), column: column + 1, row: row, isRightHalf: true) }
        }
    }

    /// Sets one cell and blanks the other half of a wide character that it cuts in two.
    private mutating func set(_ cell: Cell, column: Int, row: Int, isRightHalf: Bool = false) {
        let index = row * columns + column
        if cells[index].text.isEmpty, !isRightHalf, column > 0 { cells[index - 1].text = " " }
        if column + 1 < columns, cells[index + 1].text.isEmpty { cells[index + 1].text = " " }
        cells[index] = cell
    }
}
