import AudioCodecs

/// A snapshot of what one call's media did. Counters run from the start of the `MediaSession`.
package struct MediaStatistics: Equatable, Sendable {
    package var sendCodec: AudioCodec = .opus
    /// What the packets that are played are coded in; nil before the first.
    package var receiveCodec: AudioCodec?

    /// RTP packets, and the octets of their payloads.
    package var sentPackets: UInt64 = 0
    package var sentOctets: UInt64 = 0
    package var receivedPackets: UInt64 = 0
    package var receivedOctets: UInt64 = 0

    /// Packets that never came: expected less received, duplicates not counted as received (RFC 3550 A.3).
    package var lost: UInt64 = 0
    package var expected: UInt64 = 0
    /// Packets that came after their time to be played.
    package var late: UInt64 = 0
    package var duplicate: UInt64 = 0
    package var reordered: UInt64 = 0
    /// Audio that had to be made up, and packets that forward error correction brought back.
    package var concealedMilliseconds: UInt64 = 0
    package var recoveredByFEC: UInt64 = 0

    /// Interarrival jitter (RFC 3550 A.8).
    package var jitterMilliseconds: Double = 0
    /// What the jitter buffer really held back for the packets of the last half second, at the least.
    package var bufferMilliseconds: Double = 0
    /// From the RTCP of the peer (RFC 3550 §6.4.1); nil before its first report on us.
    package var roundTripMilliseconds: Double?
    /// From mouth to ear: the peer's packet and codec, half the round trip and what is held here, without sound cards. Nil
    /// before the first report and the first packet.
    package var latencyMilliseconds: Double?
    /// How people would judge it, by the E-model of the whole call: who only listens (MOS-LQ, nil before anything was
    /// heard), and who talks too (MOS-CQ, nil where the latency is not known).
    package var listeningMOS: Double?
    package var conversationalMOS: Double?
    /// What the peer last said that it lost of ours, 0...1, and the jitter that it saw.
    package var remoteFractionLost: Double?
    package var remoteJitterMilliseconds: Double?
    /// How the peer said that it hears us; nil where it sends no VoIP metrics.
    package var remoteMetrics: VoIPMetrics?
    /// The peer's clock against ours in parts per million; nil in the first 10 s.
    package var clockDriftPPM: Double?

    /// RMS of the last 100 ms in dBFS as AES17 counts (a full-scale sine is 0); `LevelMeter.floor` is digital silence.
    package var sentLevel: Double = LevelMeter.floor
    package var heardLevel: Double = LevelMeter.floor

    /// Packets that were not media of this call, by reason.
    package var refused = RefusedPackets()

    package init() {}

    /// Percent of the expected packets.
    package var lossPercent: Double {
        expected == 0 ? 0 : 100 * Double(lost) / Double(expected)
    }
}

/// Why packets were dropped unheard.
package struct RefusedPackets: Equatable, Sendable {
    /// Not RTP or RTCP.
    package var malformed: UInt64 = 0
    /// From an address that is not the peer's.
    package var foreignSource: UInt64 = 0
    /// Over the packet rate.
    package var rateLimited: UInt64 = 0
    /// A payload type that was not negotiated.
    package var unknownPayloadType: UInt64 = 0
    /// An SSRC still on probation, a sequence number out of range, or our own SSRC.
    package var invalidSource: UInt64 = 0

    package init() {}
}
