import AudioCodecs
import EngineKit

/// Four frequencies at 8 kHz of which one at most is there: the rows or the columns of the keypad.
struct ToneGroup: ~Copyable, Sendable {
    /// Samples in a window, and from one to the next.
    static let windowLength = 104
    static let hopLength = 52

    /// How far off a frequency may be: in parts of it, but no more hertz than that, as a phase that turned by a quarter more
    /// than it should tells no more.
    private static let tolerance = 0.025
    private static let widestTolerance = 34.0
    /// By how much a tone has to stand out from the others of its group: 5 dB, as a ratio of power.
    private static let prominence: Float = 3.2
    /// By how much one window may be louder than the other: 4 dB, as a ratio of power. An edge is no tone.
    private static let steadiness: Float = 2.5

    /// What one window has of each frequency.
    struct Spectrum: Sendable {
        /// Under a Hann window, which lets in nothing of the other group, with the phase at its start.
        var tones = InlineArray<4, Phasor>(repeating: Phasor())
        /// The powers without any window, which tell neighbours apart.
        var powers = InlineArray<4, Float>(repeating: 0)
    }

    /// The tone of a group in two windows.
    struct Finding {
        var index: Int
        /// In each of them, under their Hann windows.
        var energies: (Float, Float)
        /// dBFS of a sine, a full-scale one being 0.
        var level: Double
    }

    private let hann = FixedBuffer<Float>(repeating: 0, count: Self.windowLength)
    /// Each frequency over a window, one after another.
    private let waves = FixedBuffer<Phasor>(repeating: Phasor(), count: 4 * Self.windowLength)
    /// By how much each frequency's phase turns from one window to the next.
    private var turns = InlineArray<4, Phasor>(repeating: Phasor())
    /// The tangents of how much further it may have turned.
    private var limits = InlineArray<4, Float>(repeating: 0)

    /// - Parameter frequencies: Hz.
    init(_ frequencies: InlineArray<4, Double>) {
        for sample in 0..<Self.windowLength {
            let place = (Double(sample) + 0.5) / Double(Self.windowLength)
            hann.elements[sample] = Float((1 - AudioMath.cosine(turns: place)) / 2)
        }
        for index in 0..<4 {
            let turnsPerSample = frequencies[index] / 8_000
            for sample in 0..<Self.windowLength {
                waves.elements[index * Self.windowLength + sample] = Phasor(turns: -turnsPerSample * Double(sample))
            }
            turns[index] = Phasor(turns: turnsPerSample * Double(Self.hopLength))
            let deviation = min(frequencies[index] * Self.tolerance, Self.widestTolerance)
            let limit = Phasor(turns: deviation / 8_000 * Double(Self.hopLength))
            limits[index] = limit.imaginary / limit.real
        }
    }

    /// Of all that is in a window, under a Hann window.
    func energy(of window: Span<Int16>) -> Float {
        var energy: Float = 0
        for index in window.indices {
            let weighted = Self.scaled(window[index]) * hann[index]
            energy += weighted * weighted
        }
        return energy
    }

    func spectrum(of window: Span<Int16>) -> Spectrum {
        var spectrum = Spectrum()
        for tone in 0..<4 {
            var (plain, weighted) = (Phasor(), Phasor())
            for index in window.indices {
                let wave = waves[tone * Self.windowLength + index]
                let sample = Self.scaled(window[index])
                plain.add(wave, times: sample)
                weighted.add(wave, times: sample * hann[index])
            }
            spectrum.tones[tone] = weighted
            spectrum.powers[tone] = plain.power
        }
        return spectrum
    }

    /// The one tone that there is in two windows, one hop apart.
    func tone(in first: Spectrum, and second: Spectrum) -> Finding? {
        var (best, bestPower, nextPower): (Int, Float, Float) = (0, 0, 0)
        for index in 0..<4 {
            let power = first.powers[index] + second.powers[index]
            nextPower = max(nextPower, min(power, bestPower))
            if power > bestPower { (best, bestPower) = (index, power) }
        }
        guard bestPower > Self.prominence * nextPower else { return nil }
        let (before, after) = (first.tones[best].power, second.tones[best].power)
        guard before < Self.steadiness * after, after < Self.steadiness * before else { return nil }
        let further = second.tones[best].times(first.tones[best].times(turns[best]).conjugate)
        guard further.real > 0, abs(further.imaginary) <= limits[best] * further.real else { return nil }
        // Under a Hann window of N samples a sine of amplitude a comes to a N / 4, and has an energy of a a 3 N / 16.
        let length = Float(Self.windowLength)
        let amplitude = 4 * ((before + after) / 2).squareRoot() / length
        return Finding(
            index: best, energies: (3 * before / length, 3 * after / length),
            level: AudioMath.decibels(amplitude: Double(amplitude)))
    }

    private static func scaled(_ sample: Int16) -> Float { Float(sample) / 32_768 }
}

/// A complex number.
struct Phasor: BitwiseCopyable, Sendable {
    var real: Float = 0
    var imaginary: Float = 0

    init() {}

    init(real: Float, imaginary: Float) {
        self.real = real
        self.imaginary = imaginary
    }

    /// Of length 1.
    init(turns: Double) {
        real = Float(AudioMath.cosine(turns: turns))
        imaginary = Float(AudioMath.sine(turns: turns))
    }

    var power: Float { real * real + imaginary * imaginary }
    var conjugate: Phasor { Phasor(real: real, imaginary: -imaginary) }

    static func + (left: Phasor, right: Phasor) -> Phasor {
        Phasor(real: left.real + right.real, imaginary: left.imaginary + right.imaginary)
    }

    func times(_ other: Phasor) -> Phasor {
        Phasor(
            real: real * other.real - imaginary * other.imaginary,
            imaginary: real * other.imaginary + imaginary * other.real)
    }

    mutating func add(_ other: Phasor, times factor: Float) {
        real += other.real * factor
        imaginary += other.imaginary * factor
    }
}
