import Testing

/// `--impair`: the phone with a bad network before it, which another phone does not know of.
@Suite(.serialized)
struct ImpairmentTests {
    /// What the network loses of the media is brought back by redundant audio where both phones take it.
    @Test(arguments: [true, false])
    func lostMediaComesBackByRedundancy(hasRedundancy: Bool) async throws {
        let folder = try TemporaryFolder()
        let configuration = try folder.write(
            Array("[media]\nredundancy = \(hasRedundancy)\n".utf8), as: "config.toml")
        let port = Ports.take()
        let answering = try Phone(
            "answer", "--once", "--audio", "tone:440", "--config", configuration, listen: "127.0.0.1:\(port)")
        try await answering.event("ready")
        let calling = try Phone(
            "call", "sip:bob@127.0.0.1:\(port)", "--audio", "tone:600", "--duration", "16s", "--expect-tone", "440",
            "--impair", "loss=10%,seed=5,on=rtp", "--min-mos", "3.2", "--max-loss", "20%")
        // Without, a tenth has to be made up, and the opinion that was demanded is not reached.
        #expect(try await calling.end() == (hasRedundancy ? 0 : 20), "\(calling.program.written)")
        #expect(try await answering.end() == 0, "\(answering.program.written)")
        for phone in [calling, answering] {
            let statistics = try #require(try phone.callEnd.stats)
            #expect(statistics.lost ?? 0 > 40, "\(phone.program.written)")
            #expect((statistics.listeningMOS ?? 0 > 3.2) == hasRedundancy, "\(phone.program.written)")
        }
        // Once the peer has told of the loss, each packet bears another one: of ten seconds only what was
        // lost twice has to be made up, a tenth of a second, instead of a second.
        let reports = try calling.events(named: "call.stats").compactMap(\.stats)
        let (first, last) = (try #require(reports.first), try #require(reports.last))
        #expect(reports.count == 3)
        let packets = last.tx.packets - first.tx.packets
        let octets = Double((last.tx.bytes ?? 0) - (first.tx.bytes ?? 0)) / Double(max(1, packets))
        let concealed = (last.concealed ?? 0) - (first.concealed ?? 0)
        #expect((octets > 140) == hasRedundancy, "\(octets) octets a packet")
        #expect((concealed < 400) == hasRedundancy, "\(concealed) ms made up")
    }

    /// Every request and response may be lost: the timers of RFC 3261 see to it that the call succeeds.
    @Test func aCallSucceedsThoughAThirdOfTheSignallingIsLost() async throws {
        let port = Ports.take()
        let answering = try Phone(
            "answer", "--once", "--audio", "silence", listen: "127.0.0.1:\(port)")
        try await answering.event("ready")
        let calling = try Phone(
            "call", "sip:bob@127.0.0.1:\(port)", "--audio", "silence", "--duration", "1s", "--sip-trace", "--impair",
            "loss=33%,delay=20ms,jitter=10ms,dup=10%,seed=4,on=sip")
        #expect(try await calling.end() == 0, "\(calling.program.written)")
        let invites = calling.program.errors.count { $0.hasPrefix("    INVITE ") }
        #expect(invites > 1, "\(calling.program.written)")
    }

    @Test func aSpecThatSaysNothingIsAMistakeOfUsage() async throws {
        let phone = try Phone("call", "sip:bob@127.0.0.1:9", "--impair", "loss=5")
        #expect(try await phone.end() == 64, "\(phone.program.written)")
    }
}
