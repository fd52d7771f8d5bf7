import AudioCodecs
import EngineKit
import RTPMedia
import SDP
import SIPUserAgent

/// What the signalling agreed on, in the words of the media engine.
extension MediaConfiguration {
    /// - Parameters:
    ///   - descriptionNumber: counts the descriptions that the peer sent.
    ///   - isPeerTrusted: false for a caller whom nobody vouches for and no person answered.
    init?(_ agreement: MediaAgreement, descriptionNumber: UInt32, isPeerTrusted: Bool) {
        let media = agreement.media
        guard let codec = media.sendFormat.codec.map(AudioCodec.init) else { return nil }
        var formats = ReceiveFormats()
        for format in media.receiveFormats {
            guard let codec = format.codec.map(AudioCodec.init) else { continue }
            formats.insert(.audio(codec), payloadType: format.payloadType)
        }
        for format in media.receiveTelephoneEvents {
            formats.insert(.telephoneEvent(clockRate: format.clockRate), payloadType: format.payloadType)
        }
        if let format = media.receiveRedundancy { formats.insert(.redundantAudio, payloadType: format.payloadType) }
        self.init(
            codec: codec, payloadType: media.sendFormat.payloadType, receiveFormats: formats,
            redundancyPayloadType: media.sendRedundancy?.payloadType,
            sendTelephoneEvent: media.sendTelephoneEvent.map {
                TelephoneEventFormat(payloadType: $0.payloadType, clockRate: $0.clockRate)
            },
            opus: media.sendFormat.opus.map(OpusPreferences.init) ?? OpusPreferences(),
            packetTime: media.ptime, sends: media.direction.sends, receives: media.direction.receives,
            isOnHold: media.direction != .sendReceive, remoteRTP: media.remoteRTP, remoteRTCP: media.remoteRTCP,
            usesRTCPMux: media.rtcpMux, signallingPeer: agreement.signallingPeer.address,
            descriptionNumber: descriptionNumber, isPathProven: agreement.mayTransmit, isPeerTrusted: isPeerTrusted)
    }
}

extension AudioCodec {
    init(_ kind: CodecKind) {
        switch kind {
        case .opus: self = .opus
        case .pcmu: self = .pcmu
        case .pcma: self = .pcma
        case .g722: self = .g722
        case .l16: self = .l16
        }
    }
}

extension OpusPreferences {
    init(_ parameters: OpusParameters) {
        self.init(
            maximumBitRate: parameters.maxAverageBitrate, maximumPlaybackRate: parameters.maxPlaybackRate,
            usesInBandFEC: parameters.useInbandFEC, usesDTX: parameters.useDTX,
            usesConstantBitRate: parameters.cbr)
    }
}
