import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// What is refused or dropped because there is too much of it (ROBUSTNESS S1, S14).
extension IncomingRequestTests {
    /// Each peer calls Bob from an address of its own.
    private func call(fromPeer index: Int, in world: inout World) throws {
        let name = "peer\(index)"
        world.addScripted(name, at: "192.0.2.\(100 + index)")
        let invite = try world.request(.invite, from: name, to: "bob", callID: name, body: World.answerText)
        world.ask(invite, from: name, to: "bob")
    }

    /// So many requests of Carol's at once, none of which has to do with another.
    private func flood(_ method: Method, _ count: Int, in world: inout World) throws {
        for index in 0..<count {
            let request = try world.request(method, from: "carol", to: "bob", callID: "flood\(index)")
            world.send(.request(request), from: "carol", to: "bob")
        }
    }

    private func floodOfBrokenRequests(in world: inout World) {
        for index in 0..<100 { world.send(broken(index, padding: 60), from: "carol", to: "bob") }
        world.run(for: .milliseconds(50))
    }

    @Test(.proves(.rule(14)))
    func ringsForFourCallersAtMost() throws {
        var world = bobAndCarol()
        for index in 0..<8 { try call(fromPeer: index, in: &world) }
        #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count == 4)
        #expect((4..<8).allSatisfy { world.received(503, at: "peer\($0)").count == 1 })
        #expect(world.cores["bob"]?.counters[.ringingCalls] == 4)
        #expect(world.cores["bob"]?.occupancy.serverTransactions == 4)
    }

    @Test(.proves(.rule(14)))
    func oneSourceKeepsTwoInvitesWaiting() throws {
        var world = bobAndCarol()
        for index in 0..<3 {
            let invite = try world.request(
                .invite, from: "carol", to: "bob", callID: "c\(index)", body: World.answerText)
            world.ask(invite, from: "carol", to: "bob")
        }
        #expect(world.received(503, at: "carol").count == 1)
        let first = try #require(world.incoming(at: "bob"))
        world.perform(.reject(first, 486), by: "bob")
        let next = try world.request(.invite, from: "carol", to: "bob", callID: "c9", body: World.answerText)
        world.ask(next, from: "carol", to: "bob")
        #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count == 3)
    }

    @Test(.proves(.rule(11), .rule(14), .incident(41)))
    func floodIsDroppedBeyondTheRate() throws {
        var world = bobAndCarol()
        try flood(.message, 100, in: &world)
        world.run(for: .milliseconds(50))
        #expect(world.received(403, at: "carol").count == 40)
        #expect(world.cores["bob"]?.counters[.sourceRate] == 60)
    }

    @Test(.proves(.rule(6), .rule(11), .clause("RFC 3261 §8.2.7")))
    func whoeverIsLetInNowhereIsToldOnce() throws {
        var configuration = World.configuration(user: "bob")
        configuration.accounts[0].registrar = try URI(parsing: "sip:192.0.2.200")
        configuration.accounts[0].isPeerToPeer = false
        var world = bobAndCarol(configuration)
        let invite = try world.request(.invite, from: "carol", to: "bob", callID: "c1", body: World.answerText)
        world.ask(invite, from: "carol", to: "bob")
        #expect(world.cores["bob"]?.occupancy == .empty)
        world.run(for: .seconds(40))
        #expect(world.received(403, at: "carol").count == 1)
        world.ask(invite, from: "carol", to: "bob")
        #expect(Set(world.received(403, at: "carol").map(\.to.tag)).count == 1, "the same each time")
        #expect(world.cores["bob"]?.counters[.forbidden] == 2)
        #expect(world.story(of: "bob").allSatisfy { $0 == "refused" })
    }

    /// Bob, who lets one request of strangers in each second.
    private func besieged() -> World {
        var configuration = World.configuration(user: "bob")
        configuration.limits.strangerRate = UserAgentLimits.RequestRate(perSecond: 1, burst: 1)
        return bobAndCarol(configuration)
    }

    @Test(.proves(.rule(11), .clause("RFC 3261 §8.2.7")))
    func aCallOfOneOfTooManyStrangersIsRefusedOnceAndWithoutState() throws {
        var world = besieged()
        let invite = try world.request(.invite, from: "carol", to: "bob", callID: "c1", body: World.answerText)
        for attempt in 0..<2 {
            world.ask(invite, from: "carol", to: "bob")
            world.perform(.reject(try #require(world.incoming(at: "bob", attempt)), 486), by: "bob")
            world.run(for: .milliseconds(20))
            // Not even the INVITE's own transaction is left, and nothing waits for an ACK.
            #expect(world.cores["bob"]?.occupancy == .empty)
            world.run(for: .seconds(40))
        }
        // Carol's INVITE came again as her first answer was lost: the second is the same.
        let answers = world.received(486, at: "carol")
        #expect(answers.count == 2 && Set(answers.map(\.to.tag)).count == 1 && answers.first?.to.tag != nil)
        var acknowledgement = try world.request(.ack, from: "carol", to: "bob", callID: "c1")
        acknowledgement.vias = invite.vias
        acknowledgement.to = try #require(answers.first).to
        world.ask(acknowledgement, from: "carol", to: "bob")
        #expect(world.cores["bob"]?.counters[.strayAcknowledgement] == 0)
    }

    @Test(.proves(.rule(11), .clause("RFC 3261 §17.2.1")))
    func aRefusalIsRepeatedWhereThereIsNoCrowdOrItsCallerWasToldToWait() throws {
        var quiet = bobAndCarol()
        var besieged = besieged()
        try refuse(after: .milliseconds(20), in: &quiet)
        try refuse(after: .milliseconds(300), in: &besieged)
        for world in [quiet, besieged] { #expect(world.received(486, at: "carol").count > 2) }
        #expect(besieged.received(100, at: "carol").count == 1)
    }

    private func refuse(after patience: Duration, in world: inout World) throws {
        let invite = try world.request(.invite, from: "carol", to: "bob", callID: "c1", body: World.answerText)
        world.send(.request(invite), from: "carol", to: "bob")
        world.run(for: patience)
        world.perform(.reject(try #require(world.incoming(at: "bob")), 486), by: "bob")
        world.run(for: .seconds(20))
    }

    @Test(.proves(.rule(11), .rule(14)))
    func optionsOfTooManyStrangersLeaveNothing() throws {
        var world = besieged()
        let options = try world.request(.options, from: "carol", to: "bob", callID: "c1")
        world.ask(options, from: "carol", to: "bob")
        #expect(world.received(200, at: "carol").count == 1)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    /// What was taken, and would be taken twice: of that alone something is kept.
    @Test(.proves(.rule(11), .clause("RFC 3261 §17.2.2")))
    func aMessageOfOneOfTooManyStrangersIsTakenOnceHoweverOftenItComes() throws {
        var configuration = World.configuration(user: "bob")
        configuration.limits.strangerRate = UserAgentLimits.RequestRate(perSecond: 1, burst: 1)
        configuration.accounts[0].takesMessages = true
        var world = bobAndCarol(configuration)
        let message = try world.request(
            .message, from: "carol", to: "bob", callID: "m1", headers: [(.contentType, "text/plain")])
        for _ in 0..<3 {
            world.ask(message, from: "carol", to: "bob")
            world.run(for: .seconds(2))
        }
        #expect(world.received(200, at: "carol").count == 3)
        #expect(world.story(of: "bob").filter { $0.contains("essage") }.count == 1)
        world.run(for: .seconds(40))
        #expect(world.cores["bob"]?.occupancy.serverTransactions == 0)
    }

    /// Bob with room for 16 transactions, two of which are kept; he talks to Alice.
    private func crowded() throws -> (World, CallHandle) {
        var configuration = World.configuration(user: "bob")
        configuration.limits.serverTransactions = 16
        configuration.limits.requestRate = nil
        var world = aliceAndBob(bob: configuration)
        let handle = try world.talk()
        // The INVITE's own transaction is over.
        world.run(for: .seconds(40))
        world.addScripted("carol", at: "192.0.2.9")
        return (world, handle)
    }

    @Test(.proves(.rule(14)))
    func floodFromOutsideDropsNoByeOfACall() throws {
        var (world, _) = try crowded()
        try flood(.options, 40, in: &world)
        world.run(for: .milliseconds(20))
        #expect(world.cores["bob"]?.occupancy.serverTransactions == 14)
        #expect(world.cores["bob"]?.counters[.transactions] == 26)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.ends(at: "bob").map(\.cause) == [.hungUp])
        #expect(world.count("bob>alice 200 BYE") == 1)
        world.run(for: .seconds(40))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(14)))
    func floodWithinACallDropsNoByeOfIt() throws {
        var (world, _) = try crowded()
        let invite = try #require(world.requests(.invite, from: "alice").first)
        let answer = try #require(world.responses(200, from: "bob").first)
        func say(_ method: Method, _ sequence: UInt32) {
            var request = invite.bare(method)
            request.cSeq.number = sequence
            request.to = answer.to
            request.vias[0].branch = "z9hG4bKwithin\(sequence)"
            world.send(.request(request), from: "alice", to: "bob")
        }
        for sequence in 2..<42 as Range<UInt32> { say(.options, sequence) }
        world.run(for: .milliseconds(20))
        #expect(world.cores["bob"]?.occupancy.serverTransactions == 15)
        #expect(world.cores["bob"]?.counters[.transactions] == 25)
        say(.bye, 100)
        world.run(for: .milliseconds(20))
        #expect(world.ends(at: "bob").map(\.cause) == [.hungUp])
    }

    @Test(.proves(.rule(14)))
    func noMoreDialogsThanTheLimit() throws {
        var configuration = World.configuration(user: "bob")
        configuration.limits.dialogs = 1
        var world = World()
        _ = try world.carolCallsBob(configuration)
        let second = try world.request(.invite, from: "carol", to: "bob", callID: "2", body: World.answerText)
        world.ask(second, from: "carol", to: "bob")
        #expect(world.received(503, at: "carol").count == 1)
        #expect(world.cores["bob"]?.counters[.dialogs] == 1)
        #expect(world.incoming(at: "bob", 1) == nil)
    }

    @Test(.proves(.rule(14)))
    func eighthCallIsTheLast() throws {
        var world = bobAndCarol()
        for index in 0..<9 {
            try call(fromPeer: index, in: &world)
            if let handle = world.incoming(at: "bob", index) { world.perform(.answer(handle, World.media), by: "bob") }
        }
        #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count == 8)
        #expect(world.received(486, at: "peer8").count == 1)
    }

    @Test(.proves(.rule(11), .rule(14), .incident(41)))
    func brokenRequestsHaveTheRateOfAllOthers() throws {
        var world = bobAndCarol()
        floodOfBrokenRequests(in: &world)
        #expect(world.unreadable.count == 40)
        // What comes beyond the rate is not read, and so not known to be broken.
        #expect(world.cores["bob"]?.counters[.malformed] == 40)
        #expect(world.cores["bob"]?.counters[.sourceRate] == 60)
    }

    @Test func byeOfACallGetsThroughTheFloodOfItsSender() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        try flood(.subscribe, 100, in: &world)
        let bye = try world.request(.bye, from: "carol", to: "bob", sequence: 2, toTag: tag)
        world.send(.request(bye), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        #expect((world.cores["bob"]?.counters[.sourceRate] ?? 0) >= 60)
        #expect(world.received(200, at: "carol").contains { $0.cSeq.method == .bye })
    }

    @Test(.proves(.rule(11), .rule(14), .incident(41)))
    func floodIsDroppedUnreadDuringACallToo() throws {
        var world = aliceAndBob(bob: World.configuration(user: "bob"))
        _ = try world.talk()
        world.addScripted("carol", at: "192.0.2.9")
        let before = world.cores["bob"]?.counters[.malformed] ?? 0
        floodOfBrokenRequests(in: &world)
        #expect(world.cores["bob"]?.counters[.malformed] == before + 40)
        #expect(world.cores["bob"]?.counters[.sourceRate] == 60)
        #expect(world.cores["bob"]?.occupancy.calls == 1)
    }

    @Test(.proves(.rule(11), .clause("RFC 3261 §9.2")))
    func cancelOfAnInviteGetsThroughTheFloodOfItsSender() throws {
        var world = bobAndCarol()
        let invite = try world.request(.invite, from: "carol", to: "bob", body: World.answerText)
        world.ask(invite, from: "carol", to: "bob")
        try flood(.subscribe, 100, in: &world)
        world.send(.request(invite.bare(.cancel)), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        #expect(world.received(487, at: "carol").count == 1)
    }
}
