import EngineKit

/// A payload that carries older audio along (RFC 2198 §3): blocks, the oldest first, of which the last is the packet's
/// own.
package struct RedundantAudio: Sendable {
    /// What a block before the last costs beside its octets, and what the last one does.
    package static let (copyHeaderLength, ownHeaderLength) = (4, 1)
    /// The most that 14 bits say, in ticks of the RTP clock.
    package static let longestOffset: UInt32 = 0x3fff
    /// The most that 10 bits say, in octets.
    package static let longestCopy = 0x3ff
    /// More copies than this nobody sends; none of them is read.
    package static let maximumCopies = 8

    package struct Block: Equatable, Sendable {
        package var payloadType: UInt8
        /// How many ticks before the packet's own timestamp it belongs.
        package var offset: UInt32
        /// As indices into the payload.
        package var octets: Range<Int>
    }

    private var blocks = InlineArray<8, Block?>(repeating: nil)
    package private(set) var copyCount = 0
    package let own: Block

    package init(parsing payload: Span<UInt8>) throws(RedundantAudioError) {
        var reader = ByteReader(payload)
        var lengths = InlineArray<8, Int>(repeating: 0)
        while true {
            guard let first = reader.readUInt8() else { throw .truncated }
            guard first & 0x80 != 0 else {
                own = try Self.place(
                    &blocks, lengths, count: copyCount, from: reader.position, ownType: first, in: payload)
                return
            }
            guard let high = reader.readUInt8(), let low = reader.readUInt16() else { throw .truncated }
            guard copyCount < Self.maximumCopies else { throw .tooManyCopies }
            let bits = UInt32(high) << 16 | UInt32(low)
            lengths[copyCount] = Int(bits & 0x3ff)
            blocks[copyCount] = Block(payloadType: first & 0x7f, offset: bits >> 10, octets: 0..<0)
            copyCount += 1
        }
    }

    /// The octets follow all headers, in their order.
    private static func place(
        _ blocks: inout InlineArray<8, Block?>, _ lengths: InlineArray<8, Int>, count: Int, from position: Int,
        ownType: UInt8, in payload: Span<UInt8>
    ) throws(RedundantAudioError) -> Block {
        var start = position
        for index in 0..<count {
            let end = start + lengths[index]
            guard end <= payload.count else { throw .truncated }
            blocks[index]?.octets = start..<end
            start = end
        }
        return Block(payloadType: ownType & 0x7f, offset: 0, octets: start..<payload.count)
    }

    /// One of the older blocks.
    package func copy(_ index: Int) -> Block? {
        (0..<copyCount).contains(index) ? blocks[index] : nil
    }

    /// Writes the headers of a payload with one copy of so many octets; the octets of the copy and the packet's own are
    /// to follow.
    package static func writeHeaders(
        copyType: UInt8, offset: UInt32, copyLength: Int, ownType: UInt8, to writer: inout ByteWriter
    ) {
        writer.write(copyType | 0x80)
        let bits = min(offset, longestOffset) << 10 | UInt32(min(copyLength, longestCopy))
        writer.write(UInt8(truncatingIfNeeded: bits >> 16))
        writer.write(UInt16(truncatingIfNeeded: bits))
        writer.write(ownType & 0x7f)
    }
}

/// Why bytes are no redundant audio.
package enum RedundantAudioError: Error, Equatable, Sendable {
    /// Ends within a header, or before the octets that the headers count.
    case truncated
    case tooManyCopies
}
