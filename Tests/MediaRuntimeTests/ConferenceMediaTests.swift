import EngineKit
import RTPMedia
import Testing

@testable import MediaRuntime

/// One phone that talks to two others, over real sockets on the loopback.
@Suite(.serialized) struct ConferenceMediaTests {
    private let middle: Phone
    private let speaker: Phone
    private let listener: Phone
    private let hasHeard: @Sendable (MediaNotice) -> Bool = { if case .heard(.tone) = $0.event { true } else { false } }

    /// The speaker's microphone gives a tone, the middle one's another; the listener looks for the first.
    init() async throws {
        middle = try Phone(input: .tone(hertz: 440, level: -20), seed: 21)
        speaker = try Phone(input: .tone(hertz: 700, level: -20), seed: 22)
        listener = try Phone(input: .silence, seed: 23)
        let second = try middle.engine.bindPorts(address: .loopback)
        try middle.call(speaker, codec: .pcmu)
        try speaker.call(middle, codec: .pcmu)
        try middle.engine.startSession(
            id: 2, ports: second, configuration: middle.configuration(to: listener, codec: .pcmu))
        var back = listener.configuration(to: middle, codec: .pcmu)
        (back.remoteRTP, back.remoteRTCP) = (second.rtp, second.rtcp)
        try listener.engine.startSession(
            id: 1, ports: listener.ports, configuration: back,
            options: MediaCallOptions(listening: Listening(tone: 700)))
        middle.engine.setMuted(2, true)
    }

    private func packetsPass(_ count: UInt64) async -> Bool {
        let before = listener.engine.statistics(1)?.receivedPackets ?? 0
        return await eventually { listener.engine.statistics(1)?.receivedPackets ?? 0 >= before + count }
    }

    /// Muting takes the microphone away, not the others.
    @Test func itsCallsHearEachOtherMutedOrNot() async throws {
        #expect(await packetsPass(30))
        #expect(!listener.notices.contains(where: hasHeard))
        for id in [1, 2] as [UInt32] { middle.engine.setConference(id, 5) }
        #expect(await listener.wait(until: hasHeard))
    }

    @Test func twoConferencesAreApart() async throws {
        for id in [1, 2] as [UInt32] { middle.engine.setConference(id, id) }
        #expect(await packetsPass(60))
        #expect(!listener.notices.contains(where: hasHeard))
    }

    /// A peer that holds us plays its music to us alone.
    @Test func whoDoesNotHearUsIsNotHeardByTheOthers() async throws {
        var held = middle.configuration(to: speaker, codec: .pcmu)
        held.sends = false
        middle.engine.update(1, configuration: held)
        for id in [1, 2] as [UInt32] { middle.engine.setConference(id, 5) }
        #expect(await packetsPass(60))
        #expect(!listener.notices.contains(where: hasHeard))
        middle.engine.update(1, configuration: middle.configuration(to: speaker, codec: .pcmu))
        #expect(await listener.wait(until: hasHeard))
    }
}
