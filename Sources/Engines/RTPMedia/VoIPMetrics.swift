import EngineKit

/// How a receiver has a call, as extended reports tell it: the VoIP metrics report block (RFC 3611 §4.7).
package struct VoIPMetrics: Equatable, Sendable {
    /// Of whose packets.
    package var source: UInt32
    /// Shares of the packets that were expected, 0...1: those that never came, after all that brought them back, and those
    /// that came too late; and of both in bursts and in the gaps between them.
    package var lossRate = 0.0
    package var discardRate = 0.0
    package var burstDensity = 0.0
    package var gapDensity = 0.0
    /// Means, in milliseconds.
    package var burstDuration = 0
    package var gapDuration = 0
    /// Milliseconds of the way there and back, and of what the reporter adds at its end; 0 where they are not known.
    package var roundTrip = 0
    package var endSystemDelay = 0
    /// The packets in a row, all heard, that end a burst.
    package var minimumGap: UInt8 = 16
    /// Ratings of the E-model, 0...100, and mean opinions, 1...5; nil where they are not known.
    package var rating: Double?
    package var listeningMOS: Double?
    package var conversationalMOS: Double?
    package var configuration = ReceiverConfiguration()
    /// Milliseconds that the jitter buffer holds, and the most that it could and ever can.
    package var bufferNominal = 0
    package var bufferMaximum = 0
    package var bufferAbsoluteMaximum = 0

    package init(source: UInt32) { self.source = source }

    /// How losses are hidden, and what kind of jitter buffer there is (§4.7.6).
    package struct ReceiverConfiguration: Equatable, Sendable {
        package var rawValue: UInt8 = 0

        package init(rawValue: UInt8 = 0) { self.rawValue = rawValue }

        /// Concealment better than repeating, before an adaptive buffer.
        package static let enhancedAdaptive = ReceiverConfiguration(rawValue: 0b10_11_0000)
        /// The same before a buffer that holds what it was told to.
        package static let enhancedFixed = ReceiverConfiguration(rawValue: 0b10_10_0000)
    }

    /// Type, octet without a meaning here, and length of the block.
    static let blockType: UInt8 = 7
    static let words = 8
    static let length = 4 + 4 * words
    /// What stands for a level, a rating or an opinion that nobody knows.
    private static let unavailable: UInt8 = 127

    // MARK: - Octets

    /// Reads a block behind its header; nil for one of another length.
    init?(parsing body: Span<UInt8>) {
        guard body.count == 4 * Self.words else { return nil }
        var reader = ByteReader(body)
        guard let source = reader.readUInt32(), let shares = reader.readUInt32(), let durations = reader.readUInt32(),
            let delays = reader.readUInt32(), let levels = reader.readUInt32(), let quality = reader.readUInt32(),
            let buffer = reader.readUInt32(), let maxima = reader.readUInt32()
        else { return nil }
        self.source = source
        lossRate = Self.share(shares, 3)
        discardRate = Self.share(shares, 2)
        burstDensity = Self.share(shares, 1)
        gapDensity = Self.share(shares, 0)
        (burstDuration, gapDuration) = Self.halves(durations)
        (roundTrip, endSystemDelay) = Self.halves(delays)
        minimumGap = Self.octet(levels, 0)
        rating = Self.octet(quality, 3) <= 100 ? Double(Self.octet(quality, 3)) : nil
        listeningMOS = Self.opinion(Self.octet(quality, 1))
        conversationalMOS = Self.opinion(Self.octet(quality, 0))
        configuration = ReceiverConfiguration(rawValue: Self.octet(buffer, 3))
        bufferNominal = Self.halves(buffer).1
        (bufferMaximum, bufferAbsoluteMaximum) = Self.halves(maxima)
    }

    /// Writes the block with its header.
    func write(to writer: inout ByteWriter) {
        writer.write(Self.blockType)
        writer.write(UInt8(0))
        writer.write(UInt16(Self.words))
        writer.write(source)
        writer.write(Self.octet(share: lossRate))
        writer.write(Self.octet(share: discardRate))
        writer.write(Self.octet(share: burstDensity))
        writer.write(Self.octet(share: gapDensity))
        writer.write(Self.half(burstDuration))
        writer.write(Self.half(gapDuration))
        writer.write(Self.half(roundTrip))
        writer.write(Self.half(endSystemDelay))
        // Levels and the return loss of echo are not measured.
        for _ in 0..<3 { writer.write(Self.unavailable) }
        writer.write(minimumGap)
        writer.write(rating.map { UInt8(max(0, min(100, $0.rounded()))) } ?? Self.unavailable)
        writer.write(Self.unavailable)
        writer.write(Self.octet(opinion: listeningMOS))
        writer.write(Self.octet(opinion: conversationalMOS))
        writer.write(configuration.rawValue)
        writer.write(UInt8(0))
        writer.write(Self.half(bufferNominal))
        writer.write(Self.half(bufferMaximum))
        writer.write(Self.half(bufferAbsoluteMaximum))
    }

    private static func octet(_ word: UInt32, _ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: word >> UInt32(8 * index))
    }

    private static func share(_ word: UInt32, _ index: Int) -> Double { Double(octet(word, index)) / 256 }

    private static func halves(_ word: UInt32) -> (Int, Int) { (Int(word >> 16), Int(word & 0xffff)) }

    private static func half(_ value: Int) -> UInt16 { UInt16(max(0, min(65_535, value))) }

    private static func opinion(_ octet: UInt8) -> Double? { (10...50).contains(octet) ? Double(octet) / 10 : nil }

    private static func octet(share: Double) -> UInt8 { UInt8(max(0, min(255, (share * 256).rounded()))) }

    private static func octet(opinion: Double?) -> UInt8 {
        opinion.map { UInt8(max(10, min(50, ($0 * 10).rounded()))) } ?? unavailable
    }
}
