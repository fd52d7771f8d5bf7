import CNcurses
import EngineKit
import TerminalUI

/// Turns what the terminal sends into keys.
///
/// A pasted text comes as one key, where the terminal marks it (bracketed paste). An escape sequence that terminfo does
/// not know, and a letter held with Alt, are nothing: their characters must not act as the phone's keys.
struct KeyReader {
    /// What turns bracketed paste on and off; nil where the terminal has none.
    private(set) var pasteStart: [UInt8]?
    private(set) var pasteEnd: [UInt8]?
    private var decoder = UTF8Reader()
    /// What is read and not yet made a key of.
    private var waiting: [Input] = []
    private var pasted: String?
    private var pastedSince = Instant.zero

    private static let startKey: Int32 = 0o1700
    private static let endKey: Int32 = 0o1701
    private static let maximumPaste = 64 * 1024
    /// The end of a paste that does not come in this time won't.
    private static let pasteTakes = Duration.seconds(1)

    /// Has the terminal mark pastes.
    ///
    /// Many descriptions keep silent of it where the terminal can do it: `screen`, `rxvt-unicode`, what is run under a
    /// foreign name. One that has DEC's private modes takes a mode that it doesn't know for nothing, hence is asked.
    mutating func prepare() {
        if let enable = Capability.bytes("BE"), let disable = Capability.bytes("BD"),
            let start = cncurses_capability("PS"), let end = cncurses_capability("PE"),
            define_key(start, Self.startKey) == OK, define_key(end, Self.endKey) == OK
        {
            pasteStart = enable
            pasteEnd = disable
        } else if Self.hasPrivateModes, define_key("\u{1B}[200~", Self.startKey) == OK,
            define_key("\u{1B}[201~", Self.endKey) == OK
        {
            pasteStart = Array("\u{1B}[?2004h".utf8)
            pasteEnd = Array("\u{1B}[?2004l".utf8)
        }
    }

    private static var hasPrivateModes: Bool {
        ["smkx", "civis", "cnorm", "smam"].contains { name in
            Capability.bytes(name)?.starts(with: "\u{1B}[?".utf8) ?? false
        }
    }

    /// When a paste that never ended is given up.
    var deadline: Instant? {
        pasted == nil ? nil : pastedSince + Self.pasteTakes
    }

    /// The next key, or nil where none waits.
    mutating func next(at now: Instant) -> Key? {
        while let input = read() {
            if pasted != nil {
                if input == .code(Self.endKey) { return finishPaste() }
                if case .character(let scalar) = input { append(scalar) }
                continue
            }
            if input == .code(Self.startKey) {
                pasted = ""
                pastedSince = now
            } else if let key = key(for: input) {
                return key
            }
        }
        if let deadline, deadline <= now { return finishPaste() }
        return nil
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        guard (pasted?.utf8.count ?? 0) < Self.maximumPaste else { return }
        pasted?.unicodeScalars.append(scalar)
    }

    private mutating func finishPaste() -> Key? {
        defer { pasted = nil }
        return pasted.map(Key.paste)
    }

    private enum Input: Equatable {
        case character(Unicode.Scalar)
        case code(Int32)
    }

    /// The library gives bytes, as its own decoder drops up to 20 good ones after a bad one.
    private mutating func read() -> Input? {
        while waiting.isEmpty {
            let value = wgetch(cncurses_screen())
            guard value != ERR else { return nil }
            if let byte = UInt8(exactly: value) {
                waiting = decoder.take(byte).map(Input.character)
            } else {
                waiting = decoder.breakOff().map(Input.character) + [.code(value)]
            }
        }
        return waiting.removeFirst()
    }

    private mutating func key(for input: Input) -> Key? {
        switch input {
        case .character("\u{1B}"): return escape()
        case .character(let scalar): return Self.key(for: scalar)
        case .code(let code): return Self.key(forCode: code)
        }
    }

    private static func key(for scalar: Unicode.Scalar) -> Key? {
        switch scalar.value {
        case 0x09: return .tab
        case 0x0A, 0x0D: return .enter
        case 0x08, 0x7F: return .backspace
        case 0x01...0x1A: return Unicode.Scalar(scalar.value + 0x60).map { .control(Character($0)) }
        case 0..<0x20, 0x80...0x9F: return nil
        default: return .character(Character(scalar))
        }
    }

    /// The escape key, if nothing follows at once; else a sequence that nobody knows, which is swallowed.
    private mutating func escape() -> Key? {
        guard let second = read() else { return .escape }
        guard second == .character("[") || second == .character("O") else { return nil }
        // Parameters and intermediates, then one final character (ECMA-48 §5.4).
        for _ in 0..<64 {
            guard case .character(let scalar)? = read() else { return nil }
            if (0x40...0x7E).contains(scalar.value) { return nil }
        }
        return nil
    }

    private static func key(forCode code: Int32) -> Key? {
        switch code {
        case KEY_LEFT: return .left
        case KEY_RIGHT: return .right
        case KEY_UP: return .up
        case KEY_DOWN: return .down
        case KEY_HOME: return .home
        case KEY_END: return .end
        case KEY_PPAGE: return .pageUp
        case KEY_NPAGE: return .pageDown
        case KEY_DC: return .delete
        case KEY_BACKSPACE: return .backspace
        case KEY_ENTER: return .enter
        case KEY_BTAB: return .backTab
        default:
            let number = cncurses_function_key(code)
            return number > 0 ? .function(Int(number)) : nil
        }
    }
}
