/// What is wrong at one place of a configuration file.
package struct ConfigurationFault: Hashable, Sendable {
    /// nil where the fault is that of the whole file.
    package var position: TextPosition?
    /// The path of the key, such as `account[2].transport`; nil for a fault of the file or its syntax.
    package var key: String?
    package var problem: String
}

/// A configuration that can't be used, with everything that is wrong with it (exit status 78).
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    /// In the order of the text, each once; never empty.
    package var faults: [ConfigurationFault]

    package init(path: String, faults: [ConfigurationFault]) {
        self.path = path
        var told: Set<ConfigurationFault> = []
        self.faults = faults.filter { told.insert($0).inserted }.sorted {
            ($0.position ?? TextPosition(line: 0, column: 0)) < ($1.position ?? TextPosition(line: 0, column: 0))
        }
    }

    package init(path: String, problem: String) {
        self.init(path: path, faults: [ConfigurationFault(problem: problem)])
    }

    /// One line a fault: `FILE:LINE:COLUMN: KEY: PROBLEM`.
    package var description: String {
        faults.map { fault in
            let place = fault.position.map { "\(path):\($0.line):\($0.column)" } ?? path
            return ([place] + [fault.key].compactMap(\.self) + [fault.problem]).joined(separator: ": ")
        }
        .joined(separator: "\n")
    }
}

/// The word of `candidates` that somebody probably meant by `word`; nil where none is near.
package func nearestWord(to word: String, among candidates: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let distances = candidates.map { (word: $0, distance: editDistance(word.lowercased(), $0.lowercased())) }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, min(word.count, best.word.count) / 3) ? best.word : nil
}

/// How many insertions, removals, replacements and swaps of neighbours turn one word into the other.
private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left)
    let right = Array(right)
    var rows = [Array(0...right.count)]
    for i in 0..<left.count {
        var row = [i + 1]
        for j in 0..<right.count {
            var best = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                best = min(best, rows[i - 1][j - 1] + 1)
            }
            row.append(best)
        }
        rows.append(row)
    }
    return rows[left.count][right.count]
}
