import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// A hang-up that the peer did not take is no end of a call like any other: the peer may hold on to it (ROBUSTNESS row 56).
@Suite struct HangUpTests {
    private let carol = "sip:carol@192.0.2.9"

    private func hangingUp() throws -> World {
        var world = World()
        _ = try world.aliceTalksToCarol()
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        return world
    }

    private func warning(_ why: String) throws -> [UserAgentWarning] {
        [.hangUpNotTaken(caller, peer: try target(carol), why)]
    }

    @Test(.proves(.row(56), .clause("RFC 3261 §15.1.1")), arguments: [200, 481] as [Int])
    func aPeerThatHasNoCallTookIt(status: Int) throws {
        var world = try hangingUp()
        try world.reply(
            try #require(StatusCode(status)), to: try #require(world.last(.bye, at: "carol")), from: "carol")
        world.run(for: .seconds(100))
        #expect(world.warnings(at: "alice").isEmpty)
        #expect(world.ends(at: "alice") == [CallEnd(cause: .hungUp, by: .local)])
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(56), .clause("RFC 3261 §15.1.1")))
    func aRefusalIsTold() throws {
        var world = try hangingUp()
        try world.reply(500, to: try #require(world.last(.bye, at: "carol")), from: "carol")
        #expect(world.warnings(at: "alice") == (try warning("500 Server Internal Error")))
        world.run(for: .seconds(100))
        #expect(world.count("alice>carol BYE") == 1)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(56), .clause("RFC 3261 §15.1.1")))
    func silenceIsTold() throws {
        var world = try hangingUp()
        world.run(for: .seconds(31))
        #expect(world.warnings(at: "alice").isEmpty)
        world.run(for: .seconds(2))
        #expect(world.warnings(at: "alice") == (try warning("timed out, udp 192.0.2.9:5060")))
    }

    /// Nobody is left there to hold on to the call; what a proxy's port says is no word of the peer's.
    @Test(.proves(.row(56), .row(30)), arguments: [false, true])
    func aPeerThatIsGoneHoldsOnToNothing(hasProxy: Bool) throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            200, to: invite, from: "carol", contact: carolContact, body: World.answerText,
            headers: hasProxy ? [(.recordRoute, "<sip:192.0.2.9;lr>")] : [])
        world.perform(.hangUp(caller), by: "alice")
        let flow = Flow(
            transport: .udp, local: try #require(world.addresses["alice"]),
            remote: try #require(world.addresses["carol"]))
        world.receive(.transmitFailed(flow, cause: nil, .refused), by: "alice")
        #expect(
            world.warnings(at: "alice")
                == (hasProxy ? try warning("port unreachable (ICMP), udp 192.0.2.9:5060") : []))
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(9), .row(56)))
    func whoLeavesTellsOfItBeforeItIsGone() throws {
        var world = try hangingUp()
        world.perform(.shutDown, by: "alice")
        world.run(for: .seconds(2))
        #expect(world.warnings(at: "alice") == (try warning("no answer in time")))
        #expect(world.story(of: "alice").suffix(2) == ["warning", "shutDownFinished"])
    }

    /// Both hang up at once: the peer's BYE says that it takes the call for over.
    @Test(.proves(.row(56)))
    func aPeerThatHangsUpTooTookIt() throws {
        var world = try hangingUp()
        let bye = try #require(world.last(.bye, at: "carol"))
        let theirs = try world.request(
            .bye, from: "carol", to: "alice", callID: bye.callID, toTag: bye.from.tag)
        world.ask(theirs, from: "carol", to: "alice")
        #expect(world.lastAnswer(to: .bye, at: "carol")?.status == 200)
        world.run(for: .seconds(33))
        #expect(world.warnings(at: "alice").isEmpty)
    }

    /// The BYE that follows an end which was told as a failure says nothing new.
    @Test(.proves(.row(56)))
    func aCallThatWasLostIsNotLostTwice() throws {
        var world = World()
        _ = try world.aliceTalksToCarol()
        world.perform(.hold(caller), by: "alice")
        world.run(for: .seconds(100))
        #expect(world.ends(at: "alice") == [World.silence])
        #expect(world.warnings(at: "alice").isEmpty)
    }
}
