import EngineKit

/// A voice as far as a filter can tell: noise in syllables, with pauses.
struct Voice {
    private var random: RandomSource
    private var envelope = 0.0
    private var target = 0.0
    private var left = 0
    private var low = (0.0, 0.0)

    init(seed: UInt64) { random = RandomSource(seed: seed) }

    /// Samples of which the loud parts have the level, in dBFS.
    mutating func speak(_ count: Int, level: Double) -> [Double] {
        let amplitude = 32_768 * Decibels.ratio(level) * 2.5
        return (0..<count).map { _ in
            if left == 0 {
                left = Int.random(in: 2_400...12_000, using: &random)
                target = Double.random(in: 0...1, using: &random) < 0.3 ? 0 : Double.random(in: 0.4...1, using: &random)
            }
            left -= 1
            envelope += (target - envelope) / 400
            // Two poles: most of it below 2 kHz, as in speech.
            let noise = Double.random(in: -1...1, using: &random)
            low.0 += (noise - low.0) * 0.3
            low.1 += (low.0 - low.1) * 0.3
            return amplitude * envelope * low.1 * 2
        }
    }
}

/// Reflections that fade within 150 ms, 24 of them.
struct Room {
    private var taps: [(delay: Int, gain: Double)] = []

    /// - Parameter loss: in dB, of the whole echo.
    init(seed: UInt64, loss: Double) {
        var random = RandomSource(seed: seed)
        taps = (0..<24).map { index in
            let delay = index == 0 ? 240 : Int.random(in: 300...7_200, using: &random)
            let sign: Double = Bool.random(using: &random) ? 1 : -1
            return (delay, index == 0 ? 1 : sign * 0.7 * Decibels.ratio(Double(delay) / 7_200 * -40))
        }
        let power = taps.reduce(0) { $0 + $1.gain * $1.gain }
        let scale = Decibels.ratio(-loss) / power.squareRoot()
        taps = taps.map { ($0.delay, $0.gain * scale) }
    }

    func reflect(_ sound: [Double]) -> [Double] {
        var echo = [Double](repeating: 0, count: sound.count)
        for (delay, gain) in taps {
            for index in delay..<sound.count { echo[index] += gain * sound[index - delay] }
        }
        return echo
    }
}

enum Decibels {
    /// Of amplitudes: 10 to the power of a twentieth, for engines' tests without a mathematics library.
    static func ratio(_ decibels: Double) -> Double {
        // 2^(x) by halving until the series converges at once.
        let exponent = decibels / 20 * 2.302585092994046 / 1_024
        var value = 1 + exponent + exponent * exponent / 2 + exponent * exponent * exponent / 6
        for _ in 0..<10 { value *= value }
        return value
    }

    /// The level of sound against full scale, in steps of 0.1 dB.
    static func level(_ sound: some Sequence<Double>) -> Double {
        var (sum, count) = (0.0, 0)
        for sample in sound { (sum, count) = (sum + sample * sample, count + 1) }
        guard count > 0 else { return -200 }
        let amplitude = (sum / Double(count)).squareRoot() / 32_768
        var level = -120.0
        while level < 0, ratio(level) < amplitude { level += 0.1 }
        return level
    }
}
