/// Which characters a terminal can be trusted to show.
package enum Repertoire: Hashable, Sendable {
    /// All of Unicode.
    case unicode
    /// Names as they are, but the phone's own signs in ASCII: for consoles with a small font.
    case plainSigns
    /// ASCII alone; every other character of a name is a question mark for each of its cells.
    case ascii

    /// The text as this repertoire shows it, each character in the cells that it had.
    package func rendering(_ piece: String, width: Int) -> String {
        switch self {
        case .unicode:
            return piece
        case .plainSigns:
            return Self.sign(for: piece) ?? piece
        case .ascii:
            if piece.utf8.count == 1 { return piece }
            if let sign = Self.sign(for: piece) { return sign }
            // A letter with marks keeps at least its letter.
            if let base = piece.unicodeScalars.first, base.isASCII { return String(base) }
            return String(repeating: "?", count: width)
        }
    }

    /// The ASCII stand-in of one of the phone's own signs.
    private static func sign(for piece: String) -> String? {
        guard (2...3).contains(piece.utf8.count), let scalar = piece.unicodeScalars.first else { return nil }
        switch scalar {
        case "●": return "*"
        case "○": return "-"
        case "‖": return "="
        case "◌": return "o"
        case "✕": return "x"
        case "▶", "→", "⇥": return ">"
        case "◀", "←": return "<"
        case "↑": return "^"
        case "↓": return "v"
        case "⚑": return "!"
        case "✉": return "@"
        case "─": return "-"
        case "│", "▏": return "|"
        case "┌", "┐", "└", "┘", "├", "┤", "┬", "┴": return "+"
        case "…": return "~"
        case "·": return "-"
        case "═": return "="
        case "▁": return "."
        case "▂": return ","
        case "▃": return "-"
        case "▄": return "~"
        case "▅": return "+"
        case "▆": return "*"
        case "▇": return "%"
        case "█": return "#"
        default: return nil
        }
    }
}
