import AudioCodecs
import EngineKit
import RTPMedia
import Testing

/// Tones made and found, levels, mixes and the chirp.
struct SignalTests {
    private func samples(_ tone: Tone, count: Int, piece: Int = 480) -> [Int16] {
        var generator = ToneGenerator(tone)
        var result: [Int16] = []
        while result.count < count {
            var part = [Int16](repeating: 0, count: min(piece, count - result.count))
            var span = part.mutableSpan
            generator.fill(&span)
            result += part
        }
        return result
    }

    private func detect(_ frequency: Double, in samples: [Int16]) -> ToneDetector {
        var detector = ToneDetector(frequency: frequency)
        detector.receive(samples.span)
        return detector
    }

    @Test(arguments: [50.0, 440, 1_000, 1_234.5, 3_400, 12_000], [-50.0, -12, 0])
    func aToneIsFoundAtItsLevel(frequency: Double, level: Double) {
        let signal = samples(.sine(frequency, level: level), count: 48_000)
        let detector = detect(frequency, in: Array(signal.dropFirst(4_800)))
        #expect(detector.isFound && abs(detector.level - level) < 0.1)
        #expect(!detect(frequency + 50, in: signal).isFound)
        var meter = LevelMeter()
        meter.measure(signal.span.extracting(4_800..<48_000))
        #expect(abs(meter.level - level) < 0.1)
    }

    @Test func aToneUnderNoiseOfItsPowerIsNotFoundAndAboveItIs() {
        var random = RandomSource(seed: 1)
        let tone = samples(.sine(1_000, level: -20), count: 48_000)
        for (noise, isFound) in [(300.0, true), (20_000, false)] {
            let noisy = tone.map { AudioMath.sample(Double($0) + Double.random(in: -noise...noise, using: &random)) }
            #expect(detect(1_000, in: noisy).isFound == isFound)
        }
        #expect(!detect(1_000, in: [Int16](repeating: 0, count: 48_000)).isFound)
    }

    @Test func phaseGoesOnAcrossPiecesOfAnyLength() {
        let whole = samples(.sine(997, level: -3), count: 9_600, piece: 9_600)
        #expect(samples(.sine(997, level: -3), count: 9_600, piece: 7) == whole)
    }

    @Test func aToneThatStopsFadesWithoutAClick() {
        var generator = ToneGenerator(.sine(440, level: -6))
        var signal = [Int16](repeating: 0, count: 4_800)
        signal.withUnsafeMutableBufferPointer { memory in
            let halves = [
                UnsafeMutableBufferPointer(rebasing: memory[..<2_400]),
                UnsafeMutableBufferPointer(rebasing: memory[2_400...]),
            ]
            for half in halves {
                var span = half.mutableSpan
                generator.fill(&span)
                generator.stop()
            }
        }
        #expect(generator.isFinished)
        #expect(signal[2_640...].allSatisfy { $0 == 0 })
        let steepest = zip(signal, signal.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
        #expect(steepest < 1_100)  // the sine's own slope is 943 a sample
    }

    @Test func cadencesSoundAndPause() {
        let signal = samples(.ringback, count: 8 * 48_000)
        func isLoud(_ second: Double) -> Bool {
            let start = Int(second * 48_000)
            return signal[start..<start + 2_400].contains { abs(Int($0)) > 1_000 }
        }
        #expect([0.1, 1.9, 2.1, 5.9, 6.1, 7.9].map(isLoud) == [true, true, false, false, true, true])
        for tone in [Tone.ring, .callWaiting, .busy] {
            let signal = samples(tone, count: 12 * 48_000)
            #expect(
                signal.contains { abs(Int($0)) > 500 } && signal.suffix(480 * 1).allSatisfy { abs(Int($0)) < 32_767 })
        }
    }

    @Test func everyKeyIsItsPairOfTones() throws {
        let rows = [697.0, 770, 852, 941]
        let columns = [1_209.0, 1_336, 1_477, 1_633]
        for (row, keys) in ["123A", "456B", "789C", "*0#D"].enumerated() {
            for (column, key) in keys.enumerated() {
                let digit = try #require(DTMFDigit(key))
                let signal = samples(.dtmf(digit, duration: .seconds(1)), count: 48_000)
                for frequency in rows + columns {
                    let isOne = frequency == rows[row] || frequency == columns[column]
                    #expect((detect(frequency, in: signal).lastLevel > -13) == isOne)
                }
            }
        }
    }

    @Test func chirpIsFoundBetweenSamplesAndUnderNoise() throws {
        var random = RandomSource(seed: 4)
        let chirp = Chirp.samples(level: -12)
        for (offset, noise) in [(0, 0.0), (1, 0), (12_345, 500), (47_999, 3_000)] {
            var recording = (0..<80_000).map { _ in
                AudioMath.sample(noise == 0 ? 0 : Double.random(in: -noise...noise, using: &random))
            }
            for index in chirp.indices {
                recording[offset + index] = Int16(clamping: Int(recording[offset + index]) + Int(chirp[index]))
            }
            let match = try #require(Chirp.locate(in: recording))
            #expect(abs(match.offset - Double(offset)) < 0.5, "found at \(match.offset), is at \(offset)")
        }
        #expect(Chirp.locate(in: samples(.sine(1_000, level: -6), count: 48_000)) == nil)
        #expect(Chirp.locate(in: [Int16](repeating: 0, count: 48_000)) == nil)
        #expect(Chirp.locate(in: []) == nil)
    }

    @Test func halfASampleOfDelayIsSeen() throws {
        let chirp = Chirp.samples(level: -6)
        // The mean of two neighbours lies between them.
        let shifted = zip(chirp.dropLast(), chirp.dropFirst()).map { Int16((Int($0) + Int($1)) / 2) }
        let match = try #require(
            Chirp.locate(in: [Int16](repeating: 0, count: 1_000) + shifted + [0, 0, 0, 0, 0, 0, 0]))
        #expect(abs(match.offset - 999.5) < 0.1)
    }

    @Test func mixSaturatesAndPadsWithSilence() {
        var mixer = Mixer(capacity: 4)
        mixer.begin(count: 3)
        let (loud, quiet) = ([30_000, -30_000, 100, 5] as [Int16], [30_000, -30_000] as [Int16])
        mixer.add(loud.span)
        mixer.add(quiet.span)
        var output = [Int16](repeating: 9, count: 5)
        var span = output.mutableSpan
        mixer.write(into: &span)
        #expect(output == [32_767, -32_768, 100, 0, 0])
    }

    @Test func silenceReadsTheFloor() {
        var meter = LevelMeter()
        meter.measure([Int16](repeating: 0, count: 9_600).span)
        #expect(meter.level == LevelMeter.floor && meter.peakLevel == LevelMeter.floor)
    }
}
