import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Forks, merged requests and late answers: rows 10 to 14 of the races.
@Suite struct ForkRaceTests {
    @Test(.proves(.row(10), .clause("RFC 3261 §13.2.2.4")))
    func row10EveryForkedAcceptanceIsAcknowledgedAndAllButTheFirstEnded() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        for tag in ["one", "two", "three"] {
            world.say(world.answer(200, to: invite, from: bob, tag: tag), from: bob, to: alice)
        }
        var acknowledged: [String?] = []
        var ended: [String?] = []
        while ended.count < 2 {
            let received = try world.expect("ACK or BYE", at: bob) { _ in true }
            guard case .request(let request) = received.message else { continue }
            if request.method == .ack { acknowledged.append(request.to.tag) }
            if request.method == .bye {
                ended.append(request.to.tag)
                world.say(request.response(200), from: bob, to: alice)
            }
        }
        #expect(acknowledged.compactMap { $0 }.sorted() == ["one", "three", "two"])
        #expect(ended.compactMap { $0 }.sorted() == ["three", "two"])
        #expect(world.ends(at: alice) == [])
        world.perform(.hangUp(handle), at: alice)
        let bye = try world.expect(.bye, at: bob)
        #expect(bye.to.tag == "one")
        world.say(bye.response(200), from: bob, to: alice)
        world.finish(alice)
    }

    @Test(.proves(.row(11), .clause("RFC 3261 §12.1")))
    func row11KeepsEightEarlyDialogsAndTakesTheAnswerOfANinth() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        for index in 0..<20 {
            var early = invite.response(180, toTag: "fork\(index)")
            early.headers.append(world.contact(of: bob))
            world.say(early, from: bob, to: alice)
        }
        world.run(for: .seconds(1))
        world.say(world.answer(200, to: invite, from: bob, tag: "fork19"), from: bob, to: alice)
        #expect(try world.expect(.ack, at: bob).to.tag == "fork19")
        #expect(world.story(of: alice).contains("established"))
        world.perform(.hangUp(handle), at: alice)
        world.say(try world.expect(.bye, at: bob).response(200), from: bob, to: alice)
        world.finish(alice)
    }

    @Test(.proves(.row(12), .clause("RFC 3261 §8.2.2.2")))
    func row12TheSameInviteByTwoPathsRingsOnce() throws {
        var (world, alice, bob) = World.agentAndPhone()
        let invite = world.invite(bob, from: alice)
        var copy = invite
        copy.vias = [world.via(of: alice)]
        world.say(invite, from: alice, to: bob)
        _ = try world.expect(180, to: .invite, at: alice)
        world.say(copy, from: alice, to: bob)
        _ = try world.expect(482, to: .invite, at: alice)
        #expect(world.incomingCalls(at: bob).count == 1)
        // ACK of the 482 on the path of the copy; then the caller gives up on the first path.
        world.say(copy.bare(.ack), from: alice, to: bob)
        world.perform(.reject(world.incomingCalls(at: bob)[0], 603), at: bob)
        _ = try world.expect(603, to: .invite, at: alice)
        world.finish(bob)
    }

    @Test(.proves(.row(13), .clause("RFC 6026 §7.1")))
    func row13TheInviteThatComesAgainAfterTheAnswerIsAbsorbed() throws {
        var (world, alice, bob) = World.agentAndPhone(behaviour: AnswerRaceTests.answersAtOnce)
        let invite = world.invite(bob, from: alice)
        var dialog = try world.place(invite, from: alice, to: bob)
        world.say(dialog.acknowledgement(of: 1, via: world.via(of: alice)), from: alice, to: bob)
        world.run(for: .seconds(1))
        _ = world.hear(at: alice, for: .seconds(1))
        world.say(invite, from: alice, to: bob)
        #expect(world.hear(at: alice, for: .seconds(20)) == [])
        #expect(world.incomingCalls(at: bob).count == 1)
        try world.hangUp(&dialog, from: alice, to: bob)
        world.finish(bob)
    }

    @Test(.proves(.row(14), .clause("RFC 6026 §7.2")))
    func row14AnAcceptanceAfterTheTransactionIsGoneIsAcknowledgedAndEnded() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        world.say(world.answer(200, to: invite, from: bob, tag: "one"), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        world.run(for: .seconds(40))
        world.say(world.answer(200, to: invite, from: bob, tag: "late"), from: bob, to: alice)
        #expect(try world.expect(.ack, at: bob).to.tag == "late")
        let bye = try world.expect(.bye, at: bob)
        #expect(bye.to.tag == "late")
        world.say(bye.response(200), from: bob, to: alice)
        #expect(world.ends(at: alice) == [])
        world.perform(.hangUp(handle), at: alice)
        world.say(try world.expect(.bye, at: bob).response(200), from: bob, to: alice)
        world.finish(alice)
    }
}
