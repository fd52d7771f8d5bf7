import EngineKit
import Proofs
import Testing

@testable import SDP

/// Offers within a session: hold, resume, changed formats, refused changes (RFC 3264 §8).
@Suite struct ReofferTests {
    /// A session that we offered and the peer answered with PCMU and digits.
    private func session() throws -> OfferAnswer {
        var negotiation = negotiation()
        _ = try negotiation.makeOffer(address: ourAddress)
        _ = try negotiation.receiveAnswer(
            peer("m=audio 7000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000"))
        return negotiation
    }

    @Test(.proves(.row(46), .row(47), .clause("RFC 3264 §8"), .clause("RFC 3264 §8.4")))
    func holdsAndResumesByDirectionWithOneVersionMoreEachTime() throws {
        var negotiation = try session()
        negotiation.local.direction = .sendOnly
        let hold = try negotiation.makeOffer(address: ourAddress)
        #expect(hold.origin.version == "2" && hold.origin.sessionID == "42")
        #expect(hold.media[0].direction == .sendOnly)
        #expect(
            try negotiation.receiveAnswer(peer("m=audio 7000 RTP/AVP 0", "a=recvonly", version: 2)).direction
                == .sendOnly)
        negotiation.local.direction = .sendReceive
        let resume = try negotiation.makeOffer(address: ourAddress)
        #expect(resume.origin.version == "3" && resume.media[0].direction == .sendReceive)
        #expect(try negotiation.receiveAnswer(peer("m=audio 7000 RTP/AVP 0", version: 3)).direction == .sendReceive)
    }

    @Test(.proves(.row(47), .clause("RFC 3264 §8")))
    func repeatsTheSameDescriptionUnderTheSameVersion() throws {
        var negotiation = try session()
        let first = negotiation.localDescription
        #expect(try negotiation.makeOffer(address: ourAddress) == first)
    }

    @Test(.proves(.row(46), .clause("RFC 3264 §8.4")))
    func isHeldByThePeerAndHoldsItInTurn() throws {
        var negotiation = try session()
        try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", "a=sendonly", version: 2))
        let held = try negotiation.makeAnswer(address: ourAddress)
        #expect(held.media.direction == .receiveOnly && held.media.isHeldByPeer)
        #expect(held.description.media[0].direction == .receiveOnly)

        negotiation.local.direction = .sendOnly
        #expect(try negotiation.makeOffer(address: ourAddress).media[0].direction == .inactive)
        let both = try negotiation.receiveAnswer(peer("m=audio 7000 RTP/AVP 0", "a=inactive", version: 3))
        #expect(both.direction == .inactive)

        try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", version: 4))
        #expect(try negotiation.makeAnswer(address: ourAddress).media.direction == .sendOnly)
        negotiation.local.direction = .sendReceive
        #expect(try negotiation.makeOffer(address: ourAddress).media[0].direction == .sendReceive)
    }

    @Test(.proves(.row(47), .clause("RFC 3264 §8")))
    func changesNothingForTheSameDescription() throws {
        var negotiation = try session()
        let before = negotiation.agreed
        var versions: Set<String> = []
        for _ in 1...2 {
            try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", version: 2))
            let (answer, media) = try negotiation.makeAnswer(address: ourAddress)
            versions.insert(answer.origin.version)
            #expect(media.remoteRTP == before?.remoteRTP && media.direction == .sendReceive)
        }
        #expect(versions.count == 1)
    }

    /// Polycom's SoundPoint holds a call by a description of the version that it had.
    @Test(.proves(.row(47), .clause("RFC 3264 §6.1")))
    func anAnswerFitsItsOfferAlsoWhereThePeerDoesNotCount() throws {
        var negotiation = try session()
        try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", "a=inactive", version: 1))
        let (answer, media) = try negotiation.makeAnswer(address: ourAddress)
        #expect(answer.media[0].direction == .inactive)
        #expect(media.direction == .inactive && media.isHeldByPeer)
    }

    @Test(.proves(.row(47), .clause("RFC 3264 §8")), arguments: [0, 3, 900])
    func takesAnyOtherVersion(version: Int) throws {
        var negotiation = try session()
        try negotiation.receiveOffer(peer("m=audio 9000 RTP/AVP 8", version: version))
        #expect(try negotiation.makeAnswer(address: ourAddress).media.remoteRTP?.port == 9000)
    }

    @Test(.proves(.row(47), .clause("RFC 3264 §8")))
    func refusesFewerStreamsThanBefore() throws {
        var negotiation = negotiation()
        try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", "m=video 7002 RTP/AVP 99"))
        let agreed = try negotiation.makeAnswer(address: ourAddress).media
        #expect(throws: NegotiationError.fewerStreams) {
            try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", version: 2))
        }
        #expect(negotiation.agreed == agreed && !negotiation.hasRemoteOffer)
    }

    @Test(.proves(.clause("RFC 3264 §8.1")))
    func takesMoreStreamsAndKeepsThemAllInItsOwnOffer() throws {
        var negotiation = try session()
        try negotiation.receiveOffer(
            peer("m=audio 7000 RTP/AVP 0", "m=video 7002 RTP/AVP 99", "m=image 7004 udptl t38", version: 2))
        _ = try negotiation.makeAnswer(address: ourAddress)
        negotiation.local.direction = .sendOnly
        let offer = try negotiation.makeOffer(address: ourAddress)
        #expect(offer.media.map(\.port) == [5004, 0, 0])
        #expect(offer.media[2].lines.map(\.text) == ["image 0 udptl t38"])
        #expect(
            try negotiation.receiveAnswer(
                peer("m=audio 7000 RTP/AVP 0", "m=video 0 RTP/AVP 99", "m=image 0 udptl t38", version: 3)
            ).remoteRTP?.port == 7000)
    }

    @Test(
        .proves(.row(23), .clause("RFC 3261 §14.1")),
        arguments: [
            ["m=image 7000 udptl t38"], ["m=audio 0 RTP/AVP 0", "m=image 7002 udptl t38"],
        ])
    func leavesTheCallAsItWasWhenAFaxIsRefused(lines: [String]) throws {
        var negotiation = try session()
        let agreed = negotiation.agreed
        let head = ["v=0", "o=peer 7 2 IN IP4 192.0.2.7", "s=-", "c=IN IP4 192.0.2.7", "t=0 0"]
        let fax = try SessionDescription(parsing: wire(head + lines))
        #expect(throws: NegotiationError.nothingInCommon) { try negotiation.receiveOffer(fax) }
        #expect(negotiation.agreed == agreed && !negotiation.hasRemoteOffer)
        try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 8", version: 3))
        #expect(try negotiation.makeAnswer(address: ourAddress).media.sendFormat.codec == .pcma)
    }

    @Test(.proves(.row(45), .clause("RFC 3264 §8.2")))
    func stopsSendingWhenThePeerRemovesTheStreamAndStartsWhenItComesBack() throws {
        var negotiation = try session()
        try negotiation.receiveOffer(peer("m=audio 0 RTP/AVP 0", version: 2))
        let (description, media) = try negotiation.makeAnswer(address: ourAddress)
        #expect(description.media.map(\.port) == [0])
        #expect(media.remoteRTP == nil && media.remoteRTCP == nil && media.direction == .inactive)
        try negotiation.receiveOffer(peer("m=audio 7010 RTP/AVP 0", version: 3))
        #expect(try negotiation.makeAnswer(address: ourAddress).media.remoteRTP?.port == 7010)
    }

    @Test(.proves(.row(45), .clause("RFC 3264 §8.2")))
    func stopsSendingWhenAReofferIsAnsweredWithPortZero() throws {
        var negotiation = try session()
        negotiation.local.direction = .sendOnly
        _ = try negotiation.makeOffer(address: ourAddress)
        let media = try negotiation.receiveAnswer(peer("m=audio 0 RTP/AVP 0", version: 2))
        #expect(media.remoteRTP == nil && media.direction == .inactive)
    }

    @Test(.proves(.row(23), .clause("RFC 3261 §14.1")))
    func goesBackToWhatWasAgreedWhenItsOfferFails() throws {
        var negotiation = try session()
        let agreed = negotiation.agreed
        negotiation.local.direction = .sendOnly
        #expect(try negotiation.makeOffer(address: ourAddress).origin.version == "2")
        negotiation.cancelOffer()
        negotiation.local.direction = .sendReceive
        #expect(negotiation.agreed == agreed)
        // The peer may have seen version 2, so what differs from it needs another.
        #expect(try negotiation.makeOffer(address: ourAddress).origin.version == "3")
    }

    @Test(.proves(.row(48), .clause("RFC 3264 §8.3.2")))
    func followsThePeersNumbersWhenTheyChange() throws {
        var negotiation = negotiation()
        try negotiation.receiveOffer(
            peer("m=audio 7000 RTP/AVP 96 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/48000"))
        #expect(try negotiation.makeAnswer(address: ourAddress).media.sendFormat.payloadType == 96)
        try negotiation.receiveOffer(
            peer(
                "m=audio 7000 RTP/AVP 97 96", "a=rtpmap:97 opus/48000/2", "a=rtpmap:96 telephone-event/48000",
                "a=ptime:60", version: 2))
        let media = try negotiation.makeAnswer(address: ourAddress).media
        #expect(media.sendFormat.payloadType == 97 && media.sendTelephoneEvent?.payloadType == 96)
        #expect(media.ptime == 60)
    }

    @Test(.proves(.row(48), .clause("RFC 3264 §8.3.2")))
    func offersUnderTheNumbersThatTheSessionHas() throws {
        var negotiation = negotiation()
        try negotiation.receiveOffer(
            peer("m=audio 7000 RTP/AVP 100 111", "a=rtpmap:100 opus/48000/2", "a=rtpmap:111 telephone-event/48000"))
        _ = try negotiation.makeAnswer(address: ourAddress)
        let offer = try negotiation.makeOffer(address: ourAddress)
        #expect(
            offer.media[0].mediaFormats.map { "\($0.payloadType) \($0.encodingName)/\($0.clockRate)" } == [
                "100 opus/48000", "0 PCMU/8000", "8 PCMA/8000", "111 telephone-event/48000",
                "101 telephone-event/8000",
            ])
    }

    @Test(.proves(.row(48), .clause("RFC 3264 §8.3.2")))
    func givesNoNumberASecondMeaning() throws {
        var negotiation = negotiation()
        // 0, 100, 101 and 111 all stand for something else here.
        try negotiation.receiveOffer(
            peer(
                "m=audio 7000 RTP/AVP 0 111 100", "a=rtpmap:0 opus/48000/2", "a=rtpmap:111 PCMA/8000",
                "a=rtpmap:100 telephone-event/8000"))
        _ = try negotiation.makeAnswer(address: ourAddress)
        let offer = try negotiation.makeOffer(address: ourAddress)
        #expect(
            offer.media[0].mediaFormats.map { "\($0.payloadType) \($0.encodingName)/\($0.clockRate)" } == [
                "0 opus/48000", "96 PCMU/8000", "8 PCMA/8000", "97 telephone-event/48000", "100 telephone-event/8000",
            ])
    }

    @Test func staysOnItsStreamWhenAnotherComesBeforeIt() throws {
        var negotiation = negotiation()
        try negotiation.receiveOffer(peer("m=video 7000 RTP/AVP 99", "m=audio 7002 RTP/AVP 0"))
        _ = try negotiation.makeAnswer(address: ourAddress)
        try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", "m=audio 7002 RTP/AVP 0", version: 2))
        let (description, media) = try negotiation.makeAnswer(address: ourAddress)
        #expect(description.media.map(\.port) == [0, 5004] && media.remoteRTP?.port == 7002)
    }
}
