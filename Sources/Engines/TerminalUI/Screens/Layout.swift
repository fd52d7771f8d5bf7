/// What a screen of so many cells has room for.
///
/// What has least worth goes first: rules before titles, figures of the sound before its level, codecs before states.
/// Who is on the line, what happened last and what the keys do stay down to ``minimumColumns`` by ``minimumRows``.
struct Layout: Hashable, Sendable {
    let columns: Int
    let rows: Int

    /// The smallest screen that is drawn whole; below it a list of the calls is left.
    static let minimumColumns = 40
    static let minimumRows = 10

    var isTooSmall: Bool { columns < Self.minimumColumns || rows < Self.minimumRows }

    /// The rules under the header and over the line that takes text.
    var hasRules: Bool { rows >= 20 }
    /// The words over the calls and over the log.
    var hasTitles: Bool { rows >= 16 }
    /// Meters of each call that was answered, not of the selected one alone.
    var hasAllMeters: Bool { rows >= 14 }
    /// Whether two columns of text have no room beside one another.
    var isNarrow: Bool { Self.isNarrow(columns) }

    static func isNarrow(_ columns: Int) -> Bool { columns < 64 }

    /// The first row under the header.
    var top: Int { hasRules ? 2 : 1 }
    var firstCallRow: Int { top + titleRows }
    /// The row after the last one of the log or a page.
    var bottom: Int { rows - (hasRules ? 3 : 2) }
    var titleRows: Int { hasTitles ? 1 : 0 }

    /// Rows for calls that would take so many: some are left for the log, whose rule and title stand between.
    func callsHeight(wanted: Int) -> Int {
        let log = hasRules ? 5 : hasTitles ? 3 : 2
        return min(max(wanted, hasTitles ? 3 : 2), bottom - firstCallRow - 1 - titleRows - log)
    }
}

extension AppState {
    var layout: Layout { Layout(columns: columns, rows: rows) }
}

extension Canvas {
    var layout: Layout { Layout(columns: columns, rows: rows) }
}
