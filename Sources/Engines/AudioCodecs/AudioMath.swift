/// Sine, logarithm and power for audio, accurate to 1e-12. The engines import no C library, and what is computed here
/// is the same to the last bit on every machine.
package enum AudioMath {
    package static let ln2 = 0.693_147_180_559_945_3
    private static let ln10 = 2.302_585_092_994_046

    /// The sine of a phase in turns: a quarter turn gives 1. Any finite phase.
    package static func sine(turns: Double) -> Double {
        // To the nearest half turn, then within a quarter of a turn of it, where the series converges fast.
        let halfTurns = (turns * 2).rounded()
        let x = (turns - halfTurns / 2) * 2 * Double.pi
        let square = x * x
        var term = x
        var sum = x
        var n = 1.0
        while n < 21 {
            term *= -square / ((n + 1) * (n + 2))
            sum += term
            n += 2
        }
        return halfTurns.truncatingRemainder(dividingBy: 2) == 0 ? sum : -sum
    }

    package static func cosine(turns: Double) -> Double {
        sine(turns: turns + 0.25)
    }

    /// The natural logarithm of a positive, normal number; minus infinity for zero and below.
    package static func logarithm(_ x: Double) -> Double {
        guard x > 0, x.isNormal else { return -.infinity }
        var exponent = Double(x.exponent)
        var significand = x.significand
        if significand > 1.414_213_562_373_095_1 {
            significand /= 2
            exponent += 1
        }
        // ln m = 2 artanh((m - 1) / (m + 1)), |argument| < 0.172.
        let y = (significand - 1) / (significand + 1)
        let square = y * y
        var power = y
        var sum = y
        var n = 3.0
        while n < 21 {
            power *= square
            sum += power / n
            n += 2
        }
        return exponent * ln2 + 2 * sum
    }

    /// e to the power of x.
    package static func exponential(_ x: Double) -> Double {
        if x < -700 { return 0 }
        if x > 700 { return .infinity }
        let whole = (x / ln2).rounded()
        let rest = x - whole * ln2
        var term = 1.0
        var sum = 1.0
        for n in 1..<16 {
            term *= rest / Double(n)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(whole), significand: sum)
    }

    /// The level in decibels of a ratio of amplitudes.
    package static func decibels(amplitude ratio: Double) -> Double {
        20 * logarithm(ratio) / ln10
    }

    /// The ratio of amplitudes of a level in decibels.
    package static func amplitude(decibels: Double) -> Double {
        exponential(decibels * ln10 / 20)
    }

    /// A sample as 16 bits, rounded and saturated.
    package static func sample(_ value: Double) -> Int16 {
        Int16(max(-32768, min(32767, value.rounded())))
    }
}
