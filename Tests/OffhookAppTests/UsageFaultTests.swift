import Testing

@testable import OffhookApp

/// What is said of command lines that can't be read: one line, in the words of the program.
struct UsageFaultTests {
    private func line(_ message: String, _ arguments: String...) -> String {
        UsageFault.line(message, arguments: arguments, commands: ["call", "answer", "register"])
    }

    @Test func unknownCommandIsNamedWithWhatWasMeantOrWhatThereIs() {
        #expect(
            line("Unexpected argument 'cal'", "cal", "sip:a@b")
                == "offhook: 'cal' is no command; did you mean 'call'?; see 'offhook --help'")
        #expect(
            line("Unexpected argument 'bogus'", "bogus")
                == "offhook: 'bogus' is no command; there are call, answer, register; see 'offhook --help'")
    }

    @Test func helpWithACommandThatThereIsNotIsWrong() {
        let commands = ["call", "answer"]
        #expect(
            UsageFault.line(ofHelp: ["help", "cal"], commands: commands)
                == "offhook: 'cal' is no command; did you mean 'call'?; see 'offhook --help'")
        for words in [["help"], ["help", "call"], ["help", "help"], ["help", "--help"], ["call", "help"], []] {
            #expect(UsageFault.line(ofHelp: words, commands: commands) == nil)
        }
    }

    @Test func addressWithoutACommandIsToBeCalled() {
        #expect(
            line("Unexpected argument 'bob@example.com'", "bob@example.com")
                == "offhook: 'bob@example.com' is no command; to call it: offhook call 'bob@example.com'; "
                + "see 'offhook --help'")
    }

    @Test func valueThatLooksLikeAnOptionIsQuoted() {
        #expect(
            line("Missing value for '--count <n>'", "answer", "--count", "-1")
                == "offhook: --count: a value is expected, and '-1' is none; see 'offhook answer --help'")
        #expect(
            line("Missing value for '--count <n>'", "answer", "--count")
                == "offhook: --count: a value is expected; see 'offhook answer --help'")
    }

    @Test func anythingElseIsOneLineOfTheSameStyle() {
        #expect(
            line("Unknown option '--cod'. Did you mean '--code'?", "answer", "--cod", "4")
                == "offhook: unknown option '--cod'. Did you mean '--code'?; see 'offhook answer --help'")
        #expect(
            line("Missing expected argument '<target>'\nmore", "call")
                == "offhook: missing expected argument '<target>'; see 'offhook call --help'")
        #expect(line("Unexpected argument '\u{1b}[2J'", "call", "x", "\u{1b}[2J").contains("\u{1b}") == false)
    }
}
