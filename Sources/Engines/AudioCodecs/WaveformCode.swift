/// How a codec writes down the waveform itself, sample by sample, without frames.
package enum WaveformCode: UInt8, Equatable, Sendable {
    /// G.711: 8 bits a sample.
    case muLaw
    case aLaw
    /// G.722 at 64 kbit/s: 8 bits for two samples.
    case g722
    /// 16 bits a sample, the most significant first (RFC 3551 §4.5.11).
    case linear

    package var band: SpeechBand {
        switch self {
        case .muLaw, .aLaw: .narrow
        case .g722, .linear: .wide
        }
    }

    /// Octets that stand for a number of the band's samples; nil where there is no whole number of them.
    func octets(of samples: Int) -> Int? {
        switch self {
        case .muLaw, .aLaw: samples
        case .g722: samples.isMultiple(of: 2) ? samples / 2 : nil
        case .linear: 2 * samples
        }
    }

    /// The band's samples that a number of octets stand for; nil where that is none.
    func samples(of octets: Int) -> Int? {
        switch self {
        case .muLaw, .aLaw: octets
        case .g722: 2 * octets
        case .linear: octets.isMultiple(of: 2) ? octets / 2 : nil
        }
    }
}

extension AudioCodec {
    /// Nil for a codec of frames.
    package var waveformCode: WaveformCode? {
        switch self {
        case .opus: nil
        case .pcmu: .muLaw
        case .pcma: .aLaw
        case .g722: .g722
        case .l16: .linear
        }
    }
}
