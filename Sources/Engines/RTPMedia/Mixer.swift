import EngineKit

/// Adds calls and tones into one stream, saturating at full scale.
package struct Mixer: ~Copyable, Sendable {
    private var sums: FixedBuffer<Int32>
    private var count = 0

    /// - Parameter capacity: the longest piece to be mixed, in samples.
    package init(capacity: Int) {
        sums = FixedBuffer(repeating: 0, count: capacity)
    }

    /// Begins a mix of `count` samples of silence, at most the capacity.
    package mutating func begin(count: Int) {
        self.count = min(max(0, count), sums.count)
        let memory = sums.elements
        for index in 0..<self.count { memory[index] = 0 }
    }

    /// Adds a signal; what it is longer than the mix is left out.
    package mutating func add(_ samples: Span<Int16>) {
        let memory = sums.elements
        for index in 0..<min(count, samples.count) {
            // A thousand full-scale signals are still far from the end of 32 bits.
            memory[index] &+= Int32(samples[index])
        }
    }

    /// Writes the mix; what `output` is longer than the mix becomes silence.
    package func write(into output: inout MutableSpan<Int16>) {
        let memory = sums.elements
        for index in output.indices {
            output[index] = index < count ? Int16(clamping: memory[index]) : 0
        }
    }
}
