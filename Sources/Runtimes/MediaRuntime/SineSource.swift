import AudioCodecs

/// A steady sine, without end.
struct SineSource {
    private let turnsPerSample: Double
    private let amplitude: Double
    private var phase = 0.0

    /// - Parameter level: dBFS; 0 is a sine of full scale.
    init(hertz: Double, level: Double) {
        turnsPerSample = hertz / Double(AudioCodec.sampleRate)
        amplitude = 32767 * AudioMath.amplitude(decibels: level)
    }

    mutating func fill(_ period: UnsafeMutableBufferPointer<Int16>) {
        for index in period.indices {
            period[index] = AudioMath.sample(amplitude * AudioMath.sine(turns: phase))
            phase += turnsPerSample
            if phase >= 1 { phase -= 1 }
        }
    }
}
