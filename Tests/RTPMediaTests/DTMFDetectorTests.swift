import AudioCodecs
import EngineKit
import RTPMedia
import Testing

/// Keys heard in the sound, within the limits of ITU-T Q.24.
@Suite struct DTMFDetectorTests {
    private static let keys = "123A456B789C*0#D".compactMap { DTMFDigit($0) }
    private static let low = [697.0, 770, 852, 941]
    private static let high = [1_209.0, 1_336, 1_477, 1_633]

    /// Two sines, off by so many parts and at so many dBFS, with silence around.
    private func tone(
        _ key: Int, milliseconds: Double = 60, lowOff: Double = 0, highOff: Double = 0, low: Double = -12,
        high: Double = -12, phase: Double = 0
    ) -> [Int16] {
        let (lowFrequency, highFrequency) = (Self.low[key / 4] * (1 + lowOff), Self.high[key % 4] * (1 + highOff))
        let count = Int(milliseconds * 48)
        return (0..<count).map { index in
            let time = Double(index) / 48_000
            let sample =
                AudioMath.sine(turns: lowFrequency * time + phase) * AudioMath.amplitude(decibels: low)
                + AudioMath.sine(turns: highFrequency * time) * AudioMath.amplitude(decibels: high)
            return AudioMath.sample(32_767 * sample)
        }
    }

    private func silence(_ milliseconds: Double) -> [Int16] { [Int16](repeating: 0, count: Int(milliseconds * 48)) }

    private func reports(_ samples: [Int16], piece: Int = 480) -> [DigitReport] {
        var detector = DTMFDetector()
        var reports: [DigitReport] = []
        let samples = samples + silence(100)
        for start in stride(from: 0, to: samples.count, by: piece) {
            detector.receive(samples.span.extracting(start..<min(start + piece, samples.count)))
            while let report = detector.nextReport() { reports.append(report) }
        }
        return reports
    }

    private func digits(_ samples: [Int16], piece: Int = 480) -> String {
        String(
            reports(samples, piece: piece).compactMap { report -> Character? in
                if case .began(let digit) = report { digit.character } else { nil }
            })
    }

    private func offset(_ step: Int) -> [Int16] { silence(Double(step) * 1.3) }

    @Test(arguments: [1, 100, 480, 960, 5_760]) func everyKeyIsHeard(piece: Int) {
        var samples: [Int16] = []
        for key in 0..<16 { samples += silence(50) + tone(key) }
        #expect(digits(samples, piece: piece) == "123A456B789C*0#D")
    }

    /// 40 ms is a digit wherever it falls among the looks, and 23 ms is none.
    @Test func howLongADigitIs() {
        for key in 0..<16 {
            for step in 0..<10 {
                let place = offset(step)
                #expect(digits(place + tone(key, milliseconds: 40)) == String(Self.keys[key].character))
                #expect(digits(place + tone(key, milliseconds: 23)) == "")
            }
        }
        for milliseconds in [50, 100, 250, 1_000] {
            for step in 0..<5 {
                let heard = reports(offset(step) + tone(5, milliseconds: Double(milliseconds)))
                guard heard.count == 2, case .ended(_, let measured) = heard[1] else {
                    Issue.record("\(heard)")
                    continue
                }
                #expect(abs(measured - milliseconds) <= 10, "\(milliseconds)")
            }
        }
    }

    /// A hole of 10 ms is within a digit; a pause of 40 ms ends it.
    @Test func howLongAPauseIs() {
        for step in 0..<10 {
            let place = offset(step)
            let (before, after) = (place + tone(0), tone(0))
            #expect(digits(before + silence(10) + after) == "1")
            #expect(digits(before + silence(40) + after) == "11")
            #expect(digits(before + silence(40) + tone(1, milliseconds: 40)) == "12")
            // One key right behind the other.
            #expect(digits(before + tone(9)) == "18")
        }
    }

    /// Whatever the phases, and with the most that one tone may be stronger than the other.
    @Test(arguments: 0..<16) func howFarOffAFrequencyMayBe(key: Int) {
        let character = String(Self.keys[key].character)
        for step in 0..<8 {
            let (place, phase) = (offset(step), Double(step) / 8)
            for (low, high) in [(-12.0, -12.0), (-16, -12), (-12, -20)] {
                for (lowOff, highOff) in [(0.015, 0.015), (0.015, -0.015), (-0.015, 0.015), (-0.015, -0.015)] {
                    let tone = tone(key, lowOff: lowOff, highOff: highOff, low: low, high: high, phase: phase)
                    #expect(digits(place + tone) == character, "\(low) \(high) \(lowOff) \(highOff) \(step)")
                }
            }
            for off in [-0.035, 0.035] {
                #expect(digits(place + tone(key, lowOff: off, phase: phase)) == "")
                #expect(digits(place + tone(key, highOff: off, phase: phase)) == "")
            }
        }
    }

    @Test(arguments: 0..<16) func howLoudADigitIs(key: Int) {
        let character = String(Self.keys[key].character)
        for step in 0..<8 {
            func heard(_ low: Double, _ high: Double) -> String {
                digits(offset(step) + tone(key, low: low, high: high, phase: Double(step) / 8))
            }
            // 0 and -25 dBm0, where 3.14 is full scale.
            #expect(heard(-6.1, -6.1) == character)
            #expect(heard(-28.2, -28.2) == character)
            #expect(heard(-58, -58) == "")
            // The high tone 4 dB stronger and 8 dB weaker; far from that.
            #expect(heard(-16, -12) == character)
            #expect(heard(-12, -20) == character)
            #expect(heard(-12, -28) == "")
            #expect(heard(-28, -12) == "")
        }
    }

    /// Q.24 asks for 10^-4 at 24 dB below; here it is 15 dB.
    @Test func noiseDoesNotHideADigit() {
        var random = RandomSource(seed: 24)
        func noise(_ level: Double) -> Double {
            let sum = (0..<12).reduce(0.0) { total, _ in total + Double(random.next() >> 11) / 9_007_199_254_740_992 }
            return (sum - 6) * AudioMath.amplitude(decibels: level) / 2.0.squareRoot()
        }
        var heard = 0
        for turn in 0..<100 {
            // Over 24 kHz, of which 4 are looked at: 7.8 dB more than in the band.
            let samples = (silence(30) + tone(turn % 16) + silence(30)).map {
                AudioMath.sample(Double($0) + 32_767 * noise(-12 - 15 + 7.8 + 3))
            }
            if digits(samples) == String(Self.keys[turn % 16].character) { heard += 1 }
        }
        #expect(heard >= 99)
    }

    /// What is no key: one tone alone, two of one group, dial and busy tones, noise, silence.
    @Test func whatIsNoKey() {
        for frequency in Self.low + Self.high + [350, 425, 440, 480, 620, 2_100] {
            var generator = ToneGenerator(.sine(frequency, level: -12))
            var samples = silence(500)
            var span = samples.mutableSpan
            generator.fill(&span)
            #expect(digits(samples) == "")
        }
        for (first, second) in [(697.0, 770.0), (697, 941), (852, 941), (1_209, 1_633), (1_336, 1_477)] {
            var generator = ToneGenerator(Tone(.init(first, second, level: -12)))
            var samples = silence(500)
            var span = samples.mutableSpan
            generator.fill(&span)
            #expect(digits(samples) == "")
        }
        for tone in [Tone.busy, .ringback, .ring, .callWaiting] {
            var generator = ToneGenerator(tone)
            var samples = silence(7_000)
            var span = samples.mutableSpan
            generator.fill(&span)
            #expect(digits(samples) == "")
        }
        var random = RandomSource(seed: 1)
        #expect(digits((0..<480_000).map { _ in Int16(truncatingIfNeeded: random.next()) }) == "")
        #expect(digits([Int16](repeating: .min, count: 48_000) + [Int16](repeating: .max, count: 48_000)) == "")
    }
}
