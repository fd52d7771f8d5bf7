import AudioCodecs
import Testing

struct WaveformTests {
    private static let codecs: [AudioCodec] = [.pcmu, .pcma, .g722, .l16]

    @Test(arguments: codecs)
    func bandIsKeptAndWhatAliasesIsNot(codec: AudioCodec) throws {
        let code = try #require(codec.waveformCode)
        let isNarrow = code.band == .narrow
        let edge = isNarrow ? 3_400.0 : 6_800
        for (frequency, lowest, highest) in [(300.0, 0.97, 1.03), (1_000, 0.97, 1.03), (edge, 0.9, 1.03)] {
            let heard = try carried(sine(frequency, count: 48_000), as: code)
            let gain = amplitude(of: frequency, in: heard[4_800..<43_200]) / 0.25
            #expect((lowest...highest).contains(gain), "\(frequency) Hz came with a gain of \(gain)")
        }
        // 5 kHz would fold to 3 kHz, and 10 to 6.
        let folded = try carried(sine(isNarrow ? 5_000 : 10_000, count: 48_000), as: code)
        #expect(amplitude(of: isNarrow ? 3_000 : 6_000, in: folded[4_800..<43_200]) < 0.25 * 0.005)
    }

    @Test(arguments: codecs)
    func tripDelaysByWhatTheCodecTells(codec: AudioCodec) throws {
        var impulse = [Int16](repeating: 0, count: 4_800)
        for index in 1_000..<1_012 { impulse[index] = 20_000 }
        let heard = try carried(impulse, as: #require(codec.waveformCode))
        let peak = try #require(heard.indices.max { abs(Int(heard[$0])) < abs(Int(heard[$1])) })
        let told = Int((codec.delay.milliseconds * 48).rounded())
        #expect(abs(peak - 1_006 - told) <= 9, "\(peak - 1_006) samples, and \(told) are told")
    }

    /// How far what is heard is from what was said, where a codec of 14 bits would be at 80 dB.
    @Test(arguments: [(AudioCodec.pcmu, 33.0), (.pcma, 33), (.g722, 20), (.l16, 60)])
    func noiseIsThatOfTheCode(codec: AudioCodec, decibels: Double) throws {
        let tone = 997.0
        let heard = try carried(sine(tone, count: 48_000), as: #require(codec.waveformCode))[4_800..<43_200]
        let (total, wanted) = (rms(heard), amplitude(of: tone, in: heard) / 2.0.squareRoot())
        let noise = max(1e-9, total * total - wanted * wanted)
        #expect(10 * AudioMath.logarithm(wanted * wanted / noise) / AudioMath.logarithm(10) > decibels)
    }

    /// RFC 3551 §4.5.11: network byte order.
    @Test func linearSamplesAreWrittenMostSignificantFirst() throws {
        var decoder = WaveformDecoder()
        var output = [Int16](repeating: 0, count: 960)
        var span = output.mutableSpan
        let level = [UInt8]((0..<320).flatMap { _ in [0x10, 0x01] })
        let count = decoder.decode(level.span, as: .linear, into: &span)
        #expect(count == 960)
        #expect(abs(Int(output[900]) - 0x1001) < 40)
        let odd: [UInt8] = [1, 2, 3]
        var again = output.mutableSpan
        let refused = decoder.decode(odd.span, as: .linear, into: &again)
        #expect(refused == nil)
    }

    @Test(arguments: [WaveformCode.muLaw, .g722, .linear])
    func concealmentGoesOnWithAToneAndFadesToSilence(code: WaveformCode) throws {
        var decoder = WaveformDecoder()
        let frames = encodedFrames(sine(440, count: 48_000), as: code)
        var output = [Int16](repeating: 0, count: 960)
        func play(_ body: (inout WaveformDecoder, inout MutableSpan<Int16>) -> Int?) throws {
            var span = output.mutableSpan
            let count = body(&decoder, &span)
            #expect(count == 960)
        }
        for frame in frames.prefix(10) {
            try play { $0.decode(frame.span, as: code, into: &$1) }
        }
        let before = rms(output)
        try play { $0.conceal(sampleCount: 960, as: code, into: &$1) }
        #expect(rms(output) > 0.8 * before)
        #expect(amplitude(of: 440, in: output) > 0.75 * 0.25)
        try play { $0.conceal(sampleCount: 960, as: code, into: &$1) }
        let later = rms(output)
        #expect(later < before && later > 0.3 * before)
        try play { $0.conceal(sampleCount: 960, as: code, into: &$1) }
        try play { $0.conceal(sampleCount: 960, as: code, into: &$1) }
        #expect(rms(output) < 0.01)
        for frame in frames[14..<18] {
            try play { $0.decode(frame.span, as: code, into: &$1) }
        }
        #expect(abs(rms(output) / before - 1) < 0.05)
    }

    @Test(arguments: [WaveformCode.muLaw, .g722, .linear])
    func concealmentHasNoClick(code: WaveformCode) throws {
        var decoder = WaveformDecoder()
        let frames = encodedFrames(sine(300, count: 48_000), as: code)
        var heard: [Int16] = []
        var output = [Int16](repeating: 0, count: 960)
        for (index, frame) in frames.enumerated() {
            var span = output.mutableSpan
            let count =
                index % 7 == 5
                ? decoder.conceal(sampleCount: 960, as: code, into: &span)
                : decoder.decode(frame.span, as: code, into: &span)
            heard += output[..<(try #require(count))]
        }
        // The steepest slope of the tone itself is 2 pi 300 / 48000 of its amplitude, 322 a sample.
        let steepest = zip(heard, heard.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
        #expect(steepest < 700)
    }

    @Test func lengthsThatFitNothingAreRefused() {
        var decoder = WaveformDecoder()
        var encoder = WaveformEncoder()
        var small = [Int16](repeating: 0, count: 100)
        var smallSpan = small.mutableSpan
        let (long, empty) = ([UInt8](repeating: 0, count: 160), [UInt8]())
        let decoded = [
            decoder.decode(long.span, as: .aLaw, into: &smallSpan),
            decoder.decode(empty.span, as: .aLaw, into: &smallSpan),
            decoder.conceal(sampleCount: 0, as: .muLaw, into: &smallSpan),
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

    private func encodedFrames(_ samples: [Int16], as code: WaveformCode = .muLaw) -> [[UInt8]] {
        var encoder = WaveformEncoder()
        return stride(from: 0, to: samples.count - 959, by: 960).map { start in
            var bytes = [UInt8](repeating: 0, count: 640)
            var span = bytes.mutableSpan
            let count = encoder.encode(samples.span.extracting(start..<start + 960), as: code, into: &span)
            #expect(count == (code == .linear ? 640 : 160))
            return Array(bytes[..<(count ?? 0)])
        }
    }

    private func carried(_ samples: [Int16], as code: WaveformCode) throws -> [Int16] {
        var decoder = WaveformDecoder()
        var heard: [Int16] = []
        for frame in encodedFrames(samples, as: code) {
            var output = [Int16](repeating: 0, count: 960)
            var span = output.mutableSpan
            let count = decoder.decode(frame.span, as: code, into: &span)
            heard += output[..<(try #require(count))]
        }
        return heard
    }
}
