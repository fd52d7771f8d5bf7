import EngineKit

/// What was concealed since the last packet that was played, and how the next one is joined to it.
struct ConcealedGap: ~Copyable, Sendable {
    private static let seam = 240
    /// 60 ms: what was made up for longer than this tells a decoder nothing.
    private static let longest = 2_880
    /// What libopus conceals in one: multiples of 2.5 ms.
    private static let unit = 120

    /// Samples concealed since the decoder's state was saved.
    private(set) var samples = 0
    /// How concealment would have gone on.
    private var tail = FixedBuffer<Int16>(repeating: 0, count: Self.seam)
    private var hasTail = false

    init() {}

    mutating func grow(by count: Int) {
        samples += count
        hasTail = false
    }

    mutating func end() {
        samples = 0
        hasTail = false
    }

    /// How much of the gap lies before what should have begun so many samples ago; nil where it was no part of it.
    func missed(before samplesAgo: Int) -> Int? {
        let missed = samples - samplesAgo
        return (0...Self.longest).contains(missed) && missed % Self.unit == 0 ? missed : nil
    }

    /// So much of it is no gap any more.
    mutating func absorbed(_ count: Int) { samples = max(0, samples - count) }

    /// Has the concealment go on for the length of a seam, before the decoder goes back.
    mutating func prepareSeam(_ conceal: (inout MutableSpan<Int16>) -> Bool) {
        guard !hasTail else { return }
        let memory = tail.elements
        var span = memory.mutableSpan
        hasTail = conceal(&span)
    }

    /// The first piece after the gap: it fades in where concealment fades out.
    mutating func close(over piece: UnsafeMutableBufferPointer<Int16>) {
        if hasTail {
            let count = min(piece.count, Self.seam)
            for index in 0..<count { piece[index] = Waveform.blend(tail[index], piece[index], at: index, of: count) }
        }
        end()
    }
}
