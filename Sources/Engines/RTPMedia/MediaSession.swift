import AudioCodecs
import EngineKit

/// The media of one call: captured audio into packets, packets into audio that is heard, and the RTCP about both.
///
/// A value with one owner. `init` allocates all that it will ever need; no later call allocates, locks, or touches a
/// reference count, so that all of them may run on the media thread. Audio is 16-bit mono at 48 kHz in pieces of any
/// length up to 120 ms; 10 ms is usual.
package struct MediaSession: ~Copyable, Sendable {
    package internal(set) var configuration: MediaConfiguration
    var random: RandomSource
    let startedAt: Instant
    var counters = MediaStatistics()
    var outgoing = OutgoingPackets()
    var events = MediaEvents()

    // What we send.
    /// Our SSRC.
    package internal(set) var localSource: UInt32
    let canonicalName: CanonicalName
    var sequence: SequenceNumber
    var opusPacketizer: OpusPacketizer
    var waveformEncoder = WaveformEncoder()
    /// The packet that fills.
    var packet = FixedBuffer<Int16>(repeating: 0, count: OpusPacketizer.maximumSampleCount)
    var packetCount = 0
    /// Samples captured, those in `packet` included; begins high enough for a first packet that reaches back.
    var capturedCount: Int64 = 48_000
    var timestampBase: UInt32
    var capturedUntil: Instant
    var isPrimed = false
    var owesMarker = true
    var digits = TelephoneEventSender()
    var digitTones = DigitTones()
    var sentMeter = LevelMeter()
    var keepAliveAt: Instant
    var sentPayloads = SentPayloads()
    /// Reports of the peer in a row that told of no loss.
    var reportsWithoutLoss = Self.forgivingReports

    // What we receive.
    var policy: SourcePolicy
    var bucket: TokenBucket
    var controlBucket: TokenBucket
    var sources = SynchronizationSources()
    var mediaJitter = JitterEstimate()
    var receiveRate: UInt32 = 48_000
    var drift = ClockDrift()
    var digitReceiver = TelephoneEventReceiver()
    var digitDetector = DTMFDetector()
    var jitterBuffer: JitterBuffer
    /// Of streams that were replaced.
    var expectedBefore: UInt64 = 0
    var lostBefore: UInt64 = 0
    /// The host from which a packet with our own SSRC came, RTP or RTCP: a second one from there is a loop, no collision.
    var collidedWith: IPAddress?

    // What is heard.
    var opusDecoder: OpusDecoder
    var waveformDecoder = WaveformDecoder()
    /// The piece that is played, and behind it room for another packet or a longer pitch period.
    var heard = FixedBuffer<Int16>(repeating: 0, count: 2 * OpusDecoder.maximumSampleCount)
    var heardRange = 0..<0
    /// What was decoded of packets and of the copies in others; and how much speech Opus made of how many octets.
    var decodedSamples: UInt64 = 0
    var recoveredSamples: UInt64 = 0
    var speechSamples: UInt64 = 0
    var speechOctets: UInt64 = 0
    var stretch = TimeStretch()
    var gap = ConcealedGap()
    /// What a decoder that went back has to make up before it goes on.
    var owedConcealment = 0
    var playoutClock = PlayoutClock()
    var concealedInARow = 0
    var owesFirstPlayed = true
    var heardMeter = LevelMeter()

    // RTCP.
    var schedule: RTCPSchedule
    var reportedPackets: UInt32 = 0
    var reportedOctets: UInt32 = 0
    var sentSinceReport = false
    var sentBeforeReport = false
    var heardSinceReport = false
    var reportsSent = 0
    var learntControl: SocketAddress?

    // Life.
    var isStopped = false
    var isPaused = false
    var unreachableCount = 0
    var rtpHeardAt: Instant
    var anythingHeardAt: Instant
    var isSilent = false
    var isDead = false

    /// - Parameter random: draws SSRC, first sequence number and timestamp, CNAME and the randomness of the RTCP timer.
    package init(configuration: MediaConfiguration, random: RandomSource, at now: Instant) throws(MediaError) {
        let packetizer = try Self.makePacketizer(configuration.opus, configuration.opusSettings)
        let decoder = try Self.makeDecoder()
        self.init(configuration: configuration, packetizer: packetizer, decoder: decoder, random: random, at: now)
    }

    private init(
        configuration: MediaConfiguration, packetizer: consuming OpusPacketizer, decoder: consuming OpusDecoder,
        random: RandomSource, at now: Instant
    ) {
        opusPacketizer = packetizer
        opusDecoder = decoder
        var random = random
        self.configuration = configuration
        startedAt = now
        localSource = UInt32(truncatingIfNeeded: random.next())
        canonicalName = CanonicalName(random: &random)
        // Below 2^15, so that a first packet that is lost does not hide the first wrap from an SRTP receiver.
        sequence = SequenceNumber(UInt16(truncatingIfNeeded: random.next()) & 0x7fff)
        timestampBase = UInt32(truncatingIfNeeded: random.next())
        capturedUntil = now
        keepAliveAt = configuration.sends ? now + Self.keepAliveInterval : now
        policy = SourcePolicy(
            negotiated: configuration.remoteRTP, signalling: configuration.signallingPeer,
            symmetric: configuration.symmetric, at: now)
        policy.setAlternates(configuration.alternates)
        bucket = TokenBucket(rate: TokenBucket.rate(packetTime: configuration.packetTime), at: now)
        controlBucket = TokenBucket(rate: Self.controlRate, at: now)
        jitterBuffer = JitterBuffer(target: configuration.jitterTarget)
        schedule = RTCPSchedule(at: now, random: &random)
        rtpHeardAt = now
        anythingHeardAt = now
        counters.sendCodec = configuration.sendCodec
        self.random = random
    }

    private static func makePacketizer(
        _ preferences: OpusPreferences, _ settings: OpusSettings
    ) throws(MediaError) -> OpusPacketizer {
        do {
            return try OpusPacketizer(OpusEncoder(preferences: preferences, settings: settings))
        } catch {
            throw .opus(error.code)
        }
    }

    private static func makeDecoder() throws(MediaError) -> OpusDecoder {
        do { return try OpusDecoder() } catch { throw .opus(error.code) }
    }

    /// Takes over what a re-INVITE, an answer, hold or a proven path changed.
    package mutating func update(_ configuration: MediaConfiguration, at now: Instant) {
        let before = self.configuration
        self.configuration = configuration
        let isNewDescription =
            configuration.descriptionNumber != before.descriptionNumber
            || configuration.remoteRTP != before.remoteRTP || configuration.symmetric != before.symmetric
            || configuration.signallingPeer != before.signallingPeer || (before.isOnHold && !configuration.isOnHold)
        if isNewDescription {
            policy.reopen(
                negotiated: configuration.remoteRTP, signalling: configuration.signallingPeer,
                symmetric: configuration.symmetric, at: now)
            sources.believeNext(at: now)
            // Whoever describes its media anew is there, and gets its time: also after long ringing without media.
            restartSilence(at: now)
        }
        if configuration.alternates != before.alternates { policy.setAlternates(configuration.alternates) }
        if configuration.remoteRTCP != before.remoteRTCP { learntControl = nil }
        if configuration.opus != before.opus { opusPacketizer.encoder.apply(configuration.opus) }
        if configuration.sendCodec != before.sendCodec { changeSendCodec(from: before.sendCodec) }
        if configuration.sendPayloadType != before.sendPayloadType || configuration.remoteRTP != before.remoteRTP {
            sentPayloads.removeAll()
        }
        if configuration.packetTime != before.packetTime {
            bucket.setRate(TokenBucket.rate(packetTime: configuration.packetTime))
            packetCount = 0
        }
        jitterBuffer.setTarget(configuration.jitterTarget)
        if configuration.receives != before.receives {
            jitterBuffer.reset()
            heardRange = 0..<0
        }
        if !listensForDigits || !configuration.receives { endHeardDigit() }
        if expectsMedia(configuration) != expectsMedia(before) { restartSilence(at: now) }
        if configuration.sends != before.sends { keepAliveAt = now + Self.keepAliveInterval }
        if canReachPeer && !configuration.sends && counters.sentPackets == 0 { keepAliveAt = min(keepAliveAt, now) }
        if configuration.isPeerTrusted { resumeSending() }
    }

    /// Queues RTCP BYE. Nothing is sent after it.
    package mutating func stop(at now: Instant) {
        guard !isStopped else { return }
        // RFC 3550 §6.3.7: who never sent anything leaves without a word.
        if counters.sentPackets > 0 || reportsSent > 0 { sendReport(isGoodbye: true, at: now) }
        isStopped = true
        digits.removeAll()
        digitTones.removeAll()
    }

    /// Hands one packet that is to be sent to `body` (bytes, destination, whether it goes out of the RTCP socket).
    /// False, without a call of `body`, where none waits.
    package mutating func nextPacket(
        _ body: (_ bytes: Span<UInt8>, _ destination: SocketAddress, _ isRTCP: Bool) -> Void
    ) -> Bool {
        outgoing.removeFirst(body)
    }

    package mutating func nextEvent() -> MediaEvent? {
        events.removeFirst()
    }

    package var statistics: MediaStatistics {
        var result = counters
        let active = sources.activeEntry?.statistics
        result.expected = expectedBefore + UInt64(active?.expected ?? 0)
        result.lost = lostBefore + UInt64(active?.missing ?? 0)
        result.late = jitterBuffer.counters.late
        result.duplicate = jitterBuffer.counters.duplicate
        result.reordered = jitterBuffer.counters.reordered
        result.concealedMilliseconds = jitterBuffer.counters.concealedSamples / 48
        result.jitterMilliseconds = mediaJitter.ticks * 1_000 / Double(max(1, receiveRate))
        result.bufferMilliseconds = max(0, jitterBuffer.delay.milliseconds)
        result.clockDriftPPM = drift.partsPerMillion
        result.sentLevel = sentMeter.level
        result.heardLevel = heardMeter.level
        judge(&result)
        return result
    }
}

package enum MediaError: Error, Equatable, Sendable {
    /// libopus refused to make an encoder or a decoder; its error number.
    case opus(Int32)
}
