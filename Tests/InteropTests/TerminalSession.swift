import Glibc
import Synchronization
import Testing

/// A terminal with nobody before it: a tmux server of a test's own, a shell in its one pane, and what stands on it.
struct TerminalSession {
    /// What a terminal is like, as far as the phone's screen depends on it.
    struct Kind: Sendable, CustomTestStringConvertible {
        var columns = 80
        var rows = 24
        var locale = "C.UTF-8"
        var type = "screen-256color"

        var isUnicode: Bool { locale != "C" }
        /// Whether a full-screen program leaves what was there before; a VT100 has but one screen.
        var hasAlternateScreen: Bool { type != "vt100" }
        var testDescription: String { "\(type), \(columns)x\(rows), \(locale)" }
    }

    let kind: Kind
    private let socket: String

    private static let made = Atomic<Int>(0)

    /// Opens a terminal, hands it to `body`, and closes it with all that runs in it whatever comes.
    static func use(_ kind: Kind = Kind(), _ body: (TerminalSession) async throws -> Void) async throws {
        let number = made.wrappingAdd(1, ordering: .relaxed).newValue
        let session = TerminalSession(kind: kind, socket: "offhook-\(getpid())-\(number)")
        do {
            try await session.open()
            try await body(session)
        } catch {
            _ = try? await session.tmux("kill-server")
            throw error
        }
        _ = try await session.tmux("kill-server")
    }

    private func open() async throws {
        let shell = "exec env TERM=\(kind.type) LC_ALL=\(kind.locale) PS1='> ' bash --norc --noprofile"
        _ = try await tmux("new-session", "-d", "-x", "\(kind.columns)", "-y", "\(kind.rows)", shell)
        try await showsPrompt()
    }

    /// Waits until the shell is the one that reads keys.
    func showsPrompt() async throws {
        try await screen("prompt") { $0.last { !$0.isEmpty } == ">" }
    }

    /// Presses keys by tmux's names for them, one after the other.
    func press(_ keys: String...) async throws {
        for key in keys {
            _ = try await tmux("send-keys", key)
            // What follows an escape at once is read as one key with it, as from a terminal's function keys.
            if key == "Escape" { try await Task.sleep(for: .milliseconds(100)) }
        }
    }

    /// Types a text, and Enter.
    func enter(_ text: String) async throws {
        _ = try await tmux("send-keys", "-l", text)
        try await press("Enter")
    }

    /// Pastes bytes as a person does, marked as a paste if the program asked for that.
    func paste(_ bytes: [UInt8]) async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let file = try folder.write(bytes, as: "pasted")
        _ = try await tmux("load-buffer", file)
        _ = try await tmux("paste-buffer", "-p")
    }

    var screen: [String] {
        get async throws { try await tmux("capture-pane", "-p") }
    }

    /// Waits until the screen is as wanted.
    @discardableResult
    func screen(
        _ what: String, within bound: Duration = .seconds(10), where isWanted: ([String]) -> Bool
    ) async throws -> [String] {
        let deadline = ContinuousClock.now + bound
        while true {
            let screen = try await screen
            if isWanted(screen) { return screen }
            guard ContinuousClock.now < deadline else {
                throw Program.Failure.timedOut(
                    name: "the screen", waitingFor: what, written: screen.joined(separator: "\n"))
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until one row has all of these texts, and tells the row.
    @discardableResult
    func shows(_ texts: String...) async throws -> String {
        func row(_ screen: [String]) -> String? { screen.first { row in texts.allSatisfy { row.contains($0) } } }
        return try #require(row(try await screen("\(texts)") { row($0) != nil }))
    }

    /// Waits until no row has this text.
    func noLongerShows(_ text: String) async throws {
        try await screen("screen without '\(text)'") { !$0.contains { $0.contains(text) } }
    }

    /// Has the terminal take no output meanwhile.
    func whileItTakesNothing(_ body: () async throws -> Void) async throws {
        let server = try #require(try await tmux("display-message", "-p", "#{pid}").first.flatMap { pid_t($0) })
        try #require(kill(server, SIGSTOP) == 0)
        defer { kill(server, SIGCONT) }
        try await body()
    }

    static func wait(
        until what: String, within bound: Duration = .seconds(20), where isSo: () -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + bound
        while !isSo() {
            guard ContinuousClock.now < deadline else {
                throw Program.Failure.timedOut(name: "the terminal", waitingFor: what, written: "")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Whether a blocked signal waits to be read by a process.
    static func isPending(_ signal: CInt, in process: pid_t) -> Bool {
        guard let file = fopen("/proc/\(process)/status", "r") else { return false }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, CInt(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("ShdPnd:"), let digits = text.split(whereSeparator: \.isWhitespace).last else {
                continue
            }
            return UInt64(digits, radix: 16).map { $0 >> UInt64(signal - 1) & 1 == 1 } ?? false
        }
        return false
    }

    /// The process that the shell waits for.
    var foreground: pid_t {
        get async throws {
            let shell = try #require(try await tmux("display-message", "-p", "#{pane_pid}").first)
            let file = try #require(fopen("/proc/\(shell)/task/\(shell)/children", "r"))
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 64)
            try #require(fgets(&line, CInt(line.count), file) != nil, "the shell runs nothing")
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return try #require(text.split(separator: " ").first.flatMap { pid_t($0) })
        }
    }

    private func tmux(_ words: String...) async throws -> [String] {
        let program = try Program(["tmux", "-L", socket, "-f", "/dev/null"] + words)
        let status = try await program.end()
        try #require(status == 0, "\(program.written)")
        return program.output
    }
}
