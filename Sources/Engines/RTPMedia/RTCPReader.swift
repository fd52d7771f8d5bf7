import EngineKit

/// Walks through a compound RTCP packet (RFC 3550 §6.1). Reduced-size packets, which begin with something else than a
/// report (RFC 5506), are read as well.
package struct RTCPReader: ~Escapable {
    package static let maximumLength = 1_500
    package static let maximumPackets = 8

    private let bytes: Span<UInt8>
    private var offset = 0
    private var count = 0

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    /// Reads all of `bytes` once, so that nothing of a packet is believed of which a part lies (A.2).
    package static func validate(_ bytes: Span<UInt8>) throws(RTCPError) {
        guard bytes.count >= 4 else { throw .truncated(bytes.count) }
        guard bytes.count <= maximumLength else { throw .oversized(bytes.count) }
        var reader = RTCPReader(bytes)
        while try reader.next() != nil {}
    }

    /// The next packet, or nil after the last one.
    package mutating func next() throws(RTCPError) -> RTCPPacket? {
        guard offset < bytes.count else { return nil }
        guard count < Self.maximumPackets else { throw .tooManyPackets }
        let start = offset
        guard bytes.count - start >= 4 else { throw .length(offset: start) }
        let first = bytes[start]
        guard first >> 6 == 2 else { throw .version(first >> 6) }
        let length = 4 * (Int(bytes[start + 2]) << 8 + Int(bytes[start + 3]) + 1)
        guard length <= bytes.count - start else { throw .length(offset: start) }
        var end = start + length
        if first & 0x20 != 0 {
            // Only the last packet may be padded, by a multiple of four octets that the last one counts.
            let padding = Int(bytes[end - 1])
            guard end == bytes.count, padding > 0, padding % 4 == 0, padding <= length - 4 else {
                throw .padding(offset: start)
            }
            end -= padding
        }
        offset = start + length
        count += 1
        return try parse(type: bytes[start + 1], count: Int(first & 0x1f), body: start + 4..<end, packet: start)
    }

    private func parse(
        type: UInt8, count: Int, body: Range<Int>, packet: Int
    ) throws(RTCPError) -> RTCPPacket {
        var reader = ByteReader(bytes.extracting(body))
        switch type {
        case RTCPPacket.PacketType.senderReport:
            guard let source = reader.readUInt32(), let ntp = reader.readUInt64(), let timestamp = reader.readUInt32(),
                let packetCount = reader.readUInt32(), let octetCount = reader.readUInt32()
            else { throw .count(offset: packet) }
            let information = RTCPPacket.SenderInformation(
                ntp: NTPTimestamp(rawValue: ntp), timestamp: timestamp, packetCount: packetCount,
                octetCount: octetCount)
            return .senderReport(
                source: source, information, try reports(count, body: body, at: reader.position, packet: packet))
        case RTCPPacket.PacketType.receiverReport:
            guard let source = reader.readUInt32() else { throw .count(offset: packet) }
            return .receiverReport(
                source: source, try reports(count, body: body, at: reader.position, packet: packet))
        case RTCPPacket.PacketType.sourceDescription:
            return try sourceDescription(count: count, body: body, packet: packet)
        case RTCPPacket.PacketType.goodbye:
            guard 4 * count <= body.count else { throw .count(offset: packet) }
            return .goodbye(RTCPPacket.SourceList(offset: body.lowerBound, count: count))
        case RTCPPacket.PacketType.extendedReport:
            return try extendedReport(body: body, packet: packet)
        default:
            return .other(type: type)
        }
    }

    /// Walks all blocks (RFC 3611 §3), so that a length that lies is found.
    private func extendedReport(body: Range<Int>, packet: Int) throws(RTCPError) -> RTCPPacket {
        var reader = ByteReader(bytes.extracting(body))
        guard let source = reader.readUInt32() else { throw .count(offset: packet) }
        var metrics: VoIPMetrics?
        while reader.position < body.count {
            guard let header = reader.readUInt32() else { throw .count(offset: packet) }
            let start = body.lowerBound + reader.position
            let length = 4 * Int(header & 0xffff)
            guard reader.skip(length) != nil else { throw .count(offset: packet) }
            if UInt8(truncatingIfNeeded: header >> 24) == VoIPMetrics.blockType, metrics == nil {
                metrics = VoIPMetrics(parsing: bytes.extracting(start..<start + length))
            }
        }
        return .extendedReport(source: source, metrics)
    }

    private func reports(
        _ count: Int, body: Range<Int>, at position: Int, packet: Int
    ) throws(RTCPError) -> RTCPPacket.ReportBlocks {
        guard count * RTCPPacket.ReportBlocks.blockLength <= body.count - position else {
            throw .count(offset: packet)
        }
        return RTCPPacket.ReportBlocks(offset: body.lowerBound + position, count: count)
    }

    /// Walks all chunks and items (§6.5), so that a length that lies is found, and keeps the first CNAME.
    private func sourceDescription(
        count: Int, body: Range<Int>, packet: Int
    ) throws(RTCPError) -> RTCPPacket {
        var reader = ByteReader(bytes.extracting(body))
        var firstSource: UInt32?
        var canonicalName: Range<Int>?
        for chunk in 0..<count {
            guard let source = reader.readUInt32() else { throw .count(offset: packet) }
            if chunk == 0 { firstSource = source }
            while true {
                guard let item = reader.readUInt8() else { throw .count(offset: packet) }
                if item == 0 { break }
                guard let length = reader.readUInt8() else { throw .count(offset: packet) }
                let start = body.lowerBound + reader.position
                guard reader.skip(Int(length)) != nil else { throw .count(offset: packet) }
                if item == 1 && chunk == 0 && canonicalName == nil { canonicalName = start..<start + Int(length) }
            }
            // The list ends with a zero, and more of them up to the next 32-bit boundary.
            guard reader.skip((4 - reader.position % 4) % 4) != nil else { throw .count(offset: packet) }
        }
        return .sourceDescription(source: firstSource, canonicalName: canonicalName)
    }
}
