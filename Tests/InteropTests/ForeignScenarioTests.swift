import Testing

/// What other projects' scenarios for SIPp find in the phone.
@Suite(
    .serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"),
    .enabled(if: ForeignScenario.folder != nil, "OFFHOOK_CORPORA names no folder with scenarios"))
struct ForeignScenarioTests {
    @Test func everyScenarioIsPlayedOrHasItsReason() throws {
        let played = ForeignScenario.played.map(\.name) + ForeignScenario.controllers + [ForeignScenario.refreshed.name]
        #expect(Set(played).count == played.count)
        #expect(try ForeignScenario.names.sorted() == (played + ForeignScenario.notPlayed.keys).sorted())
    }

    /// Most of the time of a scenario it waits, so some are played at once.
    @Test func goAsTheyAreWritten() async throws {
        try await withThrowingTaskGroup { group in
            var waiting = ForeignScenario.played[...]
            for scenario in waiting.prefix(4) { group.addTask { try await play(scenario) } }
            waiting = waiting.dropFirst(4)
            while try await group.next() != nil {
                if let scenario = waiting.popFirst() { group.addTask { try await play(scenario) } }
            }
        }
    }

    private func play(_ scenario: ForeignScenario) async throws {
        do {
            try await SIPp.play(scenario)
        } catch {
            Issue.record(error, "\(scenario.name)")
        }
    }

    /// The controllers pass on all that follows Content-Type, which the phone does not write last.
    private static let shorterCopies = [
        "regexp=\"Content-Type:": "regexp=\"Content-Length:", "[$1]": "Content-Type: application/sdp\n[$1]",
        "[$2]": "Content-Type: application/sdp\n[$2]", "milliseconds=\"1000\"": "milliseconds=\"1500\"",
    ]

    /// RFC 3725 §4.1: a third party has two phones talk to each other, and each hears the other's tone.
    @Test func aThirdPartyConnectsTwoPhones() async throws {
        let phones = try [(440, 1000), (1000, 440)].map { said, heard in
            try Phone("answer", "--once", "--audio", "tone:\(said)", "--expect-tone", "\(heard)")
        }
        let meeting = "127.0.0.1:\(Ports.take())"
        var controllers: [SIPp] = []
        // The side of B waits for that of A.
        for (name, phone) in zip(ForeignScenario.controllers, phones).reversed() {
            let scenario = ForeignScenario(
                name: name, role: .caller, phone: [], options: ["-3pcc", meeting], changes: Self.shorterCopies)
            let remote = "127.0.0.1:\(try await phone.port)"
            let controller = try SIPp(playing: scenario, at: Ports.take(), remote: remote, values: [:])
            if controllers.isEmpty {
                let port = try #require(meeting.split(separator: ":").last.flatMap { UInt16($0) })
                #expect(await Ports.wait(for: port, .tcp, of: controller.program))
            }
            controllers.append(controller)
        }
        for controller in controllers { try await controller.expectSuccess() }
        for phone in phones { #expect(try await phone.end() == 0, "\(phone.program.written)") }
    }
}

extension SIPp {
    /// Plays a scenario to its end, and has the phone play its part.
    static func play(_ scenario: ForeignScenario, within bound: Duration = .seconds(25)) async throws {
        let seconds = "\(bound.components.seconds)s"
        let port = Ports.take()
        let words = scenario.phone.map { $0.replacing("PORT", with: "\(port)") }
        let sipp: SIPp
        let phone: Phone
        switch scenario.role {
        case .caller:
            phone = try Phone(words, bound: seconds)
            sipp = try SIPp(
                playing: scenario, at: port, remote: "127.0.0.1:\(try await phone.port)", values: [:], bound: seconds)
        case .callee:
            let place = Ports.take()
            sipp = try SIPp(
                playing: scenario, at: port, remote: scenario.namesThePhone ? "127.0.0.1:\(place)" : nil,
                values: ["phone": "\(place)"], bound: seconds)
            #expect(await Ports.wait(for: port, .udp, of: sipp.program), "\(scenario.name)")
            phone = try Phone(words, listen: "127.0.0.1:\(place)", bound: seconds)
        }
        let status = try await sipp.program.end(within: bound + .seconds(5))
        #expect(status == 0, "\(scenario.name)\n\(sipp.program.written)\n\(phone.program.written)")
        if scenario.exit == nil { phone.program.signal(15) }
        let exit = try await phone.end(within: bound + .seconds(5))
        #expect(exit == scenario.exit ?? 143, "\(scenario.name)\n\(phone.program.written)")
    }
}
