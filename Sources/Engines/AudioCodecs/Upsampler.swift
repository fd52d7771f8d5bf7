import EngineKit

/// A band's rate to 48 kHz, by as many polyphase branches as there are samples more.
///
/// The last branch is the first one backwards, and so on inwards. Such a pair is the sum and the difference of an even
/// and an odd part, which take half as many products; a branch between the pairs has an even part only.
package struct Upsampler: ~Copyable, Sendable {
    /// So many samples of the band are filtered side by side.
    private typealias Lanes = SIMD4<Float>

    /// So many of the band's samples are filtered before they are rounded.
    private static let chunkLength = 16

    private let band: SpeechBand
    /// The window before the block that is filtered, and the block.
    private let history: FixedBuffer<Float>
    /// Of each four samples of the band in a chunk the branches, one after the other.
    private let filtered: FixedBuffer<Lanes>
    private let rounded: FixedBuffer<Int16>

    package init(_ band: SpeechBand = .narrow) {
        self.band = band
        history = FixedBuffer(repeating: 0, count: band.tapsPerPhase + band.blockLength)
        filtered = FixedBuffer(repeating: .zero, count: Self.chunkLength / Lanes.scalarCount * band.ratio)
        rounded = FixedBuffer(repeating: 0, count: Self.chunkLength * band.ratio)
        // They are made now, not on the media thread.
        _ = Self.taps(band)
    }

    package mutating func reset() {
        history.elements.update(repeating: 0)
    }

    /// Writes `ratio` samples for each of `input`; `output` has to have room for them.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) {
        precondition(output.count >= input.count * band.ratio, "no room for the upsampled signal")
        input.withUnsafeBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                for start in stride(from: 0, to: input.count, by: band.blockLength) {
                    let end = min(start + band.blockLength, input.count)
                    filter(
                        UnsafeBufferPointer(rebasing: input[start..<end]),
                        into: UnsafeMutableBufferPointer(rebasing: output[start * band.ratio..<end * band.ratio]))
                }
            }
        }
    }

    /// A block, or what is left of one.
    private mutating func filter(
        _ input: UnsafeBufferPointer<Int16>, into output: UnsafeMutableBufferPointer<Int16>
    ) {
        let (length, count) = (band.tapsPerPhase, input.count)
        let block = history.elements(length..<length + count)
        for index in 0..<count { block[index] = Float(input[index]) }
        for start in stride(from: 0, to: count, by: Self.chunkLength) {
            switch band {
            case .narrow: filter(from: start, as: NarrowBranches.self, into: output)
            case .wide: filter(from: start, as: WideBranches.self, into: output)
            }
        }
        _ = history.elements(0..<length).update(fromContentsOf: history.elements(count..<count + length))
    }

    /// A chunk, or as much of it as there is room for.
    @inline(__always)
    private func filter<Branches: UpsamplerBranches>(
        from start: Int, as _: Branches.Type, into output: UnsafeMutableBufferPointer<Int16>
    ) {
        let (ratio, length) = (Branches.count, SpeechBand.tapCount / Branches.count)
        let samples = UnsafeRawBufferPointer(history.elements)
        let (taps, filtered) = (Self.taps(band).baseAddress.unsafelyUnwrapped, filtered.elements)
        for group in 0..<Self.chunkLength / Lanes.scalarCount {
            let first = start &+ group &* Lanes.scalarCount
            var branches = Branches()
            for place in 0..<length / 2 {
                let newer = samples.loadUnaligned(fromByteOffset: 4 &* (first &+ length &- place), as: Lanes.self)
                let older = samples.loadUnaligned(fromByteOffset: 4 &* (first &+ 1 &+ place), as: Lanes.self)
                branches.add(newer + older, newer - older, taps + place &* ratio)
            }
            branches.write(to: filtered.baseAddress.unsafelyUnwrapped + group &* ratio)
        }
        round()
        let rounded = rounded.elements
        for index in 0..<min(Self.chunkLength, output.count / ratio - start) {
            let (group, lane) = (index / Lanes.scalarCount, index % Lanes.scalarCount)
            for branch in 0..<ratio {
                let sample = rounded[(group &* ratio &+ branch) &* Lanes.scalarCount &+ lane]
                output[(start &+ index) &* ratio &+ branch] = sample
            }
        }
    }

    private func round() {
        let rounded = rounded.elements
        filtered.elements.withMemoryRebound(to: Float.self) { filtered in
            for index in 0..<rounded.count { rounded[index] = Int16(nearest: filtered[index]) }
        }
    }

    // MARK: - Taps

    // All calls have the same.
    private static let narrowTaps = makeTaps(.narrow)
    private static let wideTaps = makeTaps(.wide)

    /// Of each place in the window, as far as to its middle: the taps of the even part and of the odd one of each pair,
    /// each in all lanes. Scaled so that the level stays.
    private static func taps(_ band: SpeechBand) -> UnsafeMutableBufferPointer<Lanes> {
        band == .narrow ? narrowTaps.elements : wideTaps.elements
    }

    private static func makeTaps(_ band: SpeechBand) -> FixedBuffer<Lanes> {
        let (ratio, prototype) = (band.ratio, band.taps)
        var taps = FixedBuffer<Lanes>(repeating: .zero, count: SpeechBand.tapCount / 2)
        for place in stride(from: 0, to: taps.count, by: ratio) {
            for index in 0..<ratio {
                let branch = index / 2
                let (tap, mirrored) = (prototype[place + branch], prototype[place + ratio - 1 - branch])
                let part = index.isMultiple(of: 2) ? tap + mirrored : tap - mirrored
                taps[place + index] = Lanes(repeating: part / 2 * Float(ratio))
            }
        }
        return taps
    }
}

/// The sums of all branches for four samples of the band.
private protocol UpsamplerBranches {
    static var count: Int { get }

    init()
    /// Takes in the sum and the difference of the samples as far from either end of the window, with the taps of there.
    mutating func add(_ sum: SIMD4<Float>, _ difference: SIMD4<Float>, _ taps: UnsafePointer<SIMD4<Float>>)
    func write(to output: UnsafeMutablePointer<SIMD4<Float>>)
}

/// A branch and the one that is its mirror image.
private struct BranchPair {
    private var even = SIMD4<Float>.zero
    private var odd = SIMD4<Float>.zero

    var first: SIMD4<Float> { even + odd }
    var last: SIMD4<Float> { even - odd }

    @inline(__always)
    mutating func add(_ sum: SIMD4<Float>, _ difference: SIMD4<Float>, _ taps: UnsafePointer<SIMD4<Float>>) {
        even += sum * taps[0]
        odd += difference * taps[1]
    }
}

private struct NarrowBranches: UpsamplerBranches {
    static let count = 6

    private var outer = BranchPair()
    private var middle = BranchPair()
    private var inner = BranchPair()

    @inline(__always)
    mutating func add(_ sum: SIMD4<Float>, _ difference: SIMD4<Float>, _ taps: UnsafePointer<SIMD4<Float>>) {
        outer.add(sum, difference, taps)
        middle.add(sum, difference, taps + 2)
        inner.add(sum, difference, taps + 4)
    }

    @inline(__always)
    func write(to output: UnsafeMutablePointer<SIMD4<Float>>) {
        (output[0], output[5]) = (outer.first, outer.last)
        (output[1], output[4]) = (middle.first, middle.last)
        (output[2], output[3]) = (inner.first, inner.last)
    }
}

private struct WideBranches: UpsamplerBranches {
    static let count = 3

    private var outer = BranchPair()
    /// Its own mirror image.
    private var middle = SIMD4<Float>.zero

    @inline(__always)
    mutating func add(_ sum: SIMD4<Float>, _ difference: SIMD4<Float>, _ taps: UnsafePointer<SIMD4<Float>>) {
        outer.add(sum, difference, taps)
        middle += sum * taps[2]
    }

    @inline(__always)
    func write(to output: UnsafeMutablePointer<SIMD4<Float>>) {
        (output[0], output[1], output[2]) = (outer.first, middle, outer.last)
    }
}
