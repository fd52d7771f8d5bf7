import AudioCodecs
import CSndfile
import EngineKit
import Glibc
import RTPMedia
import Testing

@testable import MediaRuntime

/// Two engines in one process, over real sockets on the loopback, without a sound card.
@Suite(.serialized, .onceTheMachineKeepsTime) struct TwoPhonesTests {
    @Test(arguments: AudioCodec.allCases)
    func carryAChirpBothWays(codec: AudioCodec) async throws {
        // On the loopback it is the machine that makes a packet late, and what then is heard twice is no chirp.
        for _ in 0..<2 where try await carriesChirps(codec, isLastTry: false) { return }
        #expect(try await carriesChirps(codec, isLastTry: true))
    }

    /// - Returns: false where a packet was late, and this is not to be judged.
    private func carriesChirps(_ codec: AudioCodec, isLastTry: Bool) async throws -> Bool {
        let signal = [Int16](repeating: 0, count: 24_000) + Chirp.samples() + [Int16](repeating: 0, count: 24_000)
        let probes = [
            AudioProbe(signal: signal, hearing: .seconds(2)), AudioProbe(signal: signal, hearing: .seconds(2)),
        ]
        let left = try Phone(probe: probes[0], seed: 1)
        let right = try Phone(probe: probes[1], seed: 2)
        try left.call(right, codec: codec)
        try right.call(left, codec: codec)
        #expect(await left.wait { if case .media(.firstPacketPlayed) = $0.event { true } else { false } })
        for probe in probes { probe.start() }
        #expect(await eventually { !probes.contains { $0.heard.count < 80_000 } })
        let wasLate = [left, right].contains { ($0.engine.statistics(1)?.concealedMilliseconds ?? 1) > 0 }
        if wasLate, !isLastTry { return false }
        for (speaker, listener) in [(0, 1), (1, 0)] {
            // Apart, or a failure would print all that was heard.
            let located = Chirp.locate(in: probes[listener].heard)
            let match = try #require(located)
            let spoken = try #require(probes[speaker].spokenAt(sample: 24_000))
            let heard = try #require(probes[listener].heardAt(sample: Int(match.offset)))
            print("\(codec.name): one-way latency \((heard - spoken).milliseconds) ms, likeness \(match.likeness)")
            #expect(match.likeness > 0.8)
            #expect(heard - spoken > .milliseconds(20) && heard - spoken < .milliseconds(200))
        }
        left.engine.stop(1)
        #expect(await left.wait { if case .stopped(let statistics) = $0.event { statistics.lost == 0 } else { false } })
        return true
    }

    /// A call may end before its first packet.
    @Test func theCodecIsToldAsItWasAgreed() throws {
        let left = try Phone(seed: 26)
        let right = try Phone(seed: 27)
        try left.call(right, codec: .pcma)
        #expect(left.engine.statistics(1)?.sendCodec == .pcma)
        left.engine.update(1, configuration: left.configuration(to: right, codec: .pcmu))
        #expect(left.engine.statistics(1)?.sendCodec == .pcmu)
    }

    /// The stream goes on, so that nobody takes the call for dead.
    @Test func mutedOnlySilenceIsSent() async throws {
        let left = try Phone(input: .tone(hertz: 700, level: -20), seed: 24)
        let right = try Phone(seed: 25)
        try left.call(right)
        left.engine.setMuted(1, true)
        try right.call(left, options: .init(listening: .init(tone: 700)))
        #expect(await eventually { right.engine.statistics(1)?.receivedPackets ?? 0 > 60 })
        #expect(!right.notices.contains { if case .heard(.tone) = $0.event { true } else { false } })
        left.engine.setMuted(1, false)
        #expect(await right.wait { if case .heard(.tone) = $0.event { true } else { false } })
    }

    /// Packets on the wire, read by a socket of the test's own.
    @Test(arguments: [(AudioCodec.opus, 30), (.pcmu, 30), (.opus, 3), (.pcma, 3)])
    func packetsOfTheAgreedTimeGoOut(codec: AudioCodec, packetTime: Int) async throws {
        let phone = try Phone(seed: 11)
        let peer = try phone.engine.bindPorts(address: .loopback)
        var formats = ReceiveFormats()
        formats.insert(.audio(codec), payloadType: 96)
        let configuration = MediaConfiguration(
            codec: codec, payloadType: 96, receiveFormats: formats, packetTime: packetTime, remoteRTP: peer.rtp,
            remoteRTCP: peer.rtcp)
        try phone.engine.startSession(id: 1, ports: phone.ports, configuration: configuration)
        let ticks = codec == .opus ? OpusPacketizer.sampleCount(packetTime: packetTime) : packetTime * 8
        var packets: [(timestamp: UInt32, ticks: Int)] = []
        var bytes = [UInt8](repeating: 0, count: 2_048)
        let isComplete = await eventually {
            while case let count = recv(peer.rtpDescriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT)), count > 0 {
                guard let packet = try? RTPPacket(parsing: bytes.span.extracting(0..<count)) else { continue }
                let payload = bytes.span.extracting(packet.payload)
                let held = codec == .opus ? OpusDecoder.sampleCount(of: payload) ?? 0 : payload.count
                packets.append((packet.timestamp, held))
            }
            return packets.count >= 30
        }
        #expect(isComplete)
        for (packet, next) in zip(packets, packets.dropFirst()) {
            #expect(packet.ticks <= ticks && next.timestamp &- packet.timestamp == UInt32(packet.ticks))
        }
        // An encoder that makes up its mind may cut the first ones short.
        #expect(packets.dropFirst(5).allSatisfy { $0.ticks == ticks })
    }

    @Test(
        arguments: [("call.wav", .stereo), ("call.wav", .mono), ("call.flac", .stereo), ("call.opus", .mono)]
            as [(String, RecordSpec.Format)])
    func playRecordAndFindATone(name: String, format: RecordSpec.Format) async throws {
        let recording = TemporaryPath(name)
        let left = try Phone(seed: 3)
        let right = try Phone(seed: 4)
        try left.call(
            right,
            options: .init(
                play: PlaySpec(.tone(hertz: 1000, level: -12)), recording: RecordSpec(recording.path, format: format)))
        try right.call(left, options: .init(echoes: true, listening: .init(tone: 1000)))
        #expect(await left.wait { $0.event == .playStarted })
        #expect(
            await right.wait { if case .heard(.tone(let level)) = $0.event { abs(level + 12) < 0.5 } else { false } })
        await pause(.seconds(1))
        left.engine.stop(1)
        left.engine.shutDown()
        var reader = try AudioFileReader(path: recording.path)
        var samples = [Int16](repeating: 0, count: 240_000)
        let count = samples.withUnsafeMutableBufferPointer { reader.read(into: $0) }
        var detector = ToneDetector(frequency: 1000)
        samples.withUnsafeBufferPointer { detector.receive(UnsafeBufferPointer(rebasing: $0[..<count]).span) }
        #expect(detector.isFound)
        var info = SF_INFO()
        let handle = try #require(sf_open(recording.path, CInt(SFM_READ), &info))
        sf_close(handle)
        #expect(info.channels == (format == .stereo ? 2 : 1))
        #expect((info.format & CInt(SF_FORMAT_SUBMASK) == CInt(SF_FORMAT_OPUS)) == name.hasSuffix(".opus"))
    }

    @Test func endOfAPlayedFileIsToldAndLoopsDoNotEnd() async throws {
        let file = TemporaryPath("play.wav")
        do {
            var writer = try AudioFileWriter(path: file.path, channels: 1)
            let sound = [Int16](repeating: 500, count: 9_600)
            try sound.withUnsafeBufferPointer { try writer.write($0) }
        }
        let left = try Phone(seed: 5)
        let right = try Phone(seed: 6)
        try left.call(right, options: .init(play: PlaySpec(.file(file.path), afterwards: .hangUp)))
        try right.call(left, options: .init(play: PlaySpec(.file(file.path), afterwards: .loop)))
        #expect(await left.wait { $0.event == .playFinished(.hangUp) })
        #expect(await right.wait { $0.event == .playStarted })
        await pause(.milliseconds(500))
        #expect(!right.notices.contains { if case .playFinished = $0.event { true } else { false } })
    }

    @Test func sendsDigitsAfterThePeerIsHeard() async throws {
        let left = try Phone(seed: 7)
        let right = try Phone(seed: 8)
        try left.call(right)
        try left.engine.sendDigits(1, "w5#")
        try right.call(left)
        let five = try #require(DTMFDigit("5"))
        let hash = try #require(DTMFDigit("#"))
        for digit in [five, hash] {
            #expect(
                await right.wait {
                    if case .media(.digitEnded(digit, .event, let milliseconds)) = $0.event {
                        milliseconds >= 80
                    } else {
                        false
                    }
                })
        }
    }

    @Test func refusesTheSameCallTwiceAndMissingFiles() async throws {
        let left = try Phone(seed: 9)
        let right = try Phone(seed: 10)
        #expect(throws: MediaStartError.audio(.file(path: "/nowhere.wav", reason: "No such file or directory"))) {
            try left.call(right, options: .init(play: PlaySpec(.file("/nowhere.wav"))))
        }
        try left.call(right)
        #expect(throws: MediaStartError.duplicate(1)) { try left.call(right) }
    }
}
