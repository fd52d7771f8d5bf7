/// An audio encoding that Offhook can put into RTP.
@usableFromInline
package enum AudioCodec: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// RFC 6716, RFC 7587.
    case opus
    /// G.711 µ-law, RFC 3551 §4.5.14.
    case pcmu
    /// G.711 A-law, RFC 3551 §4.5.14.
    case pcma
    /// G.722, RFC 3551 §4.5.2.
    case g722
    /// Linear at 16 kHz, RFC 3551 §4.5.11.
    case l16

    /// Samples a second of the one audio format inside Offhook: 16-bit linear, mono.
    @inlinable package static var sampleRate: Int { 48_000 }

    /// Ticks a second of the RTP timestamp. Always 48000 for Opus, whatever its audio bandwidth (RFC 7587 §4.1); 8000 for
    /// G.722, though it is of 16 kHz: an old mistake that all keep to (RFC 3551 §4.5.2).
    package var clockRate: UInt32 {
        switch self {
        case .opus: 48_000
        case .l16: 16_000
        case .pcmu, .pcma, .g722: 8_000
        }
    }

    /// How many samples at 48 kHz one tick of the RTP timestamp stands for.
    package var samplesPerTick: Int { Self.sampleRate / Int(clockRate) }

    /// What coding and decoding hold back, framing aside: the look-ahead of Opus; the two filters to another rate, and
    /// with G.722 the two that split its bands and join them.
    package var delay: Duration {
        switch self {
        case .opus: .microseconds(6_500)
        case .pcmu, .pcma, .l16: .milliseconds(4)
        case .g722: .microseconds(5_375)
        }
    }

    /// The name for people and for `stats`.
    package var name: String {
        switch self {
        case .opus: "opus"
        case .pcmu: "pcmu"
        case .pcma: "pcma"
        case .g722: "g722"
        case .l16: "l16"
        }
    }
}
