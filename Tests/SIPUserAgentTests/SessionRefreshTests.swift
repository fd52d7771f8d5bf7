import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Session timers in both roles (RFC 4028): how a session is kept up, and ended.
@Suite(.proves(.row(42))) struct SessionRefreshTests {
    private typealias Scene = SessionTimerScene

    // MARK: - Refreshing

    @Test(.proves(.clause("RFC 4028 §7.4")))
    func refreshesByUpdateWithoutOfferAtHalfTheInterval() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.allows + Scene.knows)
        world.run(for: .seconds(299))
        #expect(world.requests(.update, from: "alice").isEmpty)
        world.run(for: .seconds(2))
        let refresh = try #require(world.last(.update, at: "carol"))
        #expect(refresh.body.isEmpty)
        #expect(try Scene.value(refresh.headers) == "600;refresher=uac")
        try world.reply(
            200, to: refresh, from: "carol", contact: carolContact, headers: Scene.expires("600;refresher=uac"))
        world.run(for: .seconds(301))
        #expect(Scene.sent(.update, in: world) == [300, 601])
        #expect(world.story(of: "alice").allSatisfy { $0 != "modified" })
    }

    @Test(.proves(.clause("RFC 4028 §7.4")))
    func refreshesByReinviteThatChangesNothingWhereThePeerTakesNoUpdate() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.knows)
        let first = try #require(world.last(.invite, at: "carol"))
        world.run(for: .seconds(301))
        let refresh = try #require(world.last(.invite, at: "carol"))
        #expect(refresh.cSeq.number == 2)
        // The same description with the same version (§7.4).
        #expect(refresh.body == first.body)
        try world.reply(
            200, to: refresh, from: "carol", contact: carolContact, body: World.answerText,
            headers: Scene.expires("600;refresher=uac"))
        #expect(world.requests(.ack, from: "alice").count == 2)
        #expect(world.agreements(at: "alice").count == 1)
        world.run(for: .seconds(301))
        #expect(Scene.sent(.invite, in: world) == [0, 300, 601])
    }

    @Test func calleeRepeatsItsAnswerAsOfferToRefresh() throws {
        var (world, answer) = try Scene.called(with: Scene.expires("600;refresher=uas"))
        world.run(for: .seconds(301))
        let refresh = try #require(world.last(.invite, at: "carol"))
        #expect(refresh.body == answer.body)
        #expect(try Scene.value(refresh.headers) == "600;refresher=uac")
    }

    @Test func anyChangeRefreshesToo() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.knows)
        world.run(for: .seconds(200))
        world.perform(.hold(caller), by: "alice")
        world.run(for: .milliseconds(20))
        let hold = try #require(world.last(.invite, at: "carol"))
        #expect(try Scene.value(hold.headers) == "600;refresher=uac")
        try world.reply(
            200, to: hold, from: "carol", contact: carolContact,
            body: World.answerText.replacing("o=- 1 1", with: "o=- 1 2"), headers: Scene.expires("600;refresher=uac"))
        world.run(for: .seconds(299))
        #expect(Scene.sent(.invite, in: world) == [0, 200])
        world.run(for: .seconds(3))
        #expect(Scene.sent(.invite, in: world) == [0, 200, 500])
    }

    @Test func refusedMethodFallsBackToReinvite() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.allows)
        world.run(for: .seconds(301))
        try world.reply(405, to: try #require(world.last(.update, at: "carol")), from: "carol")
        #expect(Scene.sent(.invite, in: world) == [0, 301])
        #expect(world.story(of: "alice").allSatisfy { $0 != "modifyFailed" })
    }

    @Test(.proves(.clause("RFC 4028 §10")))
    func refreshThatIsRefusedIsTriedOnceMoreWithADescription() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.allows)
        world.run(for: .seconds(301))
        let first = try #require(world.last(.update, at: "carol"))
        #expect(first.body.isEmpty)
        try world.reply(400, to: first, from: "carol")
        let second = try #require(world.last(.update, at: "carol"))
        #expect(second.cSeq.number == first.cSeq.number + 1 && !second.body.isEmpty)
        try world.reply(
            200, to: second, from: "carol", contact: carolContact, body: World.answerText,
            headers: Scene.expires("600;refresher=uac"))
        #expect(Scene.sent(.update, in: world) == [300, 301])
        world.run(for: .seconds(301))
        #expect(world.ends(at: "alice").isEmpty)
        let third = try #require(world.last(.update, at: "carol"))
        #expect(!third.body.isEmpty)
        // What meets the same once more waits.
        try world.reply(400, to: third, from: "carol")
        #expect(Scene.sent(.update, in: world).count == 3)
    }

    @Test func refreshThatMeets422AsksForMore() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("100;refresher=uac") + Scene.allows + Scene.knows)
        world.run(for: .seconds(51))
        try world.reply(
            422, to: try #require(world.last(.update, at: "carol")), from: "carol", headers: [(.minSE, "400")])
        let second = try #require(world.last(.update, at: "carol"))
        #expect(try Scene.value(second.headers) == "400;refresher=uac")
        #expect(try second.headers.first(MinSE.self)?.seconds == 400)
    }

    @Test(.proves(.clause("RFC 4028 §7.4")))
    func refreshesThatNeverAskForEnoughAreFew() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.allows + Scene.knows)
        world.run(for: .seconds(301))
        var answered = 0
        for _ in 0..<400 {
            let updates = world.requests(.update, from: "alice")
            if updates.count > answered, let update = world.last(.update, at: "carol") {
                answered = updates.count
                try world.reply(422, to: update, from: "carol", headers: [(.minSE, "\(1000 + answered)")])
            } else {
                world.run(for: .seconds(1))
            }
        }
        #expect(world.ends(at: "alice").map(\.cause) == [.sessionExpired])
        // Five raises, and what a refused refresh is tried again by until the session runs out.
        #expect(answered <= 15)
    }

    @Test func minimumOfThePeersRequestIsSaidBack() throws {
        var (world, _) = try Scene.called(with: Scene.expires("600;refresher=uas") + Scene.knows + [(.minSE, "200")])
        world.run(for: .seconds(301))
        #expect(try world.last(.invite, at: "carol")?.headers.first(MinSE.self)?.seconds == 200)
    }

    @Test(.proves(.clause("RFC 4028 §7.2")))
    func callThatTheUserAloneWantsTimedIsRefreshedByUs() throws {
        // The peer answers as if it had never heard of timers (§7.2).
        var world = try Scene.calling(.wanted, answeredWith: Scene.allows)
        world.run(for: .seconds(901))
        let refresh = try #require(world.last(.update, at: "carol"))
        #expect(try Scene.value(refresh.headers) == "1800;refresher=uac")
        try world.reply(200, to: refresh, from: "carol", contact: carolContact)
        world.run(for: .seconds(901))
        #expect(Scene.sent(.update, in: world).count == 2)
    }

    @Test(.proves(.clause("RFC 4028 §7.2")))
    func timerIsSwitchedOffBy2xxWithoutOne() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.allows + Scene.knows)
        world.run(for: .seconds(301))
        let refresh = try #require(world.last(.update, at: "carol"))
        try world.reply(200, to: refresh, from: "carol", contact: carolContact)
        world.run(for: .seconds(7200))
        #expect(Scene.sent(.update, in: world).count == 1)
        #expect(world.ends(at: "alice").isEmpty)
    }

    @Test(arguments: [486, 503] as [Int]) func failedRefreshIsTriedAgainInTheTimeThatIsLeft(status: Int) throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.allows + Scene.knows)
        world.run(for: .seconds(301))
        var answered = 0
        while Scene.sent(.update, in: world).count > answered || world.now < .zero + .seconds(590) {
            if Scene.sent(.update, in: world).count > answered {
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
        #expect(Scene.sent(.bye, in: world) == [600])
    }

    @Test(.proves(.clause("RFC 4028 §10")), arguments: [481, 408, nil] as [Int?])
    func refreshThatFindsNoDialogEndsTheCall(status: Int?) throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.allows + Scene.knows)
        world.run(for: .seconds(301))
        if let status {
            let refresh = try #require(world.last(.update, at: "carol"))
            try world.reply(try #require(StatusCode(status)), to: refresh, from: "carol")
        } else {
            world.run(for: .seconds(33))
        }
        #expect(world.ends(at: "alice").map(\.cause) == [status == nil ? .timedOut : .dialogLost])
        #expect(world.requests(.bye, from: "alice").count > 0)
    }

    // MARK: - Waiting for the peer's refresh

    @Test(.proves(.clause("RFC 4028 §10")), arguments: [(600, 568), (90, 60), (60, 60), (96, 64), (1800, 1768)])
    func sessionThatThePeerDoesNotRefreshIsEndedBeforeItExpires(interval: Int, end: Int) throws {
        var world = try Scene.calling(answeredWith: Scene.expires("\(interval);refresher=uas") + Scene.knows)
        world.run(for: .seconds(Int64(end - 1)))
        #expect(world.ends(at: "alice").isEmpty)
        world.run(for: .seconds(2))
        #expect(world.ends(at: "alice") == [CallEnd(cause: .sessionExpired, by: .local)])
        #expect(Scene.sent(.bye, in: world) == [end])
    }

    @Test func refreshOfThePeerExtendsTheSession() throws {
        var (world, answer) = try Scene.called(with: Scene.expires("600;refresher=uac") + Scene.knows)
        for sequence in [2, 3] as [UInt32] {
            world.run(for: .seconds(300))
            let refresh = try world.request(
                .update, from: "carol", to: "bob", sequence: sequence, toTag: answer.to.tag,
                headers: Scene.expires("600;refresher=uac") + Scene.knows + [(.contact, carolContact)])
            world.ask(refresh, from: "carol", to: "bob")
            let granted = try #require(world.received(200, at: "carol").last)
            #expect(try Scene.value(granted.headers) == "600;refresher=uac")
        }
        world.run(for: .seconds(567))
        #expect(world.ends(at: "bob").isEmpty)
        world.run(for: .seconds(2))
        #expect(world.ends(at: "bob").map(\.cause) == [.sessionExpired])
    }

    @Test func refreshOfThePeerMayHandUsItsPart() throws {
        var (world, answer) = try Scene.called(with: Scene.expires("600;refresher=uac") + Scene.knows)
        world.run(for: .seconds(300))
        let refresh = try world.request(
            .update, from: "carol", to: "bob", sequence: 2, toTag: answer.to.tag,
            headers: Scene.expires("600;refresher=uas") + Scene.knows + Scene.allows + [(.contact, carolContact)])
        world.send(.request(refresh), from: "carol", to: "bob")
        world.run(for: .seconds(301))
        #expect(Scene.sent(.update, in: world, by: "bob") == [600])
    }

    @Test func changeOfThePeerThatSaysNothingOfTheTimerKeepsIt() throws {
        var (world, answer) = try Scene.called(with: Scene.expires("600;refresher=uac") + Scene.knows)
        world.run(for: .seconds(300))
        let change = try world.request(
            .update, from: "carol", to: "bob", sequence: 2, toTag: answer.to.tag,
            headers: Scene.knows + [(.contact, carolContact)])
        world.ask(change, from: "carol", to: "bob")
        #expect(try Scene.value(#require(world.received(200, at: "carol").last).headers) == "600;refresher=uac")
        world.run(for: .seconds(560))
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test func tooShortARefreshGets422AndChangesNothing() throws {
        var (world, answer) = try Scene.called(with: Scene.expires("600;refresher=uac") + Scene.knows)
        for (method, sequence) in [(.update, 2), (.invite, 3)] as [(Method, UInt32)] {
            let refresh = try world.request(
                method, from: "carol", to: "bob", sequence: sequence, toTag: answer.to.tag,
                headers: Scene.expires("60") + Scene.knows)
            world.ask(refresh, from: "carol", to: "bob")
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
                alice: Scene.configuration("alice", alice, interval: 90),
                bob: Scene.configuration("bob", bob, interval: 90))
            _ = try world.talk()
            world.run(for: .seconds(3600))
            #expect(world.ends(at: "alice").isEmpty && world.ends(at: "bob").isEmpty)
            let refreshes = Scene.sent(.update, in: world).count + Scene.sent(.update, in: world, by: "bob").count
            #expect((79...80).contains(refreshes))
        }
    }

    @Test func timerIsGoneWithItsCall() throws {
        var world = try Scene.calling(answeredWith: Scene.expires("600;refresher=uac") + Scene.knows)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(200, to: try #require(world.last(.bye, at: "carol")), from: "carol")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }
}
