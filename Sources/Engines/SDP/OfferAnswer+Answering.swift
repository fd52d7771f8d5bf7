import EngineKit

/// The peer offers, we answer.
extension OfferAnswer {
    /// Takes an offer (RFC 3264 §6, §8); `makeAnswer` then answers it.
    ///
    /// An offer of the same version as the peer's last description should be the same (§8). One that differs is taken
    /// for what it says, as there are phones that hold a call without counting: its answer has to fit it (§6.1).
    /// - Throws: what it is refused for; the state that was agreed stays.
    package mutating func receiveOffer(_ offer: SessionDescription) throws(NegotiationError) {
        guard case .stable = state else { throw .offerOutstanding }
        guard offer.media.count >= max(remoteDescription?.media.count ?? 0, layout.count) else { throw .fewerStreams }
        if case .some = agreed, offer.media.allSatisfy({ $0.port == 0 }) {
            state = .remoteOffer(offer, nil)
            return
        }
        let stream = try RemoteStream.select(
            in: offer, codecs: local.codecs, preferring: layout.isEmpty ? nil : audioIndex, targets: targets)
        state = .remoteOffer(offer, stream)
    }

    /// Answers the peer's offer, with `address` for media where `local` names none.
    ///
    /// Every `m=` line of the offer has its own in the answer; those that we do not take have port 0 (RFC 3264 §6).
    /// - Throws: `noOffer`; `unusableAddress` where the peer's address is of another family than ours, and the offer
    ///   then stays to be refused with `cancelOffer`.
    package mutating func makeAnswer(
        address: IPAddress
    ) throws(NegotiationError) -> (description: SessionDescription, media: AgreedMedia) {
        guard case .remoteOffer(let offer, let stream) = state else { throw .noOffer }
        let address = local.address ?? address
        let outcome: AgreedMedia
        var audio: MediaDescription?
        var said: LocalOffer?
        if let stream {
            outcome = try stream.agreement(with: local, address: address)
            var formats = outcome.receiveFormats
            for event in outcome.receiveTelephoneEvents { formats.append(event) }
            if let redundancy = outcome.receiveRedundancy { formats.append(redundancy) }
            audio = local.section(
                formats: formats, proto: stream.section.proto, direction: outcome.direction, rtcpMux: outcome.rtcpMux)
            assign(formats)
            audioIndex = stream.index
            said = LocalOffer(
                audioIndex: stream.index, streamCount: offer.media.count, formats: formats,
                direction: outcome.direction, media: local, address: address)
        } else {
            guard let agreed else { throw .nothingInCommon }
            outcome = agreed.removed
        }
        let media = offer.media.enumerated().map { index, section in
            if let audio, index == audioIndex { audio } else { section.refused }
        }
        let description = describe(media, address: address, answering: offer)
        state = .stable
        agreed = outcome
        remoteDescription = offer
        layout = description.media
        settled = said.map { Settled(description: description, offer: $0) }
        return (description, outcome)
    }
}

extension RemoteStream {
    /// What an offer of this stream and our answer come to.
    fileprivate func agreement(with local: LocalMedia, address: IPAddress) throws(NegotiationError) -> AgreedMedia {
        guard let format = codecs.first else { throw .nothingInCommon }
        let matching = telephoneEvents.filter { event in codecs.contains { $0.clockRate == event.clockRate } }
        let events = matching.isEmpty ? telephoneEvents : matching
        let redundancy = local.redundancy ? redundancy : nil
        let opus = codecs.first { $0.codec == .opus }
        // Our own wishes stand in the answer, under the peer's numbers: RFC 7587 §7.1 has each side say its own.
        return try AgreedMedia(
            self, format: format, rtcpMux: section.rtcpMux,
            direction: direction.answered(wishing: local.direction),
            receiveFormats: codecs.map { $0.with(parameters: $0.codec == .opus ? local.opus.text : nil) },
            sendTelephoneEvent: telephoneEvent(beside: format, among: events),
            receiveTelephoneEvents: events.map { $0.with(parameters: "0-15") }, sendRedundancy: redundancy,
            receiveRedundancy: opus.flatMap { opus in
                redundancy?.with(parameters: MediaFormat.redundancyParameters(of: opus.payloadType))
            },
            local: local, address: address)
    }
}

extension AgreedMedia {
    /// - Parameters:
    ///   - receiveFormats: codecs of ours that both sides have, as are telephone-events and redundancy.
    ///   - sendRedundancy: the peer's, whatever `format` is.
    /// - Throws: `unusableAddress` where the peer's address is of another family than ours, `forbiddenTarget` where it
    ///   is our own: what we sent would come back to us.
    init(
        _ stream: RemoteStream, format: MediaFormat, rtcpMux: Bool, direction: Direction,
        receiveFormats: [MediaFormat], sendTelephoneEvent: MediaFormat?, receiveTelephoneEvents: [MediaFormat],
        sendRedundancy: MediaFormat?, receiveRedundancy: MediaFormat?, local: LocalMedia, address: IPAddress
    ) throws(NegotiationError) {
        if let target = stream.rtp ?? stream.withheld, target.address.isV4 != address.isV4 {
            throw .unusableAddress(target.address.description)
        }
        func isOurs(_ target: SocketAddress) -> Bool {
            target.address == address && (target.port == local.rtpPort || target.port == local.rtcpPort)
        }
        if let target = stream.rtp, isOurs(target) { throw .forbiddenTarget(target) }
        let rtcp = rtcpMux ? stream.rtp : stream.rtcp.flatMap { isOurs($0) ? nil : $0 }
        self.init(
            remoteRTP: stream.rtp, remoteRTCP: rtcp, withheldTarget: stream.withheld,
            rtcpMux: rtcpMux, direction: direction, isHeldByPeer: !stream.direction.receives, sendFormat: format,
            receiveFormats: receiveFormats, sendTelephoneEvent: sendTelephoneEvent,
            receiveTelephoneEvents: receiveTelephoneEvents,
            sendRedundancy: format.codec == .opus ? sendRedundancy : nil, receiveRedundancy: receiveRedundancy,
            ptime: stream.packetTime(of: format, otherwise: local.ptime), localAddress: address,
            localRTPPort: local.rtpPort, localRTCPPort: local.rtcpPort)
    }

    /// The stream with port 0: neither RTP nor RTCP goes or is taken (RFC 3264 §8.2).
    var removed: AgreedMedia {
        var media = self
        media.remoteRTP = nil
        media.remoteRTCP = nil
        media.withheldTarget = nil
        media.direction = .inactive
        media.isHeldByPeer = true
        return media
    }
}
