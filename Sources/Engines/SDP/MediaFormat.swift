/// What an RTP payload type stands for: `a=rtpmap` and `a=fmtp`, or RFC 3551's table (RFC 8866 §6.6, §6.15).
package struct MediaFormat: Hashable, Sendable {
    /// 0 ... 127.
    package private(set) var payloadType: UInt8
    /// As written; compared without regard to letter case.
    package let encodingName: String
    /// Ticks of the RTP timestamp a second.
    package let clockRate: UInt32
    package let channels: Int
    /// The format's parameters as written in `a=fmtp`.
    package private(set) var parameters: String?
    /// The codec of ours that this format is; nil for telephone-event and all that we do not speak.
    package let codec: CodecKind?

    /// Nil where the payload type does not fit 7 bits or a text could not stand on a line.
    package init?(
        payloadType: UInt8, encodingName: String, clockRate: UInt32, channels: Int = 1, parameters: String? = nil
    ) {
        guard payloadType < 128, channels > 0, Array(encodingName.utf8)[...].isToken,
            Array((parameters ?? "").utf8)[...].isByteString
        else { return nil }
        self.init(
            clean: payloadType, encodingName: encodingName, clockRate: clockRate, channels: channels,
            parameters: parameters)
    }

    /// As the failable initializer, for pieces that are known to be clean.
    init(
        clean payloadType: UInt8, encodingName: String, clockRate: UInt32, channels: Int = 1, parameters: String? = nil
    ) {
        self.payloadType = payloadType
        self.encodingName = encodingName
        self.clockRate = clockRate
        self.channels = channels
        self.parameters = parameters
        codec = CodecKind.allCases.first { $0.isCarried(encodingName, clockRate, channels) }
    }

    /// Reads the value of `a=rtpmap`: `96 opus/48000/2`.
    init?(parsingRTPMap value: ArraySlice<UInt8>) {
        guard let payloadType = value.word(0).decimal(UInt8.self), payloadType < 128 else { return nil }
        let (name, rates) = value.word(1).cut(at: UInt8(ascii: "/"))
        guard name.isToken, let (rate, rest) = rates?.cut(at: UInt8(ascii: "/")),
            let clockRate = rate.decimal(UInt32.self), clockRate > 0
        else { return nil }
        let channels = rest?.cut(at: UInt8(ascii: "/")).head.decimal(UInt8.self) ?? 1
        self.init(clean: payloadType, encodingName: name.text, clockRate: clockRate, channels: max(1, Int(channels)))
    }

    func with(parameters: String?) -> MediaFormat {
        var format = self
        format.parameters = parameters
        return format
    }

    func with(payloadType: UInt8) -> MediaFormat {
        var format = self
        format.payloadType = payloadType & 127
        return format
    }

    /// RFC 4733, at the clock rates that we carry digits in.
    package var isTelephoneEvent: Bool {
        encodingName.isSameToken(as: "telephone-event") && (clockRate == 8_000 || clockRate == 48_000)
    }

    /// Whether it takes older packets of the Opus that has the payload type along with newer ones (RFC 2198 §5): its
    /// parameters name what each block is, the newest first, and nothing else is among them.
    func isRedundancy(of opus: UInt8) -> Bool {
        guard isRedundancy, let parameters else { return false }
        let blocks = Array(parameters.utf8)[...].trimmed.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return (2...9).contains(blocks.count) && blocks.allSatisfy { $0.decimal(UInt8.self) == opus }
    }

    /// One older packet along with each.
    static func redundancyParameters(of opus: UInt8) -> String { "\(opus)/\(opus)" }

    /// RFC 2198 at the clock rate of Opus.
    package var isRedundancy: Bool {
        encodingName.isSameToken(as: "red") && clockRate == CodecKind.opus.clockRate
            && channels == CodecKind.opus.channels
    }

    /// The wishes of an Opus receiver; nil for other formats.
    package var opus: OpusParameters? {
        codec == .opus ? OpusParameters(parsing: parameters ?? "") : nil
    }

    /// Whether payload type aside this is the same format.
    func isSameEncoding(as other: MediaFormat) -> Bool {
        encodingName.isSameToken(as: other.encodingName) && clockRate == other.clockRate && channels == other.channels
    }

    /// Writes the value of `a=rtpmap`; the channel count is left out where it is 1 (RFC 8866 §6.6).
    func writeMap(to bytes: inout [UInt8]) {
        bytes += "rtpmap:".utf8
        bytes.append(decimal: payloadType)
        bytes.append(UInt8(ascii: " "))
        bytes += encodingName.utf8
        bytes.append(UInt8(ascii: "/"))
        bytes.append(decimal: clockRate)
        guard channels != 1 else { return }
        bytes.append(UInt8(ascii: "/"))
        bytes.append(decimal: UInt(channels))
    }

    /// Writes the value of `a=fmtp`.
    func writeParameters(to bytes: inout [UInt8]) {
        bytes += "fmtp:".utf8
        bytes.append(decimal: payloadType)
        bytes.append(UInt8(ascii: " "))
        bytes += (parameters ?? "").utf8
    }

    /// What RFC 3551 §6 says of a payload type that a description names without an `a=rtpmap`.
    static func registered(_ payloadType: UInt8) -> MediaFormat? {
        switch payloadType {
        case 0: MediaFormat(clean: 0, encodingName: "PCMU", clockRate: 8_000)
        case 3: MediaFormat(clean: 3, encodingName: "GSM", clockRate: 8_000)
        case 4: MediaFormat(clean: 4, encodingName: "G723", clockRate: 8_000)
        case 5: MediaFormat(clean: 5, encodingName: "DVI4", clockRate: 8_000)
        case 6: MediaFormat(clean: 6, encodingName: "DVI4", clockRate: 16_000)
        case 7: MediaFormat(clean: 7, encodingName: "LPC", clockRate: 8_000)
        case 8: MediaFormat(clean: 8, encodingName: "PCMA", clockRate: 8_000)
        case 9: MediaFormat(clean: 9, encodingName: "G722", clockRate: 8_000)
        case 10: MediaFormat(clean: 10, encodingName: "L16", clockRate: 44_100, channels: 2)
        case 11: MediaFormat(clean: 11, encodingName: "L16", clockRate: 44_100)
        case 12: MediaFormat(clean: 12, encodingName: "QCELP", clockRate: 8_000)
        case 13: MediaFormat(clean: 13, encodingName: "CN", clockRate: 8_000)
        case 14: MediaFormat(clean: 14, encodingName: "MPA", clockRate: 90_000)
        case 15: MediaFormat(clean: 15, encodingName: "G728", clockRate: 8_000)
        case 16: MediaFormat(clean: 16, encodingName: "DVI4", clockRate: 11_025)
        case 17: MediaFormat(clean: 17, encodingName: "DVI4", clockRate: 22_050)
        case 18: MediaFormat(clean: 18, encodingName: "G729", clockRate: 8_000)
        case 25: MediaFormat(clean: 25, encodingName: "CelB", clockRate: 90_000)
        case 26: MediaFormat(clean: 26, encodingName: "JPEG", clockRate: 90_000)
        case 28: MediaFormat(clean: 28, encodingName: "nv", clockRate: 90_000)
        case 31: MediaFormat(clean: 31, encodingName: "H261", clockRate: 90_000)
        case 32: MediaFormat(clean: 32, encodingName: "MPV", clockRate: 90_000)
        case 33: MediaFormat(clean: 33, encodingName: "MP2T", clockRate: 90_000)
        case 34: MediaFormat(clean: 34, encodingName: "H263", clockRate: 90_000)
        default: nil
        }
    }
}

/// A codec that we can negotiate.
package enum CodecKind: String, Hashable, Sendable, CaseIterable {
    case opus
    case g722 = "G722"
    case pcmu = "PCMU"
    case pcma = "PCMA"
    /// Of 16 kHz, mono: what is lost of wide-band speech in nothing but packets.
    case l16 = "L16"

    /// What a phone offers that was not told otherwise, the best first. Not L16, which takes the room of ten calls.
    package static let standard: [CodecKind] = [.opus, .g722, .pcmu, .pcma]

    package var encodingName: String { rawValue }

    package var clockRate: UInt32 {
        switch self {
        case .opus: 48_000
        case .l16: 16_000
        case .g722, .pcmu, .pcma: 8_000
        }
    }

    /// Of the `a=rtpmap`: 2 for Opus whatever is sent (RFC 7587 §7).
    package var channels: Int { self == .opus ? 2 : 1 }

    /// The number that we give it in an offer: RFC 3551's, else one that no other default of ours uses.
    var payloadType: UInt8 {
        switch self {
        case .opus: 111
        case .pcmu: 0
        case .pcma: 8
        case .g722: 9
        case .l16: 118
        }
    }

    /// Whether an `a=rtpmap` names this codec.
    fileprivate func isCarried(_ encodingName: String, _ clockRate: UInt32, _ channels: Int) -> Bool {
        clockRate == self.clockRate && channels == self.channels && encodingName.isSameToken(as: self.encodingName)
    }

    /// The longest packet, in milliseconds, that the codec makes of whole frames and that is not above `wish`.
    ///
    /// `wish` is held to 3 ... 120 ms first. Several frames of Opus may share a packet (RFC 7587 §4.2). Its 3 is its 2.5 ms frame, rounded up as RFC 7587 §6.1 has it.
    package func packetTime(notAbove wish: Int) -> Int {
        let wish = min(max(wish, 3), 120)
        switch self {
        case .pcmu, .pcma, .g722: return wish
        // More would not fit an Ethernet frame.
        case .l16: return min(wish, 40)
        case .opus: return wish >= 10 ? wish / 10 * 10 : wish >= 5 ? 5 : 3
        }
    }
}
