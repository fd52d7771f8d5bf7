import AudioCodecs
import EngineKit

/// What offer/answer and the local user agreed for the media of one call. Plain numbers, so that it may travel to the
/// media thread and be replaced there without touching the heap.
package struct MediaConfiguration: Equatable, Sendable {
    /// What we send, under the peer's payload type.
    package var sendCodec: AudioCodec
    package var sendPayloadType: UInt8
    /// What the peer may send, by our payload types.
    package var receiveFormats: ReceiveFormats
    /// Under which payload type the peer takes older audio along with newer (RFC 2198); nil where it does not.
    package var redundancyPayloadType: UInt8?
    /// As what the peer takes telephone-events; nil where it takes none.
    package var sendTelephoneEvent: TelephoneEventFormat?
    /// Our digits go out in the sound and the peer's are listened for in it, whatever events were agreed on.
    package var hasDigitsInSound: Bool
    /// What the peer's `fmtp` line asks of our Opus encoder (RFC 7587 §6.1).
    package var opus: OpusPreferences
    /// How it is made whatever the peer asks for; fixed when the session begins.
    package var opusSettings = OpusSettings()
    /// Milliseconds of audio in a packet that we send, 3...120: brought to the next lower one that the codec has.
    package var packetTime: Int

    /// Our direction: whether we send, and whether we play what comes.
    package var sends: Bool
    package var receives: Bool
    /// On hold by either side: the peer's silence is not judged, and its end reopens the source lock.
    package var isOnHold: Bool

    /// Where the peer's description says that media goes; nil (port 0, `c=0.0.0.0`): nothing is sent.
    package var remoteRTP: SocketAddress?
    package var remoteRTCP: SocketAddress?
    /// Before the answer of a forked call: the addresses of the other early dialogs.
    package var alternates = AlternateSources()
    /// RTP and RTCP share one port (RFC 5761).
    package var usesRTCPMux: Bool
    /// The peer wants to know how we hear it: extended reports with VoIP metrics (RFC 3611 §5.1).
    package var sendsVoIPMetrics = false
    /// From where the peer's signalling comes: one of the sources of media that may be learnt.
    package var signallingPeer: IPAddress?
    package var symmetric: SymmetricPolicy
    /// Counts the session descriptions that the peer sent. Another number than before reopens the source lock.
    package var descriptionNumber: UInt32

    /// What the jitter buffer holds back, at most 500 ms; nil: what the network needs.
    package var jitterTarget: Duration?

    /// False while an automatically answered stranger may be a spoofed address: no RTP or RTCP leaves.
    package var isPathProven: Bool
    /// False where the peer is neither authenticated nor allow-listed nor answered by a person: media to it pauses when
    /// nobody seems to be there.
    package var isPeerTrusted: Bool

    package init(
        codec: AudioCodec, payloadType: UInt8, receiveFormats: ReceiveFormats,
        redundancyPayloadType: UInt8? = nil, sendTelephoneEvent: TelephoneEventFormat? = nil,
        hasDigitsInSound: Bool = false,
        opus: OpusPreferences = OpusPreferences(),
        packetTime: Int = 20, sends: Bool = true, receives: Bool = true, isOnHold: Bool = false,
        remoteRTP: SocketAddress?, remoteRTCP: SocketAddress?, usesRTCPMux: Bool = false,
        signallingPeer: IPAddress? = nil, symmetric: SymmetricPolicy = .auto, descriptionNumber: UInt32 = 0,
        jitterTarget: Duration? = nil, isPathProven: Bool = true, isPeerTrusted: Bool = true
    ) {
        self.sendCodec = codec
        self.sendPayloadType = payloadType
        self.receiveFormats = receiveFormats
        self.redundancyPayloadType = redundancyPayloadType
        self.sendTelephoneEvent = sendTelephoneEvent
        self.hasDigitsInSound = hasDigitsInSound
        self.opus = opus
        self.packetTime = packetTime
        self.sends = sends
        self.receives = receives
        self.isOnHold = isOnHold
        self.remoteRTP = remoteRTP
        self.remoteRTCP = remoteRTCP
        self.usesRTCPMux = usesRTCPMux
        self.signallingPeer = signallingPeer
        self.symmetric = symmetric
        self.descriptionNumber = descriptionNumber
        self.jitterTarget = jitterTarget
        self.isPathProven = isPathProven
        self.isPeerTrusted = isPeerTrusted
    }
}

/// A payload type for telephone-event and the clock rate that its durations count in (RFC 4733 §2.1).
package struct TelephoneEventFormat: Equatable, Sendable {
    package var payloadType: UInt8
    package var clockRate: UInt32

    package init(payloadType: UInt8, clockRate: UInt32) {
        self.payloadType = payloadType
        self.clockRate = clockRate
    }
}

/// Whether our RTP follows a source that was learnt, rather than the negotiated address (RFC 4961).
package enum SymmetricPolicy: UInt8, Equatable, Sendable {
    /// Follows where the peer is seen to sit behind a NAT: the negotiated address from another port, the address of
    /// its signalling, or any address where the negotiated one can't be reached from here.
    case auto
    /// Plays what such sources send, and goes on sending to the negotiated address.
    case never
    /// As `auto`, and a source at any address may be learnt.
    case always
}

/// What comes under each payload type of ours; at most 16.
package struct ReceiveFormats: Sendable {
    package enum Format: Equatable, Sendable {
        case audio(AudioCodec)
        case telephoneEvent(clockRate: UInt32)
        /// Blocks of the other formats (RFC 2198).
        case redundantAudio
    }

    private struct Entry: Equatable, Sendable {
        var payloadType: UInt8
        var format: Format
    }

    private var entries = InlineArray<16, Entry?>(repeating: nil)
    private var count = 0

    package init() {}

    package init(_ formats: KeyValuePairs<UInt8, Format>) {
        for (payloadType, format) in formats { insert(format, payloadType: payloadType) }
    }

    /// Sets the format of a payload type. False where the type is over 127 or the table is full.
    @discardableResult
    package mutating func insert(_ format: Format, payloadType: UInt8) -> Bool {
        guard payloadType < 128 else { return false }
        let entry = Entry(payloadType: payloadType, format: format)
        for index in 0..<count where entries[index]?.payloadType == payloadType {
            entries[index] = entry
            return true
        }
        guard count < entries.count else { return false }
        entries[count] = entry
        count += 1
        return true
    }

    package var hasTelephoneEvents: Bool {
        for index in 0..<count {
            if case .telephoneEvent = entries[index]?.format { return true }
        }
        return false
    }

    package subscript(payloadType: UInt8) -> Format? {
        for index in 0..<count {
            if let entry = entries[index], entry.payloadType == payloadType { return entry.format }
        }
        return nil
    }
}

extension ReceiveFormats: Equatable {
    package static func == (left: ReceiveFormats, right: ReceiveFormats) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left.entries[index] != right.entries[index] { return false }
        return true
    }
}
