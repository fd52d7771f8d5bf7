/// What joining two pieces of sound is made of: how alike they are, and the fade from one to the other.
enum Waveform {
    /// The normalised cross-correlation of `count` samples, of which every `step`th is looked at: 1 is the same form at
    /// whatever level, -1 its reverse.
    static func likeness(
        of piece: UnsafeMutableBufferPointer<Int16>, at first: Int, and other: UnsafeMutableBufferPointer<Int16>,
        at second: Int, count: Int, by step: Int = 1
    ) -> Double {
        var (product, one, two): (Float, Float, Float) = (0, 1, 1)
        var index = 0
        while index < count {
            let (a, b) = (Float(piece[first + index]), Float(other[second + index]))
            product += a * b
            one += a * a
            two += b * b
            index += step
        }
        return Double(product / (one * two).squareRoot())
    }

    /// The sample at a place of a fade of so many samples.
    static func blend(_ from: Int16, _ to: Int16, at index: Int, of count: Int) -> Int16 {
        let weight = Float(index + 1) / Float(count + 1)
        return Int16((Float(from) * (1 - weight) + Float(to) * weight).rounded())
    }
}
