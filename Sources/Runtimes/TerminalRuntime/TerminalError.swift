/// Why there is no full screen. Each says what to do about it.
package enum TerminalError: Error, Equatable, CustomStringConvertible {
    case notATerminal
    case noTypeStated
    case unknownType(String)
    case noTerminalDatabase(String)
    /// The type is known, and can't place the cursor: `dumb` and the like.
    case cannotAddressCursor(String)
    case cannotStart(String)
    case system(call: String, errno: Int32)

    package var description: String {
        switch self {
        case .notATerminal:
            "standard input and output are not both a terminal: the full screen needs one; `call` and `answer` do not"
        case .noTypeStated: "the variable TERM is not set: set it to your terminal's type, for example xterm-256color"
        case .unknownType(let type):
            "the terminal type \"\(type)\" (TERM) is unknown here: set TERM to one that `toe -a` lists, e.g. xterm"
        case .noTerminalDatabase(let type):
            "no terminal database to look up \"\(type)\" (TERM) in: install ncurses-base, or set TERMINFO"
        case .cannotAddressCursor(let type):
            "the terminal type \"\(type)\" (TERM) can't place the cursor: set TERM to what your terminal really is"
        case .cannotStart(let type): "the terminal \"\(type)\" (TERM) could not be started"
        case .system(let call, let errno): "\(call) failed: error \(errno)"
        }
    }
}
