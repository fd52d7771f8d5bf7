import Glibc

/// Changes the sampling rate of a mono stream to 48 kHz by band-limited interpolation: a Kaiser-windowed sinc of 32
/// zero crossings a side, its cut-off below the lower of the two Nyquist frequencies.
///
/// For files, on a thread that may allocate. Exact for equal rates.
struct RateConverter {
    private static let crossings = 32
    /// Kernel points between two zero crossings; linear interpolation between them is good to -90 dB.
    private static let resolution = 256
    private static let kernel: [Float] = makeKernel()

    /// Input samples for each output sample.
    private let step: Double
    /// Where the kernel's argument is stretched so that what the lower rate can't carry is removed.
    private let scale: Double
    /// Input samples that the kernel reaches to each side.
    private let reach: Int
    private var pending: [Float]
    /// The place of the next output sample in `pending`.
    private var position: Double

    init(from rate: Int, to target: Int = 48_000) {
        step = Double(rate) / Double(target)
        scale = min(1, 1 / step) * 0.95
        reach = Int((Double(Self.crossings) / scale).rounded(.up)) + 1
        pending = Array(repeating: 0, count: reach)
        position = Double(reach)
    }

    /// Takes input and gives all output that it decides.
    mutating func convert(_ input: UnsafeBufferPointer<Float>) -> [Float] {
        if step == 1 { return Array(input) }
        pending.append(contentsOf: input)
        var output: [Float] = []
        output.reserveCapacity(Int(Double(input.count) / step) + 1)
        while Int(position) + reach < pending.count {
            output.append(sample(at: position))
            position += step
        }
        let spent = min(max(0, Int(position) - reach), pending.count)
        pending.removeFirst(spent)
        position -= Double(spent)
        return output
    }

    /// Gives the output that waited for input to come: the end of the stream.
    mutating func finish() -> [Float] {
        if step == 1 { return [] }
        return Array(repeating: Float(0), count: reach).withUnsafeBufferPointer { convert($0) }
    }

    private func sample(at place: Double) -> Float {
        let center = Int(place)
        var sum: Float = 0
        for index in max(0, center - reach + 1)...min(pending.count - 1, center + reach) {
            let distance = abs(place - Double(index)) * scale * Double(Self.resolution)
            let whole = Int(distance)
            guard whole + 1 < Self.kernel.count else { continue }
            let fraction = Float(distance - Double(whole))
            let weight = Self.kernel[whole] + (Self.kernel[whole + 1] - Self.kernel[whole]) * fraction
            sum += pending[index] * weight
        }
        return sum * Float(scale)
    }

    private static func makeKernel() -> [Float] {
        let beta = 9.0
        let norm = besselI0(beta)
        return (0...(crossings * resolution)).map { index in
            let place = Double(index) / Double(resolution)
            let sinc = index == 0 ? 1 : sin(.pi * place) / (.pi * place)
            let edge = place / Double(crossings)
            return Float(sinc * besselI0(beta * max(0, 1 - edge * edge).squareRoot()) / norm)
        }
    }

    /// The modified Bessel function of the first kind and order 0, by its power series.
    private static func besselI0(_ x: Double) -> Double {
        var (term, sum) = (1.0, 1.0)
        var index = 1.0
        while term > sum * 1e-12 {
            term *= (x / 2 / index) * (x / 2 / index)
            sum += term
            index += 1
        }
        return sum
    }
}
