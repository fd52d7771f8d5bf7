import AudioCodecs
import Testing

struct AudioMathTests {
    @Test func sineIsRightAtTheCornersAndFarFromThem() {
        #expect(abs(AudioMath.sine(turns: 0.25) - 1) < 1e-12)
        #expect(abs(AudioMath.sine(turns: 0.5)) < 1e-12)
        #expect(abs(AudioMath.sine(turns: -0.75) - 1) < 1e-12)
        #expect(abs(AudioMath.sine(turns: 1.0 / 12) - 0.5) < 1e-12)
        #expect(abs(AudioMath.sine(turns: 100_000 + 1.0 / 12) - 0.5) < 1e-9)
    }

    @Test func sineAndCosineKeepToTheCircle() {
        for step in 0..<1_000 {
            let turns = Double(step) * 0.013_7 - 6
            let (s, c) = (AudioMath.sine(turns: turns), AudioMath.cosine(turns: turns))
            #expect(abs(s * s + c * c - 1) < 1e-12)
        }
    }

    @Test func logarithmUndoesExponential() {
        for step in -300...300 {
            let x = Double(step) / 7
            #expect(abs(AudioMath.logarithm(AudioMath.exponential(x)) - x) < 1e-11)
        }
        #expect(AudioMath.logarithm(0) == -.infinity)
        #expect(abs(AudioMath.exponential(1) - 2.718_281_828_459_045) < 1e-12)
    }

    @Test func decibelsAreTwentyForAFactorOfTen() {
        #expect(abs(AudioMath.decibels(amplitude: 10) - 20) < 1e-10)
        #expect(abs(AudioMath.amplitude(decibels: -6.020_599_913) - 0.5) < 1e-9)
    }
}
