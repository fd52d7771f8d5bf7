import AudioCodecs
import Proofs
import Testing

struct OpusTests {
    @Test(arguments: [300.0, 440, 1_000, 2_500])
    func toneKeepsItsLevelWithinHalfADecibel(frequency: Double) throws {
        let heard = try decoded(try encoded(sine(frequency, count: 96_000)))
        let level = AudioMath.decibels(amplitude: amplitude(of: frequency, in: heard[48_000..<91_200]) / 0.25)
        #expect(abs(level) < 0.5, "\(frequency) Hz came at \(level) dB")
    }

    @Test(arguments: [480, 960, 1_920, 2_880])
    func everyPacketTimeGivesBackItsOwnLength(count: Int) throws {
        let packets = try encoded(sine(440, count: 28_800), frame: count)
        #expect(packets.count == 28_800 / count)
        for packet in packets {
            let sampleCount = OpusDecoder.sampleCount(of: packet.span)
            #expect(sampleCount == count)
        }
        #expect(try decoded(packets).count == 28_800)
    }

    @Test func decoderLagsByTheLookaheadOfTheEncoder() throws {
        let encoder = try OpusEncoder()
        #expect(encoder.lookahead == 312)
        #expect(AudioCodec.opus.delay == .nanoseconds(312 * 1_000_000 / 48))
    }

    @Test func aLostPacketComesBackFromTheNextOne() throws {
        let packets = try encoded(speechLike(count: 96_000))
        var (recovered, concealed) = (0.0, 0.0)
        var repeated = 0
        let whole = try decoded(packets)
        for lost in stride(from: 20, to: 90, by: 7) {
            let next = packets[lost + 1]
            // The encoder repeats what matters: not the pauses between the syllables.
            guard OpusDecoder.redundancy(in: next.span) == .copy else { continue }
            repeated += 1
            for usesRedundancy in [true, false] {
                var decoder = try OpusDecoder()
                var output = [Int16](repeating: 0, count: 5_760)
                var span = output.mutableSpan
                for packet in packets[..<lost] { _ = decoder.decode(packet.span, into: &span) }
                let count =
                    usesRedundancy
                    ? decoder.decodeRedundancy(of: next.span, sampleCount: 960, into: &span)
                    : decoder.conceal(sampleCount: 960, into: &span)
                #expect(count == 960)
                let error = zip(output.prefix(960), whole[lost * 960..<(lost + 1) * 960])
                    .reduce(0.0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
                if usesRedundancy { recovered += error } else { concealed += error }
            }
        }
        #expect(repeated >= 5)
        #expect(recovered < concealed / 2, "redundancy left \(recovered), concealment \(concealed)")
    }

    @Test func withoutTheWishOfThePeerThereIsNoRedundancy() throws {
        let packets = try encoded(
            speechLike(count: 48_000), preferences: OpusPreferences(usesInBandFEC: false))
        for packet in packets {
            let redundancy = OpusDecoder.redundancy(in: packet.span)
            #expect(redundancy != .copy)
        }
    }

    @Test func silenceIsNoSignThatNothingIsCopied() throws {
        let silence = try encoded([Int16](repeating: 0, count: 48_000))
        for packet in silence.dropFirst(10) {
            let redundancy = OpusDecoder.redundancy(in: packet.span)
            #expect(redundancy == .silence)
        }
        let speech = try encoded(
            speechLike(count: 48_000), preferences: OpusPreferences(usesInBandFEC: false)
        ).map { OpusDecoder.redundancy(in: $0.span) }
        #expect(speech.count { $0 == .none } > 10)
    }

    @Test func aDecoderGoesBackToWhereItWas() throws {
        let packets = try encoded(speechLike(count: 48_000))
        var decoder = try OpusDecoder()
        var (first, second) = ([Int16](repeating: 0, count: 960), [Int16](repeating: 0, count: 960))
        var one = first.mutableSpan
        for packet in packets[..<20] { _ = decoder.decode(packet.span, into: &one) }
        decoder.save()
        for packet in packets[20..<25] { _ = decoder.decode(packet.span, into: &one) }
        decoder.restore()
        var two = second.mutableSpan
        for packet in packets[20..<25] { _ = decoder.decode(packet.span, into: &two) }
        #expect(first == second)
        #expect(rms(first) > 0.01)
    }

    /// RFC 6716 table 2: what a configuration's bandwidth is, the narrowest as 0.
    private func bandwidth(_ packet: [UInt8]) -> Int {
        switch packet[0] >> 3 {
        case ..<12: Int(packet[0] >> 5)
        case ..<16: 3 + Int(packet[0] >> 4 & 1)
        default: [0, 2, 3, 4][Int(packet[0] >> 5 & 3)]
        }
    }

    @Test func noBitsAreSpentAboveWhatTheSoundHas() throws {
        let narrow = speechLike(count: 96_000)
        #expect(try encoded(narrow).dropFirst(5).allSatisfy { bandwidth($0) == 2 })
        let hiss = hissing(narrow)
        #expect(try encoded(hiss).dropFirst(25).allSatisfy { bandwidth($0) == 4 })
        // A word with an s makes it full band at once, and it stays so between two of them.
        let words = narrow + hiss[..<9_600] + narrow
        #expect(try encoded(words).dropFirst(125).allSatisfy { bandwidth($0) == 4 })
    }

    @Test func bitRateKeepsToWhatThePeerTakes() throws {
        let usual = try encoded(speechLike(count: 240_000)).reduce(0) { $0 + $1.count } * 8 / 5
        let low =
            try encoded(
                speechLike(count: 240_000),
                preferences: OpusPreferences(maximumBitRate: 12_000, usesConstantBitRate: true)
            ).reduce(0) { $0 + $1.count } * 8 / 5
        #expect(usual < 48_000)
        #expect((11_000...12_800).contains(low))
    }

    private func bitRate(_ preferences: OpusPreferences, _ settings: OpusSettings) throws -> Int {
        try encoded(speechLike(count: 240_000), preferences: preferences, settings: settings)
            .reduce(0) { $0 + $1.count } * 8 / 5
    }

    @Test func whatIsSettledIsSoWhateverThePeerAsksFor() throws {
        let frugal = OpusPreferences(maximumBitRate: 12_000, usesInBandFEC: true, usesConstantBitRate: true)
        #expect((62_000...65_000).contains(try bitRate(frugal, OpusSettings(bitRate: 64_000))))
        #expect((9_000...11_000).contains(try bitRate(.init(usesConstantBitRate: true), OpusSettings(bitRate: 10_000))))
        let withCopies = try encoded(speechLike(count: 96_000))
        let without = try encoded(speechLike(count: 96_000), settings: OpusSettings(usesInBandFEC: false))
        #expect(withCopies.contains { OpusDecoder.redundancy(in: $0.span) == .copy })
        #expect(!without.contains { OpusDecoder.redundancy(in: $0.span) == .copy })
        let peer = OpusPreferences(usesInBandFEC: false, usesDTX: false)
        let ours = peer.overridden(by: OpusSettings(usesInBandFEC: true, usesDTX: true))
        #expect(ours.usesInBandFEC && ours.usesDTX)
        #expect(peer.overridden(by: OpusSettings()) == peer)
    }

    /// Numbers out of range come from nowhere in the program, and do no harm.
    @Test(arguments: [Int.min, -1, 11, Int.max])
    func settingsOutOfRangeAreBroughtIntoIt(value: Int) throws {
        let packets = try encoded(
            speechLike(count: 9_600), settings: OpusSettings(complexity: value, bitRate: value))
        #expect(packets.count == 10)
    }

    @Test func concealmentOfAToneFadesButDoesNotStop() throws {
        let packets = try encoded(sine(440, count: 48_000))
        var decoder = try OpusDecoder()
        var output = [Int16](repeating: 0, count: 960)
        var span = output.mutableSpan
        for packet in packets { _ = decoder.decode(packet.span, into: &span) }
        let count = decoder.conceal(sampleCount: 960, into: &span)
        #expect(count == 960)
        #expect(rms(output) > 0.05)
    }

    @Test(.proves(.incident(15)))
    func anyBytesAreAPacketOrNil() throws {
        var random = Seeded(state: 7)
        var decoder = try OpusDecoder()
        var output = [Int16](repeating: 0, count: 5_760)
        for length in Array(0...64) + [1_275, 1_276, 1_500, 1_501, 4_000] {
            for _ in 0..<40 {
                let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
                var span = output.mutableSpan
                _ = OpusDecoder.redundancy(in: bytes.span)
                _ = decoder.decodeRedundancy(of: bytes.span, sampleCount: 960, into: &span)
                let expected = OpusDecoder.sampleCount(of: bytes.span)
                let count = decoder.decode(bytes.span, into: &span)
                #expect(count == nil || count == expected)
                if length == 0 || length > 1_500 { #expect(count == nil) }
            }
        }
    }

    @Test(.proves(.incident(15)))
    func outputThatIsTooSmallIsRefused() throws {
        let packet = try encoded(sine(440, count: 960))[0]
        var decoder = try OpusDecoder()
        var output = [Int16](repeating: 0, count: 959)
        var span = output.mutableSpan
        let counts = [
            decoder.decode(packet.span, into: &span), decoder.conceal(sampleCount: 960, into: &span),
            decoder.conceal(sampleCount: 17, into: &span),
        ]
        #expect(counts == [nil, nil, nil])
    }

    private func encoded(
        _ samples: [Int16], frame: Int = 960, preferences: OpusPreferences = OpusPreferences(),
        settings: OpusSettings = OpusSettings()
    ) throws -> [[UInt8]] {
        var encoder = try OpusEncoder(preferences: preferences, settings: settings)
        return try stride(from: 0, to: samples.count - frame + 1, by: frame).map { start in
            var bytes = [UInt8](repeating: 0, count: OpusEncoder.maximumPacketLength)
            var span = bytes.mutableSpan
            let count = encoder.encode(samples.span.extracting(start..<start + frame), into: &span)
            return Array(bytes[..<(try #require(count))])
        }
    }
}
