import AudioCodecs
import EngineKit

extension MediaSession {
    /// RTCP of two members comes every few seconds; feedback profiles send more, a flood much more.
    static let controlRate = 50.0

    /// A datagram from one of the two sockets of this call. Any bytes.
    package mutating func receivePacket(
        _ bytes: Span<UInt8>, from source: SocketAddress, isRTCP: Bool, at now: Instant
    ) {
        guard !isStopped else { return }
        if isRTCP || RTPPacket.looksLikeRTCP(bytes) {
            receiveControl(bytes, from: source, at: now)
        } else {
            receiveMedia(bytes, from: source, at: now)
        }
    }

    private mutating func receiveMedia(_ bytes: Span<UInt8>, from source: SocketAddress, at now: Instant) {
        let packet: RTPPacket
        do {
            packet = try RTPPacket(parsing: bytes)
        } catch {
            counters.refused.malformed += 1
            return
        }
        let format = configuration.receiveFormats[packet.payloadType]
        let evidence = SourcePolicy.Evidence(
            source: source, synchronizationSource: packet.synchronizationSource, sequence: packet.sequenceNumber,
            isNegotiated: format != nil)
        switch policy.judge(evidence, at: now) {
        case .refused:
            counters.refused.foreignSource += 1
            return
        case .changed:
            learntControl = nil
            events.append(.sourceChanged(source))
        case .accepted: break
        }
        guard bucket.take(at: now) else {
            counters.refused.rateLimited += 1
            return
        }
        if packet.synchronizationSource == localSource, collidedWith != source.address {
            resolveCollision(with: source, at: now)
            return
        }
        guard follow(packet, at: now) else {
            counters.refused.invalidSource += 1
            return
        }
        noteHeard(isRTP: true, at: now)
        counters.receivedPackets += 1
        counters.receivedOctets += UInt64(packet.payload.count)
        deliver(packet, bytes.extracting(packet.payload), as: format, at: now)
    }

    /// Finds the stream that a packet belongs to; false where that is not the one that is played.
    private mutating func follow(_ packet: RTPPacket, at now: Instant) -> Bool {
        let before = sources.activeEntry?.statistics
        let hadActive = sources.active != nil
        switch sources.receive(packet.synchronizationSource, sequence: packet.sequenceNumber, at: now) {
        case .active:
            return true
        case .dropped:
            return false
        case .restarted:
            beginStream(after: before)
            return true
        case .began:
            beginStream(after: before)
            if hadActive { events.append(.synchronizationSourceChanged(packet.synchronizationSource)) }
            return true
        }
    }

    /// Another sequence of packets, whose timestamps have nothing to do with those before.
    private mutating func beginStream(after statistics: ReceptionStatistics?) {
        if let statistics {
            expectedBefore += UInt64(statistics.expected)
            lostBefore += UInt64(statistics.missing)
        }
        jitterBuffer.reset()
        digitReceiver.reset()
        reportDigits()
        mediaJitter = JitterEstimate()
        drift.reset()
        owesFirstPlayed = true
    }

    private mutating func deliver(
        _ packet: RTPPacket, _ payload: Span<UInt8>, as format: ReceiveFormats.Format?, at now: Instant
    ) {
        switch format {
        case .audio(let codec):
            deliverAudio(packet, payload, codec: codec, at: now)
        case .telephoneEvent(let clockRate):
            measureControlJitter(packet, rate: receiveRate, at: now)
            jitterBuffer.passOver(packet.sequenceNumber)
            digitReceiver.receive(
                payload, timestamp: packet.timestamp, clockRate: clockRate, rtpRate: receiveRate, at: now)
            reportDigits()
        case .redundantAudio:
            deliverRedundantAudio(packet, payload, at: now)
        case nil:
            // Without payload it is somebody's keep-alive (RFC 6263 §4.6), and all in order.
            if !payload.isEmpty { counters.refused.unknownPayloadType += 1 }
            jitterBuffer.passOver(packet.sequenceNumber)
        }
    }

    /// What the packet is about goes its usual way; what it repeats fills the gaps.
    private mutating func deliverRedundantAudio(_ packet: RTPPacket, _ payload: Span<UInt8>, at now: Instant) {
        let audio: RedundantAudio
        do {
            audio = try RedundantAudio(parsing: payload)
        } catch {
            counters.refused.malformed += 1
            jitterBuffer.passOver(packet.sequenceNumber)
            return
        }
        let format = configuration.receiveFormats[audio.own.payloadType]
        // Nobody wraps redundant audio once more.
        deliver(packet, payload.extracting(audio.own.octets), as: format == .redundantAudio ? nil : format, at: now)
        guard configuration.receives else { return }
        for index in 0..<audio.copyCount {
            guard let copy = audio.copy(index), case .audio(let codec) = configuration.receiveFormats[copy.payloadType]
            else { continue }
            let octets = payload.extracting(copy.octets)
            guard let ticks = Self.duration(of: octets, codec: codec) else { continue }
            jitterBuffer.fill(octets, ticks: ticks, codec: codec, offset: copy.offset, before: packet)
        }
    }

    private mutating func deliverAudio(
        _ packet: RTPPacket, _ payload: Span<UInt8>, codec: AudioCodec, at now: Instant
    ) {
        guard Self.duration(of: payload, codec: codec) != nil else {
            counters.refused.malformed += 1
            jitterBuffer.passOver(packet.sequenceNumber)
            return
        }
        let rate = codec.clockRate
        if rate != receiveRate {
            receiveRate = rate
            mediaJitter = JitterEstimate()
            drift.reset()
        }
        if configuration.receives { insert(packet, payload, codec: codec, at: now) }
        measureControlJitter(packet, rate: rate, at: now)
        mediaJitter.receive(timestamp: packet.timestamp, arrival: JitterEstimate.ticks(of: now, rate: rate))
        drift.receive(timestamp: packet.timestamp, rate: rate, at: now)
    }

    private mutating func insert(
        _ packet: RTPPacket, _ payload: Span<UInt8>, codec: AudioCodec, at now: Instant
    ) {
        let insertion = jitterBuffer.insert(
            payload, sequence: packet.sequenceNumber, timestamp: packet.timestamp, codec: codec, at: now)
        var entry = sources.activeEntry
        switch insertion {
        case .duplicate: entry?.statistics.noteDuplicate()
        case .anchored:
            // The timestamps jumped: to measure across the jump would call it jitter, of seconds.
            mediaJitter.interrupt()
            entry?.statistics.interruptJitter()
        case .stored, .late: return
        }
        sources.activeEntry = entry
    }

    /// The ticks that a payload stands for; nil for one that can't be played.
    private static func duration(of payload: Span<UInt8>, codec: AudioCodec) -> Int? {
        let samples: Int? =
            if let code = codec.waveformCode {
                WaveformDecoder.sampleCount(of: payload, as: code)
            } else {
                OpusDecoder.sampleCount(of: payload)
            }
        return samples.map { $0 / codec.samplesPerTick }
    }

    /// The jitter that RTCP reports counts all packets of the stream, digits too (RFC 4733 §2.5.2.2).
    private mutating func measureControlJitter(_ packet: RTPPacket, rate: UInt32, at now: Instant) {
        var entry = sources.activeEntry
        entry?.statistics.measureJitter(
            timestamp: packet.timestamp, arrival: JitterEstimate.ticks(of: now, rate: rate))
        sources.activeEntry = entry
    }

    /// Somebody sends under our SSRC. Once from an address it is a collision: BYE, and another SSRC for us. Again from
    /// there it is our own stream that comes back, and a third SSRC would help no more (RFC 3550 §8.2). That is what an
    /// echo service does which returns packets as they are, and its caller wants to hear it.
    mutating func resolveCollision(with source: SocketAddress, at now: Instant) {
        counters.refused.invalidSource += 1
        collidedWith = source.address
        sendReport(isGoodbye: true, at: now)
        localSource = UInt32(truncatingIfNeeded: random.next())
        reportedPackets = 0
        reportedOctets = 0
        owesMarker = true
        events.append(.collisionResolved(synchronizationSource: localSource))
    }
}
