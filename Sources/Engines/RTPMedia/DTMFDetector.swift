import AudioCodecs
import EngineKit

/// Hears the keys of a telephone in the sound itself, within the limits of ITU-T Q.24: tones of 40 ms and more are digits,
/// those of up to 23 ms are none; what is off by 1.5 % still counts, what is off by 3.5 % does not; the high tone may be
/// 4 dB stronger than the low one, or 8 dB weaker.
///
/// It works at 8 kHz on windows of 13 ms, one every 6.5 ms, and looks at two of them together: how far a tone's phase turned
/// from one to the other tells its frequency to some hertz.
package struct DTMFDetector: ~Copyable, Sendable {
    /// Samples from one window to the next at 48 kHz.
    private static var hopLength: Int { ToneGroup.hopLength * 6 }
    private static let hopMilliseconds = 6.5

    /// dBFS of each tone, a full-scale sine being 0.
    private static let quietest = -40.0
    /// How much of the power in the band the two have to be: speech with two strong tones has others beside them.
    private static let purity: Float = 0.78
    /// By how much the high tone may be weaker than the low one, and stronger: 10 and 6 dB, as ratios of power.
    private static let twist: ClosedRange<Float> = 0.1...3.98
    /// Looks in a row that have to hear a key before it is one, and not to hear it before it is over. However they fall, 40 ms
    /// hold four looks and 23 ms two; a hole of 10 ms spoils four of them, a pause of 40 ms eight.
    private static let looksToBegin = 3
    private static let looksToEnd = 6

    private var downsampler = Downsampler(.narrow)
    private var captured = FixedBuffer<Int16>(repeating: 0, count: Self.hopLength)
    private var capturedCount = 0
    /// What the window holds.
    private var samples = FixedBuffer<Int16>(repeating: 0, count: ToneGroup.windowLength)
    private let rows = ToneGroup(DTMFDigit.rows)
    private let columns = ToneGroup(DTMFDigit.columns)
    private var window = Window()

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
            if capturedCount == Self.hopLength {
                capturedCount = 0
                take(nextLook())
            }
        }
    }

    /// Ends a digit that sounds, and forgets what was heard.
    package mutating func reset() {
        end()
        (candidate, looks, capturedCount) = (nil, 0, 0)
        window = Window()
        for index in 0..<samples.count { samples[index] = 0 }
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
        // A look is as long as three hops, of which a little at each end may be without tone.
        let milliseconds = (Double(activeLooks) + 1.9) * Self.hopMilliseconds
        reports.append(.ended(digit, milliseconds: Int(milliseconds.rounded())))
    }

    // MARK: - One look

    /// What there is in one window.
    private struct Window: Sendable {
        var rows = ToneGroup.Spectrum()
        var columns = ToneGroup.Spectrum()
        var energy: Float = 0
    }

    /// The key that sounds in the last window and in the one that is there now.
    private mutating func nextLook() -> DTMFDigit? {
        let before = window
        window = nextWindow()
        guard let low = rows.tone(in: before.rows, and: window.rows),
            let high = columns.tone(in: before.columns, and: window.columns),
            Self.twist.contains((high.energies.0 + high.energies.1) / (low.energies.0 + low.energies.1)),
            low.energies.0 + high.energies.0 >= Self.purity * before.energy,
            low.energies.1 + high.energies.1 >= Self.purity * window.energy,
            min(low.level, high.level) >= Self.quietest
        else { return nil }
        return DTMFDigit(row: low.index, column: high.index)
    }

    private mutating func nextWindow() -> Window {
        let hop = ToneGroup.hopLength
        for index in 0..<hop { samples[index] = samples[index + hop] }
        let (input, output) = (captured.elements, samples.elements(hop..<2 * hop))
        var narrow = output.mutableSpan
        downsampler.process(UnsafeBufferPointer(input).span, into: &narrow)
        let whole = UnsafeBufferPointer(samples.elements).span
        return Window(
            rows: rows.spectrum(of: whole), columns: columns.spectrum(of: whole), energy: rows.energy(of: whole))
    }
}
