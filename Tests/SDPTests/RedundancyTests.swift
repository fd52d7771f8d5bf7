import EngineKit
import Proofs
import Testing

@testable import SDP

/// Older audio along with newer, RFC 2198 §5.
@Suite struct RedundancyTests {
    private func negotiation(_ codecs: [CodecKind] = [.opus, .pcmu]) -> OfferAnswer {
        OfferAnswer(local: LocalMedia(rtpPort: 5004, codecs: codecs, redundancy: true), sessionID: 42)
    }

    @Test(.proves(.clause("RFC 2198 §5")))
    func offersItBehindTheCodecsForOpusUnderItsNumber() throws {
        var negotiation = negotiation()
        let offer = try negotiation.makeOffer(address: ourAddress)
        #expect(
            offer.mediaLines == [
                "m=audio 5004 RTP/AVP 111 0 100 101 121", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 useinbandfec=1",
                "a=rtpmap:0 PCMU/8000", "a=rtpmap:100 telephone-event/48000", "a=fmtp:100 0-15",
                "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=rtpmap:121 red/48000/2",
                "a=fmtp:121 111/111", "a=ptime:20", "a=sendrecv",
            ])
        #expect(negotiation.expectedMedia?.receiveRedundancy?.payloadType == 121)
        #expect(negotiation.expectedMedia?.sendRedundancy == nil)
    }

    @Test func doesNotOfferItWithoutOpusOrUnasked() throws {
        var speech = negotiation([.pcmu, .pcma])
        #expect(try speech.makeOffer(address: ourAddress).media[0].formats == ["0", "8", "101"])
        var silent = SDPTests.negotiation([.opus])
        #expect(try silent.makeOffer(address: ourAddress).media[0].formats == ["111", "100", "101"])
    }

    @Test func sendsItByTheAnswersNumberAndTakesItByOurs() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(
            peer(
                "m=audio 7000 RTP/AVP 96 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 RED/48000/2",
                "a=fmtp:97 96/96"))
        #expect(media.sendFormat.payloadType == 96)
        #expect(media.sendRedundancy?.payloadType == 97)
        #expect(media.receiveRedundancy?.payloadType == 121)
        #expect(media.receiveFormats.map(\.payloadType) == [111])
    }

    @Test(arguments: [
        "m=audio 7000 RTP/AVP 111",
        "m=audio 7000 RTP/AVP 111 121\r\na=rtpmap:121 red/8000\r\na=fmtp:121 111/111",
        "m=audio 7000 RTP/AVP 111 121\r\na=fmtp:121 111/111",
    ])
    func doesWithoutWhereTheAnswerTakesNone(media: String) throws {
        let agreed = try agreed(answering: media)
        #expect(agreed.sendFormat.codec == .opus)
        #expect(agreed.sendRedundancy == nil && agreed.receiveRedundancy == nil)
    }

    /// What is said of its blocks is said of what we would send.
    @Test(arguments: [
        "m=audio 7000 RTP/AVP 111 121\r\na=rtpmap:121 red/48000/2",
        "m=audio 7000 RTP/AVP 111 121\r\na=rtpmap:121 red/48000/2\r\na=fmtp:121 111",
        "m=audio 7000 RTP/AVP 111 121\r\na=rtpmap:121 red/48000/2\r\na=fmtp:121 111/0",
        "m=audio 7000 RTP/AVP 111 121\r\na=rtpmap:121 red/48000/2\r\na=fmtp:121 111/111/",
        "m=audio 7000 RTP/AVP 111 121\r\na=rtpmap:121 red/48000/2\r\na=fmtp:121 111/367",
        "m=audio 7000 RTP/AVP 111 121\r\na=rtpmap:121 red/48000/2\r\na=fmtp:121 "
            + Array(repeating: "111", count: 10).joined(separator: "/"),
    ])
    func takesWhatItOffersWhereTheAnswerIsOfOtherBlocks(media: String) throws {
        let agreed = try agreed(answering: media)
        #expect(agreed.sendRedundancy == nil && agreed.receiveRedundancy?.payloadType == 121)
    }

    private func agreed(answering media: String) throws -> AgreedMedia {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let lines = media.split(separator: "\r\n").map(String.init) + ["a=rtpmap:111 opus/48000/2"]
        return try negotiation.receiveAnswer(
            SessionDescription(
                parsing: wire(["v=0", "o=peer 7 1 IN IP4 192.0.2.7", "s=-", "c=IN IP4 192.0.2.7", "t=0 0"] + lines)))
    }

    @Test(.proves(.clause("RFC 2198 §5")))
    func answersItUnderThePeersNumbers() throws {
        // As browsers write it, who put it before the codec.
        let offer = try peer(
            "m=audio 7000 RTP/AVP 63 111 0", "a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111/111",
            "a=rtpmap:111 opus/48000/2")
        var negotiation = negotiation()
        try negotiation.receiveOffer(offer)
        let (answer, media) = try negotiation.makeAnswer(address: ourAddress)
        #expect(
            answer.mediaLines == [
                "m=audio 5004 RTP/AVP 111 0 63", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 useinbandfec=1",
                "a=rtpmap:0 PCMU/8000", "a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111", "a=ptime:20", "a=sendrecv",
            ])
        #expect(media.sendRedundancy?.payloadType == 63 && media.receiveRedundancy?.payloadType == 63)
        // Who does not want it does not answer it.
        var plain = SDPTests.negotiation()
        try plain.receiveOffer(offer)
        let refused = try plain.makeAnswer(address: ourAddress)
        #expect(refused.description.media[0].formats == ["111", "0"] && refused.media.sendRedundancy == nil)
    }

    @Test func sendsNoneBesideAnotherCodecThanOpus() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(
            peer(
                "m=audio 7000 RTP/AVP 0 111 121", "a=rtpmap:111 opus/48000/2", "a=rtpmap:121 red/48000/2",
                "a=fmtp:121 111/111"))
        #expect(media.sendFormat.codec == .pcmu && media.sendRedundancy == nil)
        #expect(media.receiveRedundancy?.payloadType == 121)
    }

    @Test func keepsItsNumberAcrossOffers() throws {
        var negotiation = negotiation()
        try negotiation.receiveOffer(
            peer(
                "m=audio 7000 RTP/AVP 96 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 red/48000/2",
                "a=fmtp:97 96/96"))
        _ = try negotiation.makeAnswer(address: ourAddress)
        let offer = try negotiation.makeOffer(address: ourAddress)
        #expect(offer.media[0].formats == ["96", "0", "100", "101", "97"])
        #expect(offer.mediaLines.contains("a=fmtp:97 96/96"))
    }
}
