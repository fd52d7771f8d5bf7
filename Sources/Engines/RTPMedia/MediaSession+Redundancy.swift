import AudioCodecs
import EngineKit

// Older audio sent along with newer (RFC 2198), while the peer loses packets.
extension MediaSession {
    /// How much later a packet is sent once more: three of the usual ones lost in a row are all brought back.
    private static let distance = 60 * AudioCodec.sampleRate / 1_000

    /// What the next packet is to carry along. In place, as a call would copy the session.
    @inline(__always)
    func copy(before timestamp: UInt32) -> OutgoingCopy? {
        guard let redundancyType = configuration.redundancyPayloadType, isPeerLosing, packetLength > 0 else {
            return nil
        }
        let packets = min(SentPayloads.capacity - 1, (Self.distance + packetLength - 1) / packetLength)
        let copy = sentPayloads.copy(
            of: sequence.advanced(by: -packets), before: timestamp, redundancyType: redundancyType)
        // After a pause it belongs to a time that is over.
        let ticks = packets * packetLength / configuration.sendCodec.samplesPerTick
        return copy.map { Int($0.offset) == ticks } ?? false ? copy : nil
    }
}

/// A packet that was sent before, as another one carries it along.
struct OutgoingCopy {
    var redundancyType: UInt8
    var payloadType: UInt8
    /// Ticks before the packet that carries it.
    var offset: UInt32
    var octets: UnsafeMutableBufferPointer<UInt8>

    /// What it adds to a packet, headers included.
    var length: Int { RedundantAudio.copyHeaderLength + RedundantAudio.ownHeaderLength + octets.count }

    /// Writes the headers of the payload and the copy behind the header of the packet, whose own audio has the type
    /// `ownType`.
    func write(before ownType: UInt8, to memory: inout MutableSpan<UInt8>) {
        memory.withUnsafeMutableBufferPointer { bytes in
            let room = UnsafeMutableBufferPointer(rebasing: bytes[RTPPacket.headerLength...])
            var writer = ByteWriter(room.mutableSpan)
            RedundantAudio.writeHeaders(
                copyType: payloadType, offset: offset, copyLength: octets.count, ownType: ownType, to: &writer)
            writer.write(octets.span)
        }
    }
}

/// The payloads that were sent last, to be sent once more with a later packet.
struct SentPayloads: ~Copyable, Sendable {
    static let capacity = 8
    /// What leaves room in a datagram for the audio of the packet that carries it.
    private static let longest = 480

    /// Not private, as the module that owns a session frees its buffer of them.
    struct Entry: BitwiseCopyable, Sendable {
        var sequence = SequenceNumber(0)
        var timestamp: UInt32 = 0
        var payloadType: UInt8 = 0
        var length = 0
    }

    private var bytes = FixedBuffer<UInt8>(repeating: 0, count: Self.capacity * Self.longest)
    private var entries = FixedBuffer<Entry>(repeating: Entry(), count: Self.capacity)

    mutating func removeAll() {
        for index in 0..<Self.capacity { entries[index].length = 0 }
    }

    /// Keeps the payload of a packet; one that is too long to be a copy is none.
    mutating func append(_ payload: Span<UInt8>, of header: RTPPacket) {
        let index = place(of: header.sequenceNumber)
        guard payload.count <= Self.longest else {
            entries[index].length = 0
            return
        }
        entries[index] = Entry(
            sequence: header.sequenceNumber, timestamp: header.timestamp, payloadType: header.payloadType,
            length: payload.count)
        let memory = bytes.elements(octets(of: index))
        for offset in payload.indices { memory[offset] = payload[offset] }
    }

    /// A packet as one with that timestamp would carry it along; nil where it is not kept, or too old.
    func copy(of sequence: SequenceNumber, before timestamp: UInt32, redundancyType: UInt8) -> OutgoingCopy? {
        let index = place(of: sequence)
        let entry = entries[index]
        let offset = timestamp &- entry.timestamp
        guard entry.length > 0, entry.sequence == sequence, (1...RedundantAudio.longestOffset).contains(offset) else {
            return nil
        }
        return OutgoingCopy(
            redundancyType: redundancyType, payloadType: entry.payloadType, offset: offset,
            octets: bytes.elements(octets(of: index)))
    }

    private func place(of sequence: SequenceNumber) -> Int { Int(sequence.rawValue) % Self.capacity }

    private func octets(of index: Int) -> Range<Int> {
        let start = index * Self.longest
        return start..<start + entries[index].length
    }
}
