/// The log: its newest ``capacity`` lines, and how far the person has scrolled back.
package struct LogPane: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        package var time: TimeOfDay?
        package var source: String
        package var severity: Severity
        package var text: Printable
    }

    package static let capacity = 1000

    package private(set) var lines: [Line] = []
    /// Lines that lie below the view; 0 follows the newest.
    package private(set) var linesBelow = 0

    mutating func append(_ line: Line) {
        lines.append(line)
        if lines.count > Self.capacity { lines.removeFirst() }
        // What the person reads stays where it is.
        if linesBelow > 0 { linesBelow = min(linesBelow + 1, lines.count - 1) }
    }

    /// `bound`: the lines below the view that has the oldest line at its top.
    mutating func scroll(by count: Int, to bound: Int) {
        linesBelow = min(max(linesBelow + count, 0), max(bound, 0))
    }
}
