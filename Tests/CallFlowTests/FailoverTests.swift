import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import ServerLocation
import Simulation
import Testing

/// From a server that fails to the next: row 37, RFC 3263 §4.3.
@Suite struct FailoverTests {
    static let bob = Scene.uri("sip:bob@example.com")

    /// Alice's phone, and the domain `example.com` with so many servers, one after the other by priority; each is a
    /// scripted agent that says nothing of itself.
    static func scene(servers count: Int) -> (world: World, alice: HostID, servers: [HostID]) {
        var world = World()
        let alice = world.addPhone("Alice", at: Scene.alice)
        var servers: [HostID] = []
        for index in 0..<count {
            let address = IPAddress.v4(0xc000_0210 + UInt32(index))
            servers.append(world.addAgent("S\(index)", at: address))
            world.directory["s\(index).example.com"] = [address]
        }
        world.services["_sip._udp.example.com"] = (0..<count).map {
            ServiceRecord(priority: UInt16($0), weight: 0, port: 5060, target: "s\($0).example.com")
        }
        return (world, alice, servers)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func aSilentServerIsLeftAfterFourTransmissions() throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        _ = world.call(Self.bob, from: alice)
        let first = try world.expect(.invite, at: servers[0])
        let second = try world.expect(.invite, at: servers[1])
        #expect(second.callID == first.callID && second.cSeq == first.cSeq && second.from == first.from)
        #expect(second.vias.first?.branch != first.vias.first?.branch)
        world.say(second.response(486, toTag: "bob"), from: servers[1], to: alice)
        _ = try world.expect(.ack, at: servers[1])
        #expect(
            world.ladder.description == """
                0.000 Alice -> S0  INVITE +sdp
                0.500 Alice -> S0  INVITE +sdp
                1.500 Alice -> S0  INVITE +sdp
                3.500 Alice -> S0  INVITE +sdp
                4.000 Alice -> S1  INVITE +sdp
                4.010 S1 -> Alice  486 INVITE
                4.020 Alice -> S1  ACK
                """)
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")), arguments: [1, 2, 3, 5, 16])
    func silenceOfAllEndsTheCallAfter32Seconds(count: Int) throws {
        var (world, alice, servers) = Self.scene(servers: count)
        _ = world.call(Self.bob, from: alice)
        world.run(upTo: .seconds(60)) { !$0.ends(at: alice).isEmpty }
        #expect(world.now == .zero + .seconds(32))
        #expect(world.ends(at: alice).map(\.cause) == [.timedOut])
        for server in servers {
            #expect(world.hear(at: server, for: .zero).first == "INVITE +sdp")
        }
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func aServerThatRefusesIsLeftAtOnceAndAcknowledged() throws {
        var (world, alice, servers) = Self.scene(servers: 3)
        _ = world.call(Self.bob, from: alice)
        let first = try world.expect(.invite, at: servers[0])
        world.say(first.response(503, toTag: "s"), from: servers[0], to: alice)
        #expect(try world.expect(.ack, at: servers[0]).vias.first?.branch == first.vias.first?.branch)
        _ = try world.expect(.invite, at: servers[1], within: .milliseconds(100))
        world.reportUnreachable(world.address(of: servers[1]), to: alice)
        let third = try world.expect(.invite, at: servers[2], within: .milliseconds(100))
        world.say(third.response(503, toTag: "s"), from: servers[2], to: alice)
        _ = try world.expect(.ack, at: servers[2])
        world.run(for: .seconds(1))
        #expect(world.ends(at: alice).map(\.status) == [503])
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func failedServersComeLastForAMinute() throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        _ = world.call(Self.bob, from: alice)
        world.say(
            try world.expect(.invite, at: servers[1]).response(486, toTag: "bob"), from: servers[1], to: alice)
        world.run(for: .seconds(1))
        _ = world.hear(at: servers[0], for: .zero)
        _ = world.call(Self.bob, from: alice, as: 2)
        world.say(
            try world.expect(.invite, at: servers[1], within: .milliseconds(100)).response(486, toTag: "bob"),
            from: servers[1], to: alice)
        #expect(world.hear(at: servers[0], for: .seconds(60)) == [])
        _ = world.call(Self.bob, from: alice, as: 3)
        _ = try world.expect(.invite, at: servers[0], within: .milliseconds(100))
        world.perform(.hangUp(CallHandle(rawValue: 3)), at: alice)
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func aServerIsSparedForAsLongAsItAsks() throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        _ = world.call(Self.bob, from: alice)
        let first = try world.expect(.invite, at: servers[0])
        world.say(first.response(503, toTag: "s").with(.retryAfter, "5"), from: servers[0], to: alice)
        world.say(
            try world.expect(.invite, at: servers[1]).response(486, toTag: "bob"), from: servers[1], to: alice)
        world.run(for: .seconds(4))
        for (number, server) in [(2, servers[1]), (3, servers[0])] as [(UInt32, HostID)] {
            _ = world.hear(at: server, for: .zero)
            _ = world.call(Self.bob, from: alice, as: number)
            world.say(
                try world.expect(.invite, at: server, within: .milliseconds(100)).response(486, toTag: "bob"),
                from: server, to: alice)
            world.run(for: .seconds(2))
        }
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func whoeverHasGivenAResponseKeepsTheCall() throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        let handle = world.call(Self.bob, from: alice)
        let invite = try world.expect(.invite, at: servers[0])
        world.say(invite.response(100), from: servers[0], to: alice)
        #expect(world.hear(at: servers[1], for: .seconds(60)) == [])
        world.perform(.hangUp(handle), at: alice)
        let cancel = try world.expect(.cancel, at: servers[0])
        #expect(cancel.vias.first?.branch == invite.vias.first?.branch)
        world.say(cancel.response(200, toTag: "s"), from: servers[0], to: alice)
        world.say(invite.response(487, toTag: "s"), from: servers[0], to: alice)
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func theCancelFollowsItsInviteToTheSecondServer() throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        let handle = world.call(Self.bob, from: alice)
        let invite = try world.expect(.invite, at: servers[1])
        world.say(invite.response(180, toTag: "bob"), from: servers[1], to: alice)
        world.run(for: .seconds(1))
        _ = world.hear(at: servers[0], for: .zero)
        world.perform(.hangUp(handle), at: alice)
        let cancel = try world.expect(.cancel, at: servers[1])
        #expect(cancel.vias.first?.branch == invite.vias.first?.branch)
        world.say(cancel.response(200, toTag: "bob"), from: servers[1], to: alice)
        world.say(invite.response(487, toTag: "bob"), from: servers[1], to: alice)
        #expect(world.hear(at: servers[0], for: .seconds(1)) == [])
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func aServerThatRingsTooLateIsCancelled() throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        _ = world.call(Self.bob, from: alice)
        let late = try world.expect(.invite, at: servers[0])
        let invite = try world.expect(.invite, at: servers[1])
        world.say(invite.response(180, toTag: "bob"), from: servers[1], to: alice)
        _ = world.hear(at: servers[0], for: .zero)
        world.say(late.response(180, toTag: "late"), from: servers[0], to: alice)
        let cancel = try world.expect(.cancel, at: servers[0])
        #expect(cancel.vias.first?.branch == late.vias.first?.branch)
        world.say(cancel.response(200, toTag: "late"), from: servers[0], to: alice)
        world.say(late.response(487, toTag: "late"), from: servers[0], to: alice)
        _ = try world.expect(.ack, at: servers[0])
        world.say(invite.response(486, toTag: "bob"), from: servers[1], to: alice)
        world.run(for: .seconds(1))
        #expect(world.ends(at: alice).map(\.status) == [486])
        world.finish(alice)
    }

    /// Whether the second server has given a response yet decides when it can be told.
    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")), arguments: [true, false])
    func aServerThatAnswersTooLateHasTheCallAndTheOtherIsCancelled(rings: Bool) throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        let handle = world.call(Self.bob, from: alice)
        let late = try world.expect(.invite, at: servers[0])
        let invite = try world.expect(.invite, at: servers[1])
        if rings { world.say(invite.response(180, toTag: "bob"), from: servers[1], to: alice) }
        world.run(for: .milliseconds(50))
        world.say(world.answer(200, to: late, from: servers[0], tag: "late"), from: servers[0], to: alice)
        _ = try world.expect(.ack, at: servers[0])
        world.run(for: .milliseconds(50))
        if !rings { world.say(invite.response(180, toTag: "bob"), from: servers[1], to: alice) }
        let cancel = try world.expect(.cancel, at: servers[1])
        world.say(cancel.response(200, toTag: "bob"), from: servers[1], to: alice)
        world.say(invite.response(487, toTag: "bob"), from: servers[1], to: alice)
        _ = try world.expect(.ack, at: servers[1])
        #expect(world.story(of: alice).contains("established") && world.ends(at: alice).isEmpty)
        world.perform(.hangUp(handle), at: alice)
        world.say(try world.expect(.bye, at: servers[0]).response(200), from: servers[0], to: alice)
        world.finish(alice)
    }

    /// The INVITE that is under way is another one than the late server has.
    @Test(.proves(.row(37), .row(18)))
    func aServerThatAnswersAfterTheOtherAskedForAnotherINVITEIsLeft() throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        let handle = world.call(Self.bob, from: alice)
        let late = try world.expect(.invite, at: servers[0])
        let brief = try world.expect(.invite, at: servers[1])
        world.say(brief.response(422, toTag: "s").with(.minSE, "3600"), from: servers[1], to: alice)
        _ = try world.expect(.ack, at: servers[1])
        let invite = try world.expect(.invite, at: servers[1])
        #expect(invite.cSeq.number == 2)
        world.say(invite.response(180, toTag: "bob"), from: servers[1], to: alice)
        world.run(for: .milliseconds(50))
        world.say(world.answer(200, to: late, from: servers[0], tag: "late"), from: servers[0], to: alice)
        #expect(try world.expect(.ack, at: servers[0]).cSeq.number == 1)
        world.say(try world.expect(.bye, at: servers[0]).response(200), from: servers[0], to: alice)
        #expect(world.hear(at: servers[1], for: .seconds(1)) == [])
        world.say(world.answer(200, to: invite, from: servers[1], tag: "bob"), from: servers[1], to: alice)
        #expect(try world.expect(.ack, at: servers[1]).cSeq.number == 2)
        #expect(world.story(of: alice).contains("established") && world.ends(at: alice).isEmpty)
        world.perform(.hangUp(handle), at: alice)
        world.say(try world.expect(.bye, at: servers[1]).response(200), from: servers[1], to: alice)
        world.finish(alice)
    }

    /// One tag for all that it answers: its late answer must not end what its present one makes.
    @Test(.proves(.row(18)), arguments: [true, false])
    func aLateAnswerWithTheTagOfThePresentOneEndsNoCall(rings: Bool) throws {
        var (world, alice, servers) = Self.scene(servers: 1)
        let handle = world.call(Self.bob, from: alice)
        let first = try world.expect(.invite, at: servers[0])
        world.say(first.response(422, toTag: "s").with(.minSE, "3600"), from: servers[0], to: alice)
        _ = try world.expect(.ack, at: servers[0])
        let invite = try world.expect(.invite, at: servers[0])
        if rings { world.say(invite.response(180, toTag: "bob"), from: servers[0], to: alice) }
        world.run(for: .milliseconds(50))
        world.say(world.answer(200, to: first, from: servers[0], tag: "bob"), from: servers[0], to: alice)
        #expect(try world.expect(.ack, at: servers[0]).cSeq.number == 1)
        var last: UInt32 = 2
        if !rings {
            let bye = try world.expect(.bye, at: servers[0])
            last = bye.cSeq.number
            world.say(bye.response(200), from: servers[0], to: alice)
        }
        world.say(world.answer(200, to: invite, from: servers[0], tag: "bob"), from: servers[0], to: alice)
        #expect(try world.expect(.ack, at: servers[0]).cSeq.number == 2)
        #expect(world.story(of: alice).contains("established"))
        world.perform(.hangUp(handle), at: alice)
        let bye = try world.expect(.bye, at: servers[0])
        #expect(bye.cSeq.number > last)
        world.say(bye.response(200), from: servers[0], to: alice)
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func aCallThatIsTakenBackAsksNoOtherServer() throws {
        var (world, alice, servers) = Self.scene(servers: 2)
        let handle = world.call(Self.bob, from: alice)
        _ = try world.expect(.invite, at: servers[0])
        world.perform(.hangUp(handle), at: alice, after: .seconds(1))
        #expect(world.hear(at: servers[1], for: .seconds(60)) == [])
        #expect(world.ends(at: alice).count == 1)
        world.finish(alice)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func registrationsMoveToTheNextServerToo() throws {
        var world = World()
        let bob = world.addPhone("Bob", at: Scene.bob) {
            var account = Scene.account("bob")
            account.registrar = Scene.uri("sip:example.com")
            account.outboundProxy = nil
            $0.accounts = [account]
        }
        let registrar = world.addAgent("Registrar", at: Scene.secondProxy)
        world.directory["example.com"] = [Scene.proxy, Scene.secondProxy]
        world.perform(.register(AccountID(rawValue: 0)), at: bob)
        let request = try world.expect(.register, at: registrar, within: .seconds(5))
        #expect(world.now - .zero == .seconds(4) + NetworkConditions.usualDelay)
        let contact = request.headers.first(.contact) ?? ""
        world.say(request.response(200, toTag: "r").with(.contact, contact), from: registrar, to: bob)
        world.run(for: .seconds(1))
        #expect(world.story(of: bob).contains("registration"))
    }

    private enum Fault: CaseIterable { case silent, refusing, unreachable, none }

    /// Servers that fail in any way, in any order: the first that does not fail decides, and there is an end in time.
    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func everyListOfServersComesToItsEnd() throws {
        for seed in 1...100 {
            var random = RandomSource(seed: UInt64(seed))
            let count = Int.random(in: 1...8, using: &random)
            let faults = (0..<count).map { _ in Fault.allCases.randomElement(using: &random) ?? .none }
            var (world, alice, servers) = Self.scene(servers: count)
            _ = world.call(Self.bob, from: alice)
            var branches: [[String]] = Array(repeating: [], count: count)
            while world.now < .zero + .seconds(40), world.ends(at: alice).isEmpty {
                world.run(for: .milliseconds(100))
                for index in servers.indices {
                    let server = servers[index]
                    while let invite = try? world.expect(.invite, at: server, within: .zero) {
                        branches[index].append(invite.vias.first?.branch ?? "")
                        switch faults[index] {
                        case .silent: break
                        case .refusing: world.say(invite.response(503, toTag: "s"), from: server, to: alice)
                        case .unreachable: world.reportUnreachable(world.address(of: server), to: alice)
                        case .none: world.say(invite.response(486, toTag: "bob"), from: server, to: alice)
                        }
                    }
                }
            }
            let decider = faults.firstIndex(of: .none)
            #expect(world.now <= .zero + .seconds(32) + .milliseconds(100), "seed \(seed)")
            #expect((world.ends(at: alice).first?.status == 486) == (decider != nil), "seed \(seed): \(faults)")
            // Each that was asked had its own branch, and nobody behind the one that decided was asked.
            let asked = branches.filter { !$0.isEmpty }
            #expect(asked.count == (decider ?? count - 1) + 1 && asked.allSatisfy { Set($0).count == 1 })
            #expect(Set(asked.compactMap(\.first)).count == asked.count)
            world.finish(alice)
        }
    }
}
