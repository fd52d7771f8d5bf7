extension Printable {
    /// What a whole line of output may hold: a header field of the longest kind that a message may carry.
    package static let maximumLineCells = 4096

    /// One line for a log or a pipe: filtered as all that is shown, but not cut to what a screen has room for.
    package static func line(_ text: String, cells: Int = maximumLineCells) -> String {
        line(scalars: text.unicodeScalars, cells: cells)
    }

    /// As `line(_:)`, from bytes that claim to be UTF-8.
    package static func line(decoding bytes: some Sequence<UInt8>) -> String {
        line(
            scalars: String(decoding: Array(bytes.prefix(4 * maximumLineCells)), as: UTF8.self).unicodeScalars,
            cells: maximumLineCells)
    }

    private static func line(scalars: String.UnicodeScalarView, cells: Int) -> String {
        var filter = PrintableFilter(maximumCells: cells)
        for scalar in scalars {
            guard filter.append(scalar) else { break }
        }
        return filter.finished()
    }
}
