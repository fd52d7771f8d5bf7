import CLinux
import CNcurses
import Glibc
import TerminalUI

/// The terminal while it belongs to the phone: cells out, keys in. Lives on the main thread alone.
///
/// From ``init(repertoire:)`` on the screen is the alternate one, the keys come undecorated, and standard error is held
/// back, as one line of a library's would spoil the screen. ``close()``, the end of the value, a stop, and a crash signal
/// each leave the terminal as it was found.
package final class Terminal {
    package let repertoire: Repertoire
    private let screen: OpaquePointer
    private var hasColours = false
    private var isOpen = false
    private var shown: Canvas?
    var keys = KeyReader()

    static let input: Int32 = 0
    static let output: Int32 = 1

    /// Takes the terminal; `repertoire` nil: what the environment says.
    package init(repertoire: Repertoire? = nil) throws(TerminalError) {
        guard isatty(Self.input) == 1, isatty(Self.output) == 1 else { throw .notATerminal }
        let environment = TerminalEnvironment.adopting()
        guard let type = environment.type else { throw .noTypeStated }
        switch cncurses_look_up_terminal() {
        case 1: break
        case 0: throw cncurses_capability("cup") == nil ? .unknownType(type) : .cannotAddressCursor(type)
        default: throw .noTerminalDatabase(type)
        }
        guard cncurses_capability("cup") != nil else { throw .cannotAddressCursor(type) }
        self.repertoire = repertoire ?? environment.repertoire
        let saved = cs_terminal_save(Self.input)
        guard saved >= 0 else { throw .system(call: "tcgetattr", errno: -saved) }
        guard let screen = cncurses_start() else { throw .cannotStart(type) }
        self.screen = screen
        isOpen = true
        armCrashHandler()
        prepareKeys()
        if !environment.refusesColour { prepareColours() }
        cs_errors_hold()
    }

    deinit {
        close()
        delscreen(screen)
    }

    /// Gives the terminal back. What was held back of standard error is written then.
    package func close() {
        guard isOpen else { return }
        isOpen = false
        leaveScreen()
    }

    /// The present size in cells.
    package var size: (columns: Int, rows: Int) {
        let window = cncurses_screen()
        return (Int(getmaxx(window)), Int(getmaxy(window)))
    }

    /// Takes the terminal's new size over.
    package func resize() {
        var columns: Int32 = 0
        var rows: Int32 = 0
        guard cs_terminal_size(Self.output, &columns, &rows) >= 0, columns > 0, rows > 0 else { return }
        resizeterm(rows, columns)
        armCrashHandler()
        forget()
    }

    /// Throws away what the terminal has not taken, so that a thread which hangs in a write to it goes on. From any thread.
    package static func discardOutput() {
        _ = cs_terminal_discard(output)
    }

    /// Has the next ``draw(_:)`` draw every cell, whatever the terminal shows now.
    package func forget() {
        shown = nil
        wclear(cncurses_screen())
    }

    /// Stops the process as the stop key of a shell does, and takes the terminal again when it goes on.
    package func suspend() {
        leaveScreen()
        cs_signals_stop(1)
        resume()
    }

    /// Takes the terminal again after the process was stopped.
    package func resume() {
        cs_errors_hold()
        reset_prog_mode()
        armCrashHandler()
        if let paste = keys.pasteStart { write(paste) }
        resize()
    }

    private func leaveScreen() {
        if let paste = keys.pasteEnd { write(paste) }
        endwin()
        // Where there is no screen of before, the shell goes on below what is drawn.
        if Capability.bytes("rmcup") == nil { write([0x0D, 0x0A]) }
        fflush(nil)
        cs_terminal_restore(Self.input)
        cs_crash_terminal_done()
        cs_errors_release()
    }

    private func prepareKeys() {
        raw()
        noecho()
        nonl()
        cs_terminal_keys(Self.input)
        def_prog_mode()
        let window = cncurses_screen()
        keypad(window, true)
        nodelay(window, true)
        set_escdelay(25)
        keys.prepare()
        if let paste = keys.pasteStart { write(paste) }
    }

    private func prepareColours() {
        guard has_colors(), start_color() == OK else { return }
        let background: Int16 = use_default_colors() == OK ? -1 : Int16(COLOR_BLACK)
        for colour in Style.Colour.allCases {
            guard let pair = colour.pair, let foreground = colour.foreground else { continue }
            init_pair(pair, foreground, background)
        }
        hasColours = true
    }

    private func write(_ bytes: [UInt8]) {
        fflush(nil)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(Self.output, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The bytes that put this type of terminal back, worked out now, as a handler can't: plain characters, ordinary
    /// keypad, a cursor that shows, the screen of before.
    private func armCrashHandler() {
        var bytes = keys.pasteEnd ?? []
        for name in ["sgr0", "rmkx", "cnorm"] { bytes += Capability.bytes(name) ?? [] }
        bytes += Capability.bytes("rmcup") ?? Capability.bytes(movingTo: size.rows - 1) + [0x0D, 0x0A]
        cs_crash_terminal(Self.output, bytes, bytes.count)
    }
}

extension Terminal {
    /// Puts a canvas on the terminal; what is there already is not sent again.
    package func draw(_ canvas: Canvas) {
        let size = size
        for row in 0..<min(canvas.rows, size.rows) where shown?.row(row) != canvas.row(row) || shown == nil {
            draw(canvas.row(row), row: row, columns: size.columns)
        }
        if let cursor = canvas.cursor, cursor.row < size.rows, cursor.column < size.columns {
            curs_set(1)
            wmove(cncurses_screen(), Int32(cursor.row), Int32(cursor.column))
        } else {
            curs_set(0)
        }
        wrefresh(cncurses_screen())
        shown = canvas
        cs_errors_trim()
    }

    private func draw(_ cells: ArraySlice<Canvas.Cell>, row: Int, columns: Int) {
        for (column, cell) in cells.enumerated() where column < columns && !cell.text.isEmpty {
            let next = cells.startIndex + column + 1
            let width = next < cells.endIndex && cells[next].text.isEmpty ? 2 : 1
            if isShownAlike(cell.text, width: width) {
                put(cell.text, cell.style, row: row, column: column)
            } else {
                // The C library counts other cells than the canvas: a stand-in keeps the columns.
                for offset in 0..<width { put("?", cell.style, row: row, column: column + offset) }
            }
        }
    }

    private func isShownAlike(_ text: String, width: Int) -> Bool {
        if text.utf8.count == 1 { return true }
        var rest = width
        for scalar in text.unicodeScalars {
            let cells = cs_character_width(scalar.value)
            guard cells >= 0 else { return false }
            rest -= Int(cells)
        }
        return rest == 0
    }

    private func put(_ text: String, _ style: Style, row: Int, column: Int) {
        // A cell of the library holds a character and five marks at most; the canvas has four.
        var characters = InlineArray<8, wchar_t>(repeating: 0)
        for (index, scalar) in text.unicodeScalars.prefix(6).enumerated() {
            characters[index] = wchar_t(bitPattern: scalar.value)
        }
        var flags = 0
        if style.isBold { flags |= cncurses_bold }
        if style.isDim { flags |= cncurses_dim }
        if style.isReversed { flags |= cncurses_reverse }
        if style.isBlinking { flags |= cncurses_blink }
        let pair = hasColours ? style.colour.pair ?? 0 : 0
        characters.span.withUnsafeBufferPointer { buffer in
            _ = cncurses_put(Int32(row), Int32(column), buffer.baseAddress, Int32(flags), pair)
        }
    }
}

extension Style.Colour {
    fileprivate var pair: Int16? {
        switch self {
        case .standard: nil
        case .red: 1
        case .green: 2
        case .yellow: 3
        case .cyan: 4
        }
    }

    fileprivate var foreground: Int16? {
        switch self {
        case .standard: nil
        case .red: Int16(COLOR_RED)
        case .green: Int16(COLOR_GREEN)
        case .yellow: Int16(COLOR_YELLOW)
        case .cyan: Int16(COLOR_CYAN)
        }
    }
}
