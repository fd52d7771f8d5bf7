import AudioCodecs
import EngineKit

// RTCP: what the peer reports on us, and what we report.
extension MediaSession {
    /// Half a minute of the usual schedule.
    static let forgivingReports = 6

    /// Where RTCP goes: with RTP where they share a port, else where it was seen to come from, else as described.
    private var controlDestination: SocketAddress? {
        if configuration.usesRTCPMux { return policy.destination }
        return learntControl ?? configuration.remoteRTCP
    }

    mutating func receiveControl(_ bytes: Span<UInt8>, from source: SocketAddress, at now: Instant) {
        guard policy.acceptsRTCP(from: source, negotiated: configuration.remoteRTCP) else {
            counters.refused.foreignSource += 1
            return
        }
        guard controlBucket.take(at: now) else {
            counters.refused.rateLimited += 1
            return
        }
        do {
            try RTCPReader.validate(bytes)
            var reader = RTCPReader(bytes)
            while let packet = try reader.next() {
                if packet.reporter == localSource {
                    // Somebody reports under our SSRC, or our own report comes back: nothing in it is about the peer.
                    if collidedWith != source.address { resolveCollision(with: source, at: now) }
                    return
                }
                receive(packet, in: bytes, at: now)
            }
        } catch {
            counters.refused.malformed += 1
            return
        }
        schedule.received(octets: bytes.count)
        noteHeard(isRTP: false, at: now)
        if configuration.symmetric != .never, source.address == policy.locked?.address, !configuration.usesRTCPMux {
            learntControl = source
        }
    }

    private mutating func receive(_ packet: RTCPPacket, in bytes: Span<UInt8>, at now: Instant) {
        switch packet {
        case .senderReport(let source, let information, let blocks):
            sources.noteReport(from: source, ntp: information.ntp, at: now)
            receive(blocks, in: bytes, at: now)
        case .receiverReport(_, let blocks):
            receive(blocks, in: bytes, at: now)
        case .goodbye(let list):
            guard let active = sources.active, list.contains(active, in: bytes) else { return }
            if sources.goodbye(active, at: now) { events.append(.remoteBye) }
        case .extendedReport(_, let metrics):
            if let metrics, metrics.source == localSource { counters.remoteMetrics = metrics }
        case .sourceDescription, .other:
            break
        }
    }

    private mutating func receive(_ blocks: RTCPPacket.ReportBlocks, in bytes: Span<UInt8>, at now: Instant) {
        for index in 0..<blocks.count {
            guard let block = blocks.block(index, in: bytes), block.source == localSource else { continue }
            let fraction = Double(block.fractionLost) / 256
            counters.remoteFractionLost = fraction
            counters.remoteJitterMilliseconds =
                Double(block.jitter) * 1_000 / Double(configuration.sendCodec.clockRate)
            noteRemoteLoss(fraction)
            if let trip = NTPTimestamp.roundTrip(
                arrival: NTPTimestamp(elapsed: now - startedAt), lastReport: block.lastReport, delay: block.delay)
            {
                counters.roundTripMilliseconds = trip.milliseconds
            }
        }
    }

    private mutating func noteRemoteLoss(_ fraction: Double) {
        // Being prepared for more costs the encoder quality that the better copies do not give back.
        opusPacketizer.encoder.setExpectedLoss(percent: max(5, min(10, Int((fraction * 120).rounded(.up)))))
        if fraction >= 0.01 {
            reportsWithoutLoss = 0
        } else {
            reportsWithoutLoss = min(reportsWithoutLoss + 1, Self.forgivingReports)
        }
    }

    /// Whether the peer lost something lately.
    var isPeerLosing: Bool { reportsWithoutLoss < Self.forgivingReports }

    mutating func sendDueReport(at now: Instant) {
        schedule.setSenders(us: sentSinceReport || sentBeforeReport, peer: heardSinceReport)
        guard schedule.isDue(at: now, random: &random) else { return }
        let octets = sendReport(isGoodbye: false, at: now)
        // Also where nothing could be sent: the next one is due at its time.
        schedule.sent(octets: max(octets, 28), at: now, random: &random)
        sentBeforeReport = sentSinceReport
        sentSinceReport = false
        heardSinceReport = false
    }

    /// Gives the length of the report, 0 where none could go out.
    @discardableResult
    mutating func sendReport(isGoodbye: Bool, at now: Instant) -> Int {
        guard canReachPeer, let destination = controlDestination else { return 0 }
        var report = RTCPReport(source: localSource, canonicalName: canonicalName)
        report.isGoodbye = isGoodbye
        if sentSinceReport || sentBeforeReport {
            report.sender = RTCPPacket.SenderInformation(
                ntp: NTPTimestamp(elapsed: now - startedAt), timestamp: timestamp(at: now),
                packetCount: reportedPackets, octetCount: reportedOctets)
        }
        report.metrics = configuration.sendsVoIPMetrics ? voipMetrics : nil
        report.block = takeReportBlock(at: now)
        var length = 0
        let isQueued = outgoing.append(to: destination, isRTCP: !configuration.usesRTCPMux) { memory in
            memory.withUnsafeMutableBufferPointer { bytes in
                var writer = ByteWriter(bytes.mutableSpan)
                report.write(to: &writer)
                length = writer.count
                return writer.overflowed ? nil : writer.count
            }
        }
        guard isQueued else { return 0 }
        reportsSent += 1
        // On a shared port a report keeps the NAT open as well as anything (RFC 6263 §5).
        if configuration.usesRTCPMux { keepAliveAt = now + Self.keepAliveInterval }
        return length
    }

    private mutating func takeReportBlock(at now: Instant) -> ReportBlock? {
        guard heardSinceReport, var entry = sources.activeEntry else { return nil }
        let block = ReportBlock(
            source: entry.identifier, fractionLost: entry.statistics.takeFractionLost(),
            cumulativeLost: entry.statistics.cumulativeLost, extendedMaximum: entry.statistics.extendedMaximum,
            jitter: entry.statistics.jitter.reported, lastReport: entry.lastReport,
            delay: entry.lastReportAt.map { NTPTimestamp.delay(of: now - $0) } ?? 0)
        sources.activeEntry = entry
        return block
    }
}
