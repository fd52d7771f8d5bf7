import FoundationEssentials
import Testing

/// What is wrong on a command line is said in one sentence before anything is sent or replaced.
@Suite struct CommandFaultTests {
    @Test(
        arguments: [
            (["call", "mailto:bob@example.com"], 64, "'mailto:' begins neither a SIP nor a tel URI"),
            (["call", "127.0.0.1:1", "--then", "hangup"], 64, "it goes with --play"),
            (["call", "127.0.0.1:1", "--play", "tone:440", "--then", "hangup"], 64, "a tone has no end"),
            (["call", "sip:x@127.0.0.1:1?Subject=hi"], 64, "the headers behind '?' are not sent"),
            (["call", "sip:x@127.0.0.1:1;method=BYE"], 64, "the address is for BYE, and this is INVITE"),
            (["message", "sip:x@127.0.0.1:1;method=INVITE", "hi"], 64, "for INVITE, and this is MESSAGE"),
            (["answer", "--code", "401"], 64, "needs a challenge"),
            (["answer", "--code", "486", "--echo"], 64, "answers nobody"),
            (["answer", "--echo", "--play", "tone:440"], 64, "and --play something else"),
            (["options", "sip:x@[::1]:5090"], 30, "for IPv6: --listen '[::]:0'"),
        ] as [([String], Int32, String)])
    func isSaidWithItsStatus(arguments: [String], exit: Int32, text: String) async throws {
        let audio = ["options", "message"].contains(arguments[0]) ? [] : ["--audio", "null"]
        let words = [try Phone.binary] + arguments + audio + ["--no-config", "--listen", "127.0.0.1:0"]
        let program = try Program(words + ["--timeout", "5s"])
        #expect(try await program.end() == exit)
        #expect((program.output + program.errors).contains { $0.contains(text) })
    }

    @Test(arguments: [
        (["cal"], "offhook: 'cal' is no command; did you mean 'call'?; see 'offhook --help'"),
        (["help", "cal"], "offhook: 'cal' is no command; did you mean 'call'?; see 'offhook --help'"),
        (["loopback", "--audio", "tone:440"], "offhook: --audio: 'tone:440,-20' is no device; "),
        (["call", "x", "--audio", "bogus"], "offhook: --audio: audio 'bogus': is none of "),
    ])
    func aCommandLineThatIsWrongGetsOneLine(arguments: [String], line: String) async throws {
        let program = try Program([try Phone.binary] + arguments)
        #expect(try await program.end() == 64)
        #expect(program.errors.count == 1 && program.errors.first?.hasPrefix(line) == true, "\(program.errors)")
        #expect(program.output.isEmpty)
    }

    @Test func replacesOnlyRecordingsByRecordings() async throws {
        let folder = try TemporaryFolder()
        let letter = try folder.write(Array("Dear Bob,".utf8), as: "letter.txt")
        let phone = try Phone("call", "127.0.0.1:1", "--audio", "null", "--record", letter)
        #expect(try await phone.end() == 74)
        #expect(FileManager.default.contents(atPath: letter) == Data("Dear Bob,".utf8))
    }

    @Test func saysWhyAVerdictIsNoSuccess() async throws {
        let answering = try Phone("answer", "--audio", "null", "--code", "486", "--once")
        let calling = try Phone("call", "127.0.0.1:\(try await answering.port)", "--audio", "null")
        #expect(try await calling.event("verdict").failed == ["c1: refused by the peer: 486 Busy Here"])
        #expect(try await calling.end() == 11)
        _ = try await answering.end()
    }
}
