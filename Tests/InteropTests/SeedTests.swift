import Testing

/// `--seed`: two runs that meet the same peer at the same ports say the same, byte for byte.
@Suite(.serialized)
struct SeedTests {
    /// What a phone sent, in order: each text once, as whoever is slow to answer is sent a request again. A provisional
    /// response depends on how fast the phone is.
    private func sent(_ phone: Phone) -> [String] {
        var messages: [[String]] = []
        var isSent = false
        for line in phone.program.errors {
            if line.hasPrefix("    ") {
                if isSent { messages[messages.count - 1].append(String(line.dropFirst(4))) }
            } else {
                isSent = line.contains(" --> ")
                if isSent { messages.append([]) }
            }
        }
        var distinct: [String] = []
        for message in messages.map({ $0.joined(separator: "\n") })
        where !message.hasPrefix("SIP/2.0 1") && !distinct.contains(message) {
            distinct.append(message)
        }
        return distinct
    }

    @Test(.enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
    func aCallIsTheSameAgainUnderItsSeed() async throws {
        let (peer, own) = (Ports.take(), Ports.take())
        func run(seed: Int) async throws -> [String] {
            let sipp = try await SIPp.callee("answer", at: peer)
            let phone = try Phone(
                "call", "sip:bob@127.0.0.1:\(peer)", "--audio", "silence", "--duration", "300ms", "--sip-trace",
                "--seed", "\(seed)", "--header", "X-Desk: 7", listen: "127.0.0.1:\(own)")
            #expect(try await phone.end() == 0, "\(phone.program.written)")
            try await sipp.expectSuccess()
            return sent(phone)
        }
        let first = try await run(seed: 7)
        #expect(first.map { $0.prefix { $0 != " " } } == ["INVITE", "ACK", "BYE"])
        #expect(first.first?.split(separator: "\n").contains("X-Desk: 7") == true)
        #expect(try await run(seed: 7) == first)
        let other = try await run(seed: 8)
        #expect(zip(first, other).allSatisfy { $0 != $1 })
    }

    @Test func aPhoneThatAnswersIsTheSameAgainUnderItsSeed() async throws {
        let (caller, callee) = (Ports.take(), Ports.take())
        func run() async throws -> [String] {
            let answering = try Phone(
                "answer", "--once", "--audio", "silence", "--sip-trace", "--seed", "9",
                listen: "127.0.0.1:\(callee)")
            try await answering.event("ready")
            let calling = try Phone(
                "call", "sip:bob@127.0.0.1:\(callee)", "--audio", "silence", "--duration", "300ms", "--seed", "7",
                listen: "127.0.0.1:\(caller)")
            #expect(try await calling.end() == 0, "\(calling.program.written)")
            #expect(try await answering.end() == 0, "\(answering.program.written)")
            return sent(answering)
        }
        let first = try await run()
        #expect(first.map { $0.prefix { $0 != "\n" } } == ["SIP/2.0 200 OK", "SIP/2.0 200 OK"])
        #expect(try await run() == first)
    }
}
