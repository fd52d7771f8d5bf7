import EngineKit

/// We offer, the peer answers.
extension OfferAnswer {
    /// Makes an offer (RFC 3264 §5, §8), with `address` for media where `local` names none.
    ///
    /// Streams that were refused before keep their places with port 0.
    /// - Throws: `offerOutstanding`.
    package mutating func makeOffer(address: IPAddress) throws(NegotiationError) -> SessionDescription {
        guard case .stable = state else { throw .offerOutstanding }
        let address = local.address ?? address
        let formats = offeredFormats()
        let direction = offeredDirection
        let known = layout.indices.contains(audioIndex) ? layout[audioIndex] : nil
        let audio = local.section(
            formats: formats, proto: known.map { $0.isPlainRTP ? $0.proto : "RTP/AVP" } ?? "RTP/AVP",
            direction: direction, rtcpMux: agreed?.rtcpMux ?? false)
        var media = layout.map(\.refused)
        if media.indices.contains(audioIndex) {
            media[audioIndex] = audio
        } else {
            audioIndex = media.count
            media.append(audio)
        }
        assign(formats)
        state = .localOffer(
            LocalOffer(
                audioIndex: audioIndex, streamCount: media.count, formats: formats, direction: direction, media: local,
                address: address))
        return describe(media, address: address)
    }

    /// Offers what was agreed on once more, with the version that it has, so that the peer sees that nothing changed
    /// (RFC 4028 §7.4). Where what was last said is not what was agreed on, or our wishes changed, that is a new offer.
    ///
    /// - Throws: `offerOutstanding`.
    package mutating func repeatOffer(address: IPAddress) throws(NegotiationError) -> SessionDescription {
        guard case .stable = state, let settled, settled.description == localDescription,
            settled.offer.media == local, settled.offer.address == local.address ?? address
        else { return try makeOffer(address: address) }
        state = .localOffer(settled.offer)
        return settled.description
    }

    /// Takes the answer to our offer (RFC 3264 §7). In a provisional response it is a preview: the offer stays
    /// outstanding until the final one.
    ///
    /// - Throws: `noOffer`, and what makes the answer unusable. A final answer ends the offer in either case.
    package mutating func receiveAnswer(
        _ answer: SessionDescription, isFinal: Bool = true
    ) throws(NegotiationError) -> AgreedMedia {
        guard case .localOffer(var offer) = state else { throw .noOffer }
        if isFinal { state = .stable }
        let media = try outcome(of: answer, to: offer)
        agreed = media
        if isFinal {
            settle(answer, to: offer)
        } else {
            offer.earlyAnswer = answer
            state = .localOffer(offer)
        }
        return media
    }

    /// Takes the answer of a provisional response as final, where the final response brings none.
    package mutating func acceptEarlyAnswer() -> AgreedMedia? {
        guard case .localOffer(let offer) = state, let answer = offer.earlyAnswer else { return nil }
        state = .stable
        settle(answer, to: offer)
        return agreed
    }

    /// What the outstanding offer lets the peer send before its answer is here (RFC 3264 §5.1); nil without one, and
    /// where we want to receive nothing. Where the peer is stays open: its description would say it.
    package var expectedMedia: AgreedMedia? {
        guard case .localOffer(let offer) = state, offer.direction.receives,
            let format = offer.formats.first(where: { $0.codec != nil })
        else { return nil }
        return AgreedMedia(
            remoteRTP: nil, remoteRTCP: nil, rtcpMux: false, direction: .receiveOnly, sendFormat: format,
            receiveFormats: offer.formats.filter { $0.codec != nil }, sendTelephoneEvent: nil,
            receiveTelephoneEvents: offer.formats.filter(\.isTelephoneEvent),
            receiveRedundancy: offer.formats.first(where: \.isRedundancy), ptime: offer.media.ptime,
            localAddress: offer.address, localRTPPort: offer.media.rtpPort, localRTCPPort: offer.media.rtcpPort)
    }

    private mutating func settle(_ answer: SessionDescription, to offer: LocalOffer) {
        remoteDescription = answer
        audioIndex = offer.audioIndex
        layout = localDescription?.media ?? []
        var repeatable = offer
        repeatable.earlyAnswer = nil
        settled = localDescription.map { Settled(description: $0, offer: repeatable) }
    }

    private func outcome(
        of answer: SessionDescription, to offer: LocalOffer
    ) throws(NegotiationError) -> AgreedMedia {
        guard answer.media.count == offer.streamCount, answer.media.indices.contains(offer.audioIndex) else {
            throw .mismatchedStreams
        }
        let section = answer.media[offer.audioIndex]
        guard section.kind == .audio else { throw .mismatchedStreams }
        if section.port == 0 {
            guard let agreed else { throw .streamRefused }
            return agreed.removed
        }
        guard
            let stream = try RemoteStream(
                at: offer.audioIndex, of: answer, codecs: offer.formats.compactMap(\.codec), targets: targets)
        else { throw .nothingInCommon }
        guard let format = stream.codecs.first else { throw .nothingInCommon }
        let events = stream.telephoneEvents.filter { event in offer.formats.contains { $0.isSameEncoding(as: event) } }
        let redundancy = stream.redundancy.flatMap { offer.formats.contains(where: \.isRedundancy) ? $0 : nil }
        let received = offer.formats.filter { format in
            (stream.codecs + events).contains { $0.isSameEncoding(as: format) }
                || stream.hasRedundancy && format.isRedundancy
        }
        // A peer can only share the port where we said that we would.
        let rtcpMux = section.rtcpMux && (agreed?.rtcpMux ?? false)
        return try AgreedMedia(
            stream, format: format, rtcpMux: rtcpMux,
            direction: Direction(
                sends: offer.direction.sends && stream.direction.receives,
                receives: offer.direction.receives && stream.direction.sends),
            receiveFormats: received.filter { $0.codec != nil },
            sendTelephoneEvent: stream.telephoneEvent(beside: format, among: events),
            receiveTelephoneEvents: received.filter(\.isTelephoneEvent), sendRedundancy: redundancy,
            receiveRedundancy: received.first(where: \.isRedundancy), local: offer.media, address: offer.address)
    }

    /// A stream that the peer holds is held by us with `inactive`, as it was `recvonly` (RFC 3264 §8.4).
    private var offeredDirection: Direction {
        guard local.direction == .sendOnly, let agreed, agreed.isHeldByPeer else { return local.direction }
        return .inactive
    }

    /// Our codecs, then telephone-event at each clock rate among them, then what repeats Opus: behind the codec, as a
    /// peer that puts it first is asked for nothing else.
    private func offeredFormats() -> [MediaFormat] {
        var formats: [MediaFormat] = []
        func add(_ encodingName: String, _ payloadType: UInt8, _ clockRate: UInt32, _ channels: Int, _ text: String?) {
            let wanted = MediaFormat(
                clean: payloadType, encodingName: encodingName, clockRate: clockRate, channels: channels,
                parameters: text)
            formats.append(wanted.with(payloadType: number(for: wanted, besides: formats)))
        }
        for codec in local.codecs {
            add(
                codec.encodingName, codec.payloadType, codec.clockRate, codec.channels,
                codec == .opus ? local.opus.text : nil)
        }
        // That of 8000 always: many peers have no other one, whatever the codec.
        for (number, rate) in [(100, 48_000), (101, 8_000), (102, 16_000)] as [(UInt8, UInt32)]
        where rate == 8_000 || local.codecs.contains(where: { $0.clockRate == rate }) {
            add("telephone-event", number, rate, 1, "0-15")
        }
        if local.redundancy, let opus = formats.first(where: { $0.codec == .opus }) {
            add(
                "red", 121, opus.clockRate, opus.channels, MediaFormat.redundancyParameters(of: opus.payloadType))
        }
        return formats
    }

    /// The payload type that a format has in this session already, else its usual one, else a free one.
    private func number(for wanted: MediaFormat, besides taken: [MediaFormat]) -> UInt8 {
        func isFree(_ number: UInt8) -> Bool {
            !taken.contains { $0.payloadType == number }
                && !assigned.contains { $0.payloadType == number && !$0.isSameEncoding(as: wanted) }
        }
        if wanted.payloadType < 96, isFree(wanted.payloadType) { return wanted.payloadType }
        if let known = assigned.last(where: { $0.isSameEncoding(as: wanted) }), isFree(known.payloadType) {
            return known.payloadType
        }
        if isFree(wanted.payloadType) { return wanted.payloadType }
        return (96...127).first(where: isFree) ?? wanted.payloadType
    }
}
