import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Session timers in both roles (RFC 4028).
@Suite(.proves(.row(42))) struct SessionTimerTests {
    private static let knows: [(HeaderName, String)] = [(.supported, "timer")]
    private static let allows: [(HeaderName, String)] = [(.allow, "INVITE, ACK, BYE, CANCEL, UPDATE")]

    private static func expires(_ value: String) -> [(HeaderName, String)] { [(.sessionExpires, value)] }

    private func configuration(
        _ user: String, _ use: SessionTimerPolicy.Use, interval: UInt32 = 1800, minimum: UInt32 = 90
    ) -> UserAgentConfiguration {
        var configuration = World.configuration(user: user)
        configuration.sessionTimers = SessionTimerPolicy(use: use, interval: interval, minimum: minimum)
        return configuration
    }

    private func value(_ headers: Headers) throws -> String? { headers.first(.sessionExpires) }

    /// A call of Alice's that Carol answers with those fields.
    private func calling(
        _ use: SessionTimerPolicy.Use = .supported, answeredWith headers: [(HeaderName, String)]
    ) throws -> World {
        var world = World()
        let invite = try world.aliceCallsCarol(configuration("alice", use))
        try world.reply(
            200, to: invite, from: "carol", contact: carolContact, body: World.answerText, headers: headers)
        return world
    }

    /// A call of Carol's with those fields that Bob answered, and his 200.
    private func called(
        _ use: SessionTimerPolicy.Use = .supported, with headers: [(HeaderName, String)]
    ) throws -> (World, Response) {
        var world = World()
        let (invite, handle) = try world.carolCallsBob(configuration("bob", use), headers: headers)
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let answer = try #require(world.received(200, at: "carol").first)
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
        return (world, answer)
    }

    // MARK: - What is told and asked

    @Test(.proves(.clause("RFC 4028 §7.1")))
    func everyRequestSaysThatTimersAreUnderstoodAndNoneAsks() throws {
        var world = try calling(answeredWith: [])
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        for method in [.invite, .bye] as [Method] {
            let request = try #require(world.last(method, at: "carol"))
            #expect(try request.headers.first(Supported.self)?.contains("timer") == true)
            #expect(!request.headers.contains(.sessionExpires))
        }
    }

    @Test(.proves(.clause("RFC 4028 §7.1")))
    func wantedTimerIsAskedForWithoutNamingTheRefresher() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(configuration("alice", .wanted, interval: 600))
        #expect(try value(invite.headers) == "600")
        #expect(!invite.headers.contains(.minSE))
    }

    @Test func noIntervalIsBelow90Seconds() {
        let policy = SessionTimerPolicy(use: .wanted, interval: 10, minimum: 5)
        #expect(policy.interval == 90 && policy.minimum == 90)
        #expect(SessionTimerPolicy(use: .wanted, interval: 100, minimum: 300).interval == 300)
    }

    // MARK: - What is granted (table 2 of §9)

    @Test(
        .proves(.clause("RFC 4028 §9")),
        arguments: [
            (knowing: true, asked: "600", granted: "600;refresher=uac"),
            (knowing: true, asked: "600;refresher=uac", granted: "600;refresher=uac"),
            (knowing: true, asked: "600;refresher=uas", granted: "600;refresher=uas"),
            (knowing: true, asked: "600;refresher=nobody", granted: "600;refresher=uac"),
            (knowing: false, asked: "600", granted: "600;refresher=uas"),
            (knowing: false, asked: "600;refresher=uac", granted: "600;refresher=uas"),
        ])
    func refresherIsChosenByWhatTheCallerKnows(knowing: Bool, asked: String, granted: String) throws {
        let (_, answer) = try called(with: Self.expires(asked) + (knowing ? Self.knows : []))
        #expect(try value(answer.headers) == granted)
        #expect((try answer.headers.first(Require.self)?.contains("timer") ?? false) == knowing)
        #expect(try answer.headers.first(Supported.self)?.contains("timer") == true)
    }

    @Test func nothingIsGrantedThatNobodyAskedFor() throws {
        #expect(try value(called(with: Self.knows).1.headers) == nil)
        #expect(try value(called(.off, with: Self.knows + Self.expires("600")).1.headers) == nil)
        #expect(try value(called(.wanted, with: []).1.headers) == nil)
    }

    @Test func wantedTimerIsSetAsCalleeNotBelowTheCallersMinimum() throws {
        #expect(try value(called(.wanted, with: Self.knows).1.headers) == "1800;refresher=uas")
        let (_, answer) = try called(.wanted, with: Self.knows + [(.minSE, "3600")])
        #expect(try value(answer.headers) == "3600;refresher=uas")
    }

    @Test(.proves(.clause("RFC 4028 §9")))
    func tooShortAnIntervalGets422BeforeAnybodyIsRung() throws {
        for (minimum, asked, isRefused) in [(90, 89, true), (90, 90, false), (300, 299, true)] as [(UInt32, Int, Bool)]
        {
            var world = World()
            world.add("bob", at: "192.0.2.2", configuration: configuration("bob", .supported, minimum: minimum))
            world.addScripted("carol", at: "192.0.2.9")
            let invite = try world.request(
                .invite, from: "carol", to: "bob", body: World.answerText,
                headers: Self.knows + Self.expires("\(asked)"))
            world.send(.request(invite), from: "carol", to: "bob")
            world.run(for: .milliseconds(20))
            #expect((world.incoming(at: "bob") == nil) == isRefused)
            let refusal = world.received(422, at: "carol").first
            #expect(try refusal?.headers.first(MinSE.self)?.seconds == (isRefused ? minimum : nil))
        }
    }

    @Test func shortIntervalOfAProxyBeforeACallerThatKnowsNoTimersIsIgnored() throws {
        let (_, answer) = try called(with: Self.expires("30"))
        #expect(try value(answer.headers) == nil)
    }

    @Test func callerThatRequiresTimersWhereTheyAreOffGets420() throws {
        var world = World()
        world.add("bob", at: "192.0.2.2", configuration: configuration("bob", .off))
        world.addScripted("carol", at: "192.0.2.9")
        let invite = try world.request(
            .invite, from: "carol", to: "bob", body: World.answerText, headers: [(.require, "timer")])
        world.send(.request(invite), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(try world.received(420, at: "carol").first?.headers.first(Unsupported.self)?.tags == ["timer"])
    }

    // MARK: - 422 to ours

    @Test(.proves(.clause("RFC 4028 §7.4")))
    func refusedIntervalIsAskedForAgainAtTheMinimum() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(configuration("alice", .wanted, interval: 100))
        try world.reply(422, to: invite, from: "carol", headers: [(.minSE, "500")])
        let second = try #require(world.last(.invite, at: "carol"))
        #expect(second.callID == invite.callID && second.from.tag == invite.from.tag)
        #expect(second.cSeq.number == 2)
        #expect(try value(second.headers) == "500")
        #expect(try second.headers.first(MinSE.self)?.seconds == 500)
        try world.reply(422, to: second, from: "carol", headers: [(.minSE, "700")])
        let third = try #require(world.last(.invite, at: "carol"))
        #expect(try value(third.headers) == "700")
        try world.reply(
            200, to: third, from: "carol", contact: carolContact, body: World.answerText,
            headers: Self.expires("700;refresher=uac") + [(.require, "timer")])
        world.run(for: .seconds(351))
        // Once the dialog stands, only what is asked within it counts (§7.4).
        let refresh = try #require(world.last(.invite, at: "carol"))
        #expect(try value(refresh.headers) == "700;refresher=uac")
        #expect(!refresh.headers.contains(.minSE))
    }

    @Test(arguments: [nil, "0", "100", "x"] as [String?]) func refusalThatAsksForNoMoreEndsTheCall(
        minimum: String?
    ) throws {
        var world = World()
        let invite = try world.aliceCallsCarol(configuration("alice", .wanted, interval: 100))
        try world.reply(422, to: invite, from: "carol", headers: minimum.map { [(.minSE, $0)] } ?? [])
        #expect(world.ends(at: "alice").map(\.status) == [422])
        #expect(world.requests(.invite, from: "alice").count == 1)
    }

    @Test func serversThatNeverHaveEnoughAreGivenUp() throws {
        var world = World()
        var invite = try world.aliceCallsCarol(configuration("alice", .wanted, interval: 100))
        for minimum in 200..<220 {
            try world.reply(422, to: invite, from: "carol", headers: [(.minSE, "\(minimum)")])
            invite = try #require(world.last(.invite, at: "carol"))
        }
        #expect(world.ends(at: "alice").map(\.status) == [422])
        #expect(world.requests(.invite, from: "alice").count == 6)
    }

    // MARK: - Refreshing

    /// When requests of that method were sent for the first time, in seconds.
    private func sent(_ method: Method, in world: World, by name: String = "alice") -> [Int] {
        var branches: Set<String> = []
        return world.ladder.compactMap { step in
            guard step.from == name, case .request(let request) = step.message, request.method == method,
                branches.insert(request.vias.first?.branch ?? "").inserted
            else { return nil }
            return Int((step.at - .zero) / .seconds(1))
        }
    }

    @Test(.proves(.clause("RFC 4028 §7.4")))
    func refreshesByUpdateWithoutOfferAtHalfTheInterval() throws {
        var world = try calling(answeredWith: Self.expires("600;refresher=uac") + Self.allows + Self.knows)
        world.run(for: .seconds(299))
        #expect(world.requests(.update, from: "alice").isEmpty)
        world.run(for: .seconds(2))
        let refresh = try #require(world.last(.update, at: "carol"))
        #expect(refresh.body.isEmpty)
        #expect(try value(refresh.headers) == "600;refresher=uac")
        try world.reply(
            200, to: refresh, from: "carol", contact: carolContact, headers: Self.expires("600;refresher=uac"))
        world.run(for: .seconds(301))
        #expect(sent(.update, in: world) == [300, 601])
        #expect(world.story(of: "alice").allSatisfy { $0 != "modified" })
    }

    @Test(.proves(.clause("RFC 4028 §7.4")))
    func refreshesByReinviteThatChangesNothingWhereThePeerTakesNoUpdate() throws {
        var world = try calling(answeredWith: Self.expires("600;refresher=uac") + Self.knows)
        let first = try #require(world.last(.invite, at: "carol"))
        world.run(for: .seconds(301))
        let refresh = try #require(world.last(.invite, at: "carol"))
        #expect(refresh.cSeq.number == 2)
        // The same description with the same version (§7.4).
        #expect(refresh.body == first.body)
        try world.reply(
            200, to: refresh, from: "carol", contact: carolContact, body: World.answerText,
            headers: Self.expires("600;refresher=uac"))
        #expect(world.requests(.ack, from: "alice").count == 2)
        #expect(world.agreements(at: "alice").count == 1)
        world.run(for: .seconds(301))
        #expect(sent(.invite, in: world) == [0, 300, 601])
    }

    @Test func calleeRepeatsItsAnswerAsOfferToRefresh() throws {
        var (world, answer) = try called(with: Self.expires("600;refresher=uas"))
        world.run(for: .seconds(301))
        let refresh = try #require(world.last(.invite, at: "carol"))
        #expect(refresh.body == answer.body)
        #expect(try value(refresh.headers) == "600;refresher=uac")
    }

    @Test func anyChangeRefreshesToo() throws {
        var world = try calling(answeredWith: Self.expires("600;refresher=uac") + Self.knows)
        world.run(for: .seconds(200))
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let hold = try #require(world.last(.invite, at: "carol"))
        #expect(try value(hold.headers) == "600;refresher=uac")
        try world.reply(
            200, to: hold, from: "carol", contact: carolContact,
            body: World.answerText.replacing("o=- 1 1", with: "o=- 1 2"), headers: Self.expires("600;refresher=uac"))
        world.run(for: .seconds(299))
        #expect(sent(.invite, in: world) == [0, 200])
        world.run(for: .seconds(3))
        #expect(sent(.invite, in: world) == [0, 200, 500])
    }

    @Test func refusedMethodFallsBackToReinvite() throws {
        var world = try calling(answeredWith: Self.expires("600;refresher=uac") + Self.allows)
        world.run(for: .seconds(301))
        try world.reply(405, to: try #require(world.last(.update, at: "carol")), from: "carol")
        #expect(sent(.invite, in: world) == [0, 301])
        #expect(world.story(of: "alice").allSatisfy { $0 != "modifyFailed" })
    }

    @Test func refreshThatMeets422AsksForMore() throws {
        var world = try calling(answeredWith: Self.expires("100;refresher=uac") + Self.allows + Self.knows)
        world.run(for: .seconds(51))
        try world.reply(
            422, to: try #require(world.last(.update, at: "carol")), from: "carol", headers: [(.minSE, "400")])
        let second = try #require(world.last(.update, at: "carol"))
        #expect(try value(second.headers) == "400;refresher=uac")
        #expect(try second.headers.first(MinSE.self)?.seconds == 400)
    }

    @Test func minimumOfThePeersRequestIsSaidBack() throws {
        var (world, _) = try called(with: Self.expires("600;refresher=uas") + Self.knows + [(.minSE, "200")])
        world.run(for: .seconds(301))
        #expect(try world.last(.invite, at: "carol")?.headers.first(MinSE.self)?.seconds == 200)
    }

    @Test(.proves(.clause("RFC 4028 §7.2")))
    func callThatTheUserAloneWantsTimedIsRefreshedByUs() throws {
        // The peer answers as if it had never heard of timers (§7.2).
        var world = try calling(.wanted, answeredWith: Self.allows)
        world.run(for: .seconds(901))
        let refresh = try #require(world.last(.update, at: "carol"))
        #expect(try value(refresh.headers) == "1800;refresher=uac")
        try world.reply(200, to: refresh, from: "carol", contact: carolContact)
        world.run(for: .seconds(901))
        #expect(sent(.update, in: world).count == 2)
    }

    @Test(.proves(.clause("RFC 4028 §7.2")))
    func timerIsSwitchedOffBy2xxWithoutOne() throws {
        var world = try calling(answeredWith: Self.expires("600;refresher=uac") + Self.allows + Self.knows)
        world.run(for: .seconds(301))
        let refresh = try #require(world.last(.update, at: "carol"))
        try world.reply(200, to: refresh, from: "carol", contact: carolContact)
        world.run(for: .seconds(7200))
        #expect(sent(.update, in: world).count == 1)
        #expect(world.ends(at: "alice").isEmpty)
    }

    @Test(arguments: [486, 503] as [Int]) func failedRefreshIsTriedAgainInTheTimeThatIsLeft(status: Int) throws {
        var world = try calling(answeredWith: Self.expires("600;refresher=uac") + Self.allows + Self.knows)
        world.run(for: .seconds(301))
        var answered = 0
        while sent(.update, in: world).count > answered || world.now < .zero + .seconds(590) {
            if sent(.update, in: world).count > answered {
                answered += 1
                let refresh = try #require(world.last(.update, at: "carol"))
                try world.reply(try #require(StatusCode(status)), to: refresh, from: "carol")
            }
            world.run(for: .milliseconds(100))
        }
        #expect(world.ends(at: "alice").isEmpty)
        world.run(for: .seconds(11))
        // At the expiration nobody believes in the session any more; some tries were made, and not many.
        #expect(world.ends(at: "alice") == [CallEnd(cause: .sessionExpired, by: .local)])
        #expect((2...6).contains(answered))
        #expect(sent(.bye, in: world) == [600])
    }

    @Test(.proves(.clause("RFC 4028 §10")), arguments: [481, 408, nil] as [Int?])
    func refreshThatFindsNoDialogEndsTheCall(status: Int?) throws {
        var world = try calling(answeredWith: Self.expires("600;refresher=uac") + Self.allows + Self.knows)
        world.run(for: .seconds(301))
        if let status {
            let refresh = try #require(world.last(.update, at: "carol"))
            try world.reply(try #require(StatusCode(status)), to: refresh, from: "carol")
        } else {
            world.run(for: .seconds(33))
        }
        #expect(world.ends(at: "alice").map(\.cause) == [.dialogLost])
        #expect(world.requests(.bye, from: "alice").count > 0)
    }

    // MARK: - Waiting for the peer's refresh

    @Test(.proves(.clause("RFC 4028 §10")), arguments: [(600, 568), (90, 60), (60, 60), (96, 64), (1800, 1768)])
    func sessionThatThePeerDoesNotRefreshIsEndedBeforeItExpires(interval: Int, end: Int) throws {
        var world = try calling(answeredWith: Self.expires("\(interval);refresher=uas") + Self.knows)
        world.run(for: .seconds(Int64(end - 1)))
        #expect(world.ends(at: "alice").isEmpty)
        world.run(for: .seconds(2))
        #expect(world.ends(at: "alice") == [CallEnd(cause: .sessionExpired, by: .local)])
        #expect(sent(.bye, in: world) == [end])
    }

    @Test func refreshOfThePeerExtendsTheSession() throws {
        var (world, answer) = try called(with: Self.expires("600;refresher=uac") + Self.knows)
        for sequence in [2, 3] as [UInt32] {
            world.run(for: .seconds(300))
            let refresh = try world.request(
                .update, from: "carol", to: "bob", sequence: sequence, toTag: answer.to.tag,
                headers: Self.expires("600;refresher=uac") + Self.knows + [(.contact, carolContact)])
            world.send(.request(refresh), from: "carol", to: "bob")
            world.run(for: .milliseconds(20))
            let granted = try #require(world.received(200, at: "carol").last)
            #expect(try value(granted.headers) == "600;refresher=uac")
        }
        world.run(for: .seconds(567))
        #expect(world.ends(at: "bob").isEmpty)
        world.run(for: .seconds(2))
        #expect(world.ends(at: "bob").map(\.cause) == [.sessionExpired])
    }

    @Test func refreshOfThePeerMayHandUsItsPart() throws {
        var (world, answer) = try called(with: Self.expires("600;refresher=uac") + Self.knows)
        world.run(for: .seconds(300))
        let refresh = try world.request(
            .update, from: "carol", to: "bob", sequence: 2, toTag: answer.to.tag,
            headers: Self.expires("600;refresher=uas") + Self.knows + Self.allows + [(.contact, carolContact)])
        world.send(.request(refresh), from: "carol", to: "bob")
        world.run(for: .seconds(301))
        #expect(sent(.update, in: world, by: "bob") == [600])
    }

    @Test func changeOfThePeerThatSaysNothingOfTheTimerKeepsIt() throws {
        var (world, answer) = try called(with: Self.expires("600;refresher=uac") + Self.knows)
        world.run(for: .seconds(300))
        let change = try world.request(
            .update, from: "carol", to: "bob", sequence: 2, toTag: answer.to.tag,
            headers: Self.knows + [(.contact, carolContact)])
        world.send(.request(change), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(try value(#require(world.received(200, at: "carol").last).headers) == "600;refresher=uac")
        world.run(for: .seconds(560))
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test func tooShortARefreshGets422AndChangesNothing() throws {
        var (world, answer) = try called(with: Self.expires("600;refresher=uac") + Self.knows)
        for (method, sequence) in [(.update, 2), (.invite, 3)] as [(Method, UInt32)] {
            let refresh = try world.request(
                method, from: "carol", to: "bob", sequence: sequence, toTag: answer.to.tag,
                headers: Self.expires("60") + Self.knows)
            world.send(.request(refresh), from: "carol", to: "bob")
            world.run(for: .milliseconds(20))
        }
        #expect(world.received(422, at: "carol").count == 2)
        world.run(for: .seconds(569))
        #expect(world.ends(at: "bob").map(\.cause) == [.sessionExpired])
    }

    @Test func bothSidesOfOursKeepACallUpForHours() throws {
        for (alice, bob) in [(.wanted, .supported), (.supported, .wanted), (.wanted, .off)]
            as [(SessionTimerPolicy.Use, SessionTimerPolicy.Use)]
        {
            var world = aliceAndBob(
                alice: configuration("alice", alice, interval: 90), bob: configuration("bob", bob, interval: 90))
            _ = try world.talk()
            world.run(for: .seconds(3600))
            #expect(world.ends(at: "alice").isEmpty && world.ends(at: "bob").isEmpty)
            let refreshes = sent(.update, in: world).count + sent(.update, in: world, by: "bob").count
            #expect((79...80).contains(refreshes))
        }
    }

    @Test func timerIsGoneWithItsCall() throws {
        var world = try calling(answeredWith: Self.expires("600;refresher=uac") + Self.knows)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(200, to: try #require(world.last(.bye, at: "carol")), from: "carol")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }
}
