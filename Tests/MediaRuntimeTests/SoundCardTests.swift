import EngineKit
import Glibc
import RTPMedia
import Testing
import VirtualSoundCard

@testable import MediaRuntime

/// The ALSA code itself, on a card that keeps real time without hardware.
@Suite(.serialized, .onceTheMachineKeepsTime) struct SoundCardTests {
    @Test func carryAChirpFromMicrophoneToLoudspeaker() async throws {
        let cards = (try #require(VirtualCard("a")), try #require(VirtualCard("b")))
        let left = try Phone(input: .alsa(cards.0.name), output: .alsa(cards.0.name), seed: 21)
        let right = try Phone(input: .alsa(cards.1.name), output: .alsa(cards.1.name), seed: 22)
        try left.call(right)
        try right.call(left)
        #expect(await left.wait { if case .media(.firstPacketPlayed) = $0.event { true } else { false } })
        await pause(.milliseconds(500))
        for (speaker, listener, name) in [(cards.0, cards.1, "left to right"), (cards.1, cards.0, "right to left")] {
            let spoken = VirtualCard.sample(at: MonotonicClock.now.nanoseconds) + 9_600
            VirtualCard.put(Chirp.samples(), on: speaker.microphone, from: spoken)
            await pause(.milliseconds(900))
            // Apart, lest a failure print every sample.
            let found = Chirp.locate(in: VirtualCard.take(30_000, from: listener.loudspeaker, at: spoken))
            let match = try #require(found)
            print("\(name): \(match.offset / 48) ms from microphone to loudspeaker, likeness \(match.likeness)")
            #expect(match.likeness > 0.8)
            #expect(match.offset / 48 > 20 && match.offset / 48 < 200)
        }
        #expect(!left.notices.contains { if case .deviceLost = $0.event { true } else { false } })
    }

    @Test func missingAndBusyDevicesAreNamed() throws {
        let card = try #require(VirtualCard("c"))
        let missing = try MediaEngine(.init(input: .alsa("nowhere"), output: .null, random: RandomSource(seed: 1)))
        #expect(throws: AudioError.missing(device: "nowhere", direction: .input)) { try missing.start() }
        missing.shutDown()
        card.loudspeaker.pointee.fault = Int32(vcard_held.rawValue)
        let busy = try MediaEngine(.init(input: .null, output: .alsa(card.name), random: RandomSource(seed: 1)))
        #expect(throws: AudioError.busy(device: card.name, direction: .output)) { try busy.start() }
        busy.shutDown()
    }

    /// The media thread may say that nobody is to be heard before the microphone was tried.
    @Test func aMicrophoneIsTriedThoughNobodyWantsItYet() throws {
        _ = try #require(VirtualCard("c"))
        let link = try DeviceLink(name: "nowhere", triesCapture: true, playback: false)
        link.wantsCapture.store(false, ordering: .releasing)
        runALSADevice(link, try #require(DeviceNames(input: .alsa("nowhere"), output: .null)))
        #expect(link.error == .missing(device: "nowhere", direction: .input))
        #expect(link.state == .failed)
    }

    @Test func theMicrophoneIsClosedWhileNobodyIsToBeHeard() async throws {
        let card = try #require(VirtualCard("d"))
        let phone = try Phone(input: .alsa(card.name), output: .alsa(card.name), seed: 23)
        let peer = try Phone(seed: 24)
        #expect(await eventually { card.microphone.pointee.open_count == 0 })
        try phone.call(peer)
        #expect(await eventually { card.microphone.pointee.open_count > 0 })
        phone.engine.stop(1)
        #expect(await eventually { card.microphone.pointee.open_count == 0 })
        // Some time after the last call the loudspeaker is free too.
        #expect(await eventually { card.loudspeaker.pointee.open_count == 0 })
    }

    @Test(arguments: [vcard_unplugged, vcard_stalled])
    func aCallGoesOnWithoutItsDevice(fault: vcard_fault) async throws {
        let card = try #require(VirtualCard("e"))
        let phone = try Phone(input: .alsa(card.name), output: .alsa(card.name), seed: 25)
        let peer = try Phone(seed: 26)
        try phone.call(peer)
        try peer.call(phone)
        #expect(await peer.wait { if case .media(.firstPacketPlayed) = $0.event { true } else { false } })
        // A device is given longer to bring its first period.
        await pause(.seconds(3))
        card.loudspeaker.pointee.fault = Int32(fault.rawValue)
        card.microphone.pointee.fault = Int32(fault.rawValue)
        let before = try #require(peer.engine.statistics(1)).receivedPackets
        #expect(
            await phone.wait {
                switch $0.event {
                case .deviceLost(.vanished(card.name, _)): fault == vcard_unplugged
                case .deviceLost(.blocked(card.name)): fault == vcard_stalled
                default: false
                }
            })
        await pause(.seconds(1))
        let after = try #require(peer.engine.statistics(1)).receivedPackets
        #expect(after >= before + 45)
        let stoppedAt = MonotonicClock.now
        phone.engine.stop(1)
        #expect(await phone.wait { if case .stopped = $0.event { true } else { false } })
        #expect(MonotonicClock.now - stoppedAt < .milliseconds(500))
        card.loudspeaker.pointee.fault = Int32(vcard_works.rawValue)
        card.microphone.pointee.fault = Int32(vcard_works.rawValue)
    }
}
