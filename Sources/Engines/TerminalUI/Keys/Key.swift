/// One key press, as the terminal's driver decoded it.
package enum Key: Hashable, Sendable {
    /// A character that stands for itself. A combining mark comes as a key of its own after its letter.
    case character(Character)
    /// A letter held with Control, in lower case: `.control("a")`.
    case control(Character)
    case enter, tab, backTab, escape, backspace, delete
    case left, right, up, down, home, end, pageUp, pageDown
    /// A function key, 1 to 12.
    case function(Int)
    /// Text that the terminal says was pasted, not typed: it never acts as keys.
    case paste(String)

    /// The key's name in help and on the bottom line.
    package var name: String {
        switch self {
        case .character(" "): "Space"
        case .character(let character): String(character)
        case .control(let letter): "Ctrl-" + letter.uppercased()
        case .enter: "Enter"
        case .tab: "Tab"
        case .backTab: "Shift-Tab"
        case .escape: "Esc"
        case .backspace: "Backspace"
        case .delete: "Del"
        case .left: "Left"
        case .right: "Right"
        case .up: "Up"
        case .down: "Down"
        case .home: "Home"
        case .end: "End"
        case .pageUp: "PgUp"
        case .pageDown: "PgDn"
        case .function(let number): "F\(number)"
        case .paste: "Paste"
        }
    }
}
