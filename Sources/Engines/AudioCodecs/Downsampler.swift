import EngineKit

/// 48 kHz to a band's rate: the same filter, computed only for the samples that stay.
///
/// Every so manyth sample meets the same taps, so that these samples are kept side by side, in as many rows as the ratio;
/// and as the filter is its own mirror image, a tap is multiplied with the sum of the two samples that meet it.
package struct Downsampler: ~Copyable, Sendable {
    /// So many samples of the band are filtered side by side.
    private typealias Lanes = SIMD16<Float>

    private let band: SpeechBand
    /// One behind the other; in each the window before the block that is filtered, and the block.
    private let rows: FixedBuffer<Float>
    private let filtered: FixedBuffer<Float>

    package init(_ band: SpeechBand = .narrow) {
        self.band = band
        // Its taps are made now, not on the media thread.
        _ = band.taps
        rows = FixedBuffer(repeating: 0, count: band.ratio * Self.rowLength(band))
        filtered = FixedBuffer(repeating: 0, count: Lanes.scalarCount)
    }

    package mutating func reset() {
        rows.elements.update(repeating: 0)
    }

    /// Writes one sample for each `ratio` of `input`, whose count has to be a multiple of that.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) {
        let (ratio, total) = (band.ratio, input.count / band.ratio)
        precondition(total * ratio == input.count, "not a multiple of the ratio")
        precondition(output.count >= total, "no room for the downsampled signal")
        input.withUnsafeBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                for start in stride(from: 0, to: total, by: band.blockLength) {
                    let end = min(start + band.blockLength, total)
                    filter(
                        UnsafeBufferPointer(rebasing: input[start * ratio..<end * ratio]),
                        into: UnsafeMutableBufferPointer(rebasing: output[start..<end]))
                }
            }
        }
    }

    /// A block, or what is left of one.
    private mutating func filter(
        _ input: UnsafeBufferPointer<Int16>, into output: UnsafeMutableBufferPointer<Int16>
    ) {
        // The numbers of a band are known beforehand, so that its loops are unrolled.
        switch band {
        case .narrow: filter(input, as: .narrow, into: output)
        case .wide: filter(input, as: .wide, into: output)
        }
    }

    @inline(__always)
    private mutating func filter(
        _ input: UnsafeBufferPointer<Int16>, as band: SpeechBand, into output: UnsafeMutableBufferPointer<Int16>
    ) {
        let (length, count) = (band.tapsPerPhase, output.count)
        split(input, as: band)
        let filtered = filtered.elements
        for first in stride(from: 0, to: count, by: Lanes.scalarCount) {
            filter(from: first, as: band)
            for index in 0..<min(Lanes.scalarCount, count - first) {
                output[first &+ index] = Int16(nearest: filtered[index])
            }
        }
        for index in 0..<band.ratio {
            let start = index * Self.rowLength(band)
            _ = rows.elements(start..<start + length).update(
                fromContentsOf: rows.elements(start + count..<start + count + length))
        }
    }

    /// Puts a block's samples into their rows.
    @inline(__always)
    private mutating func split(_ input: UnsafeBufferPointer<Int16>, as band: SpeechBand) {
        let rows = rows.elements
        for place in 0..<input.count / band.ratio {
            for index in 0..<band.ratio {
                let sample = Float(input[place &* band.ratio &+ index])
                rows[index &* Self.rowLength(band) &+ band.tapsPerPhase &+ place] = sample
            }
        }
    }

    /// As many samples as there are lanes.
    @inline(__always)
    private func filter(from first: Int, as band: SpeechBand) {
        let (ratio, length, taps) = (band.ratio, band.tapsPerPhase, band.taps)
        let samples = UnsafeRawBufferPointer(rows.elements)
        var sums = Lanes.zero
        for phase in 0..<ratio {
            let newest = (ratio &- 1 &- phase) &* Self.rowLength(band) &+ first &+ length
            let oldest = phase &* Self.rowLength(band) &+ first &+ 1
            for place in 0..<length / 2 {
                let newer = samples.loadUnaligned(fromByteOffset: 4 &* (newest &- place), as: Lanes.self)
                let older = samples.loadUnaligned(fromByteOffset: 4 &* (oldest &+ place), as: Lanes.self)
                sums += (newer + older) * taps[place &* ratio &+ phase]
            }
        }
        UnsafeMutableRawBufferPointer(filtered.elements).storeBytes(of: sums, as: Lanes.self)
    }

    @inline(__always)
    private static func rowLength(_ band: SpeechBand) -> Int { band.tapsPerPhase + band.blockLength }
}
