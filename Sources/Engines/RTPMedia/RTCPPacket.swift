import EngineKit

/// One RTCP packet out of a compound one (RFC 3550 §6.4 to §6.6), and where its lists lie.
package enum RTCPPacket: Equatable, Sendable {
    case senderReport(source: UInt32, SenderInformation, ReportBlocks)
    case receiverReport(source: UInt32, ReportBlocks)
    /// The first chunk's source and the bytes of its CNAME, where it has one.
    case sourceDescription(source: UInt32?, canonicalName: Range<Int>?)
    case goodbye(SourceList)
    /// RFC 3611: who reports, and the first block of VoIP metrics where there is one; other blocks are passed over.
    case extendedReport(source: UInt32, VoIPMetrics?)
    /// APP, feedback (RFC 4585) and the unknown: passed over by their length.
    case other(type: UInt8)

    /// Whose report it is; nil for what is none.
    var reporter: UInt32? {
        switch self {
        case .senderReport(let source, _, _), .receiverReport(let source, _), .extendedReport(let source, _): source
        case .sourceDescription, .goodbye, .other: nil
        }
    }

    enum PacketType {
        static let senderReport: UInt8 = 200
        static let receiverReport: UInt8 = 201
        static let sourceDescription: UInt8 = 202
        static let goodbye: UInt8 = 203
        static let extendedReport: UInt8 = 207
    }

    package struct SenderInformation: Equatable, Sendable {
        package var ntp: NTPTimestamp
        package var timestamp: UInt32
        package var packetCount: UInt32
        package var octetCount: UInt32

        package init(ntp: NTPTimestamp, timestamp: UInt32, packetCount: UInt32, octetCount: UInt32) {
            self.ntp = ntp
            self.timestamp = timestamp
            self.packetCount = packetCount
            self.octetCount = octetCount
        }
    }

    /// The report blocks of an SR or RR as they lie in the compound packet.
    package struct ReportBlocks: Equatable, Sendable {
        static let blockLength = 24
        var offset: Int
        package var count: Int

        /// One block, out of the bytes that were parsed.
        package func block(_ index: Int, in bytes: Span<UInt8>) -> ReportBlock? {
            guard (0..<count).contains(index) else { return nil }
            let start = offset + index * Self.blockLength
            guard start >= 0, start + Self.blockLength <= bytes.count else { return nil }
            return ReportBlock(parsing: bytes.extracting(start..<start + Self.blockLength))
        }
    }

    /// The sources that a BYE names.
    package struct SourceList: Equatable, Sendable {
        var offset: Int
        package var count: Int

        package func contains(_ source: UInt32, in bytes: Span<UInt8>) -> Bool {
            for index in 0..<count {
                let start = offset + 4 * index
                guard start >= 0, start + 4 <= bytes.count else { return false }
                var reader = ByteReader(bytes.extracting(start..<start + 4))
                if reader.readUInt32() == source { return true }
            }
            return false
        }
    }
}

/// How one source is received (RFC 3550 §6.4.1).
package struct ReportBlock: Equatable, Sendable {
    package var source: UInt32
    package var fractionLost: UInt8
    /// 24 bits signed.
    package var cumulativeLost: Int32
    package var extendedMaximum: UInt32
    package var jitter: UInt32
    package var lastReport: UInt32
    package var delay: UInt32

    package init(
        source: UInt32, fractionLost: UInt8, cumulativeLost: Int32, extendedMaximum: UInt32, jitter: UInt32,
        lastReport: UInt32, delay: UInt32
    ) {
        self.source = source
        self.fractionLost = fractionLost
        self.cumulativeLost = cumulativeLost
        self.extendedMaximum = extendedMaximum
        self.jitter = jitter
        self.lastReport = lastReport
        self.delay = delay
    }

    init?(parsing bytes: Span<UInt8>) {
        var reader = ByteReader(bytes)
        guard let source = reader.readUInt32(), let loss = reader.readUInt32(),
            let extendedMaximum = reader.readUInt32(), let jitter = reader.readUInt32(),
            let lastReport = reader.readUInt32(), let delay = reader.readUInt32()
        else { return nil }
        self.source = source
        fractionLost = UInt8(truncatingIfNeeded: loss >> 24)
        cumulativeLost = Int32(bitPattern: loss << 8) >> 8
        self.extendedMaximum = extendedMaximum
        self.jitter = jitter
        self.lastReport = lastReport
        self.delay = delay
    }

    func write(to writer: inout ByteWriter) {
        writer.write(source)
        writer.write(UInt32(fractionLost) << 24 | UInt32(bitPattern: cumulativeLost) & 0xff_ffff)
        writer.write(extendedMaximum)
        writer.write(jitter)
        writer.write(lastReport)
        writer.write(delay)
    }
}

/// Why bytes are no RTCP.
package enum RTCPError: Error, Equatable, Sendable {
    case truncated(Int)
    case oversized(Int)
    case version(UInt8)
    /// A length field that leads beyond the end, at this offset.
    case length(offset: Int)
    case padding(offset: Int)
    /// A count that needs more room than the length gives, at this offset.
    case count(offset: Int)
    case tooManyPackets
}
