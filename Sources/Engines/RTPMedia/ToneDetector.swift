import AudioCodecs

/// Looks for one frequency in a stream with the Goertzel algorithm, in windows of 100 ms.
package struct ToneDetector: Sendable {
    /// Samples in a window: 10 Hz of resolution before the Hann weight widens it to about 20.
    package static let window = 4_800
    /// How much of a window's power the tone has to be.
    private static let purity = 0.5
    /// A quieter tone is none.
    private static let quietest = -60.0
    private static let windowsToBeFound = 3

    package let frequency: Double
    private let coefficient: Double
    private var (older, old) = (0.0, 0.0)
    private var energy = 0.0
    private var count = 0
    private var weight = Oscillator(frequency: Double(AudioCodec.sampleRate) / Double(ToneDetector.window))
    private var levelSum = 0.0
    private var run = 0
    private var longestRun = 0

    /// Whole windows heard, and those of them with the tone in it.
    package private(set) var windows = 0
    package private(set) var windowsWithTone = 0
    /// dBFS of the tone in the last window, a full-scale sine being 0.
    package private(set) var lastLevel = LevelMeter.floor
    package private(set) var isPresent = false

    package init(frequency: Double) {
        self.frequency = frequency
        coefficient = 2 * AudioMath.cosine(turns: frequency / Double(AudioCodec.sampleRate))
        // The Hann weight is (1 - cos) / 2, and the oscillator gives a sine: a quarter turn makes the cosine.
        for _ in 0..<ToneDetector.window / 4 { _ = weight.next() }
    }

    /// The tone was there for 300 ms on end.
    package var isFound: Bool { longestRun >= Self.windowsToBeFound }

    /// The mean level of the windows with the tone, dBFS; the floor where there is none.
    package var level: Double {
        windowsWithTone == 0
            ? LevelMeter.floor : AudioMath.decibels(amplitude: (levelSum / Double(windowsWithTone)).squareRoot())
    }

    package mutating func receive(_ samples: Span<Int16>) {
        for index in samples.indices {
            let weighted = Double(samples[index]) / 32_768 * (1 - weight.next()) / 2
            let newest = weighted + coefficient * old - older
            older = old
            old = newest
            energy += weighted * weighted
            count += 1
            if count == Self.window { finishWindow() }
        }
    }

    private mutating func finishWindow() {
        let power = max(0, old * old + older * older - coefficient * old * older)
        // A sine of amplitude a gives |X| = a N / 4 under the Hann weight, whose squares sum to 3 N / 8.
        let amplitude = 4 * power.squareRoot() / Double(Self.window)
        let toneEnergy = amplitude * amplitude / 2 * 3 * Double(Self.window) / 8
        lastLevel = max(LevelMeter.floor, AudioMath.decibels(amplitude: amplitude))
        isPresent = lastLevel > Self.quietest && toneEnergy > Self.purity * energy
        windows += 1
        if isPresent {
            windowsWithTone += 1
            levelSum += amplitude * amplitude
            run += 1
            longestRun = max(longestRun, run)
        } else {
            run = 0
        }
        (older, old, energy, count) = (0, 0, 0, 0)
    }
}
