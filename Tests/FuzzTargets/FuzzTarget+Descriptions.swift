import EngineKit
import SDP

extension FuzzTarget {
    private static let ourAddress = IPAddress.v4(0xc000_0209)
    private static let peerAddress = IPAddress.v4(0xc000_0207)

    private static func session() -> OfferAnswer {
        OfferAnswer(
            local: LocalMedia(rtpPort: 5004, codecs: [.opus, .pcmu, .pcma], redundancy: true), sessionID: 42,
            targets: MediaTargetPolicy(signallingSource: peerAddress))
    }

    /// A session description: written back byte for byte; as an offer and as an answer it agrees on media or does not.
    static func description(_ bytes: [UInt8]) throws(Fault) {
        let isRefused = DescriptionSurvey.faults(in: bytes).contains(where: \.isRefused)
        guard let description = try? SessionDescription(parsing: bytes) else {
            return try check(isRefused, "refused, and no fault of it is named")
        }
        try check(!isRefused, "a fault that is none")
        let written = description.bytes()
        guard let read = try? SessionDescription(parsing: written) else {
            throw Fault(description: "written it can not be read")
        }
        try check(read == description && read.bytes() == written, "written and read it is another")
        var offering = session()
        if (try? offering.makeOffer(address: ourAddress)) != nil { _ = try? offering.receiveAnswer(description) }
        var answering = session()
        try offered(description, to: &answering)
    }

    /// Descriptions of a peer one after another, with what both sides do between them. An octet says what comes and
    /// two how long it is.
    static func negotiation(_ bytes: [UInt8]) throws(Fault) {
        var input = FuzzInput(bytes)
        var session = session()
        for _ in 0..<16 where !input.isAtEnd {
            let step = input.byte()
            let length = Int(input.byte()) << 8 | Int(input.byte())
            let peer = try? SessionDescription(parsing: Array(input.take(length)))
            switch step % 6 {
            case 0: if let peer { try offered(peer, to: &session) }
            case 1:
                guard let offer = try? session.makeOffer(address: ourAddress) else { continue }
                try isReadBack(offer)
                if let peer { _ = try? session.receiveAnswer(peer) }
            case 2:
                if let offer = try? session.repeatOffer(address: ourAddress) { try isReadBack(offer) }
            case 3: session.cancelOffer()
            case 4: _ = session.acceptEarlyAnswer()
            default: if let peer { try isReadBack(session.refuse(peer, address: ourAddress)) }
            }
        }
    }

    private static func offered(_ offer: SessionDescription, to session: inout OfferAnswer) throws(Fault) {
        guard (try? session.receiveOffer(offer)) != nil,
            let (answer, media) = try? session.makeAnswer(address: ourAddress)
        else { return }
        try isReadBack(answer)
        try check(answer.media.count == offer.media.count, "the answer has other media lines than the offer")
        try check((3...120).contains(media.ptime), "a packet time of \(media.ptime) ms")
        let formats =
            media.receiveFormats + media.receiveTelephoneEvents + [media.receiveRedundancy].compactMap { $0 }
        try check(formats.allSatisfy { $0.payloadType < 128 }, "a payload type above 127")
    }

    private static func isReadBack(_ description: SessionDescription) throws(Fault) {
        try check((try? SessionDescription(parsing: description.bytes())) == description, "ours can not be read back")
    }
}
