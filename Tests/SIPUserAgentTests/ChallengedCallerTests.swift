import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Callers who have to prove who they are (RFC 3261 §22.2, ROBUSTNESS S1, S11).
@Suite struct ChallengedCallerTests {
    private static let alice = CallerCredentials(
        username: "alice", realm: "phone.example", password: Secret("wonderland"))

    private func bob(_ rules: AutomaticAnswerRules = .off) -> UserAgentConfiguration {
        var configuration = World.configuration(user: "bob")
        configuration.callers = [Self.alice]
        configuration.automaticAnswer = rules
        return configuration
    }

    /// Alice, who takes Bob for her proxy and so may answer him.
    private func alice(password: String = "wonderland") throws -> UserAgentConfiguration {
        var account = Account(
            id: AccountID(rawValue: 0), name: "alice", address: try NameAddress(parsing: "<sip:alice@phone.example>"),
            credentials: AccountCredentials(username: "alice", realm: "phone.example", password: Secret(password)))
        account.outboundProxy = try URI(parsing: "sip:192.0.2.2")
        return UserAgentConfiguration(
            accounts: [account], product: "", capabilities: World.media, maximumCallDuration: nil)
    }

    private func incoming(_ world: World) -> IncomingCall? {
        (world.events["bob"] ?? []).compactMap { if case .incomingCall(_, let call) = $0 { call } else { nil } }.first
    }

    @Test(.proves(.rule(1), .clause("RFC 3261 §22.2"), .clause("RFC 8760 §2.4")))
    func callerWithThePasswordRingsAfterOneChallenge() throws {
        var world = aliceAndBob(alice: try alice(), bob: bob())
        let handle = try world.talk()
        #expect(
            world.steps().prefix(3) == ["alice>bob INVITE", "bob>alice 401 INVITE", "alice>bob ACK"])
        let call = try #require(incoming(world))
        #expect(call.trust == .authenticated && call.provenCaller == "alice")
        let challenge = try #require(world.responses(401, from: "bob").first)
        #expect(try challenge.headers.all(WWWAuthenticate.self).map(\.algorithm) == ["SHA-256", "MD5"])
        let credentials = try #require(
            try world.requests(.invite, from: "alice").last?.headers.first(Authorization.self))
        #expect(credentials.algorithm == "SHA-256")
        // Within the dialog nobody is asked again.
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .seconds(40))
        #expect(world.responses(401, from: "bob").count == 1)
        #expect(world.ends(at: "alice").map(\.cause) == [.hungUp])
        // The nonce that was used is remembered for as long as it is good.
        #expect(world.cores["bob"]?.occupancy.nonces == 1)
        world.run(for: .seconds(300))
        #expect(world.cores["bob"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.counters[.challenged] == 1)
        #expect(world.cores["bob"]?.counters[.strayAcknowledgement] == 0)
    }

    @Test(.proves(.rule(11), .clause("RFC 3261 §8.2.7")))
    func challengeCostsNoStateAndIsTheSameForWhoeverAsksAgain() throws {
        var world = bobAndCarol(bob())
        let invite = try world.request(.invite, from: "carol", to: "bob", body: World.answerText)
        for _ in 0..<3 {
            world.send(.request(invite), from: "carol", to: "bob")
            world.run(for: .milliseconds(30))
            #expect(world.cores["bob"]?.occupancy == .empty)
        }
        let answers = world.received(401, at: "carol")
        #expect(answers.count == 3 && Set(answers.map(\.to.tag)).count == 1)
        #expect(world.ladder.filter { $0.from == "bob" }.allSatisfy { $0.bytes <= invite.bytes().count })
        world.run(for: .seconds(40))
        #expect(world.steps().filter { $0.hasPrefix("bob") }.count == 3)
        #expect(world.incoming(at: "bob") == nil)
    }

    @Test(.proves(.rule(11)))
    func shortRequestsOverUDPAreOfferedNoMoreThanOneHash() throws {
        var world = bobAndCarol(bob())
        world.send(.request(try world.request(.invite, from: "carol", to: "bob")), from: "carol", to: "bob")
        world.run(for: .milliseconds(30))
        let answer = try #require(world.received(401, at: "carol").first)
        #expect(try answer.headers.all(WWWAuthenticate.self).map(\.algorithm) == ["SHA-256"])
    }

    @Test(.proves(.rule(1)))
    func wrongPasswordIsChallengedAnewAndRingsNobody() throws {
        var world = aliceAndBob(alice: try alice(password: "mirror"), bob: bob())
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@192.0.2.2"), media: World.media)), by: "alice")
        world.run(for: .seconds(40))
        #expect(world.incoming(at: "bob") == nil)
        #expect(world.cores["bob"]?.counters[.wrongCredentials] == 1)
        #expect(world.ends(at: "alice").map(\.cause) == [.authenticationFailed])
        #expect(world.requests(.invite, from: "alice").count == 2)
    }

    @Test(.proves(.rule(1), .clause("RFC 7616 §3.3")))
    func whoListensInAndSendsTheSameCredentialsAgainGetsNothing() throws {
        var world = aliceAndBob(alice: try alice(), bob: bob())
        _ = try world.talk()
        world.addScripted("mallory", at: "192.0.2.66")
        var stolen = try #require(world.requests(.invite, from: "alice").last)
        stolen.vias[0].branch = "z9hG4bKstolen"
        stolen.callID = "another"
        world.send(.request(stolen), from: "mallory", to: "bob")
        world.run(for: .milliseconds(30))
        // Neither from elsewhere nor from the very address of the caller.
        world.send(.request(stolen), from: "alice", to: "bob")
        world.run(for: .milliseconds(30))
        let refusals = world.responses(401, from: "bob").suffix(2)
        #expect(try refusals.allSatisfy { try $0.headers.first(WWWAuthenticate.self)?.isStale == true })
        #expect(world.incoming(at: "bob", 1) == nil)
    }

    @Test func listedNetworksAndTheRegistrarNeedNoPassword() throws {
        var configuration = bob()
        configuration.accounts[0].sources = [AddressRange(network: .v4(0xc000_0200), prefix: 24)]
        var world = World()
        let (_, _) = try world.carolCallsBob(configuration)
        #expect(world.received(401, at: "carol").isEmpty)
        #expect(incoming(world)?.trust == .allowListed)
    }

    @Test(arguments: [
        ("sip:alice@*", true), ("sip:*@phone.example", true), ("sip:bob@*", false), ("*", true),
    ])
    func ruleForAFromNeedsTheNameThatWasProven(pattern: String, expected: Bool) throws {
        let rules = AutomaticAnswerRules(
            loopback: false, registrarFlows: false, from: [try #require(URIPattern(pattern))])
        var world = aliceAndBob(alice: try alice(), bob: bob(rules))
        let handle = try world.dial()
        #expect(incoming(world)?.mayAnswerAutomatically == expected)
        world.perform(.answer(handle, World.media, automatic: true), by: "bob")
        world.run(for: .milliseconds(50))
        #expect(world.agreements(at: "bob").map(\.mayTransmit) == (expected ? [true] : []))
    }

    @Test(.proves(.rule(1)))
    func nobodyMayBearTheNameOfAnother() throws {
        let rules = AutomaticAnswerRules(
            loopback: false, registrarFlows: false, from: [try #require(URIPattern("sip:ceo@*"))])
        var configuration = try alice()
        configuration.accounts[0].address = try NameAddress(parsing: "<sip:ceo@phone.example>")
        var world = aliceAndBob(alice: configuration, bob: bob(rules))
        _ = try world.dial()
        #expect(incoming(world)?.provenCaller == "alice" && incoming(world)?.mayAnswerAutomatically == false)
    }

    @Test func authenticatedCallerIsAnsweredWithoutAPersonByDefault() throws {
        var world = aliceAndBob(alice: try alice(), bob: bob(.standard))
        let handle = try world.dial()
        world.perform(.answer(handle, World.media, automatic: true), by: "bob")
        world.run(for: .milliseconds(50))
        #expect(world.agreements(at: "bob").map(\.mayTransmit) == [true])
    }

    @Test(.proves(.rule(5)))
    func messageOfWhoeverHasThePasswordIsTaken() throws {
        var world = aliceAndBob(alice: try alice(), bob: bob())
        let message = OutgoingRequest(
            .message, to: .address(try target("sip:bob@192.0.2.2")), contentType: .plainText, body: Array("hi".utf8))
        world.perform(.request(RequestHandle(rawValue: 1), message), by: "alice")
        world.run(for: .seconds(1))
        #expect(
            world.steps() == [
                "alice>bob MESSAGE", "bob>alice 401 MESSAGE", "alice>bob MESSAGE", "bob>alice 200 MESSAGE",
            ])
        let received = (world.events["bob"] ?? []).compactMap { event -> IncomingMessage? in
            if case .messageReceived(let message) = event { message } else { nil }
        }
        #expect(received.map(\.text) == ["hi"] && received.map(\.trust) == [.authenticated])
    }

    @Test(.proves(.rule(11)))
    func fullPhoneSaysSoBeforeItAsksWhoCalls() throws {
        var configuration = bob()
        configuration.limits.calls = 0
        var world = bobAndCarol(configuration)
        world.send(
            .request(try world.request(.invite, from: "carol", to: "bob", body: World.answerText)), from: "carol",
            to: "bob")
        world.run(for: .milliseconds(30))
        #expect(world.received(486, at: "carol").count == 1 && world.received(401, at: "carol").isEmpty)
    }
}
