import EngineKit

/// The header of an RTP packet (RFC 3550 §5.1), and where in its bytes the payload lies.
package struct RTPPacket: Equatable, Sendable {
    /// The fixed header, which is all that Offhook writes.
    package static let headerLength = 12

    /// The longest datagram that is read: what an Ethernet frame carries.
    package static let maximumLength = 1_500

    package var hasMarker: Bool
    package var payloadType: UInt8
    package var sequenceNumber: SequenceNumber
    package var timestamp: UInt32
    package var synchronizationSource: UInt32
    /// The octets after the headers and before the padding, as indices into the bytes parsed.
    package var payload: Range<Int>

    package init(
        hasMarker: Bool, payloadType: UInt8, sequenceNumber: SequenceNumber, timestamp: UInt32,
        synchronizationSource: UInt32, payloadLength: Int = 0
    ) {
        self.hasMarker = hasMarker
        self.payloadType = payloadType & 0x7f
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.synchronizationSource = synchronizationSource
        payload = Self.headerLength..<Self.headerLength + max(0, payloadLength)
    }

    /// Reads the headers of any bytes. Contributing sources and a header extension are passed over.
    package init(parsing bytes: Span<UInt8>) throws(RTPError) {
        var reader = ByteReader(bytes)
        guard let first = reader.readUInt8(), let second = reader.readUInt8(),
            let sequence = reader.readUInt16(), let timestamp = reader.readUInt32(),
            let source = reader.readUInt32()
        else { throw .truncated(bytes.count) }
        guard first >> 6 == 2 else { throw .version(first >> 6) }
        guard bytes.count <= Self.maximumLength else { throw .oversized(bytes.count) }
        guard reader.skip(4 * Int(first & 0x0f)) != nil else { throw .contributingSources(Int(first & 0x0f)) }
        if first & 0x10 != 0 {
            guard reader.skip(2) != nil, let words = reader.readUInt16(), reader.skip(4 * Int(words)) != nil else {
                throw .headerExtension
            }
        }
        var end = bytes.count
        if first & 0x20 != 0 {
            // The last octet counts the padding, itself included.
            let padding = Int(bytes[bytes.count - 1])
            guard padding > 0, padding <= reader.remaining else { throw .padding(padding) }
            end -= padding
        }
        hasMarker = second & 0x80 != 0
        payloadType = second & 0x7f
        sequenceNumber = SequenceNumber(sequence)
        self.timestamp = timestamp
        synchronizationSource = source
        payload = reader.position..<end
    }

    /// Writes the fixed header.
    package func writeHeader(to writer: inout ByteWriter) {
        writer.write(UInt8(0x80))
        writer.write(payloadType | (hasMarker ? 0x80 : 0))
        writer.write(sequenceNumber.rawValue)
        writer.write(timestamp)
        writer.write(synchronizationSource)
    }

    /// Whether bytes on a port that RTP and RTCP share are RTCP, by their second octet (RFC 5761 §4).
    package static func looksLikeRTCP(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 2 && (192...223).contains(bytes[1])
    }
}

/// Why bytes are no RTP packet.
package enum RTPError: Error, Equatable, Sendable {
    /// Shorter than the fixed header.
    case truncated(Int)
    case oversized(Int)
    case version(UInt8)
    /// A header that counts more contributing sources than there are octets.
    case contributingSources(Int)
    case headerExtension
    case padding(Int)
}
