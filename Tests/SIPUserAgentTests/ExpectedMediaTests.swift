import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Media that may come before the peer has described any (RFC 3264 §5.1).
@Suite struct ExpectedMediaTests {
    private func expected(_ name: String, in world: World) -> [MediaAgreement] {
        (world.events[name] ?? []).compactMap { if case .offered(_, let media) = $0 { media } else { nil } }
    }

    @Test(.proves(.clause("RFC 3264 §5.1")))
    func anOfferTellsWhatMayComeAndFromWhereBeforeAnyResponse() throws {
        var world = aliceAndBob()
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@192.0.2.2"), media: World.media)), by: "alice")
        let expected = try #require(expected("alice", in: world).first)
        #expect(expected.signallingPeer == SocketAddress("192.0.2.2:5060"))
        #expect(expected.media.remoteRTP == nil && expected.media.direction == .receiveOnly && !expected.mayTransmit)
        #expect(expected.media.receiveFormats.compactMap(\.codec) == [.opus, .pcmu, .pcma])
        #expect(expected.media.receiveTelephoneEvents.map(\.clockRate) == [48_000, 8_000])
        #expect(expected.media.localRTPPort == World.media.rtpPort)
    }

    @Test func itIsToldOnceHoweverOftenTheInviteIsSent() throws {
        var world = aliceAndBob()
        world.loses = { step, _ in step.summary == "alice>bob INVITE" && step.at < .zero + .seconds(3) }
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@192.0.2.2"), media: World.media)), by: "alice")
        world.run(for: .seconds(4))
        #expect(world.count("alice>bob INVITE") == 4)
        #expect(expected("alice", in: world).count == 1)
    }

    @Test func anInviteWithoutOfferInvitesNothingAndItsAnswerDoes() throws {
        var world = aliceAndBob()
        let call = OutgoingCall(
            target: try target("sip:bob@192.0.2.2"), media: World.media, offersInInvite: false)
        let handle = try world.dial(call)
        #expect(expected("alice", in: world).isEmpty)
        world.perform(.answer(handle, World.media), by: "bob")
        let answered = try #require(expected("bob", in: world).first)
        #expect(answered.signallingPeer == SocketAddress("192.0.2.1:5060"))
        #expect(answered.media.receiveFormats.compactMap(\.codec) == [.opus, .pcmu, .pcma])
    }

    @Test func nothingIsExpectedWhereWeOnlySend() throws {
        var world = aliceAndBob()
        let media = LocalMedia(rtpPort: 16384, direction: .sendOnly)
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@192.0.2.2"), media: media)), by: "alice")
        #expect(world.count("alice>bob INVITE") == 1)
        #expect(expected("alice", in: world).isEmpty)
    }
}
