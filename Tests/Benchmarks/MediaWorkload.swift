import AudioCodecs
import COpus
import EngineKit
import RTPMedia
import VoiceProcessing

extension Workload {
    /// What the media of a call costs: 20 ms of it beside the bare encoding and decoding of libopus that it cannot do
    /// without, and what is done to a microphone's sound. `SPEECH` is raw, 16 bits mono at 48 kHz.
    static var media: Workload {
        Workload(name: "media", usage: "SPEECH [ROUNDS]") { arguments in
            guard let path = arguments.first else { Benchmarks.fail("media SPEECH [ROUNDS]") }
            let speech = samples(of: contents(of: path))
            let rounds = arguments.dropFirst().first.flatMap { Int($0) } ?? 5
            guard speech.count >= 48_000, rounds > 0 else { Benchmarks.fail("\(path): less than a second") }
            do {
                for complexity in [0, 5, 9] {
                    let settings = OpusSettings(complexity: complexity)
                    let packets = try recorded(speech, as: .opus, settings)
                    let bare = median(rounds) { bareOpus(speech, packets, complexity: complexity) }
                    let session = try median(rounds) { try call(speech, packets, as: .opus, settings) }
                    print(
                        """
                        {"name":"media","codec":"opus","complexity":\(complexity),"bare_us":\(microseconds(bare)),\
                        "call_us":\(microseconds(session)),"ratio":\(hundredths(session * 100 / bare)),\
                        "calls_per_core":\(20_000_000 / session),"bound":\(17_000_000 / bare)}
                        """)
                }
                for codec in AudioCodec.allCases where codec != .opus {
                    let packets = try recorded(speech, as: codec, OpusSettings())
                    let session = try median(rounds) { try call(speech, packets, as: codec, OpusSettings()) }
                    print(
                        """
                        {"name":"media","codec":"\(codec.name)","call_us":\(microseconds(session)),\
                        "calls_per_core":\(20_000_000 / session)}
                        """)
                }
                for (name, features) in [
                    ("echo", VoiceFeatures.echoCancellation), ("noise", .noiseSuppression),
                    ("all", [.echoCancellation, .noiseSuppression, .gainControl]),
                ] {
                    let period = try median(rounds) { try voice(speech, features) }
                    print(
                        """
                        {"name":"media","voice":"\(name)","period_us":\(microseconds(period)),\
                        "core_percent":\(hundredths(period / 1_000))}
                        """)
                }
            } catch {
                Benchmarks.fail("\(error)")
            }
        }
    }

    private static let peer = SocketAddress(.v4(0xc000_0201), port: 4_000)
    private static let start = Instant(nanoseconds: 1_000_000_000)
    private static let frame = 960

    private static func microseconds(_ nanoseconds: Int) -> String {
        "\(nanoseconds / 1_000).\(nanoseconds / 100 % 10)"
    }

    private static func hundredths(_ value: Int) -> String {
        "\(value / 100).\(value % 100 < 10 ? "0" : "")\(value % 100)"
    }

    private static func samples(of bytes: [UInt8]) -> [Int16] {
        stride(from: 0, to: bytes.count - 1, by: 2).map {
            Int16(truncatingIfNeeded: Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8)
        }
    }

    private static func median(_ rounds: Int, _ body: () throws -> Int) rethrows -> Int {
        _ = try body()
        return try (0..<rounds).map { _ in try body() }.sorted()[rounds / 2]
    }

    private static func configuration(_ codec: AudioCodec, _ settings: OpusSettings) -> MediaConfiguration {
        var formats = ReceiveFormats()
        formats.insert(.audio(codec), payloadType: 96)
        formats.insert(.telephoneEvent(clockRate: codec.clockRate), payloadType: 101)
        var configuration = MediaConfiguration(
            codec: codec, payloadType: 96, receiveFormats: formats,
            sendTelephoneEvent: TelephoneEventFormat(payloadType: 101, clockRate: codec.clockRate), remoteRTP: peer,
            remoteRTCP: SocketAddress(peer.address, port: peer.port + 1))
        configuration.opusSettings = settings
        return configuration
    }

    /// The RTP packets of a call that says the speech, one each 20 ms.
    private static func recorded(
        _ speech: [Int16], as codec: AudioCodec, _ settings: OpusSettings
    ) throws -> [[UInt8]] {
        var session = try MediaSession(
            configuration: configuration(codec, settings), random: RandomSource(seed: 1), at: start)
        var packets: [[UInt8]] = []
        for index in 0..<speech.count / 480 {
            session.capture(
                speech.span.extracting(index * 480..<(index + 1) * 480), at: start + .milliseconds(10 * index))
            while session.nextPacket({ bytes, _, isRTCP in
                if !isRTCP { packets.append(bytes.withUnsafeBufferPointer { Array($0) }) }
            }) {}
        }
        return packets
    }

    /// Nanoseconds of processor for 20 ms: libopus encodes the speech and decodes what was recorded.
    private static func bareOpus(_ speech: [Int16], _ packets: [[UInt8]], complexity: Int) -> Int {
        var code: Int32 = OPUS_OK
        guard let bare = opus_encoder_create(48_000, 1, OPUS_APPLICATION_VOIP, &code) else {
            Benchmarks.fail("libopus: \(code)")
        }
        defer { opus_encoder_destroy(bare) }
        // As a session sets it up.
        for (request, value) in [
            (OPUS_SET_COMPLEXITY_REQUEST, Int32(complexity)), (OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE),
            (OPUS_SET_PACKET_LOSS_PERC_REQUEST, 10), (OPUS_SET_BITRATE_REQUEST, Int32(OpusEncoder.usualBitRate)),
            (OPUS_SET_VBR_REQUEST, 1), (OPUS_SET_INBAND_FEC_REQUEST, 1),
        ] { _ = copus_encoder_set(bare, request, value) }
        guard let decoder = opus_decoder_create(48_000, 1, &code) else { Benchmarks.fail("libopus: \(code)") }
        defer { opus_decoder_destroy(decoder) }
        var packet = [UInt8](repeating: 0, count: 1_275)
        var heard = [Int16](repeating: 0, count: 5_760)
        let count = min(speech.count / frame, packets.count)
        let began = threadNanoseconds()
        for index in 0..<count {
            speech.withUnsafeBufferPointer { samples in
                _ = opus_encode(
                    bare, samples.baseAddress! + index * frame, Int32(frame), &packet, Int32(packet.count))
            }
            packets[index].withUnsafeBufferPointer { bytes in
                _ = opus_decode(
                    decoder, bytes.baseAddress! + 12, Int32(bytes.count - 12), &heard, Int32(heard.count), 0)
            }
        }
        return (threadNanoseconds() - began) / count
    }

    /// Nanoseconds of processor for 20 ms of a session that says the speech and hears the recorded packets.
    private static func call(
        _ speech: [Int16], _ packets: [[UInt8]], as codec: AudioCodec, _ settings: OpusSettings
    ) throws -> Int {
        var session = try MediaSession(
            configuration: configuration(codec, settings), random: RandomSource(seed: 2), at: start)
        var period = [Int16](repeating: 0, count: 480)
        var octets = 0
        let count = min(speech.count / 480, 2 * packets.count)
        let began = threadNanoseconds()
        for index in 0..<count {
            let now = start + .milliseconds(10 * index)
            var span = period.mutableSpan
            session.playout(into: &span, at: now)
            session.capture(speech.span.extracting(index * 480..<(index + 1) * 480), at: now)
            if let deadline = session.deadline, deadline <= now { session.handleDeadline(at: now) }
            while session.nextPacket({ bytes, _, _ in octets += bytes.count }) {}
            if index % 2 == 0 {
                let packet = packets[index / 2]
                session.receivePacket(packet.span, from: peer, isRTCP: false, at: now + .milliseconds(2))
            }
            while session.nextEvent() != nil {}
        }
        let used = threadNanoseconds() - began
        guard session.statistics.receivedPackets > packets.count * 9 / 10, octets > 0 else {
            Benchmarks.fail("the call was not carried")
        }
        return used * 2 / count
    }

    /// Nanoseconds of processor for 10 ms of a microphone that hears the loudspeaker.
    private static func voice(_ speech: [Int16], _ features: VoiceFeatures) throws -> Int {
        var processor = try VoiceProcessor(features)
        var period = [Int16](repeating: 0, count: 480)
        let count = speech.count / 480
        let began = threadNanoseconds()
        for index in 0..<count {
            let now = start + .milliseconds(10 * index)
            processor.play(speech.span.extracting(index * 480..<(index + 1) * 480), heardAt: now)
            for place in 0..<480 { period[place] = speech[index * 480 + place] / 2 }
            period.withUnsafeMutableBufferPointer { processor.process($0, spokenAt: now) }
        }
        return (threadNanoseconds() - began) / count
    }
}
