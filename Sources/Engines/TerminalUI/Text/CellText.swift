/// Text cut and padded to columns of cells.
package enum CellText {
    /// The pieces of `text` that each fill their own cells: one character of width 1 or 2 with the marks on it.
    package static func pieces(of text: some StringProtocol) -> [(text: String, width: Int)] {
        var pieces: [(text: String, width: Int)] = []
        for scalar in text.unicodeScalars {
            let width = CellWidth.of(scalar)
            if width == 0 {
                guard let last = pieces.indices.last else { continue }
                if pieces[last].text.unicodeScalars.count <= PrintableFilter.maximumMarks {
                    pieces[last].text.unicodeScalars.append(scalar)
                }
            } else {
                pieces.append((String(scalar), width))
            }
        }
        return pieces
    }

    /// The text, or its beginning and `…` where it is wider than `width` cells.
    package static func cut(_ text: some StringProtocol, to width: Int) -> String {
        guard width > 0 else { return "" }
        if CellWidth.of(text) <= width { return String(text) }
        var result = ""
        var used = 0
        for piece in pieces(of: text) {
            guard used + piece.width <= width - 1 else { break }
            result += piece.text
            used += piece.width
        }
        return result + "…"
    }

    /// The text in exactly `width` cells, to the left.
    package static func fitted(_ text: some StringProtocol, to width: Int) -> String {
        let cutText = cut(text, to: width)
        return cutText + blanks(width - CellWidth.of(cutText))
    }

    /// The text in exactly `width` cells, to the right.
    package static func fittedRight(_ text: some StringProtocol, to width: Int) -> String {
        let cutText = cut(text, to: width)
        return blanks(width - CellWidth.of(cutText)) + cutText
    }

    /// A run of `count` spaces; none for a negative count.
    package static func blanks(_ count: Int) -> String {
        String(repeating: " ", count: max(0, count))
    }
}
