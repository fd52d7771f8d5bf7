/// The lines entered before, oldest first; at most ``capacity``, none twice in a row.
struct LineHistory: Hashable, Sendable {
    static let capacity = 100

    private var lines: [String] = []
    /// The line shown while one walks through the history.
    private var position: Int?
    /// What was typed before the walk began; it comes back after the newest line.
    private var draft = ""

    mutating func append(_ line: String) {
        leave()
        guard !line.isEmpty, line != lines.last else { return }
        lines.append(line)
        if lines.count > Self.capacity { lines.removeFirst() }
    }

    mutating func leave() {
        position = nil
    }

    mutating func older(than current: String) -> String? {
        let here = position ?? lines.count
        guard here > 0, here <= lines.count else { return nil }
        if position == nil { draft = current }
        position = here - 1
        return lines[here - 1]
    }

    mutating func newer() -> String? {
        guard let here = position else { return nil }
        guard here + 1 < lines.count else {
            position = nil
            return draft
        }
        position = here + 1
        return lines[here + 1]
    }

    func newest(where matches: (String) -> Bool) -> String? {
        lines.last(where: matches)
    }
}
