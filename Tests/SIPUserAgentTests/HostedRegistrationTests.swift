import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Registrations as the user agent keeps them: its registrar is found, challenges, answers late or not at all.
@Suite struct HostedRegistrationTests {
    private let work = AccountID(rawValue: 1)

    private func states(of world: World) -> [RegistrationState] {
        (world.events["alice"] ?? []).compactMap { event in
            if case .registration(_, let state) = event { state } else { nil }
        }
    }

    /// Alice with an account at a scripted registrar, her first REGISTER on its way.
    private func registering() throws -> (World, Request) {
        var world = World()
        let configuration = try AuthenticationTests.account(proxy: nil, registrar: "sip:registrar.example", realm: nil)
        world.add("alice", at: "192.0.2.1", configuration: configuration)
        world.addScripted("carol", at: "192.0.2.9")
        world.names["registrar.example"] = [try #require(SocketAddress("192.0.2.9:5060"))]
        world.names["example.com"] = [try #require(SocketAddress("192.0.2.9:5060"))]
        world.perform(.register(work), by: "alice")
        world.run(for: .milliseconds(20))
        return (world, try #require(world.last(.register, at: "carol")))
    }

    private func registered() throws -> World {
        var (world, first) = try registering()
        try world.reply(401, to: first, from: "carol", headers: [AuthenticationTests.registrarChallenge])
        let second = try #require(world.last(.register, at: "carol"))
        try world.reply(200, to: second, from: "carol", headers: [(.contact, "<sip:alice@192.0.2.1:5060>;expires=600")])
        return world
    }

    @Test(.proves(.clause("RFC 3261 §10.2.4"), .clause("RFC 3261 §22.2")))
    func registersWithDigestAndRefreshesInTime() throws {
        var world = try registered()
        #expect(states(of: world) == [.registering, .registered(expires: 600)])
        let requests = world.requests(.register, from: "alice")
        #expect(requests.map(\.cSeq.number) == [1, 2])
        #expect(Set(requests.map(\.callID)).count == 1)
        #expect(requests.first?.uri.description == "sip:registrar.example")
        #expect(requests.last?.headers.first(.contact) == "<sip:alice@192.0.2.1:5060>")
        world.run(for: .seconds(540))
        #expect(world.requests(.register, from: "alice").count > 2)
        #expect(world.requests(.register, from: "alice").dropFirst(2).first?.headers.contains(.authorization) == true)
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §10.2.8")))
    func asksForALongerTimeWhereTheRegistrarFindsItsTooBrief() throws {
        var (world, first) = try registering()
        try world.reply(423, to: first, from: "carol", headers: [(.minExpires, "7200")])
        let second = try #require(world.last(.register, at: "carol"))
        #expect(second.headers.first(.expires) == "7200")
        #expect(second.callID == first.callID && second.cSeq.number == first.cSeq.number + 1)
        #expect(second.vias.first?.branch != first.vias.first?.branch)
        try world.reply(
            200, to: second, from: "carol", headers: [(.contact, "<sip:alice@192.0.2.1:5060>;expires=7200")])
        #expect(states(of: world) == [.registering, .registered(expires: 7200)])
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §20.33")))
    func waitsAsLongAsTheRegistrarAsks() throws {
        var (world, first) = try registering()
        try world.reply(503, to: first, from: "carol", headers: [(.retryAfter, "120 (maintenance)")])
        guard case .failed(503, _, let wait?)? = states(of: world).last else {
            Issue.record("no failure with a time to try again: \(states(of: world))")
            return
        }
        #expect(wait >= .seconds(120))
        world.run(for: .seconds(119))
        #expect(world.requests(.register, from: "alice").count == 1)
        world.run(for: wait - .seconds(118))
        let again = try #require(world.last(.register, at: "carol"))
        #expect(again.cSeq.number > first.cSeq.number)
        try world.reply(200, to: again, from: "carol", headers: [(.contact, "<sip:alice@192.0.2.1:5060>;expires=600")])
        #expect(states(of: world).last == .registered(expires: 600))
    }

    @Test(.proves(.clause("RFC 3261 §10.2.2")))
    func unregistersOnShutDown() throws {
        var world = try registered()
        world.perform(.shutDown, by: "alice")
        world.run(for: .milliseconds(20))
        let removal = try #require(world.last(.register, at: "carol"))
        #expect(removal.headers.first(.expires) == "0")
        try world.reply(200, to: removal, from: "carol")
        #expect(states(of: world).suffix(2) == [.unregistering, .unregistered])
        #expect(world.story(of: "alice").last == "shutDownFinished")
    }

    /// It stands then for as long as it was granted for, and whoever leaves is to know.
    @Test(.proves(.row(9), .clause("RFC 3261 §10.2.2")))
    func tellsOfARemovalThatHadNoAnswerWhenItWasTimeToLeave() throws {
        var world = try registered()
        world.perform(.shutDown, by: "alice")
        world.run(for: .seconds(2))
        guard case .failed(nil, let reason, nil)? = states(of: world).last else {
            Issue.record("\(states(of: world))")
            return
        }
        #expect(reason.hasSuffix(": the registration was not removed"))
        #expect(world.story(of: "alice").suffix(2) == ["registration", "shutDownFinished"])
    }

    /// What was asked for is forgotten: its answer begins nothing any more.
    @Test func aRegistrarThatIsFoundAfterShutDownIsLeftAlone() throws {
        let local = try #require(SocketAddress("192.0.2.1:5060"))
        let remote = try #require(SocketAddress("192.0.2.3:5060"))
        let configuration = try AuthenticationTests.account(proxy: nil, registrar: "sip:registrar.example")
        var core = UserAgentCore(configuration: configuration, random: RandomSource(seed: 1))
        core.perform(.register(work), at: .zero)
        var questions: [ResolveID] = []
        while let output = core.nextOutput() { if case .resolve(let id, _) = output { questions.append(id) } }
        core.perform(.shutDown, at: .zero)
        let way = Destination(transport: .udp, remote: remote, local: local)
        core.receive(.resolved(try #require(questions.first), [way]), at: .zero)
        var outputs: [Output] = []
        while let output = core.nextOutput() { outputs.append(output) }
        guard outputs.count == 1, case .event(.shutDownFinished)? = outputs.first else {
            Issue.record("\(outputs)")
            return
        }
        #expect(core.occupancy == .empty && core.deadline == nil)
    }

    @Test func registrarFlowIsTrustedAndItsChallengeToCallsAnswered() throws {
        var world = try registered()
        let invite = try world.request(.invite, from: "carol", to: "alice", body: World.answerText)
        world.ask(invite, from: "carol", to: "alice")
        guard case .incomingCall(_, let call)? = world.events["alice"]?.last else {
            Issue.record("no call came in")
            return
        }
        #expect(call.trust == .registrarFlow)
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)), by: "alice")
        world.run(for: .milliseconds(20))
        let call1 = try #require(world.last(.invite, at: "carol"))
        try world.reply(407, to: call1, from: "carol", headers: [AuthenticationTests.proxyChallenge])
        #expect(world.last(.invite, at: "carol")?.cSeq.number == 2)
    }

    @Test(.proves(.rule(6), .incident(53)))
    func strangersDoNotReachARegisteredAccount() throws {
        var world = try registered()
        world.addScripted("mallory", at: "192.0.2.66")
        let invite = try world.request(.invite, from: "mallory", to: "alice", body: World.answerText)
        world.ask(invite, from: "mallory", to: "alice")
        #expect(world.received(403, at: "mallory").count == 1)
        #expect(world.incoming(at: "alice") == nil)
    }

    @Test(.proves(.row(36), .row(38), .clause("RFC 3261 §10.2")))
    func changedAddressesRegisterAnew() throws {
        var world = try registered()
        let before = world.requests(.register, from: "alice").count
        world.receive(.localAddressesChanged, by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.requests(.register, from: "alice").count == before + 1)
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §10.3")))
    func silentRegistrarIsTriedAgainLater() throws {
        var (world, _) = try registering()
        world.run(for: .seconds(40))
        guard case .failed(nil, _, let wait?)? = states(of: world).last else {
            Issue.record("no failure with a time to try again: \(states(of: world))")
            return
        }
        #expect(wait >= .seconds(30) && wait <= .seconds(60))
        let before = world.requests(.register, from: "alice").count
        world.run(for: .seconds(60))
        #expect(world.requests(.register, from: "alice").count > before)
    }

    @Test(.proves(.row(18), .incident(76)))
    func answerToNoRequestOfOursLeavesTheRegistrationAlive() throws {
        var (world, register) = try registering()
        register.cSeq.number += 7
        try world.reply(200, to: register, from: "carol", tag: "r")
        world.run(for: .seconds(40))
        guard case .failed(nil, _, _?)? = states(of: world).last else {
            Issue.record("no failure with a time to try again: \(states(of: world))")
            return
        }
    }
}
