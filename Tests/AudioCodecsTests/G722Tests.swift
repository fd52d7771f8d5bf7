import Testing

@testable import AudioCodecs

/// What another implementation of ITU-T G.722, FFmpeg's, gives for the same input, to the last bit: as FNV-1a, since the
/// test sequences of the ITU may not be handed on.
struct G722Tests {
    /// Noise of every level: it swings the scales of both bands through their whole range.
    private static let noise: [Int16] = {
        var random = Seeded(state: 722)
        return (0..<32_000).map { index in
            let level = Int16(32_767 * (index / 1_000 + 1) / 32)
            return index % 8_000 < 500 ? 0 : Int16.random(in: -level...level, using: &random)
        }
    }()

    @Test func codesAreThoseOfOthers() {
        var encoder = G722Encoder()
        var codes = [UInt8](repeating: 0, count: Self.noise.count / 2)
        var span = codes.mutableSpan
        encoder.encode(Self.noise.span, into: &span)
        #expect(fingerprint(codes) == 0x9092_9edf_5113_1d21)
    }

    @Test func speechIsThatOfOthers() {
        var random = Seeded(state: 1)
        let codes = (0..<32_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var decoder = G722Decoder()
        var samples = [Int16](repeating: 0, count: 2 * codes.count)
        var span = samples.mutableSpan
        decoder.decode(codes.span, into: &span)
        let octets = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        #expect(fingerprint(octets) == 0xc962_c726_fe23_a159)
    }

    private func fingerprint(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
