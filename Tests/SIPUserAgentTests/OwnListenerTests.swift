import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// No peer makes us send media to a listener of ours (ROBUSTNESS S21).
@Suite struct OwnListenerTests {
    private func description(of address: String, port: UInt16) -> String {
        World.answerText.replacing("192.0.2.9", with: address).replacing("20000", with: "\(port)")
    }

    private func answer(to body: String, listening: [Listener]? = nil) throws -> StatusCode? {
        var world = bobAndCarol()
        if let listening { world.receive(.listening(listening), by: "bob") }
        let invite = try world.request(.invite, from: "carol", to: "bob", body: body)
        world.send(.request(invite), from: "carol", to: "bob")
        world.run(for: .milliseconds(250))
        return world.ladder.compactMap { step in
            if step.from == "bob", case .response(let response) = step.message { response.status } else { nil }
        }.first
    }

    @Test(.proves(.rule(21), .incident(71)))
    func anOfferThatNamesAListenerIsRefused() throws {
        #expect(try answer(to: description(of: "192.0.2.2", port: 5060)) == 488)
        #expect(try answer(to: description(of: "192.0.2.2", port: 5070)) == 100)
        #expect(try answer(to: description(of: "192.0.2.9", port: 5060)) == 100)
    }

    @Test(.proves(.rule(21), .incident(71)))
    func aListenerOnEveryAddressIsOneOnTheAddressThatWasAsked() throws {
        let everywhere = [Listener(transport: .udp, address: SocketAddress(.unspecified, port: 5066))]
        #expect(try answer(to: description(of: "192.0.2.2", port: 5066), listening: everywhere) == 488)
        #expect(try answer(to: description(of: "192.0.2.2", port: 5060), listening: everywhere) == 100)
    }

    @Test(.proves(.rule(21), .incident(71)))
    func anAnswerThatNamesAListenerEndsTheCall() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            200, to: invite, from: "carol", contact: carolContact, body: description(of: "192.0.2.1", port: 5060))
        #expect(world.ends(at: "alice").map(\.cause) == [.mediaRefused])
        #expect(world.requests(.bye, from: "alice").count == 1)
    }

    @Test(.proves(.rule(21), .incident(71)))
    func earlyMediaGoesToNoListener() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: description(of: "192.0.2.1", port: 5060))
        #expect(!world.story(of: "alice").contains("earlyMedia"))
    }

    @Test(.proves(.rule(21), .incident(71)))
    func aReinviteThatNamesOurOwnMediaPortIsRefused() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        let reinvite = try world.request(
            .invite, from: "carol", to: "alice", callID: invite.callID, sequence: 7, toTag: invite.from.tag,
            body: description(of: "192.0.2.1", port: World.media.rtpPort))
        world.ask(reinvite, from: "carol", to: "alice")
        #expect(world.received(488, at: "carol").count == 1)
        #expect(world.agreements(at: "alice").count == 1)
        #expect(world.ends(at: "alice").isEmpty)
    }
}
