/// The format parameters of Opus (RFC 7587 §6.1): wishes of a receiver, and with `sprop-` hints of a sender.
///
/// A value that is ill-formed or out of its range counts as absent, and an unknown parameter is ignored (§7.1).
package struct OpusParameters: Hashable, Sendable {
    /// The highest sampling rate that the receiver can play, in Hz: 8000 ... 48000.
    package var maxPlaybackRate = 48_000
    /// The highest sampling rate that the sender is likely to capture, in Hz: 8000 ... 48000.
    package var spropMaxCaptureRate = 48_000
    /// The highest average rate that the receiver wants, in bits per second: 6000 ... 510000.
    package var maxAverageBitrate: Int?
    package var stereo = false
    package var spropStereo = false
    package var cbr = false
    package var useInbandFEC = false
    package var useDTX = false
    /// Packet times in milliseconds. RFC 7587 §7 maps these to `a=ptime` and `a=maxptime`; many phones write them
    /// here, and `minptime` of the drafts before it too.
    package var ptime: Int?
    package var maxptime: Int?
    package var minptime: Int?

    package init() {}

    /// Reads the value of `a=fmtp` behind the payload type.
    package init(parsing text: String) {
        for piece in Array(text.utf8)[...].split(separator: UInt8(ascii: ";")) {
            let (name, rest) = piece.cut(at: UInt8(ascii: "="))
            guard let value = rest?.trimmed.decimal(Int.self) else { continue }
            set(name.trimmed.text.lowercased(), to: value)
        }
    }

    private mutating func set(_ name: String, to value: Int) {
        switch name {
        case "maxplaybackrate" where (8_000...48_000).contains(value): maxPlaybackRate = value
        case "sprop-maxcapturerate" where (8_000...48_000).contains(value): spropMaxCaptureRate = value
        case "maxaveragebitrate" where (6_000...510_000).contains(value): maxAverageBitrate = value
        case "stereo" where value <= 1: stereo = value == 1
        case "sprop-stereo" where value <= 1: spropStereo = value == 1
        case "cbr" where value <= 1: cbr = value == 1
        case "useinbandfec" where value <= 1: useInbandFEC = value == 1
        case "usedtx" where value <= 1: useDTX = value == 1
        case "ptime" where (1...200).contains(value): ptime = value
        case "maxptime" where (1...200).contains(value): maxptime = value
        case "minptime" where (1...120).contains(value): minptime = value
        default: break
        }
    }

    /// The value of `a=fmtp` behind the payload type: what differs from the defaults; nil where nothing does.
    package var text: String? {
        var pieces: [String] = []
        if maxPlaybackRate != 48_000 { pieces.append("maxplaybackrate=\(maxPlaybackRate)") }
        if spropMaxCaptureRate != 48_000 { pieces.append("sprop-maxcapturerate=\(spropMaxCaptureRate)") }
        if let maxAverageBitrate { pieces.append("maxaveragebitrate=\(maxAverageBitrate)") }
        if stereo { pieces.append("stereo=1") }
        if spropStereo { pieces.append("sprop-stereo=1") }
        if cbr { pieces.append("cbr=1") }
        if useInbandFEC { pieces.append("useinbandfec=1") }
        if useDTX { pieces.append("usedtx=1") }
        if let minptime { pieces.append("minptime=\(minptime)") }
        return pieces.isEmpty ? nil : pieces.joined(separator: ";")
    }
}
