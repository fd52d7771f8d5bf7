import AudioCodecs
import EngineKit
import RTPMedia
import Synchronization
import Testing
import VoiceProcessing

@testable import MediaRuntime

/// An engine with one call, its ports, and all that it said.
final class Phone: Sendable {
    let engine: MediaEngine
    let ports: MediaPorts
    private let log: NoticeLog

    init(
        input: AudioSpec = .null, output: AudioSpec = .null, probe: AudioProbe? = nil, voice: VoiceFeatures = [],
        seed: UInt64
    ) throws {
        engine = try MediaEngine(
            .init(input: input, output: output, random: RandomSource(seed: seed), probe: probe, voice: voice))
        try engine.start()
        ports = try engine.bindPorts(address: .loopback)
        log = NoticeLog(engine)
    }

    deinit { engine.shutDown() }

    var notices: [MediaNotice] { log.notices }

    /// What the two agreed, as this one sees it.
    func configuration(to peer: Phone, codec: AudioCodec = .opus) -> MediaConfiguration {
        var formats = ReceiveFormats()
        formats.insert(.audio(codec), payloadType: 96)
        formats.insert(.telephoneEvent(clockRate: codec.clockRate), payloadType: 101)
        return MediaConfiguration(
            codec: codec, payloadType: 96, receiveFormats: formats,
            sendTelephoneEvent: TelephoneEventFormat(payloadType: 101, clockRate: codec.clockRate),
            remoteRTP: peer.ports.rtp, remoteRTCP: peer.ports.rtcp, jitterTarget: .milliseconds(20))
    }

    func call(_ peer: Phone, id: UInt32 = 1, codec: AudioCodec = .opus, options: MediaCallOptions = .init()) throws {
        try engine.startSession(
            id: id, ports: ports, configuration: configuration(to: peer, codec: codec), options: options)
    }

    /// Waits until the phone has said what is looked for, at most ten seconds.
    func wait(until holds: (MediaNotice) -> Bool) async -> Bool {
        await eventually { notices.contains(where: holds) }
    }
}

/// All that an engine said.
final class NoticeLog: Sendable {
    private let log = Mutex<[MediaNotice]>([])

    init(_ engine: MediaEngine) {
        Task { [weak self, notices = engine.notices] in
            for await notice in notices { self?.log.withLock { $0.append(notice) } }
        }
    }

    var notices: [MediaNotice] { log.withLock { $0 } }

    func contains(_ notice: (MediaNotice) -> Bool) -> Bool { notices.contains(where: notice) }
}

/// Whether something comes true within ten seconds.
func eventually(_ holds: () -> Bool) async -> Bool {
    let giveUpAt = MonotonicClock.now + .seconds(10)
    while MonotonicClock.now < giveUpAt {
        if holds() { return true }
        await pause(.milliseconds(5))
    }
    return false
}

/// Lets real time pass, which is what real devices and sockets live in.
func pause(_ duration: Duration) async {
    try? await Task.sleep(for: duration)
}
