import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Session timers in both roles (RFC 4028): what is asked for and granted.
@Suite(.proves(.row(42))) struct SessionTimerTests {
    private typealias Scene = SessionTimerScene

    // MARK: - What is told and asked

    @Test(.proves(.clause("RFC 4028 §7.1")))
    func everyRequestSaysThatTimersAreUnderstoodAndNoneAsks() throws {
        var world = try Scene.calling(answeredWith: [])
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
        let invite = try world.aliceCallsCarol(Scene.configuration("alice", .wanted, interval: 600))
        #expect(try Scene.value(invite.headers) == "600")
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
        let (_, answer) = try Scene.called(with: Scene.expires(asked) + (knowing ? Scene.knows : []))
        #expect(try Scene.value(answer.headers) == granted)
        #expect((try answer.headers.first(Require.self)?.contains("timer") ?? false) == knowing)
        #expect(try answer.headers.first(Supported.self)?.contains("timer") == true)
    }

    @Test func nothingIsGrantedThatNobodyAskedFor() throws {
        #expect(try Scene.value(Scene.called(with: Scene.knows).1.headers) == nil)
        #expect(try Scene.value(Scene.called(.off, with: Scene.knows + Scene.expires("600")).1.headers) == nil)
        #expect(try Scene.value(Scene.called(with: []).1.headers) == nil)
    }

    @Test(.proves(.clause("RFC 4028 §9")))
    func wantedTimerIsKeptUpByUsAloneForACallerThatKnowsNone() throws {
        var (world, answer) = try Scene.called(.wanted, with: Scene.allows)
        #expect(try Scene.value(answer.headers) == "1800;refresher=uas")
        #expect(try answer.headers.first(Require.self)?.contains("timer") != true)
        world.run(for: .seconds(901))
        let refresh = try #require(world.last(.update, at: "carol"))
        #expect(Scene.sent(.update, in: world, by: "bob") == [900])
        // Nor does its answer say a word of it.
        try world.reply(200, to: refresh, from: "carol", tag: nil, contact: carolContact)
        world.run(for: .seconds(900))
        #expect(Scene.sent(.update, in: world, by: "bob") == [900, 1801])
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test func wantedTimerIsSetAsCalleeNotBelowTheCallersMinimum() throws {
        #expect(try Scene.value(Scene.called(.wanted, with: Scene.knows).1.headers) == "1800;refresher=uas")
        let (_, answer) = try Scene.called(.wanted, with: Scene.knows + [(.minSE, "3600")])
        #expect(try Scene.value(answer.headers) == "3600;refresher=uas")
    }

    @Test(.proves(.clause("RFC 4028 §9")))
    func tooShortAnIntervalGets422BeforeAnybodyIsRung() throws {
        for (minimum, asked, isRefused) in [(90, 89, true), (90, 90, false), (300, 299, true)] as [(UInt32, Int, Bool)]
        {
            var world = bobAndCarol(Scene.configuration("bob", .supported, minimum: minimum))
            let invite = try world.request(
                .invite, from: "carol", to: "bob", body: World.answerText,
                headers: Scene.knows + Scene.expires("\(asked)"))
            world.ask(invite, from: "carol", to: "bob")
            #expect((world.incoming(at: "bob") == nil) == isRefused)
            let refusal = world.received(422, at: "carol").first
            #expect(try refusal?.headers.first(MinSE.self)?.seconds == (isRefused ? minimum : nil))
        }
    }

    @Test func shortIntervalOfAProxyBeforeACallerThatKnowsNoTimersIsIgnored() throws {
        let (_, answer) = try Scene.called(with: Scene.expires("30"))
        #expect(try Scene.value(answer.headers) == nil)
    }

    @Test func callerThatRequiresTimersWhereTheyAreOffGets420() throws {
        var world = bobAndCarol(Scene.configuration("bob", .off))
        let invite = try world.request(
            .invite, from: "carol", to: "bob", body: World.answerText, headers: [(.require, "timer")])
        world.ask(invite, from: "carol", to: "bob")
        #expect(try world.received(420, at: "carol").first?.headers.first(Unsupported.self)?.tags == ["timer"])
    }

    // MARK: - 422 to ours

    @Test(.proves(.clause("RFC 4028 §7.4")))
    func refusedIntervalIsAskedForAgainAtTheMinimum() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(Scene.configuration("alice", .wanted, interval: 100))
        try world.reply(422, to: invite, from: "carol", headers: [(.minSE, "500")])
        let second = try #require(world.last(.invite, at: "carol"))
        #expect(second.callID == invite.callID && second.from.tag == invite.from.tag)
        #expect(second.cSeq.number == 2)
        #expect(try Scene.value(second.headers) == "500")
        #expect(try second.headers.first(MinSE.self)?.seconds == 500)
        try world.reply(422, to: second, from: "carol", headers: [(.minSE, "700")])
        let third = try #require(world.last(.invite, at: "carol"))
        #expect(try Scene.value(third.headers) == "700")
        try world.reply(
            200, to: third, from: "carol", contact: carolContact, body: World.answerText,
            headers: Scene.expires("700;refresher=uac") + [(.require, "timer")])
        world.run(for: .seconds(351))
        // Once the dialog stands, only what is asked within it counts (§7.4).
        let refresh = try #require(world.last(.invite, at: "carol"))
        #expect(try Scene.value(refresh.headers) == "700;refresher=uac")
        #expect(!refresh.headers.contains(.minSE))
    }

    @Test(.proves(.clause("RFC 4028 §5"), .clause("RFC 4028 §4")))
    func parametersThatWeDoNotKnowAreNoHindrance() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(Scene.configuration("alice", .wanted, interval: 100))
        try world.reply(422, to: invite, from: "carol", headers: [(.minSE, "500;foo=bar;flag")])
        let second = try #require(world.last(.invite, at: "carol"))
        #expect(try Scene.value(second.headers) == "500")
        try world.reply(
            200, to: second, from: "carol", contact: carolContact, body: World.answerText,
            headers: Scene.expires("600;foo=bar;refresher=uac;flag") + [(.require, "timer")])
        world.run(for: .seconds(301))
        #expect(try Scene.value(try #require(world.last(.invite, at: "carol")).headers) == "600;refresher=uac")
    }

    @Test(arguments: [nil, "0", "100", "x"] as [String?]) func refusalThatAsksForNoMoreEndsTheCall(
        minimum: String?
    ) throws {
        var world = World()
        let invite = try world.aliceCallsCarol(Scene.configuration("alice", .wanted, interval: 100))
        try world.reply(422, to: invite, from: "carol", headers: minimum.map { [(.minSE, $0)] } ?? [])
        #expect(world.ends(at: "alice").map(\.status) == [422])
        #expect(world.requests(.invite, from: "alice").count == 1)
    }

    @Test(.proves(.clause("RFC 4028 §7.4"))) func serversThatNeverHaveEnoughAreGivenUp() throws {
        var world = World()
        var invite = try world.aliceCallsCarol(Scene.configuration("alice", .wanted, interval: 100))
        for minimum in 200..<220 {
            try world.reply(422, to: invite, from: "carol", headers: [(.minSE, "\(minimum)")])
            invite = try #require(world.last(.invite, at: "carol"))
        }
        #expect(world.ends(at: "alice").map(\.status) == [422])
        #expect(world.requests(.invite, from: "alice").count == 6)
    }
}
