import AudioCodecs
import EngineKit

extension MediaSession {
    /// RFC 6263 §3: often enough for every NAT.
    static let keepAliveInterval = Duration.seconds(15)
    /// A hole between two pieces of captured audio that is a hole in the stream, too.
    private static let captureGap = Duration.milliseconds(200)

    /// Whether anything may leave: the peer has an address, which is proven to be its own, and seems to be there.
    var canReachPeer: Bool {
        configuration.remoteRTP != nil && configuration.isPathProven && !isStopped && !isPaused
    }

    var canSendAudio: Bool { canReachPeer && configuration.sends }

    var packetLength: Int {
        let time = configuration.packetTime
        return configuration.sendCodec == .opus
            ? OpusPacketizer.sampleCount(packetTime: time) : WaveformEncoder.sampleCount(packetTime: time)
    }

    /// Audio from the microphone.
    package mutating func capture(_ samples: Span<Int16>, at now: Instant) {
        followCaptureClock(count: samples.count, at: now)
        sendDueDigits(at: now)
        guard canSendAudio else {
            capturedCount += Int64(samples.count)
            packetCount = 0
            digitTones.restart()
            isPrimed = false
            owesMarker = true
            return
        }
        if !isPrimed { prime(for: samples.count) }
        let length = packetLength
        var taken = 0
        while taken < samples.count {
            // A packet that became shorter may hold more than it now needs.
            let count = max(1, min(samples.count - taken, length - packetCount))
            let piece = samples.extracting(taken..<taken + count)
            piece.withUnsafeBufferPointer {
                _ = packet.elements(packetCount..<packetCount + count).update(fromContentsOf: $0)
            }
            taken += count
            packetCount += count
            capturedCount += Int64(count)
            if packetCount >= length { finishPacket(at: now) }
        }
    }

    /// `now` is the end of a piece. What no device gave becomes a hole in the timestamps, as if it had been silent;
    /// within that, the device's clock is the stream's.
    private mutating func followCaptureClock(count: Int, at now: Instant) {
        capturedUntil += .nanoseconds(Int64(count) * 1_000_000 / 48)
        let gap = now - capturedUntil
        guard gap > Self.captureGap else {
            capturedUntil += .nanoseconds(gap.saturatedNanoseconds / 100)
            return
        }
        capturedCount += min(gap, .seconds(86_400)).saturatedNanoseconds / 1_000_000 * 48
        capturedUntil = now
        packetCount = 0
        digitTones.restart()
        owesMarker = true
    }

    /// Lets the first piece end a packet that begins with silence: the first one goes out at once, and opens the way
    /// through NATs for the peer's.
    private mutating func prime(for count: Int) {
        isPrimed = true
        packetCount = max(0, packetLength - count)
        for index in 0..<packetCount { packet[index] = 0 }
    }

    private mutating func finishPacket(at now: Instant) {
        let count = packetCount
        packetCount = 0
        let memory = packet.elements(0..<count)
        sentMeter.measure(memory.span)
        guard !digits.isSounding(at: now) else {
            // The digit's packets stand for this time (RFC 4733 §2.5.1.2).
            owesMarker = true
            return
        }
        sendAudio(memory, from: capturedCount - Int64(count), at: now)
    }

    /// Sends one packet time that begins with the sample of that number: one packet, unless Opus makes more of it.
    private mutating func sendAudio(
        _ samples: UnsafeMutableBufferPointer<Int16>, from first: Int64, at now: Instant
    ) {
        guard let destination = policy.destination else { return }
        if configuration.sendCodec == .opus && !opusPacketizer.encode(samples.span) {
            owesMarker = true
            return
        }
        var sampleCount = 0
        while sampleCount < samples.count {
            let timestamp = timestamp(of: first + Int64(sampleCount))
            guard let count = sendAudio(samples, timestamp: timestamp, to: destination, at: now) else { return }
            sampleCount += count
        }
    }

    /// Queues the next packet of a packet time. Gives how many samples it stands for; nil where none could be made.
    private mutating func sendAudio(
        _ samples: UnsafeMutableBufferPointer<Int16>, timestamp: UInt32, to destination: SocketAddress, at now: Instant
    ) -> Int? {
        var header = RTPPacket(
            hasMarker: owesMarker, payloadType: configuration.sendPayloadType, sequenceNumber: sequence,
            timestamp: timestamp, synchronizationSource: localSource)
        let copy = copy(before: timestamp)
        let start = RTPPacket.headerLength + (copy?.length ?? 0)
        let codec = configuration.sendCodec
        let usesDTX = configuration.opusSettings.usesDTX ?? configuration.opus.usesDTX
        let keepsCopies = configuration.redundancyPayloadType != nil
        var packet: EncodedPacket?
        let isQueued = outgoing.append(to: destination, isRTCP: false) { memory in
            packet = memory.withUnsafeMutableBufferPointer { bytes in
                let room = UnsafeMutableBufferPointer(rebasing: bytes[start...])
                var payload = room.mutableSpan
                guard let code = codec.waveformCode else { return opusPacketizer.nextPacket(into: &payload) }
                let length = waveformEncoder.encode(samples.span, as: code, into: &payload)
                return length.map { EncodedPacket(length: $0, sampleCount: samples.count) }
            }
            guard let packet, !(usesDTX && packet.isDispensable) else { return nil }
            if keepsCopies { sentPayloads.append(memory.span.extracting(start..<start + packet.length), of: header) }
            if let copy { header.payloadType = copy.redundancyType }
            Self.write(header, to: &memory)
            copy?.write(before: configuration.sendPayloadType, to: &memory)
            return start + packet.length
        }
        if isQueued, let packet {
            header.payload = RTPPacket.headerLength..<start + packet.length
            sent(header, at: now)
        } else {
            owesMarker = true
        }
        return packet?.sampleCount
    }

    static func write(_ header: RTPPacket, to memory: inout MutableSpan<UInt8>) {
        memory.withUnsafeMutableBufferPointer { bytes in
            var writer = ByteWriter(bytes.mutableSpan)
            header.writeHeader(to: &writer)
        }
    }

    mutating func sent(_ header: RTPPacket, at now: Instant) {
        sequence = sequence.advanced(by: 1)
        owesMarker = false
        counters.sentPackets += 1
        counters.sentOctets += UInt64(header.payload.count)
        reportedPackets &+= 1
        reportedOctets &+= UInt32(truncatingIfNeeded: header.payload.count)
        sentSinceReport = true
        keepAliveAt = now + Self.keepAliveInterval
    }

    // MARK: - Timestamps

    private func timestamp(of sample: Int64) -> UInt32 {
        timestampBase &+ UInt32(truncatingIfNeeded: sample / Int64(configuration.sendCodec.samplesPerTick))
    }

    /// What the RTP clock reads at an instant: for events, keep-alives and the pair in a sender report.
    func timestamp(at now: Instant) -> UInt32 {
        let since = max(0, min((now - capturedUntil).saturatedNanoseconds, 1_000_000_000_000))
        return timestamp(of: capturedCount + since / 1_000 * 48 / 1_000)
    }

    /// Goes on with the timestamps where they were, at the pace of another clock.
    mutating func changeSendCodec(from before: AudioCodec) {
        let codec = configuration.sendCodec
        let reached = timestampBase &+ UInt32(truncatingIfNeeded: capturedCount / Int64(before.samplesPerTick))
        timestampBase = reached &- UInt32(truncatingIfNeeded: capturedCount / Int64(codec.samplesPerTick))
        counters.sendCodec = codec
        opusPacketizer.reset()
        waveformEncoder.reset()
        sentPayloads.removeAll()
        packetCount = 0
        owesMarker = true
    }

    // MARK: - Keep-alive

    /// RFC 6263 §4.6: an empty packet of a payload type that nobody negotiated, in the sequence of the stream.
    mutating func sendDueKeepAlive(at now: Instant) {
        guard now >= keepAliveAt else { return }
        keepAliveAt = now + Self.keepAliveInterval
        guard canReachPeer, let destination = policy.destination else { return }
        let header = RTPPacket(
            hasMarker: false, payloadType: unusedPayloadType, sequenceNumber: sequence,
            timestamp: timestamp(at: now), synchronizationSource: localSource)
        let isQueued = outgoing.append(to: destination, isRTCP: false) { memory in
            Self.write(header, to: &memory)
            return RTPPacket.headerLength
        }
        guard isQueued else { return }
        sequence = sequence.advanced(by: 1)
        reportedPackets &+= 1
        counters.sentPackets += 1
    }

    private var unusedPayloadType: UInt8 {
        for candidate in stride(from: UInt8(127), to: 95, by: -1)
        where candidate != configuration.sendPayloadType
            && candidate != configuration.sendTelephoneEvent?.payloadType
            && configuration.receiveFormats[candidate] == nil
        {
            return candidate
        }
        return 20  // RFC 3551 table 4: unassigned
    }
}
