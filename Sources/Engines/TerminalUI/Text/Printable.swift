/// Text that may be shown: what came from the wire, a file or the command line, made harmless for a terminal.
///
/// Control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls and whatever else has no
/// shape of its own are gone, so nothing in a display name, a reason phrase or a session description can move the
/// cursor, retitle the window, end a log line or show itself backwards. Invalid UTF-8 is U+FFFD. The text is at most
/// ``maximumCells`` wide and carries at most four marks on a letter. Every event that reaches the screen has its text
/// in this type, so that unfiltered text can't be drawn by mistake.
package struct Printable: Hashable, Sendable {
    /// The filtered text.
    package let text: String

    /// The widest text that passes; what is wider ends in `…`.
    package static let maximumCells = 128

    /// Filters `text`. CR, LF and TAB become a space, so that the words beside them stay apart.
    package init(_ text: String) {
        self.init(scalars: text.unicodeScalars)
    }

    /// Filters bytes that claim to be UTF-8.
    package init(decoding bytes: some Sequence<UInt8>) {
        // Four bytes are the longest scalar and a cell takes at most one letter and four marks: what lies beyond could
        // not be shown, and a peer may send a megabyte.
        let bound = Self.maximumCells * 4 * 8
        self.init(scalars: String(decoding: Array(bytes.prefix(bound)), as: UTF8.self).unicodeScalars)
    }

    private init(scalars: some Sequence<Unicode.Scalar>) {
        var filter = PrintableFilter(maximumCells: Self.maximumCells)
        var room = Self.maximumCells * 32
        for scalar in scalars {
            guard room > 0 else {
                filter.isCut = true
                break
            }
            room -= 1
            guard filter.append(scalar) else { break }
        }
        text = filter.finished()
    }

    /// Whether nothing is left to show.
    package var isEmpty: Bool { text.isEmpty }

    /// The width on the screen, in cells.
    package var width: Int { CellWidth.of(text) }
}

extension Printable: ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Printable: CustomStringConvertible {
    package var description: String { text }
}

/// The filter behind ``Printable`` and the line editor.
struct PrintableFilter {
    /// As many marks on one letter as a terminal library's cell can hold beside it.
    static let maximumMarks = 4

    private let maximumCells: Int
    private var kept = String.UnicodeScalarView()
    private var cells = 0
    private var marks = 0
    private var followsBreak = false
    /// Whether something wider was left out, which `…` then says.
    var isCut = false

    init(maximumCells: Int) {
        self.maximumCells = maximumCells
    }

    /// Takes one scalar; false once nothing more fits.
    mutating func append(_ scalar: Unicode.Scalar) -> Bool {
        guard let harmless = Self.harmless(scalar) else { return true }
        // CR LF, and a fold after it, part two words as one space does.
        let isBreak = scalar.value < 0x20
        defer { followsBreak = isBreak }
        if isBreak, followsBreak { return true }
        let width = CellWidth.of(harmless)
        if width == 0 {
            marks += 1
            // A mark with no letter before it would sit on whatever is drawn to its left.
            if cells > 0, marks <= Self.maximumMarks { kept.append(harmless) }
            return true
        }
        guard cells + width <= maximumCells else {
            isCut = true
            return false
        }
        marks = 0
        cells += width
        kept.append(harmless)
        return true
    }

    func finished() -> String {
        let text = String(kept)
        return isCut ? CellText.cut(text + "……", to: maximumCells) : text
    }

    /// The scalar itself, a space in place of white space, or nil where it must not be shown.
    static func harmless(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        case 0x20...0x7E: return scalar
        case 0x09, 0x0A, 0x0D: return " "
        case 0..<0x20, 0x7F...0x9F: return nil
        default: break
        }
        switch scalar.properties.generalCategory {
        case .spaceSeparator: return " "
        case .lineSeparator, .paragraphSeparator: return " "
        case .control, .format, .surrogate, .privateUse: return nil
        case .unassigned: return "\u{FFFD}"
        default:
            // Variation selectors, fillers and the grapheme joiner: invisible, hence good only to make two names differ.
            return scalar.properties.isDefaultIgnorableCodePoint ? nil : scalar
        }
    }
}
