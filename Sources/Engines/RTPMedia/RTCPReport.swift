import EngineKit

/// The compound packet that we send: SR or RR, SDES with the CNAME, an extended report where the peer wants one, and BYE at
/// the end (RFC 3550 §6.1).
package struct RTCPReport: Equatable, Sendable {
    package var source: UInt32
    package var canonicalName: CanonicalName
    /// Where we sent RTP since the report before last: an SR, else an RR.
    package var sender: RTCPPacket.SenderInformation?
    package var block: ReportBlock?
    package var metrics: VoIPMetrics?
    package var isGoodbye = false

    package init(source: UInt32, canonicalName: CanonicalName) {
        self.source = source
        self.canonicalName = canonicalName
    }

    package func write(to writer: inout ByteWriter) {
        writeReport(to: &writer)
        writeDescription(to: &writer)
        if let metrics {
            let words = 1 + VoIPMetrics.length / 4
            writeHeader(type: RTCPPacket.PacketType.extendedReport, count: 0, words: words, to: &writer)
            writer.write(source)
            metrics.write(to: &writer)
        }
        if isGoodbye {
            writeHeader(type: RTCPPacket.PacketType.goodbye, count: 1, words: 1, to: &writer)
            writer.write(source)
        }
    }

    private func writeReport(to writer: inout ByteWriter) {
        let count: UInt8 = block == nil ? 0 : 1
        let blockWords = block == nil ? 0 : RTCPPacket.ReportBlocks.blockLength / 4
        if let sender {
            writeHeader(type: RTCPPacket.PacketType.senderReport, count: count, words: 6 + blockWords, to: &writer)
            writer.write(source)
            writer.write(sender.ntp.rawValue)
            writer.write(sender.timestamp)
            writer.write(sender.packetCount)
            writer.write(sender.octetCount)
        } else {
            writeHeader(type: RTCPPacket.PacketType.receiverReport, count: count, words: 1 + blockWords, to: &writer)
            writer.write(source)
        }
        block?.write(to: &writer)
    }

    private func writeDescription(to writer: inout ByteWriter) {
        // SSRC, the item's two octets and its text, and at least one zero up to the next word.
        let words = 1 + (2 + CanonicalName.length) / 4 + 1
        writeHeader(type: RTCPPacket.PacketType.sourceDescription, count: 1, words: words, to: &writer)
        writer.write(source)
        writer.write(UInt8(1))
        writer.write(UInt8(CanonicalName.length))
        for index in 0..<CanonicalName.length { writer.write(canonicalName[index]) }
        for _ in 0..<4 - (2 + CanonicalName.length) % 4 { writer.write(UInt8(0)) }
    }

    private func writeHeader(type: UInt8, count: UInt8, words: Int, to writer: inout ByteWriter) {
        writer.write(0x80 | count)
        writer.write(type)
        writer.write(UInt16(truncatingIfNeeded: words))
    }
}

/// A CNAME for one call: 96 random bits in base 64 (RFC 7022 §4.2), which tells nothing of user and machine.
package struct CanonicalName: Sendable {
    package static let length = 16

    private var letters = InlineArray<16, UInt8>(repeating: 0)

    package init(random: inout RandomSource) {
        let (first, second) = (random.next(), random.next())
        for index in 0..<16 {
            let word = index < 8 ? first : second
            letters[index] = Self.letter(UInt8(truncatingIfNeeded: word >> UInt64(6 * (index % 8))) & 63)
        }
    }

    package subscript(index: Int) -> UInt8 { letters[index] }

    private static func letter(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 65 + value
        case 26..<52: 97 + value - 26
        case 52..<62: 48 + value - 52
        case 62: 43
        default: 47
        }
    }
}

extension CanonicalName: Equatable {
    package static func == (left: CanonicalName, right: CanonicalName) -> Bool {
        for index in 0..<length where left[index] != right[index] { return false }
        return true
    }
}
