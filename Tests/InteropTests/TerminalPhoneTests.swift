import Glibc
import Testing

/// The full-screen phone in a real terminal, by its keys.
@Suite(.serialized, .enabled(if: Peer.isWanted("tmux"), "tmux is not installed"))
struct TerminalPhoneTests {
    /// Runs the phone in a terminal, and checks that the terminal is left as it was.
    private func useTerminal(
        _ kind: TerminalSession.Kind = .init(), _ body: (TerminalSession) async throws -> Void
    ) async throws {
        _ = try Peer.require("tmux")
        let folder = try TemporaryFolder()
        let before = try folder.write([], as: "before")
        let after = try folder.write([], as: "after")
        try await TerminalSession.use(kind) { terminal in
            // In two pieces, as the shell echoes the command too; and waited for, lest the next one be typed into it.
            try await terminal.enter("stty -a > \(before); clear; echo what was 'here before'")
            try await terminal.shows("what was here before")
            try await terminal.showsPrompt()
            try await terminal.enter("\(Phone.binary) --no-config --listen 127.0.0.1:0 --audio tone:880")
            try await terminal.shows("No call. Type a number or press d to dial.")
            try await body(terminal)
            try await terminal.showsPrompt()
            if kind.hasAlternateScreen { try await terminal.shows("what was here before") }
            // In two pieces, as the shell echoes the command too.
            try await terminal.enter("stty -a > \(after); cmp \(before) \(after) && echo as 'it was'")
            try await terminal.shows("as it was")
        }
    }

    /// The same with a call up, which the callee is to see ended.
    private func useTerminalInCall(_ body: (TerminalSession, Phone) async throws -> Void) async throws {
        let callee = try Phone("answer", "--once", "--audio", "null")
        let port = try await callee.port
        try await useTerminal { terminal in
            try await terminal.press("d")
            try await terminal.enter("sip:bob@127.0.0.1:\(port)")
            try await terminal.shows(" up 00:0")
            try await body(terminal, callee)
        }
        #expect(try await callee.end() == 0, "\(callee.program.written)")
        #expect(try callee.callEnd.cause == "hung-up")
    }

    /// The SIP port of the phone, as its log tells it.
    private func port(_ terminal: TerminalSession) async throws -> UInt16 {
        let row = try await terminal.shows("listening on udp 127.0.0.1:")
        let address = try #require(row.split(separator: ",").first)
        return try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
    }

    static let kinds = [
        TerminalSession.Kind(), TerminalSession.Kind(columns: 120, rows: 40),
        TerminalSession.Kind(locale: "C", type: "vt100"),
    ]

    @Test(arguments: kinds)
    func callsHoldsMutesSendsDigitsAndHangsUp(on kind: TerminalSession.Kind) async throws {
        let callee = try Phone("answer", "--once", "--echo", "--audio", "null", "--after", "1s", "--expect-dtmf", "5#")
        let port = try await callee.port
        try await useTerminal(kind) { terminal in
            try await terminal.press("d")
            try await terminal.enter("echo@127.0.0.1:\(port)")
            try await terminal.shows("1  echo@127.0.0.1:\(port)", "ringing 00:0")
            try await terminal.shows("1  echo@127.0.0.1:\(port)", " up 00:0", "opus 48k")
            // Our tone in both meters, as the callee is an echo.
            let level = kind.isUnicode ? "▆▆▆▆▆▆▆▆" : "********"
            try await terminal.shows("mic \(level)  ear \(level)", "loss  0.0%", "buf")
            try await terminal.shows(" up 00:02", "k")

            try await terminal.press("Escape", "x")
            try await terminal.shows(" held 00:0")
            try await terminal.shows("call 1", "held by us")
            try await terminal.press("X")
            try await terminal.shows("call 1", "resumed")
            try await terminal.shows(" up 00:0")
            try await terminal.press("m")
            try await terminal.shows(" up 00:", "MUTE")
            try await terminal.press("m")
            try await terminal.noLongerShows("MUTE")
            try await terminal.press("5", "#")
            try await terminal.shows("digit # sent")
            try await callee.event("call.dtmf")

            try await terminal.press("L")
            for message in ["INVITE sip:echo@127.0.0.1:\(port)", "180 Ringing", "200 OK", "ACK sip:"] {
                try await terminal.shows(message, kind.isUnicode ? "──" : "--")
            }
            try await terminal.press("Escape")
            try await terminal.shows(" LOG")
            try await terminal.press("q")
            try await terminal.shows("1 call is up. Hang up and quit?")
            try await terminal.press("Escape")
            try await terminal.noLongerShows("Hang up and quit?")
            try await terminal.shows(" up 00:")
            #expect(try callee.events(named: "call.ended").isEmpty)
            try await terminal.press("b")
            try await terminal.shows("1  echo@127.0.0.1:\(port)", "hung up")
            #expect(try await callee.end() == 0, "\(callee.program.written)")
            try await terminal.press("q")
        }
    }

    @Test(arguments: kinds)
    func answersOneCallAndRefusesTheNext(on kind: TerminalSession.Kind) async throws {
        try await useTerminal(kind) { terminal in
            let uri = "sip:me@127.0.0.1:\(try await port(terminal))"
            let caller = try Phone("call", uri, "--audio", "null", "--expect-tone", "880", "--duration", "2s")
            try await terminal.shows("INCOMING on anonymous", "00:0")
            try await terminal.shows("opus, g722, pcmu", "this machine")
            try await terminal.press("Escape")
            try await terminal.shows("INCOMING on anonymous", "00:01")
            try await terminal.press("a")
            try await terminal.shows(" up 00:0", "opus 48k")
            try await terminal.noLongerShows("INCOMING")
            #expect(try await caller.end() == 0, "\(caller.program.written)")
            try await terminal.shows("call 1", "the peer hung up")

            let second = try Phone("call", uri, "--audio", "null")
            try await terminal.shows("INCOMING on anonymous")
            try await terminal.press("r")
            try await terminal.shows("2  offhook@anonymous.invalid", "refused: 486 Busy Here")
            #expect(try await second.end() == 11, "\(second.program.written)")
            try await terminal.press("q")
        }
    }

    @Test func quitsWithACallUpOnlyWhenToldTwice() async throws {
        try await useTerminalInCall { terminal, callee in
            try await terminal.press("q")
            try await terminal.shows("1 call is up. Hang up and quit?")
            try await terminal.press("y")
            try await callee.event("call.ended")
        }
    }

    @Test func saysWhyACallCameToNothingAndWhatToDo() async throws {
        try await useTerminal { terminal in
            try await terminal.press("d")
            try await terminal.enter("nobody@127.0.0.1:\(Ports.take())")
            try await terminal.shows("call 1", "can't be reached: port unreachable (ICMP)")
            try await terminal.shows("Check the address")
            try await terminal.press("q")
        }
    }

    /// The terminal's type says nothing of pastes, and the bytes are not all UTF-8.
    @Test func takesAPasteAsTextWhateverIsInIt() async throws {
        try await useTerminal { terminal in
            try await terminal.paste(Array("bob".utf8) + [0xFF, 0xC3] + Array("(q b e\u{301}漢 \u{1B}]0;x\nend".utf8))
            try await terminal.shows(" dial ▏bob\u{FFFD}\u{FFFD}(q b e\u{301}漢 ]0;x end")
            try await terminal.press("Escape", "q")
        }
    }

    /// As `ssh` brings the name of the locale that the terminal is in, which need not be installed here.
    @Test func drawsUnicodeInALocaleThatIsNotInstalled() async throws {
        try await useTerminal(TerminalSession.Kind(locale: "xx_XX.UTF-8")) { terminal in
            try await terminal.shows("────────")
            try await terminal.press("q")
        }
    }

    /// Has the phone draw whole screens until the kernel holds no more of them: then it waits in its write, and the signal
    /// for the next one stays pending.
    private func waitUntilItHangs(_ phone: pid_t) async throws {
        var pending = 0
        try await TerminalSession.wait(until: "the phone hangs in its write") {
            kill(phone, SIGUSR1)
            pending = TerminalSession.isPending(SIGUSR1, in: phone) ? pending + 1 : 0
            return pending > 20
        }
    }

    /// As of a remote session that has stalled.
    @Test func endsWithItsCallsThoughTheTerminalTakesNothing() async throws {
        try await useTerminalInCall { terminal, callee in
            let phone = try await terminal.foreground
            try await terminal.whileItTakesNothing {
                try await waitUntilItHangs(phone)
                #expect(kill(phone, SIGTERM) == 0)
                try await callee.event("call.ended")
                try await TerminalSession.wait(until: "the phone ends") { kill(phone, 0) != 0 }
            }
        }
    }

    /// Also by the terminal's key for QUIT.
    @Test(arguments: [SIGINT, SIGQUIT, SIGTERM, nil])
    func endsWithItsCallsWhenItIsSignalled(by signal: CInt?) async throws {
        try await useTerminalInCall { terminal, _ in
            if let signal {
                #expect(kill(try await terminal.foreground, signal) == 0)
            } else {
                try await terminal.press("C-\\")
            }
        }
    }

    @Test(arguments: [SIGSEGV, SIGABRT])
    func leavesTheTerminalSaneWhenItCrashes(by signal: CInt) async throws {
        try await useTerminal { terminal in
            let phone = try await terminal.foreground
            #expect(kill(phone, signal) == 0)
        }
    }
}
