/// An audio encoding that Offhook can put into RTP.
package enum AudioCodec: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// RFC 6716, RFC 7587.
    case opus
    /// G.711 µ-law, RFC 3551 §4.5.14.
    case pcmu
    /// G.711 A-law, RFC 3551 §4.5.14.
    case pcma

    /// Samples a second of the one audio format inside Offhook: 16-bit linear, mono.
    package static let sampleRate = 48_000

    /// Ticks a second of the RTP timestamp. Always 48000 for Opus, whatever its audio bandwidth (RFC 7587 §4.1).
    package var clockRate: UInt32 {
        switch self {
        case .opus: 48_000
        case .pcmu, .pcma: 8_000
        }
    }

    /// How many samples at 48 kHz one tick of the RTP timestamp stands for.
    package var samplesPerTick: Int {
        switch self {
        case .opus: 1
        case .pcmu, .pcma: 6
        }
    }

    /// What coding and decoding hold back, framing aside: the look-ahead of Opus, the two filters of G.711.
    package var delay: Duration {
        switch self {
        case .opus: .microseconds(6_500)
        case .pcmu, .pcma: .milliseconds(4)
        }
    }

    /// The name for people and for `stats`.
    package var name: String {
        switch self {
        case .opus: "opus"
        case .pcmu: "pcmu"
        case .pcma: "pcma"
        }
    }
}
