import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// An invitation may say how long it is good for (RFC 3261 §13.3.1).
@Suite struct InviteExpiryTests {
    @Test(.proves(.clause("RFC 3261 §13.3.1")))
    func anInvitationThatRunsOutIsTerminated() throws {
        var world = World()
        _ = try world.carolCallsBob(headers: [(.expires, "3")])
        world.run(for: .milliseconds(2900))
        #expect(world.ends(at: "bob").isEmpty)
        world.run(for: .milliseconds(200))
        #expect(world.received(487, at: "carol").count == 1)
        #expect(world.ends(at: "bob") == [CallEnd(cause: .ringTimeout, by: .remote, status: 487)])
    }

    @Test(.proves(.clause("RFC 3261 §13.3.1")))
    func anAnsweredInvitationDoesNotRunOut() throws {
        var world = World()
        _ = try world.carolTalksToBob(headers: [(.expires, "3")])
        world.run(for: .seconds(10))
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test(.proves(.clause("RFC 3261 §13.3.1")))
    func anInvitationThatIsOverAsItComesIsTerminatedAndNobodyHearsOfIt() throws {
        var world = bobAndCarol()
        let invite = try world.request(
            .invite, from: "carol", to: "bob", body: World.answerText, headers: [(.expires, "0")])
        world.ask(invite, from: "carol", to: "bob")
        #expect(world.received(487, at: "carol").first?.to.tag != nil)
        #expect(world.received(200, at: "carol").isEmpty)
        let told = (world.events["bob"] ?? []).filter {
            if case .refused = $0 { false } else { true }
        }
        #expect(told.isEmpty)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3261 §13.3.1")))
    func ourOwnRingTimeoutMayComeFirst() throws {
        var configuration = World.configuration(user: "bob")
        configuration.incomingRingTimeout = .seconds(2)
        var world = World()
        _ = try world.carolCallsBob(configuration, headers: [(.expires, "300")])
        world.run(for: .seconds(3))
        #expect(world.ends(at: "bob") == [CallEnd(cause: .ringTimeout, by: .local, status: 480)])
    }
}
