/// A rule that a session description breaks.
package struct DescriptionFault: Hashable, Sendable {
    /// The line's number, from 1; 0 where no one line is at fault.
    package var line: Int
    package var text: String
    /// The clause that says so; nil where a limit of ours is exceeded.
    package var clause: String?
    /// Whether the description is refused for it; other faults are passed over.
    package var isRefused = false

    init(_ text: String, _ clause: String, line: Int) {
        self.text = text
        self.clause = clause
        self.line = line
    }

    package init(_ error: SDPError) {
        text = error.kind.text
        clause = error.kind.clause
        line = error.line
        isRefused = true
    }
}

extension DescriptionFault: CustomStringConvertible {
    package var description: String {
        (line > 0 ? "line \(line): " : "") + text + (clause.map { " (\($0))" } ?? "")
    }
}
