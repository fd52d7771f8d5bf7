import FoundationEssentials
import Glibc
import Testing

/// The first channel of a WAV file of 16-bit samples.
struct Waveform {
    let samplesPerSecond: Double
    let samples: [Double]

    init(_ file: Data) throws {
        let bytes = [UInt8](file)
        func number(_ at: Int, _ count: Int) -> Int {
            bytes.dropFirst(at).prefix(count).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        func name(_ at: Int) -> String { String(decoding: bytes.dropFirst(at).prefix(4), as: UTF8.self) }
        try #require(name(0) == "RIFF" && name(8) == "WAVE", "no WAV file")
        var (at, channels, rate): (Int, Int, Int) = (12, 0, 0)
        while at + 8 <= bytes.count, name(at) != "data" {
            if name(at) == "fmt " {
                try #require(number(at + 8, 2) == 1 && number(at + 22, 2) == 16, "no 16-bit samples")
                (channels, rate) = (number(at + 10, 2), number(at + 12, 4))
            }
            at += 8 + number(at + 4, 4)
        }
        try #require(channels > 0 && rate > 0 && at + 8 <= bytes.count, "a WAV file without samples")
        samplesPerSecond = Double(rate)
        samples = stride(from: at + 8, to: bytes.count - 1, by: 2 * channels).map {
            Double(Int16(truncatingIfNeeded: number($0, 2))) / 32768
        }
    }

    /// How much of the power between two times is a sine of a frequency: 1 where there is nothing else (Goertzel).
    func share(of frequency: Double, from start: Double, seconds: Double) -> Double {
        let first = min(Int(start * samplesPerSecond), samples.count)
        let window = samples[first..<min(first + Int(seconds * samplesPerSecond), samples.count)]
        let turn = 2 * cos(2 * Double.pi * frequency / samplesPerSecond)
        var (last, before) = (0.0, 0.0)
        for sample in window { (last, before) = (sample + turn * last - before, last) }
        let energy = window.reduce(0) { $0 + $1 * $1 }
        guard energy > 0 else { return 0 }
        return (last * last + before * before - turn * last * before) * 2 / (Double(window.count) * energy)
    }

    var seconds: Double { Double(samples.count) / samplesPerSecond }
}
