import Testing

/// What a script may do to the standard streams of the phone.
@Suite struct StandardStreamsTests {
    /// - Parameter redirections: as a shell takes them.
    private func end(_ arguments: String, _ redirections: String) async throws -> Int32 {
        let program = try Program(["sh", "-c", "exec \"$0\" \(arguments) \(redirections)", try Phone.binary])
        return try await program.end()
    }

    /// Else an event loop gets the number of the closed stream, and the first report breaks it.
    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    func runsToItsEndWithClosedStreams(_ redirections: String) async throws {
        let arguments = "answer --no-config --listen 127.0.0.1:0 --audio null --timeout 200ms"
        #expect(try await end(arguments, redirections) == 10)
        #expect(try await end(arguments + " --json", redirections) == 10)
    }

    @Test(arguments: [">&-", ">/dev/full"])
    func isNoSuccessWhereTheResultsAreLost(_ redirections: String) async throws {
        #expect(try await end("devices", redirections) == 74)
        #expect(try await end("devices --json", redirections) == 74)
        #expect(try await end("--version", redirections) == 74)
        #expect(try await end("call --help", redirections) == 74)
    }

    @Test func sendsNothingInPlaceOfATextThatCannotBeRead() async throws {
        #expect(try await end("message 127.0.0.1:1 --no-config --listen 127.0.0.1:0", "<&-") == 65)
    }

    /// Whoever reads no more has heard enough; a disk that is full has lost what was to be kept.
    @Test func saysThatTheAudioOfACallWasLost() async throws {
        let answering = try Phone("answer", "--audio", "null", "--once")
        let peer = "127.0.0.1:\(try await answering.port)"
        let arguments = "call \(peer) --no-config --listen 127.0.0.1:0 --audio stdio --duration 300ms"
        #expect(try await end(arguments, "</dev/null >/dev/full") == 74)
        _ = try await answering.end()
    }

    /// Nothing is begun behind the back of a reader that held it up, once the end was asked for.
    @Test(arguments: [("-TERM", "", 143), ("-0", "--timeout 1s", 10)] as [(String, String, Int32)])
    func beginsNothingAfterItsEndWasAskedFor(signal: String, bound: String, exit: Int32) async throws {
        let answering = try Phone(["answer", "--audio", "null"], bound: "5s")
        let peer = "127.0.0.1:\(try await answering.port)"
        // A pipe that is full, and that nobody reads.
        let command = """
            exec 3<> "$1"; dd if=/dev/zero bs=4096 count=16 >&3 2> /dev/null
            "$0" call \(peer) --no-config --listen 127.0.0.1:0 --audio null --json --duration 100ms \(bound) >&3 &
            sleep 1; kill \(signal) $!; wait $!
            """
        let folder = try TemporaryFolder()
        let pipe = folder.path + "/pipe"
        #expect(try await Program(["mkfifo", pipe]).end() == 0)
        let program = try Program(["sh", "-c", command, try Phone.binary, pipe])
        #expect(try await program.end() == exit)
        #expect(try await answering.event("verdict").exit == 10)
        #expect(try await answering.end() == 10)
    }

    @Test(arguments: [("kill -TERM $!", 143), ("true", 78)] as [(String, Int32)])
    func waitsForNoPasswordLongerThanForItself(ending: String, exit: Int32) async throws {
        let folder = try TemporaryFolder()
        let account = "[[account]]\naddress = \"sip:a@127.0.0.1:9\"\nregistrar = \"sip:127.0.0.1:9\"\n"
        let configuration = try folder.write(
            Array((account + "password_command = [\"sleep\", \"20\"]\n").utf8), as: "offhook.toml")
        let command = """
            chmod 600 "$1"; "$0" register --config "$1" --listen 127.0.0.1:0 --timeout 2s &
            sleep 0.5; \(ending); wait $!
            """
        let program = try Program(["sh", "-c", command, try Phone.binary, configuration])
        #expect(try await program.end(within: .seconds(6)) == exit, "\(program.written)")
    }

    @Test(arguments: [70_000, 80_000])
    func saysThatItGetsNoThreads(kibibytes: Int) async throws {
        let command = "ulimit -v \(kibibytes); exec \"$0\" options 127.0.0.1:9 --no-config --listen 127.0.0.1:0"
        let program = try Program(["sh", "-c", command, try Phone.binary])
        #expect(try await program.end() == 70, "\(program.written)")
        #expect(program.errors.contains { $0.contains("ulimit -v") }, "\(program.written)")
    }

    @Test func saysHowItEndsWhereItCannotListen() async throws {
        let first = try Phone("answer", "--audio", "null")
        let second = try Phone("answer", "--audio", "null", listen: "127.0.0.1:\(try await first.port)")
        #expect(try await second.event("verdict").exit == 30)
        #expect(try await second.end() == 30)
    }
}
