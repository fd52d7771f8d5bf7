import EngineKit
import Proofs
import Testing

@testable import SDP

/// The peer offers, we answer.
@Suite struct AnswerTests {
    private func answer(
        _ offer: SessionDescription, _ codecs: [CodecKind] = [.opus, .pcmu, .pcma],
        direction: Direction = .sendReceive
    ) throws -> (description: SessionDescription, media: AgreedMedia) {
        var negotiation = negotiation(codecs, direction: direction)
        try negotiation.receiveOffer(offer)
        return try negotiation.makeAnswer(address: ourAddress)
    }

    @Test(.proves(.row(48), .clause("RFC 3264 §6.1")))
    func keepsThePeersOrderAndNumbers() throws {
        let offer = try peer(
            "m=audio 7000 RTP/AVP 18 8 96 0 97 98", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 stereo=1; maxptime=40",
            "a=rtpmap:97 telephone-event/48000", "a=rtpmap:98 telephone-event/8000", "a=ptime:30")
        let (description, media) = try answer(offer)
        #expect(
            description.mediaLines == [
                "m=audio 5004 RTP/AVP 8 96 0 97 98", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 opus/48000/2",
                "a=fmtp:96 useinbandfec=1", "a=rtpmap:0 PCMU/8000", "a=rtpmap:97 telephone-event/48000",
                "a=fmtp:97 0-15", "a=rtpmap:98 telephone-event/8000", "a=fmtp:98 0-15", "a=ptime:20", "a=sendrecv",
            ])
        #expect(media.sendFormat.payloadType == 8)
        #expect(media.receiveFormats.map(\.payloadType) == [8, 96, 0])
        #expect(media.sendTelephoneEvent?.payloadType == 98)
        #expect(media.ptime == 30)
    }

    @Test(.proves(.clause("RFC 3264 §6")))
    func repeatsTheTimingOfTheOffer() throws {
        let offer = try description(
            "v=0", "o=- 1 1 IN IP4 192.0.2.7", "s=-", "c=IN IP4 192.0.2.7", "t=3034423619 3042462419", "r=7d 1h 0 25h",
            "m=audio 7000 RTP/AVP 0")
        #expect(try answer(offer).description.timing.map(\.text) == ["3034423619 3042462419", "7d 1h 0 25h"])
        let bare = try description("v=0", "o=- 1 1 IN IP4 h", "c=IN IP4 192.0.2.7", "m=audio 7000 RTP/AVP 0")
        #expect(try answer(bare).description.timing.map(\.text) == ["0 0"])
    }

    @Test(.proves(.row(45), .clause("RFC 3264 §6")))
    func takesTheFirstAudioThatWillDoAndRefusesTheRestInPlace() throws {
        let offer = try peer(
            "m=video 6000 RTP/AVP 99", "a=rtpmap:99 VP8/90000", "m=audio 6002 RTP/SAVP 0", "m=audio 6004 RTP/AVP 18",
            "m=audio 6006 RTP/AVP 8", "m=audio 6008 RTP/AVP 0", "m=image 6010 udptl t38", "m=hologram 6012 X/Y a b")
        let (description, media) = try answer(offer)
        #expect(
            description.media.map { $0.lines[0].text } == [
                "video 0 RTP/AVP 99", "audio 0 RTP/SAVP 0", "audio 0 RTP/AVP 18", "audio 5004 RTP/AVP 8",
                "audio 0 RTP/AVP 0", "image 0 udptl t38", "hologram 0 X/Y a b",
            ])
        #expect(media.remoteRTP?.port == 6006)
        #expect(try SessionDescription(parsing: description.bytes()) == description)
    }

    @Test func answersDigitsAtEightThousandBesideOpusAlone() throws {
        let offer = try peer(
            "m=audio 7000 RTP/AVP 96 101", "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000")
        let (description, media) = try answer(offer)
        #expect(description.media[0].formats == ["96", "101"])
        #expect(media.sendTelephoneEvent?.payloadType == 101)
        #expect(media.receiveTelephoneEvents.map(\.clockRate) == [8_000])
    }

    @Test func answersTheFeedbackProfileInKind() throws {
        #expect(try answer(peer("m=audio 7000 RTP/AVPF 0")).description.media[0].proto == "RTP/AVPF")
    }

    @Test(.proves(.clause("RFC 5761 §5.1.1")))
    func sharesThePortWhereThePeerOffersIt() throws {
        let (description, media) = try answer(peer("m=audio 7000 RTP/AVP 0", "a=rtcp:7001", "a=rtcp-mux"))
        #expect(description.media[0].rtcpMux)
        #expect(media.rtcpMux && media.remoteRTCP == media.remoteRTP)
        #expect(try !answer(peer("m=audio 7000 RTP/AVP 0")).description.media[0].rtcpMux)
    }

    @Test(.proves(.clause("RFC 3605 §2.1")))
    func sendsRTCPWhereTheOfferSays() throws {
        let media = try answer(peer("m=audio 7000 RTP/AVP 0", "a=rtcp:9000 IN IP4 198.51.100.3")).media
        #expect(media.remoteRTCP == SocketAddress("198.51.100.3:9000"))
        #expect(try answer(peer("m=audio 65535 RTP/AVP 0")).media.remoteRTCP == nil)
    }

    @Test(.proves(.row(46), .clause("RFC 3264 §6.1")), arguments: DirectionTests.table)
    func answersEachDirection(offered: Direction, wish: Direction, expected: Direction) throws {
        let (description, media) = try answer(
            peer("m=audio 7000 RTP/AVP 0", "a=\(offered.rawValue)"), direction: wish)
        #expect(description.direction(of: description.media[0]) == expected)
        #expect(media.direction == expected)
    }

    @Test(.proves(.row(45), .clause("RFC 3264 §8.4")), arguments: ["IN IP4 0.0.0.0", "IN IP6 ::"])
    func sendsNothingToAZeroAddress(connection: String) throws {
        let (description, media) = try answer(peer("m=audio 7000 RTP/AVP 0", "c=\(connection)"))
        #expect(media.remoteRTP == nil && media.remoteRTCP == nil)
        #expect(media.direction == .receiveOnly && media.isHeldByPeer)
        #expect(description.media[0].direction == .receiveOnly)
    }

    /// The peer's `a=ptime` and `a=maxptime`, the codec, and what we then send.
    @Test(
        .proves(.row(48), .incident(13)),
        arguments: [
            ("0", nil, CodecKind.pcmu, 20), ("1", nil, .pcmu, 3), ("30", nil, .pcmu, 30), ("200", nil, .pcmu, 120),
            ("2147483648", nil, .pcmu, 20), ("-1", "-1", .pcmu, 20), ("40", "20", .pcmu, 20), ("30", nil, .opus, 30),
            ("60", nil, .l16, 40),
            ("200", nil, .opus, 120), ("1", nil, .opus, 3), ("20", "10", .opus, 10), ("20", "1", .opus, 3),
        ] as [(String, String?, CodecKind, Int)])
    func sendsPacketsOfATimeThatPeerAndCodecAllow(ptime: String, maxptime: String?, codec: CodecKind, sent: Int) throws
    {
        var lines = wire(["v=0", "o=- 1 1 IN IP4 h", "c=IN IP4 192.0.2.7", "m=audio 7000 RTP/AVP 0 96 97"])
        lines += wire(["a=rtpmap:96 opus/48000/2", "a=rtpmap:97 L16/16000", "a=ptime:\(ptime)"])
        lines += wire(maxptime.map { ["a=maxptime:\($0)"] } ?? [])
        #expect(try answer(SessionDescription(parsing: lines), [codec]).media.ptime == sent)
    }

    @Test(
        .proves(.row(45), .clause("RFC 3264 §6")),
        arguments: [
            (["m=audio 7000 RTP/AVP 18"], NegotiationError.nothingInCommon), ([], .nothingInCommon),
            (["m=audio 0 RTP/AVP 0"], .nothingInCommon), (["m=image 7000 udptl t38"], .nothingInCommon),
            (["m=audio 7000 RTP/SAVP 0"], .nothingInCommon), (["m=Audio 7000 RTP/AVP 0"], .nothingInCommon),
            (["m=audio 7000 RTP/AVP 0", "c=IN IP4 media.example.com"], .unusableAddress("media.example.com")),
            (
                ["m=audio 7000 RTP/AVP 0", "c=IN IP4 media.example.com", "m=audio 7002 RTP/AVP 18"],
                .unusableAddress("media.example.com")
            ),
        ])
    func refusesWhatItCannotCarry(lines: [String], error: NegotiationError) throws {
        var negotiation = negotiation()
        let offer = try SessionDescription(parsing: wire(["v=0", "o=- 1 1 IN IP4 h", "c=IN IP4 192.0.2.7"] + lines))
        #expect(throws: error) { try negotiation.receiveOffer(offer) }
        #expect(!negotiation.hasRemoteOffer)
    }

    @Test func refusesAnAddressOfAnotherFamily() throws {
        var negotiation = negotiation()
        try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", "c=IN IP6 2001:db8::7"))
        #expect(throws: NegotiationError.unusableAddress("2001:db8::7")) {
            try negotiation.makeAnswer(address: ourAddress)
        }
        #expect(
            try negotiation.makeAnswer(address: IPAddress("2001:db8::9") ?? ourAddress).media.remoteRTP?.port == 7000)
    }
}
