import AudioCodecs
import EngineKit

/// Four frequencies at 8 kHz of which one at most is there: a row or a column of the keypad.
struct ToneGroup: ~Copyable, Sendable {
    /// How far off a frequency may be: in parts of it, but no more hertz than that, as a phase that turned by a quarter more
    /// than it should tells no more.
    private static let tolerance = 0.025
    private static let widestTolerance = 34.0
    /// By how much a tone has to stand out from the others of its group: 5 dB, as a ratio of power.
    private static let prominence: Float = 3.2
    /// By how much one step of two may be louder than the other: 4 dB, as a ratio of power. An edge is no tone.
    private static let steadiness: Float = 2.5

    /// What one step of samples has of each frequency: amplitude, and phase at its start.
    typealias Spectrum = InlineArray<4, Phasor>

    private let stepLength: Int
    /// Each frequency over a step, one after another.
    private let waves: FixedBuffer<Phasor>
    /// By how much each frequency's phase turns over a step.
    private var turns = InlineArray<4, Phasor>(repeating: Phasor())
    /// The tangents of how much further it may have turned.
    private var limits = InlineArray<4, Float>(repeating: 0)

    /// - Parameter stepLength: samples.
    init(_ frequencies: InlineArray<4, Double>, stepLength: Int) {
        self.stepLength = stepLength
        let waves = FixedBuffer<Phasor>(repeating: Phasor(), count: 4 * stepLength)
        for index in 0..<4 {
            let turnsPerSample = frequencies[index] / 8_000
            for sample in 0..<stepLength {
                waves.elements[index * stepLength + sample] = Phasor(turns: -turnsPerSample * Double(sample))
            }
            turns[index] = Phasor(turns: turnsPerSample * Double(stepLength))
            let deviation = min(frequencies[index] * Self.tolerance, Self.widestTolerance)
            let limit = Phasor(turns: deviation / 8_000 * Double(stepLength))
            limits[index] = limit.imaginary / limit.real
        }
        self.waves = waves
    }

    func measure(_ step: Span<Int16>, into spectrum: inout Spectrum) {
        for tone in 0..<4 {
            var sum = Phasor()
            for index in step.indices { sum.add(waves[tone * stepLength + index], times: Self.scaled(step[index])) }
            spectrum[tone] = sum
        }
    }

    /// The one tone that there is in two steps, and its energy in both.
    func tone(in first: Spectrum, and second: Spectrum) -> (index: Int, energy: Float)? {
        var (best, bestPower, nextPower): (Int, Float, Float) = (0, 0, 0)
        for index in 0..<4 {
            let power = (first[index].times(turns[index]) + second[index]).power
            nextPower = max(nextPower, min(power, bestPower))
            if power > bestPower { (best, bestPower) = (index, power) }
        }
        guard bestPower > Self.prominence * nextPower else { return nil }
        let (before, after) = (first[best].power, second[best].power)
        guard before < Self.steadiness * after, after < Self.steadiness * before else { return nil }
        let further = second[best].times(first[best].times(turns[best]).conjugate)
        guard further.real > 0, abs(further.imaginary) <= limits[best] * further.real else { return nil }
        // A sine of amplitude a comes to a N / 2 over N samples, and has an energy of a a N / 2.
        return (best, (before + after) * 2 / Float(stepLength))
    }

    static func square(_ sample: Int16) -> Float { scaled(sample) * scaled(sample) }

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
