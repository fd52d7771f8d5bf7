import Glibc
import TerminalUI
import Testing

@testable import TerminalRuntime

@Suite struct TerminalEnvironmentTests {
    @Test(arguments: [
        ("xterm-256color", true, true, Repertoire.unicode),
        // As LC_ALL=C asks for.
        ("xterm-256color", true, false, .ascii),
        // A container: nobody stated a locale.
        ("xterm-256color", false, false, .unicode),
        ("tmux-256color", true, true, .unicode),
        ("linux", true, true, .plainSigns),
        ("linux", true, false, .ascii),
        ("vt100", true, true, .ascii),
        ("vt220", false, false, .ascii),
    ])
    func drawsWhatTheTerminalCanBeTrustedToShow(type: String, isStated: Bool, isUTF8: Bool, expected: Repertoire) {
        let environment = TerminalEnvironment(type: type, isLocaleStated: isStated, isLocaleUTF8: isUTF8)
        #expect(environment.repertoire == expected)
    }

    @Test(arguments: [
        ("de_DE.UTF-8", true), ("zh_TW.utf8@stroke", true), ("de_DE", false), ("C", false), ("ja_JP.eucJP", false),
    ])
    func readsTheCharactersFromALocalesName(name: String, isUTF8: Bool) {
        #expect(TerminalEnvironment.isUTF8(named: name) == isUTF8)
    }
}

@Suite struct CapabilityTests {
    @Test(arguments: [
        ("\u{1B}[m\u{F}$<2>", "\u{1B}[m\u{F}"), ("$<5/>a$<10*>b", "ab"), ("a$b<c>", "a$b<c>"), ("$<", "$<"), ("", ""),
    ])
    func leavesPaddingOut(capability: String, bytes: String) {
        #expect(Capability.withoutPadding(Array(capability.utf8)) == Array(bytes.utf8))
    }
}

@Suite struct PhoneInboxTests {
    @Test func givesEventsInTheirOrderAndOnce() throws {
        let inbox = try PhoneInbox()
        let events = (0..<5).map { PhoneEvent.log(.info, .phone, "\($0)") }
        for event in events { inbox.post(event) }
        let taken = inbox.take()
        #expect(taken.events == events && !taken.isFinished)
        inbox.finish()
        #expect(inbox.take().isFinished)
    }

    @Test func wakesWhoPollsUntilItIsEmptied() throws {
        let inbox = try PhoneInbox()
        func isReadable() -> Bool {
            var descriptor = pollfd(fd: inbox.descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&descriptor, 1, 0) == 1
        }
        #expect(!isReadable())
        inbox.post(.answered(CallReference(1)))
        inbox.post(.answered(CallReference(2)))
        #expect(isReadable())
        _ = inbox.take()
        #expect(!isReadable())
    }

    @Test func keepsTheLifeOfCallsWhenFiguresPileUp() throws {
        let inbox = try PhoneInbox()
        let levels = PhoneEvent.levels(CallReference(1), AudioLevels(microphone: -20, ear: -20))
        for _ in 0..<20_000 { inbox.post(levels) }
        inbox.post(.answered(CallReference(1)))
        let taken = inbox.take().events
        #expect(taken.count < 5000)
        #expect(taken.last == .answered(CallReference(1)))
    }
}

@Suite struct TerminalErrorTests {
    @Test func saysCauseAndCure() {
        let errors: [TerminalError] = [
            .notATerminal, .noTypeStated, .unknownType("foo"), .noTerminalDatabase("foo"), .cannotAddressCursor("dumb"),
        ]
        for error in errors { #expect("\(error)".contains(": ")) }
        #expect("\(TerminalError.unknownType("foo"))".contains("\"foo\""))
    }
}
