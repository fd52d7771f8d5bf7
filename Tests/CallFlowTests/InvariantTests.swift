import EngineKit
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Each invariant of the simulated world can fail: a violation is planted, and found under the right name.
@Suite struct InvariantTests {
    private static let handle = CallHandle(rawValue: 7)

    /// What was found, each name once, in the order of finding.
    private static func names(_ world: World) -> [Invariant] {
        world.violations.map(\.invariant).reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }

    /// A request that a phone might send to the agent.
    private static func request(_ method: Method, sequence: UInt32 = 1, branch: String = "z9hG4bK-one") -> Request {
        let uri = Scene.uri("sip:bob@192.0.2.2:5060")
        var from = NameAddress(uri: Scene.uri("sip:alice@192.0.2.1"))
        from.tag = "alice"
        var to = NameAddress(uri: uri)
        to.tag = "bob"
        let via = Via(transport: .udp, host: .address(Scene.alice), port: 5060, branch: branch)
        var request = Request(
            method: method, uri: uri, vias: [via], from: from, to: to, callID: "planted",
            cSeq: CSeq(sequence, method))
        request.headers.append(Contact(SIPURI(user: "alice", host: .address(Scene.alice))))
        return request
    }

    @Test func aCallThatNeverEnds() {
        var (world, alice, _) = World.phoneAndAgent()
        world.forge(.placed(Self.handle, callID: "planted"), at: alice)
        world.examineRest()
        #expect(Self.names(world) == [.everyCallEnds])
    }

    @Test func aCallThatEndsTwice() {
        var (world, alice, _) = World.phoneAndAgent()
        world.forge(.placed(Self.handle, callID: "planted"), at: alice)
        for _ in 0..<2 { world.forge(.ended(Self.handle, CallEnd(cause: .hungUp, by: .local)), at: alice) }
        #expect(Self.names(world) == [.everyCallEnds])
    }

    @Test func anEndThatThePeerKnowsNothingOf() {
        var (world, alice, _) = World.phoneAndAgent()
        world.forge(.placed(Self.handle, callID: "planted"), at: alice)
        world.forge(.ended(Self.handle, CallEnd(cause: .hungUp, by: .remote)), at: alice)
        #expect(Self.names(world) == [.bothSidesAgree])
    }

    @Test func anAcknowledgementOfNothing() {
        var (world, alice, bob) = World.phoneAndAgent()
        world.forge(Self.request(.ack).bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.acceptancesAreAcknowledged])
    }

    @Test func aFinalResponseThatIsRepeatedTooSoon() throws {
        var (world, alice, bob) = World.agentAndPhone()
        let invite = world.invite(bob, from: alice)
        world.say(invite, from: alice, to: bob)
        world.run(for: .seconds(1))
        let refusal = invite.response(603, toTag: "planted").bytes()
        for _ in 0..<2 {
            world.forge(refusal, from: bob, to: alice)
            world.run(for: .milliseconds(100))
        }
        #expect(Self.names(world) == [.finalResponsesAreRepeated])
    }

    /// Only a refusal that may have left nothing begins anew as its INVITE comes again.
    @Test func aRefusalWhoseRepetitionsCountFromAnInviteThatCameAgain() throws {
        var (world, alice, bob) = World.agentAndPhone()
        let invite = world.invite(bob, from: alice)
        world.say(invite, from: alice, to: bob)
        world.run(for: .seconds(1))
        let refusal = invite.response(603, toTag: "planted").bytes()
        world.forge(refusal, from: bob, to: alice)
        world.run(for: .milliseconds(200))
        world.say(invite, from: alice, to: bob)
        world.run(for: NetworkConditions.usualDelay)
        world.forge(refusal, from: bob, to: alice)
        #expect(world.violations.isEmpty)
        world.run(for: .milliseconds(500))
        world.forge(refusal, from: bob, to: alice)
        #expect(Self.names(world) == [.finalResponsesAreRepeated])
    }

    @Test func somethingThatIsLeft() {
        var (world, alice, bob) = World.phoneAndAgent()
        _ = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.examineRest()
        #expect(Self.names(world).contains(.nothingIsLeft))
    }

    @Test func aPathThatNothingProved() {
        var (world, alice, _) = World.phoneAndAgent()
        world.forge(.placed(Self.handle, callID: "planted"), at: alice)
        world.forge(.pathProven(Self.handle), at: alice)
        #expect(Self.names(world) == [.mediaKeepsToTheRules])
    }

    @Test func aSecretInAMessage() {
        var (world, alice, bob) = World.phoneAndAgent()
        world.logsEvents = true
        world.forge(Self.request(.options).with(.subject, "zanzibar").bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.secretsStaySecret])
    }

    @Test func anAnswerThatNobodyAskedFor() {
        var (world, alice, bob) = World.phoneAndAgent()
        world.forge(Self.request(.options).response(200).bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.strangersCostLittle])
    }

    @Test func aTableOverItsLimit() {
        var (world, alice, bob) = World.twoPhones { $0.limits = .open(calls: 8) }
        let target = world.uri(of: bob, user: "bob")
        world.lose(Set(0..<400))
        for number in 0..<300 as Range<UInt32> {
            let request = OutgoingRequest(.options, to: .address(target))
            world.perform(.request(RequestHandle(rawValue: number), request), at: alice)
        }
        world.run(for: .milliseconds(1))
        #expect(Self.names(world) == [.tablesAreBounded])
    }

    @Test func aBranchThatIsUsedTwice() {
        var (world, alice, bob) = World.phoneAndAgent()
        world.forge(Self.request(.options, sequence: 1).bytes(), from: alice, to: bob)
        world.run(for: .milliseconds(500))
        world.forge(Self.request(.options, sequence: 2).bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.numbersAreFresh])
    }

    @Test func aNumberThatDoesNotRise() {
        var (world, alice, bob) = World.phoneAndAgent()
        world.forge(Self.request(.options, branch: "z9hG4bK-one").bytes(), from: alice, to: bob)
        world.forge(Self.request(.options, branch: "z9hG4bK-two").bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.numbersAreFresh])
    }

    @Test func aRequestThatIsRepeatedTooSoon() {
        var (world, alice, bob) = World.phoneAndAgent()
        for _ in 0..<2 {
            world.forge(Self.request(.options).bytes(), from: alice, to: bob)
            world.run(for: .milliseconds(100))
        }
        #expect(Self.names(world) == [.requestsAreRepeated])
    }

    @Test func anEventOutOfOrder() {
        var (world, alice, _) = World.phoneAndAgent()
        world.forge(.established(Self.handle), at: alice)
        #expect(Self.names(world) == [.eventsAreInOrder])
    }

    @Test func anOfferWhileAnotherWaits() {
        var (world, alice, bob) = World.phoneAndAgent()
        world.forge(Self.request(.invite, sequence: 1, branch: "z9hG4bK-one").bytes(), from: alice, to: bob)
        world.forge(Self.request(.invite, sequence: 2, branch: "z9hG4bK-two").bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.offersTakeTurns])
    }

    @Test func anOfferThatNobodyWants() throws {
        var (world, alice, bob) = World.phoneAndAgent()
        world.forge(.placed(Self.handle, callID: "planted"), at: alice)
        let offer = Self.request(.invite).carrying(world.description(of: bob, direction: "sendonly"))
        world.forge(offer.bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.offersTakeTurns])
    }

    @Test func aSubscriptionThatNobodyMade() {
        var (world, alice, _) = World.phoneAndAgent()
        world.forge(.subscription(SubscriptionHandle(rawValue: 7), .active(expires: 60)), at: alice)
        #expect(Self.names(world) == [.subscriptionsEnd])
    }

    @Test func aNotificationThatNobodyAskedFor() {
        var (world, alice, bob) = World.phoneAndAgent()
        let notify = Self.request(.notify).with(.event, "presence").with(.subscriptionState, "active;expires=60")
        world.forge(notify.bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.subscriptionsEnd])
    }

    @Test func aTransferThatNobodyAskedFor() {
        var (world, alice, _) = World.phoneAndAgent()
        world.forge(.transferProgress(Self.handle, .accepted), at: alice)
        #expect(Self.names(world) == [.transfersAreTold])
    }

    @Test func anEntityTagThatNobodyGave() {
        var (world, alice, bob) = World.phoneAndAgent()
        world.forge(Self.request(.publish).with(.sipIfMatch, "planted").bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.requestsAreAnswered])
    }

    @Test func aCallThatNobodyTook() throws {
        var world = World()
        let alice = world.addAgent("Alice", at: Scene.alice)
        let bob = world.addPhone("Bob", at: Scene.bob, behaviour: Behaviour(ringAfter: nil, answerAfter: .zero))
        let carol = world.addPhone("Carol", at: Scene.proxy, behaviour: Behaviour(ringAfter: nil))
        for phone in [bob, carol] { world.say(world.invite(phone, from: alice), from: alice, to: phone) }
        world.run(for: .milliseconds(100))
        // Both phones number their first call alike.
        let answered = try #require(
            world.notices(of: bob).map(\.event).first { if case .answered = $0 { true } else { false } })
        #expect(world.violations.isEmpty)
        world.forge(answered, at: carol)
        #expect(Self.names(world) == [.nobodyIsHeardUnasked])
    }

    @Test func credentialsForAStranger() {
        var (world, alice, bob) = World.phoneAndAgent()
        let shown = Self.request(.options).with(.authorization, #"Digest username="alice", realm="a", nonce="b""#)
        world.forge(shown.bytes(), from: alice, to: bob)
        #expect(Self.names(world) == [.credentialsGoHome])
    }

    @Test func aPhoneThatCanNotRegister() {
        // No lifetime that a phone asks for is long enough.
        var plan = CanonicalFlow.registration.plan
        plan.setting.proxies[0].minimumExpires = 1_000_000
        var trial = Trial(plan)
        trial.run()
        #expect(Self.names(trial.world) == [.lifeGoesOn])
    }

    @Test func octetsThatAreNoMessage() {
        var (world, alice, bob) = World.phoneAndAgent()
        world.forge(Array("nonsense".utf8), from: alice, to: bob)
        #expect(Self.names(world) == [.messagesAreWellFormed])
    }

    @Test func timeThatStandsStill() {
        var (world, alice, _) = World.phoneAndAgent()
        for _ in 0...10_000 { world.perform(.ring(Self.handle), at: alice, after: .zero) }
        world.run(for: .seconds(1))
        #expect(Self.names(world) == [.timePasses])
    }

    @Test func everyFlowOfTheSweepHoldsByItself() {
        for flow in CanonicalFlow.allCases {
            var trial = Trial(flow.plan)
            trial.run()
            #expect(trial.violations == [], "\(flow)")
        }
    }

    @Test func aFailingPlanIsMadeSmall() throws {
        // Who listens to nobody can't be registered; nothing else of the plan matters.
        var plan = Plan(seed: 3)
        plan.conditions.corruption = 0
        plan.setting = CanonicalFlow.forkedCall.plan.setting
        plan.setting.proxies[0].minimumExpires = 1_000_000
        plan.steps = CanonicalFlow.forkedCall.plan.steps
        var shrinker = try #require(Shrinker(plan))
        shrinker.shrink()
        #expect(shrinker.plan.steps.isEmpty)
        #expect(shrinker.plan.mishaps?.isEmpty ?? true)
        #expect(shrinker.plan.setting.phones.count == 2)
    }
}
