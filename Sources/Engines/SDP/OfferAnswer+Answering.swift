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
        if agreed != nil, offer.media.allSatisfy({ $0.port == 0 }) {
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
            outcome = try self.outcome(of: stream, address: address)
            let formats =
                outcome.receiveFormats + outcome.receiveTelephoneEvents + [outcome.receiveRedundancy].compactMap { $0 }
            audio = section(
                formats: formats, proto: stream.section.proto, direction: outcome.direction, media: local,
                rtcpMux: outcome.rtcpMux)
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
        let description = describe(media, address: address, timing: offer.timing)
        state = .stable
        agreed = outcome
        remoteDescription = offer
        layout = description.media
        settled = said.map { Settled(description: description, offer: $0) }
        return (description, outcome)
    }

    private func outcome(of stream: RemoteStream, address: IPAddress) throws(NegotiationError) -> AgreedMedia {
        guard let format = stream.codecs.first else { throw .nothingInCommon }
        // Our own wishes stand in the answer, under the peer's numbers: RFC 7587 §7.1 has each side say its own.
        let formats = stream.codecs.map { $0.codec == .opus ? $0.with(parameters: local.opus.text) : $0.plain }
        let rates = stream.codecs.map(\.clockRate)
        let matching = stream.telephoneEvents.filter { rates.contains($0.clockRate) }
        let events = matching.isEmpty ? stream.telephoneEvents : matching
        let redundancy = local.redundancy ? stream.redundancy : nil
        let ours = zip([redundancy].compactMap { $0 }, stream.codecs.filter { $0.codec == .opus }).map {
            $0.with(parameters: MediaFormat.redundancyParameters(of: $1.payloadType))
        }
        return try AgreedMedia(
            stream, format: format, rtcpMux: stream.section.rtcpMux,
            direction: stream.direction.answered(wishing: local.direction),
            receiveFormats: formats + events.map { $0.with(parameters: "0-15") } + ours,
            sendTelephoneEvent: stream.telephoneEvent(beside: format, among: events), redundancy: redundancy,
            local: local, address: address)
    }
}

extension MediaFormat {
    fileprivate var plain: MediaFormat { with(parameters: nil) }
}

extension AgreedMedia {
    /// - Parameters:
    ///   - receiveFormats: codecs, telephone-events and redundancy of ours that both sides have.
    ///   - redundancy: the peer's.
    /// - Throws: `unusableAddress` where the peer's address is of another family than ours, `forbiddenTarget` where it
    ///   is our own: what we sent would come back to us.
    init(
        _ stream: RemoteStream, format: MediaFormat, rtcpMux: Bool, direction: Direction,
        receiveFormats: [MediaFormat], sendTelephoneEvent: MediaFormat?, redundancy: MediaFormat?,
        local: LocalMedia, address: IPAddress
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
            receiveFormats: receiveFormats.filter { $0.codec != nil }, sendTelephoneEvent: sendTelephoneEvent,
            receiveTelephoneEvents: receiveFormats.filter(\.isTelephoneEvent),
            sendRedundancy: format.codec == .opus ? redundancy : nil,
            receiveRedundancy: receiveFormats.first(where: \.isRedundancy),
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
