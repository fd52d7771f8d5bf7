import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// What a caller costs who is answered without a person (ROBUSTNESS S1).
@Suite struct AutomaticAnswerTests {
    private func configuration(_ rules: AutomaticAnswerRules) -> UserAgentConfiguration {
        var configuration = World.configuration(user: "bob")
        configuration.automaticAnswer = rules
        return configuration
    }

    private let anybody = AutomaticAnswerRules(loopback: true, registrarFlows: true, anybody: true)

    /// Bob's phone rang and was answered by no person; Carol never says another word.
    private func spoofed(
        _ rules: AutomaticAnswerRules, headers: [(HeaderName, String)] = []
    ) throws
        -> (World, CallHandle, Request)
    {
        var world = World()
        let (invite, handle) = try world.carolCallsBob(configuration(rules), headers: headers)
        world.run(for: .milliseconds(300))
        world.perform(.ring(handle), by: "bob")
        world.perform(.answer(handle, World.media, automatic: true), by: "bob")
        return (world, handle, invite)
    }

    @Test(.proves(.rule(1)))
    func unprovenCallerCostsSixDatagramsAndNoMedia() throws {
        var (world, handle, _) = try spoofed(anybody)
        let answered = world.now
        world.run(for: .seconds(200))
        let sent = world.ladder.filter { $0.from == "bob" }
        #expect(sent.map(\.summary).filter { $0.hasSuffix("100 INVITE") }.count == 1)
        #expect(sent.map(\.summary).filter { $0.hasSuffix("180 INVITE") }.count == 1)
        let answers = sent.filter { $0.summary == "bob>carol 200 INVITE" }
        #expect(answers.map { ($0.at - answered).milliseconds } == [0, 500, 1500, 3500])
        #expect(sent.count == 6)
        #expect(sent.map(\.bytes).reduce(0, +) <= 8192)
        #expect(world.agreements(at: "bob").map(\.mayTransmit) == [false])
        #expect(world.ends(at: "bob") == [CallEnd(cause: .notAcknowledged, by: .local)])
        #expect(world.cores["bob"]?.occupancy == .empty)
        #expect(world.incoming(at: "bob") == handle)
    }

    /// Whoever answers calls unasked wants to know that there would have been one.
    @Test(arguments: [true, false])
    func anOfferThatCanNotBeMetIsToldOfThoseWhoWouldBeAnswered(isLetIn: Bool) throws {
        var world = World()
        let nobody = AutomaticAnswerRules(loopback: false, registrarFlows: false)
        world.add("bob", at: "192.0.2.2", configuration: configuration(isLetIn ? anybody : nobody))
        world.addScripted("carol", at: "192.0.2.9")
        let body = World.answerText.replacing("AVP 0", with: "AVP 18").replacing(
            "rtpmap:0 PCMU", with: "rtpmap:18 G729")
        world.ask(try world.request(.invite, from: "carol", to: "bob", body: body), from: "carol", to: "bob")
        #expect(world.received(488, at: "carol").count == 1)
        let core = try #require(world.cores["bob"])
        #expect(core.counters[isLetIn ? .incompatibleMedia : .invalid] == 1)
        #expect(core.counters[isLetIn ? .invalid : .incompatibleMedia] == 0)
    }

    /// What told the caller of progress before counts too, and leaves room for the answer.
    @Test(.proves(.rule(1)), arguments: [(1, 3), (2, 2), (9, 1)])
    func earlyMediaIsPartOfTheSixDatagrams(earlyMedia: Int, answers: Int) throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob(configuration(anybody))
        world.run(for: .milliseconds(300))
        world.perform(.ring(handle), by: "bob")
        for _ in 0..<earlyMedia { world.perform(.progress(handle, World.media), by: "bob") }
        world.perform(.answer(handle, World.media, automatic: true), by: "bob")
        world.run(for: .seconds(200))
        let sent = world.ladder.filter { $0.from == "bob" }
        #expect(sent.count == 6)
        #expect(sent.map(\.bytes).reduce(0, +) <= 8192)
        #expect(world.count("bob>carol 200 INVITE") == answers)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(1)))
    func longHeadersDoNotBuyMoreThanEightKilobytes() throws {
        let routes = (0..<10).map {
            "<sip:proxy\($0).a-rather-long-name-of-a-proxy.example.com;lr;x=\(String(repeating: "y", count: 120))>"
        }
        var (world, _, _) = try spoofed(anybody, headers: [(.recordRoute, routes.joined(separator: ", "))])
        world.run(for: .seconds(200))
        let sent = world.ladder.filter { $0.from == "bob" }
        #expect(sent.map(\.bytes).reduce(0, +) <= 8192)
        #expect(sent.count < 6)
    }

    @Test(.proves(.rule(1)))
    func hangingUpOnAnUnprovenCallerSendsNoBye() throws {
        var (world, handle, _) = try spoofed(anybody)
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .seconds(200))
        #expect(world.requests(.bye, from: "bob").isEmpty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(1)))
    func acknowledgementProvesThePath() throws {
        var (world, _, invite) = try spoofed(anybody)
        world.run(for: .milliseconds(20))
        let answer = try #require(world.received(200, at: "carol").first)
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
        #expect(world.story(of: "bob").suffix(2) == ["pathProven", "established"])
    }

    @Test(.proves(.rule(1)))
    func wrongTagProvesNothing() throws {
        var (world, _, invite) = try spoofed(anybody)
        var guess = invite.response(200, toTag: "0123456789abcdef")
        guess.cSeq = invite.cSeq
        world.acknowledge(guess, of: invite, from: "carol", to: "bob")
        #expect(!world.story(of: "bob").contains("pathProven"))
    }

    @Test(.proves(.rule(1)))
    func personAnsweringIsNotBounded() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob(configuration(anybody))
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .seconds(33))
        #expect(world.count("bob>carol 200 INVITE") == 11)
        #expect(world.agreements(at: "bob").map(\.mayTransmit) == [true])
    }

    @Test(.proves(.rule(1)))
    func listedSourceIsNotBounded() throws {
        let network = try #require(IPAddress("192.0.2.0"))
        let rules = AutomaticAnswerRules(
            loopback: false, registrarFlows: false, ranges: [AddressRange(network: network, prefix: 24)])
        var (world, _, _) = try spoofed(rules)
        world.run(for: .seconds(33))
        #expect(world.count("bob>carol 200 INVITE") == 11)
    }

    @Test(.proves(.rule(1), .incident(75)))
    func strangerIsLeftToAPersonWithoutARule() throws {
        var (world, _, _) = try spoofed(.standard)
        world.run(for: .seconds(1))
        #expect(world.count("bob>carol 200 INVITE") == 0)
        #expect(world.story(of: "bob") == ["incomingCall", "warning"])
    }

    @Test(.proves(.rule(1)))
    func oneCallerIsAnsweredOnceAtATime() throws {
        var (world, _, _) = try spoofed(anybody)
        let second = try world.request(.invite, from: "carol", to: "bob", callID: "second", body: World.answerText)
        world.ask(second, from: "carol", to: "bob")
        let handle = try #require(world.incoming(at: "bob", 1))
        world.perform(.answer(handle, World.media, automatic: true), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.received(486, at: "carol").count == 1)
    }
}
