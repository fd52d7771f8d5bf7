import EngineKit
import Proofs
import Testing

@testable import SDP

/// We offer, the peer answers.
@Suite struct OfferTests {
    @Test func offersEveryCodecWithDigitsAtEachClockRate() throws {
        var negotiation = negotiation()
        let offer = try negotiation.makeOffer(address: ourAddress)
        #expect(
            offer.text == """
                v=0\r
                o=- 42 1 IN IP4 192.0.2.9\r
                s=-\r
                c=IN IP4 192.0.2.9\r
                t=0 0\r
                m=audio 5004 RTP/AVP 111 0 8 100 101\r
                a=rtpmap:111 opus/48000/2\r
                a=fmtp:111 useinbandfec=1\r
                a=rtpmap:0 PCMU/8000\r
                a=rtpmap:8 PCMA/8000\r
                a=rtpmap:100 telephone-event/48000\r
                a=fmtp:100 0-15\r
                a=rtpmap:101 telephone-event/8000\r
                a=fmtp:101 0-15\r
                a=ptime:20\r
                a=sendrecv\r\n
                """)
        #expect(try SessionDescription(parsing: offer.bytes()) == offer)
        #expect(negotiation.hasLocalOffer)
    }

    @Test(arguments: [
        ([CodecKind.opus], ["111", "100", "101"]), ([.pcma], ["8", "101"]),
        ([.g722, .l16], ["9", "118", "101", "102"]), ([.pcmu, .opus], ["0", "111", "100", "101"]),
    ])
    func offersDigitsOnlyAtTheClockRatesOfItsCodecs(codecs: [CodecKind], formats: [String]) throws {
        var negotiation = negotiation(codecs)
        #expect(try negotiation.makeOffer(address: ourAddress).media[0].formats == formats)
    }

    @Test func saysWhereRTCPGoesUnlessOnePortUp() throws {
        var negotiation = OfferAnswer(local: LocalMedia(rtpPort: 5004, rtcpPort: 6001), sessionID: 42)
        #expect(try negotiation.makeOffer(address: ourAddress).media[0].attribute("rtcp") == "6001")
    }

    @Test func usesItsOwnAddressWhereItHasOne() throws {
        var negotiation = negotiation()
        negotiation.local.address = IPAddress("2001:db8::9")
        let offer = try negotiation.makeOffer(address: ourAddress)
        #expect(offer.lines.map(\.text).contains("IN IP6 2001:db8::9"))
        #expect(offer.origin.addressType == "IP6")
    }

    @Test(.proves(.row(48), .clause("RFC 3264 §7")))
    func sendsWhatTheAnswerPutsFirstByTheAnswersNumbers() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(
            peer(
                "m=audio 7000 RTP/AVP 96 0 97", "a=rtpmap:96 opus/48000/2",
                "a=fmtp:96 maxplaybackrate=16000;maxaveragebitrate=20000", "a=rtpmap:97 telephone-event/48000",
                "a=ptime:40"))
        #expect(media.sendFormat.payloadType == 96)
        #expect(media.sendFormat.opus?.maxPlaybackRate == 16_000)
        #expect(media.sendFormat.opus?.maxAverageBitrate == 20_000)
        #expect(media.receiveFormats.map(\.payloadType) == [111, 0])
        #expect(media.sendTelephoneEvent?.payloadType == 97)
        #expect(media.receiveTelephoneEvents.map(\.payloadType) == [100])
        #expect(media.ptime == 40)
        #expect(media.remoteRTP == SocketAddress(peerAddress, port: 7000))
        #expect(media.remoteRTCP == SocketAddress(peerAddress, port: 7001))
        #expect(media.direction == .sendReceive && !media.isHeldByPeer && !media.rtcpMux)
        #expect(media.localAddress == ourAddress && media.localRTPPort == 5004 && media.localRTCPPort == 5005)
        #expect(negotiation.agreed == media)
        #expect(!negotiation.hasLocalOffer)
    }

    @Test func getsAndGivesDigitsAtEightThousandBesideOpus() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(
            peer("m=audio 7000 RTP/AVP 111 96", "a=rtpmap:111 opus/48000/2", "a=rtpmap:96 telephone-event/8000"))
        #expect(media.sendFormat.codec == .opus)
        #expect(media.sendTelephoneEvent?.payloadType == 96)
        #expect(media.sendTelephoneEvent?.clockRate == 8_000)
        #expect(media.receiveTelephoneEvents.map(\.payloadType) == [101])
    }

    @Test func sendsNoDigitsWhereTheAnswerTakesNone() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(peer("m=audio 7000 RTP/AVP 8"))
        #expect(media.sendFormat.codec == .pcma)
        #expect(media.sendTelephoneEvent == nil && media.receiveTelephoneEvents.isEmpty)
    }

    @Test func sendsAtTheClockRateOfTheCodecWhereBothAreTaken() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(
            peer(
                "m=audio 7000 RTP/AVP 0 100 101", "a=rtpmap:100 telephone-event/48000",
                "a=rtpmap:101 telephone-event/8000"))
        #expect(media.sendTelephoneEvent?.payloadType == 101)
    }

    @Test(arguments: Direction.allCases, Direction.allCases)
    func agreesOnWhatBothSidesAllow(offered: Direction, answered: Direction) throws {
        var negotiation = negotiation(direction: offered)
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(peer("m=audio 7000 RTP/AVP 0", "a=\(answered.rawValue)"))
        #expect(media.direction.sends == (offered.sends && answered.receives))
        #expect(media.direction.receives == (offered.receives && answered.sends))
        #expect(media.isHeldByPeer == !answered.receives)
    }

    @Test func takesNoSharedPortThatItDidNotOffer() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(peer("m=audio 7000 RTP/AVP 0", "a=rtcp-mux"))
        #expect(!media.rtcpMux)
        #expect(media.remoteRTCP?.port == 7001)
    }

    @Test(
        .proves(.clause("RFC 3264 §6")),
        arguments: [
            (["m=audio 7000 RTP/AVP 18"], NegotiationError.nothingInCommon),
            (["m=audio 7000 RTP/AVP 96", "a=rtpmap:96 opus/48000"], .nothingInCommon),
            (["m=audio 7000 RTP/SAVP 0"], .nothingInCommon),
            (["m=audio 0 RTP/AVP 0"], .streamRefused),
            (["m=video 7000 RTP/AVP 0"], .mismatchedStreams),
            (["m=audio 7000 RTP/AVP 0", "m=audio 7002 RTP/AVP 0"], .mismatchedStreams),
            ([], .mismatchedStreams),
            (["m=audio 7000 RTP/AVP 0", "c=IN IP4 media.example.com"], .unusableAddress("media.example.com")),
            (["m=audio 7000 RTP/AVP 0", "c=IN IP6 2001:db8::7"], .unusableAddress("2001:db8::7")),
            (
                ["m=audio 7000 RTP/AVP 0", "c=IN IP4 224.2.1.1/127"],
                .forbiddenTarget(SocketAddress(.v4(0xe002_0101), port: 7000))
            ),
        ])
    func refusesAnAnswerThatCannotBeUsed(lines: [String], error: NegotiationError) throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let head = ["v=0", "o=peer 7 1 IN IP4 192.0.2.7", "s=-", "c=IN IP4 192.0.2.7", "t=0 0"]
        let answer = try SessionDescription(parsing: wire(head + lines))
        #expect(throws: error) { try negotiation.receiveAnswer(answer) }
        #expect(negotiation.agreed == nil && !negotiation.hasLocalOffer)
    }

    @Test(.proves(.clause("RFC 3261 §13.2.1")))
    func keepsItsOfferThroughAProvisionalAnswer() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        let early = try negotiation.receiveAnswer(peer("m=audio 7000 RTP/AVP 0"), isFinal: false)
        #expect(negotiation.hasLocalOffer && negotiation.agreed == early)
        let final = try negotiation.receiveAnswer(peer("m=audio 7002 RTP/AVP 0", version: 2))
        #expect(final.remoteRTP?.port == 7002)
        #expect(!negotiation.hasLocalOffer)
    }

    @Test(.proves(.clause("RFC 3261 §13.2.1")))
    func takesTheProvisionalAnswerWhereTheFinalResponseHasNone() throws {
        var negotiation = negotiation()
        #expect(negotiation.acceptEarlyAnswer() == nil)
        _ = try negotiation.makeOffer(address: ourAddress)
        #expect(negotiation.acceptEarlyAnswer() == nil)
        let early = try negotiation.receiveAnswer(peer("m=audio 7000 RTP/AVP 0"), isFinal: false)
        #expect(negotiation.acceptEarlyAnswer() == early)
        #expect(!negotiation.hasLocalOffer && negotiation.remoteDescription != nil)
    }

    @Test(.proves(.row(11)))
    func answersEachForkWithAStateOfItsOwn() throws {
        var first = negotiation()
        _ = try first.makeOffer(address: ourAddress)
        var second = first
        #expect(try first.receiveAnswer(peer("m=audio 7000 RTP/AVP 0")).sendFormat.codec == .pcmu)
        #expect(try second.receiveAnswer(peer("m=audio 8000 RTP/AVP 8")).sendFormat.codec == .pcma)
    }

    @Test(.proves(.clause("RFC 3264 §4")))
    func hasAtMostOneOfferOutstanding() throws {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        #expect(throws: NegotiationError.offerOutstanding) { try negotiation.makeOffer(address: ourAddress) }
        #expect(throws: NegotiationError.offerOutstanding) { try negotiation.receiveOffer(peer("m=audio 1 RTP/AVP 0")) }
        #expect(throws: NegotiationError.noOffer) { try negotiation.makeAnswer(address: ourAddress) }
        #expect(NegotiationError.offerOutstanding.owedStatus == 491)
        #expect(NegotiationError.nothingInCommon.owedStatus == 488)
        negotiation.cancelOffer()
        #expect(throws: NegotiationError.noOffer) { try negotiation.receiveAnswer(peer("m=audio 1 RTP/AVP 0")) }
    }
}
