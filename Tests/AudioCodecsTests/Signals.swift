import AudioCodecs
import Testing

/// A sine of `count` samples; amplitude 1 is full scale.
func sine(_ frequency: Double, count: Int, amplitude: Double = 0.25, rate: Double = 48_000) -> [Int16] {
    (0..<count).map { index in
        AudioMath.sample(32_767 * amplitude * AudioMath.sine(turns: frequency * Double(index) / rate))
    }
}

/// The amplitude of one frequency in `samples`, full scale 1: the correlation with sine and cosine.
func amplitude(of frequency: Double, in samples: some Collection<Int16>, rate: Double = 48_000) -> Double {
    var (real, imaginary) = (0.0, 0.0)
    for (index, sample) in samples.enumerated() {
        let turns = frequency * Double(index) / rate
        real += Double(sample) * AudioMath.cosine(turns: turns)
        imaginary += Double(sample) * AudioMath.sine(turns: turns)
    }
    return 2 * (real * real + imaginary * imaginary).squareRoot() / Double(samples.count) / 32_768
}

func decoded(_ packets: [[UInt8]]) throws -> [Int16] {
    var decoder = try OpusDecoder()
    var heard: [Int16] = []
    for packet in packets {
        var output = [Int16](repeating: 0, count: OpusDecoder.maximumSampleCount)
        var span = output.mutableSpan
        let count = decoder.decode(packet.span, into: &span)
        heard += output[..<(try #require(count))]
    }
    return heard
}

/// Voiced speech in rough: a gliding pitch with falling harmonics, three syllables a second.
func speechLike(count: Int) -> [Int16] {
    var phase = 0.0
    return (0..<count).map { index in
        let time = Double(index) / 48_000
        phase += (120 + 40 * AudioMath.sine(turns: time * 0.7)) / 48_000
        let voice = (1...20).reduce(0.0) { $0 + AudioMath.sine(turns: phase * Double($1)) / Double($1) }
        let syllable = max(0.1, AudioMath.sine(turns: time * 3))
        return AudioMath.sample(6_000 * syllable * voice)
    }
}

/// The same under noise of the whole band.
func hissing(_ samples: [Int16]) -> [Int16] {
    var random = Seeded(state: 3)
    return samples.map { $0 / 2 + Int16.random(in: -3_000...3_000, using: &random) }
}

func rms(_ samples: some Collection<Int16>) -> Double {
    let sum = samples.reduce(0.0) { $0 + Double($1) * Double($1) }
    return (sum / Double(max(1, samples.count))).squareRoot() / 32_768
}

/// A repeatable stream of numbers for property tests (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
