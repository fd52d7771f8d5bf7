import Testing

/// Which calls end `offhook answer`, between phones.
@Suite(.serialized) struct AnswerCountTests {
    @Test func aCallThatIsRefusedForItsCodecsEndsNothingAndIsTold() async throws {
        let answering = try Phone("answer", "--once", "--audio", "silence", "--codec", "pcmu")
        let port = try await answering.port
        let stranger = try Phone("call", "127.0.0.1:\(port)", "--audio", "silence", "--codec", "pcma")
        #expect(try await stranger.end() == 16, "\(stranger.program.written)")
        let caller = try Phone(
            "call", "127.0.0.1:\(port)", "--audio", "silence", "--codec", "pcmu", "--duration", "300ms")
        #expect(try await caller.end() == 0, "\(caller.program.written)")
        #expect(try await answering.end() == 16, "\(answering.program.written)")
        #expect(try answering.events(named: "call.ended").count == 1)
    }

    @Test func whoIsNotLetInEndsNeitherTheCommandNorACall() async throws {
        let answering = try Phone("answer", "--once", "--audio", "silence", "--allow", "127.0.0.9")
        let port = try await answering.port
        let caller = try Phone(
            "call", "127.0.0.1:\(port)", "--audio", "silence", "--duration", "1s", listen: "127.0.0.9:0")
        try await caller.event("call.answered")
        let stranger = try Phone("call", "127.0.0.1:\(port)", "--audio", "silence")
        #expect(try await stranger.end() == 12, "\(stranger.program.written)")
        #expect(try await caller.end() == 0, "\(caller.program.written)")
        #expect(try caller.callEnd.by == "local")
        #expect(try await answering.end() == 0, "\(answering.program.written)")
    }
}
