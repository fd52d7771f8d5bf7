import FoundationEssentials
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
}
