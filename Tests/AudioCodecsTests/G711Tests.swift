import AudioCodecs
import Testing

struct G711Tests {
    @Test(arguments: [G711.muLaw, .aLaw])
    func everyCodeComesBack(law: G711) {
        for code in UInt8.min...UInt8.max {
            let again = law.encode(law.decode(code))
            // µ-law has two zeros, of which one is written.
            #expect(again == code || (law == .muLaw && code == 0x7f && again == 0xff))
        }
    }

    @Test func knownPointsOfBothLaws() {
        #expect(G711.muLaw.decode(0xff) == 0)
        #expect(G711.muLaw.decode(0x80) == 32_124)
        #expect(G711.muLaw.decode(0x00) == -32_124)
        #expect(G711.muLaw.encode(1_000) == 0xce)
        #expect(G711.aLaw.decode(0xd5) == 8)
        #expect(G711.aLaw.decode(0x55) == -8)
        #expect(G711.aLaw.decode(0xaa) == 32_256)
        #expect(G711.aLaw.encode(1_000) == 0xfa)
    }

    @Test(arguments: [G711.muLaw, .aLaw])
    func everySampleKeepsItsValueWithinHalfAStep(law: G711) {
        for sample in Int16.min...Int16.max {
            let error = abs(Int(law.decode(law.encode(sample))) - Int(sample))
            // The widest step is 1024 of 32768, and what is above the last code is clipped to it.
            #expect(error <= max(16, abs(Int(sample)) / 16) + (abs(Int(sample)) > 32_000 ? 700 : 0))
        }
    }

    @Test func bandIsKeptAndWhatAliasesIsNot() throws {
        for (frequency, lowest, highest) in [(300.0, 0.97, 1.03), (1_000, 0.97, 1.03), (3_400, 0.9, 1.03)] {
            let heard = try throughG711(sine(frequency, count: 48_000))
            let gain = amplitude(of: frequency, in: heard[4_800..<43_200]) / 0.25
            #expect((lowest...highest).contains(gain), "\(frequency) Hz came with a gain of \(gain)")
        }
        // 5 kHz would fold to 3 kHz.
        let folded = try throughG711(sine(5_000, count: 48_000))
        #expect(amplitude(of: 3_000, in: folded[4_800..<43_200]) < 0.25 * 0.005)
    }

    @Test func tripDelaysByFourMilliseconds() throws {
        var impulse = [Int16](repeating: 0, count: 4_800)
        for index in 1_000..<1_012 { impulse[index] = 20_000 }
        let heard = try throughG711(impulse)
        let peak = try #require(heard.indices.max { abs(Int(heard[$0])) < abs(Int(heard[$1])) })
        #expect((186...204).contains(peak - 1_006))
    }

    @Test func concealmentGoesOnWithAToneAndFadesToSilence() throws {
        var decoder = G711Decoder()
        let frames = encodedFrames(sine(440, count: 48_000))
        var output = [Int16](repeating: 0, count: 960)
        func play(_ body: (inout G711Decoder, inout MutableSpan<Int16>) -> Int?) throws {
            var span = output.mutableSpan
            let count = body(&decoder, &span)
            #expect(count == 960)
        }
        for frame in frames.prefix(10) {
            try play { $0.decode(frame.span, as: .muLaw, into: &$1) }
        }
        let before = rms(output)
        try play { $0.conceal(ticks: 160, into: &$1) }
        #expect(rms(output) > 0.8 * before)
        #expect(amplitude(of: 440, in: output) > 0.75 * 0.25)
        try play { $0.conceal(ticks: 160, into: &$1) }
        let later = rms(output)
        #expect(later < before && later > 0.3 * before)
        try play { $0.conceal(ticks: 160, into: &$1) }
        try play { $0.conceal(ticks: 160, into: &$1) }
        #expect(rms(output) < 0.01)
        for frame in frames[14..<18] {
            try play { $0.decode(frame.span, as: .muLaw, into: &$1) }
        }
        #expect(abs(rms(output) / before - 1) < 0.05)
    }

    @Test func concealmentHasNoClick() throws {
        var decoder = G711Decoder()
        let frames = encodedFrames(sine(300, count: 48_000))
        var heard: [Int16] = []
        var output = [Int16](repeating: 0, count: 960)
        for (index, frame) in frames.enumerated() {
            var span = output.mutableSpan
            let count =
                index % 7 == 5
                ? decoder.conceal(ticks: 160, into: &span) : decoder.decode(frame.span, as: .muLaw, into: &span)
            heard += output[..<(try #require(count))]
        }
        // The steepest slope of the tone itself is 2 pi 300 / 48000 of its amplitude, 322 a sample.
        let steepest = zip(heard, heard.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
        #expect(steepest < 700)
    }

    @Test func lengthsThatFitNothingAreRefused() {
        var decoder = G711Decoder()
        var encoder = G711Encoder()
        var small = [Int16](repeating: 0, count: 100)
        var smallSpan = small.mutableSpan
        let (long, empty) = ([UInt8](repeating: 0, count: 160), [UInt8]())
        let decoded = [
            decoder.decode(long.span, as: .aLaw, into: &smallSpan),
            decoder.decode(empty.span, as: .aLaw, into: &smallSpan),
            decoder.conceal(ticks: 0, into: &smallSpan),
        ]
        #expect(decoded == [nil, nil, nil])
        var bytes = [UInt8](repeating: 0, count: 10)
        var byteSpan = bytes.mutableSpan
        let (frame, odd) = ([Int16](repeating: 0, count: 480), [Int16](repeating: 0, count: 7))
        let encoded = [
            encoder.encode(frame.span, as: .aLaw, into: &byteSpan),
            encoder.encode(odd.span, as: .aLaw, into: &byteSpan),
        ]
        #expect(encoded == [nil, nil])
    }

    private func encodedFrames(_ samples: [Int16]) -> [[UInt8]] {
        var encoder = G711Encoder()
        return stride(from: 0, to: samples.count - 959, by: 960).map { start in
            var bytes = [UInt8](repeating: 0, count: 160)
            var span = bytes.mutableSpan
            let count = encoder.encode(samples.span.extracting(start..<start + 960), as: .muLaw, into: &span)
            #expect(count == 160)
            return bytes
        }
    }

    private func throughG711(_ samples: [Int16]) throws -> [Int16] {
        var decoder = G711Decoder()
        var heard: [Int16] = []
        for frame in encodedFrames(samples) {
            var output = [Int16](repeating: 0, count: 960)
            var span = output.mutableSpan
            let count = decoder.decode(frame.span, as: .muLaw, into: &span)
            heard += output[..<(try #require(count))]
        }
        return heard
    }
}
