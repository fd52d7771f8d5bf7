import AudioCodecs
import EngineKit

/// Hears the keys of a telephone in the sound itself, within the limits of ITU-T Q.24: tones of 40 ms and more are digits,
/// those of up to 23 ms are none; what is off by 1.5 % still counts, what is off by 3.5 % does not.
///
/// It works at 8 kHz in steps of 6.5 ms. Two steps in a row are looked at together: together they are long enough to tell
/// neighbours apart, and how far a tone's phase turned from one to the other tells its frequency to some hertz.
package struct DTMFDetector: ~Copyable, Sendable {
    /// Samples in a step at 8 kHz, and at 48 kHz.
    private static let stepLength = 52
    private static let capturedLength = 312
    private static let stepMilliseconds = 6.5

    /// dBFS of each tone, a full-scale sine being 0.
    private static let quietest = -40.0
    /// How much of the power in the band the two have to be: speech with two strong tones has others beside them.
    private static let purity: Float = 0.72
    /// By how much the high tone may be weaker than the low one, and stronger: 10 and 6 dB, as ratios of power.
    private static let twist: ClosedRange<Float> = 0.1...3.98
    /// Looks in a row that have to hear a key before it is one, and not to hear it before it is over. However they fall, 40 ms
    /// hold four whole looks and 23 ms three; a hole of 10 ms spoils four of them, a pause of 40 ms at least five.
    private static let looksToBegin = 4
    private static let looksToEnd = 5

    private var downsampler = Downsampler(.narrow)
    private var captured = FixedBuffer<Int16>(repeating: 0, count: Self.capturedLength)
    private var capturedCount = 0
    private var samples = FixedBuffer<Int16>(repeating: 0, count: Self.stepLength)
    private let rows = ToneGroup(DTMFDigit.rows, stepLength: Self.stepLength)
    private let columns = ToneGroup(DTMFDigit.columns, stepLength: Self.stepLength)
    private var step = Step()

    private var candidate: DTMFDigit?
    private var looks = 0
    private var active: DTMFDigit?
    private var activeLooks = 0
    private var missedLooks = 0
    /// Never more than eight between two drains: 120 ms have no room for five digits.
    private var reports = DigitReports()

    package init() {}

    package mutating func nextReport() -> DigitReport? { reports.removeFirst() }

    /// Takes the next samples, at most 120 ms at 48 kHz.
    package mutating func receive(_ samples: Span<Int16>) {
        for index in samples.indices {
            captured[capturedCount] = samples[index]
            capturedCount += 1
            if capturedCount == Self.capturedLength {
                capturedCount = 0
                take(nextLook())
            }
        }
    }

    /// Ends a digit that sounds, and forgets what was heard.
    package mutating func reset() {
        end()
        (candidate, looks, capturedCount) = (nil, 0, 0)
        step = Step()
        downsampler.reset()
    }

    private mutating func take(_ heard: DTMFDigit?) {
        looks = heard == candidate ? looks + 1 : 1
        candidate = heard
        if let active {
            if heard == active {
                activeLooks += 1 + missedLooks
                missedLooks = 0
            } else {
                missedLooks += 1
                if missedLooks == Self.looksToEnd { end() }
            }
        }
        guard let heard, heard != active, looks >= Self.looksToBegin else { return }
        end()
        (active, activeLooks) = (heard, looks)
        reports.append(.began(heard))
    }

    private mutating func end() {
        guard let digit = active else { return }
        (active, missedLooks) = (nil, 0)
        // One step more than looks, of which some is not the tone's.
        let milliseconds = (Double(activeLooks) + 0.5) * Self.stepMilliseconds
        reports.append(.ended(digit, milliseconds: Int(milliseconds.rounded())))
    }

    // MARK: - One look

    /// What there is in one step.
    private struct Step: Sendable {
        var rows = ToneGroup.Spectrum(repeating: Phasor())
        var columns = ToneGroup.Spectrum(repeating: Phasor())
        /// The sum of all squares.
        var energy: Float = 0
    }

    /// The key that sounds in the last step and in the one that is there now.
    private mutating func nextLook() -> DTMFDigit? {
        let before = step
        step = nextStep()
        guard let low = rows.tone(in: before.rows, and: step.rows),
            let high = columns.tone(in: before.columns, and: step.columns),
            Self.twist.contains(high.energy / low.energy),
            low.energy + high.energy >= Self.purity * (before.energy + step.energy),
            level(ofEnergy: min(low.energy, high.energy)) >= Self.quietest
        else { return nil }
        return DTMFDigit(row: low.index, column: high.index)
    }

    private mutating func nextStep() -> Step {
        let (input, output) = (captured.elements, samples.elements)
        var narrow = output.mutableSpan
        downsampler.process(UnsafeBufferPointer(input).span, into: &narrow)
        var step = Step()
        for index in 0..<output.count { step.energy += ToneGroup.square(output[index]) }
        rows.measure(UnsafeBufferPointer(output).span, into: &step.rows)
        columns.measure(UnsafeBufferPointer(output).span, into: &step.columns)
        return step
    }

    /// dBFS of a sine that has so much energy in two steps.
    private func level(ofEnergy energy: Float) -> Double {
        AudioMath.decibels(amplitude: Double(energy / Float(Self.stepLength)).squareRoot())
    }
}
