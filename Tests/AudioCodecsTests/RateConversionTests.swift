import AudioCodecs
import Testing

/// The pieces in which a signal comes leave no trace in it, whether or not they fill the vectors and the blocks.
struct RateConversionTests {
    private static let lengths = [1, 2, 3, 4, 5, 15, 16, 17, 40, 79, 80, 81, 159, 160, 161, 320, 321]

    /// Swept, as loud as can be, so that it is clipped here and there.
    private let speech = (0..<12_000).map { index in
        AudioMath.sample(36_000 * AudioMath.sine(turns: Double(index * index) / 4e6))
    }

    @Test(arguments: [SpeechBand.narrow, .wide])
    func upsamplingGoesOnFromPieceToPiece(band: SpeechBand) {
        var whole = Upsampler(band)
        var pieces = Upsampler(band)
        let input = Array(speech.prefix(Self.lengths.reduce(0, +)))
        var expected = [Int16](repeating: 0, count: input.count * band.ratio)
        var span = expected.mutableSpan
        whole.process(input.span, into: &span)
        var (heard, start): ([Int16], Int) = ([], 0)
        for length in Self.lengths {
            var piece = [Int16](repeating: 0, count: length * band.ratio)
            var span = piece.mutableSpan
            pieces.process(input.span.extracting(start..<start + length), into: &span)
            heard += piece
            start += length
        }
        #expect(heard == expected)
        #expect(heard.contains(.max) || heard.contains(.min))
    }

    @Test(arguments: [SpeechBand.narrow, .wide])
    func downsamplingGoesOnFromPieceToPiece(band: SpeechBand) {
        var whole = Downsampler(band)
        var pieces = Downsampler(band)
        let total = Self.lengths.reduce(0, +)
        let input = Array(speech.prefix(total * band.ratio))
        var expected = [Int16](repeating: 0, count: total)
        var span = expected.mutableSpan
        whole.process(input.span, into: &span)
        var (heard, start): ([Int16], Int) = ([], 0)
        for length in Self.lengths {
            var piece = [Int16](repeating: 0, count: length)
            var span = piece.mutableSpan
            pieces.process(input.span.extracting(start * band.ratio..<(start + length) * band.ratio), into: &span)
            heard += piece
            start += length
        }
        #expect(heard == expected)
    }

    @Test(arguments: [SpeechBand.narrow, .wide])
    func afterAResetNothingIsLeftOfWhatWas(band: SpeechBand) {
        var up = Upsampler(band)
        var down = Downsampler(band)
        let silence = [Int16](repeating: 0, count: 480)
        var output = [Int16](repeating: 1, count: 480)
        var span = output.mutableSpan
        up.process(speech.span.extracting(0..<480 / band.ratio), into: &span)
        up.reset()
        up.process(silence.span.extracting(0..<480 / band.ratio), into: &span)
        #expect(output == silence)
        var sent = [Int16](repeating: 1, count: 480 / band.ratio)
        var sentSpan = sent.mutableSpan
        down.process(speech.span.extracting(0..<480), into: &sentSpan)
        down.reset()
        down.process(silence.span, into: &sentSpan)
        #expect(sent.allSatisfy { $0 == 0 })
    }
}
