import AudioCodecs
import Testing

struct OpusPacketizerTests {
    private func packets(
        of samples: [Int16], packetTime: Int, preferences: OpusPreferences = OpusPreferences(),
        _ change: (inout OpusPacketizer, Int) -> Void = { _, _ in }
    ) throws -> [(bytes: [UInt8], packet: EncodedPacket)] {
        var packetizer = try OpusPacketizer(OpusEncoder(preferences: preferences))
        let count = OpusPacketizer.sampleCount(packetTime: packetTime)
        var packets: [(bytes: [UInt8], packet: EncodedPacket)] = []
        for start in stride(from: 0, through: samples.count - count, by: count) {
            change(&packetizer, start)
            let piece = Array(samples[start..<start + count])
            let isEncoded = packetizer.encode(piece.span)
            #expect(isEncoded)
            var output = [UInt8](repeating: 0, count: 1_500)
            while let packet = next(&packetizer, &output) { packets.append((Array(output[..<packet.length]), packet)) }
        }
        return packets
    }

    private func next(_ packetizer: inout OpusPacketizer, _ output: inout [UInt8]) -> EncodedPacket? {
        var span = output.mutableSpan
        return packetizer.nextPacket(into: &span)
    }

    @Test(arguments: Array(stride(from: 10, through: 120, by: 10)))
    func everyMultipleOfTenMillisecondsIsOnePacket(packetTime: Int) throws {
        let samples = sine(1_000, count: 48_000)
        let packets = try packets(of: samples, packetTime: packetTime)
        // While the encoder makes up its mind about the signal there may be shorter ones.
        let last = packets.suffix(packets.count / 2)
        for (bytes, packet) in last {
            let sampleCount = OpusDecoder.sampleCount(of: bytes.span)
            #expect(sampleCount == packetTime * 48 && packet.sampleCount == packetTime * 48)
            #expect(bytes.count <= OpusEncoder.maximumPacketLength)
        }
        #expect(packets.reduce(0) { $0 + $1.packet.sampleCount } == 48_000 / (packetTime * 48) * packetTime * 48)
        let heard = try decoded(packets.map(\.bytes))
        let level = AudioMath.decibels(amplitude: amplitude(of: 1_000, in: heard[24_000..<43_200]) / 0.25)
        #expect(abs(level) < 0.5, "\(level) dB at \(packetTime) ms")
    }

    @Test(
        arguments: [
            (-1, 120), (0, 120), (3, 120), (4, 120), (5, 240), (9, 240), (15, 480), (35, 1_440), (.max, 5_760),
        ])
    func packetTimesAreHeldToWhatOpusHas(wish: (packetTime: Int, sampleCount: Int)) throws {
        #expect(OpusPacketizer.sampleCount(packetTime: wish.packetTime) == wish.sampleCount)
        let packets = try packets(of: sine(440, count: 48_000), packetTime: wish.packetTime)
        #expect(try decoded(packets.map(\.bytes)).count == 48_000 / wish.sampleCount * wish.sampleCount)
    }

    /// A packet has one configuration: where the encoder turns to another, what is encoded is neither lost nor twice.
    @Test func aTurnOfTheEncoderSplitsThePacket() throws {
        var preferences = OpusPreferences(maximumBitRate: 32_000)
        // The first word has an s.
        let speech = speechLike(count: 240_000)
        let samples = hissing(Array(speech[..<9_600])) + speech[9_600...]
        let packets = try packets(of: samples, packetTime: 90) { packetizer, start in
            preferences.maximumPlaybackRate = start / 43_200 % 2 == 0 ? 48_000 : 8_000
            packetizer.encoder.apply(preferences)
        }
        #expect(packets.reduce(0) { $0 + $1.packet.sampleCount } == 240_000 / 4_320 * 4_320)
        #expect(packets.contains { $0.packet.sampleCount < 4_320 })
        for (bytes, packet) in packets {
            let sampleCount = OpusDecoder.sampleCount(of: bytes.span)
            #expect(sampleCount == packet.sampleCount)
        }
    }

    @Test func constantBitRateStaysConstant() throws {
        let packets = try packets(
            of: speechLike(count: 240_000), packetTime: 30,
            preferences: OpusPreferences(maximumBitRate: 12_000, usesConstantBitRate: true))
        let lengths = Set(packets.dropFirst(10).map(\.packet.length))
        #expect(lengths.count == 1, "\(lengths)")
    }

    @Test func silenceIsDispensableUnderDTX() throws {
        let packets = try packets(
            of: [Int16](repeating: 0, count: 96_000), packetTime: 30, preferences: OpusPreferences(usesDTX: true))
        #expect(packets.count { $0.packet.isDispensable } > packets.count / 2)
        let speech = try self.packets(
            of: speechLike(count: 96_000), packetTime: 30, preferences: OpusPreferences(usesDTX: true))
        #expect(speech.count { $0.packet.isDispensable } < speech.count / 4)
    }

    @Test func otherLengthsAndSmallOutputsAreRefused() throws {
        var packetizer = try OpusPacketizer(OpusEncoder())
        for count in [0, 1, 119, 360, 481, 5_761, 6_240] {
            let samples = [Int16](repeating: 0, count: count)
            let isEncoded = packetizer.encode(samples.span)
            #expect(!isEncoded)
        }
        let samples = speechLike(count: 1_440)
        let isEncoded = packetizer.encode(samples.span)
        #expect(isEncoded)
        var output = [UInt8](repeating: 0, count: 3)
        #expect(next(&packetizer, &output) == nil)
    }
}
