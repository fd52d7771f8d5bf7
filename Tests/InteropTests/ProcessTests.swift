import FoundationEssentials
import Glibc
import Proofs
import Testing

/// What the process of a phone allows itself.
@Suite struct ProcessTests {
    @Test(.proves(.rule(23)))
    func aPhoneThatKnowsAPasswordLeavesNoCoreFile() async throws {
        // Nobody is there to register with: the phone goes on asking while its limits are looked at.
        let account = try ConfiguredAccount("alice", password: "looking-glass", at: Ports.take())
        let phone = try Phone("register", "--keep", "--config", account.path)
        var limits: [String] = []
        for _ in 0..<100 {
            let text = FileManager.default.contents(atPath: "/proc/\(phone.program.process)/limits") ?? Data()
            limits = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
                .filter { $0.hasPrefix("Max core file size") }
            if limits.contains(where: { $0.split(separator: " ").suffix(3) == ["0", "0", "bytes"] }) { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(limits.first?.split(separator: " ").suffix(3) == ["0", "0", "bytes"], "\(limits)")
        phone.program.signal(15)
        _ = try await phone.end()
    }

    @Test(.proves(.rule(23)))
    func aPhoneCanBecomeNobodyElse() async throws {
        let phone = try Phone("answer", "--audio", "null")
        _ = try await phone.port
        let text = FileManager.default.contents(atPath: "/proc/\(phone.program.process)/status") ?? Data()
        #expect(String(decoding: text, as: UTF8.self).split(separator: "\n").contains("NoNewPrivs:\t1"))
    }

    @Test func stopsAndGoesOnAsAShellAsksAndQuitsWithItsBye() async throws {
        let answering = try Phone("answer", "--audio", "null")
        let calling = try Phone("call", "127.0.0.1:\(try await answering.port)", "--audio", "null")
        try await calling.event("call.answered")
        calling.program.signal(SIGTSTP)
        try await calling.eventually { state(of: calling.program.process) == "T" }
        calling.program.signal(SIGCONT)
        try await calling.eventually { state(of: calling.program.process) != "T" }
        calling.program.signal(SIGQUIT)
        #expect(try await calling.event("verdict").exit == 131)
        #expect(try await calling.end() == 131)
        let end = try await answering.event("call.ended")
        #expect(end.cause == "hung-up" && end.by == "remote")
    }

    /// The letter by which the kernel calls what a process does; `T` is stopped.
    private func state(of process: pid_t) -> Character? {
        let text = FileManager.default.contents(atPath: "/proc/\(process)/stat") ?? Data()
        return String(decoding: text, as: UTF8.self).split(separator: ")").last?.first { $0 != " " }
    }

    /// The libraries under a phone trap or wait for ever where a thread can't be made.
    @Test(.enabled(if: getuid() == 0, "another user's limit takes root"))
    func saysThatTheSystemGivesNoThreads() async throws {
        let folder = try TemporaryFolder()
        let binary = try #require(FileManager.default.contents(atPath: try Phone.binary))
        let copy = try folder.write(Array(binary), as: "offhook")
        #expect(chmod(folder.path, 0o755) == 0 && chmod(copy, 0o755) == 0)
        let command = "ulimit -u 3; exec \(copy) options 127.0.0.1:1 --no-config --listen 127.0.0.1:0"
        let phone = try Program([
            "setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", "bash", "-c", command,
        ])
        #expect(try await phone.end() == 70)
        #expect(phone.errors.joined().contains("threads"))
    }
}
