import EngineKit
import EventPackages
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Subscriptions of ours (RFC 6665 §4.1; RFC 3265 where that is the text at hand), with a notifier that says only what
/// the test has it say.
@Suite(.proves(.clause("RFC 6665 §4.1")))
struct SubscriptionTests {
    let handle = SubscriptionHandle(rawValue: 3)

    /// Alice, who subscribed to Carol; Carol has the SUBSCRIBE.
    func subscribed(
        _ package: String = "presence", expires: UInt32 = 3600
    ) throws -> (world: World, subscribe: Request) {
        var world = World()
        world.add("alice", at: "192.0.2.1")
        world.addScripted("carol", at: "192.0.2.9")
        let order = OutgoingSubscription(
            target: try target("sip:carol@192.0.2.9"), event: EventPackage(package), expires: expires)
        world.perform(.subscribe(handle, order), by: "alice")
        world.run(for: .milliseconds(20))
        return (world, try #require(world.last(.subscribe, at: "carol")))
    }

    func notify(
        _ subscribe: Request, _ state: String, in world: inout World, sequence: UInt32 = 1, tag: String = "carol",
        event: String? = nil, type: String? = nil, body: String = "", contact: String? = carolContact
    ) throws {
        var request = try world.request(
            .notify, from: "carol", to: "alice", callID: subscribe.callID, sequence: sequence, fromTag: tag,
            toTag: subscribe.from.tag, branch: "z9hG4bKnotify\(sequence)\(tag)")
        let package = subscribe.headers.first(.event) ?? ""
        try request.headers.append(.event, event ?? package)
        if !state.isEmpty { try request.headers.append(.subscriptionState, state) }
        if let contact { request.headers.append(Contact.address(try NameAddress(parsing: contact))) }
        if let type { try request.headers.append(.contentType, type) }
        request.body = Array(body.utf8)
        world.ask(request, from: "carol", to: "alice")
    }

    func statuses(_ world: World) -> [SubscriptionStatus] {
        (world.events["alice"] ?? []).compactMap { if case .subscription(_, let status) = $0 { status } else { nil } }
    }

    func notifications(_ world: World) -> [EventNotification.Content] {
        (world.events["alice"] ?? []).compactMap { if case .notified(_, let told) = $0 { told.content } else { nil } }
    }

    func subscribes(_ world: World) -> [Request] { world.requests(.subscribe, from: "alice") }

    /// Carol's 200 and first NOTIFY.
    func accept(_ subscribe: Request, in world: inout World, expires: Int = 3600) throws {
        try world.reply(
            200, to: subscribe, from: "carol", tag: "carol", contact: carolContact,
            headers: [(.expires, String(expires))])
        try notify(subscribe, "active;expires=\(expires)", in: &world)
    }

    // MARK: - Refusals

    @Test(arguments: [404, 489, 403, 603]) func aRefusalForGoodEndsIt(status: Int) throws {
        var (world, subscribe) = try subscribed()
        try world.reply(try #require(StatusCode(status)), to: subscribe, from: "carol")
        guard case .ended(let code?, _)? = statuses(world).last else {
            Issue.record("\(statuses(world))")
            return
        }
        #expect(code.value == status)
        world.run(for: .seconds(4000))
        #expect(subscribes(world).count == 1)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test func aRefusalForNowIsTriedAgainNotBeforeItSays() throws {
        var (world, subscribe) = try subscribed()
        try world.reply(503, to: subscribe, from: "carol", headers: [(.retryAfter, "120")])
        world.run(for: .seconds(119))
        #expect(subscribes(world).count == 1)
        world.run(for: .seconds(60))
        #expect(subscribes(world).count > 1)
    }

    @Test func anIntervalTooBriefIsMadeLongerTwiceAtMost() throws {
        var (world, subscribe) = try subscribed(expires: 60)
        try world.reply(423, to: subscribe, from: "carol", headers: [(.minExpires, "300")])
        let second = try #require(world.last(.subscribe, at: "carol"))
        #expect(try second.headers.first(Expires.self)?.seconds == 300)
        #expect(second.callID == subscribe.callID)
        #expect(second.cSeq.number == 2)
        try world.reply(423, to: second, from: "carol", headers: [(.minExpires, "900")])
        try world.reply(
            423, to: try #require(world.last(.subscribe, at: "carol")), from: "carol", headers: [(.minExpires, "9000")])
        guard case .ended? = statuses(world).last else {
            Issue.record("\(statuses(world))")
            return
        }
        #expect(subscribes(world).count == 3)
    }

    // MARK: - Going on and ending

    @Test func isRefreshedInItsDialogBeforeItExpires() throws {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world, expires: 600)
        let start = world.now
        world.run(for: .seconds(519))
        let refreshes = subscribes(world).dropFirst()
        let refresh = try #require(refreshes.first)
        #expect(refresh.to.tag == "carol")
        #expect(refresh.callID == subscribe.callID)
        #expect(refresh.uri.description == "sip:carol@192.0.2.9:5060")
        let sent = try #require(world.ladder.last { $0.summary == "alice>carol SUBSCRIBE" })
        #expect(sent.at - start > .seconds(400))
    }

    @Test func aRefreshThatFindsNothingMakesANewSubscription() throws {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world, expires: 600)
        world.run(for: .seconds(519))
        let refresh = try #require(world.last(.subscribe, at: "carol"))
        try world.reply(481, to: refresh, from: "carol")
        let anew = try #require(world.last(.subscribe, at: "carol"))
        #expect(anew.to.tag == nil)
        #expect(anew.callID != subscribe.callID)
    }

    @Test(.proves(.clause("RFC 6665 §4.1.2.2")))
    func aYoungSubscriptionThatIsForgottenIsReplacedAtOnceAndThenNoMore() throws {
        var (world, subscribe) = try subscribed()
        for isFirst in [true, false] {
            try world.reply(
                200, to: subscribe, from: "carol", tag: "carol", contact: carolContact, headers: [(.expires, "40")])
            try notify(subscribe, "active;expires=40", in: &world, sequence: isFirst ? 1 : 2)
            world.run(for: .seconds(21))
            let refresh = try #require(world.last(.subscribe, at: "carol"))
            #expect(refresh.to.tag != nil)
            try world.reply(481, to: refresh, from: "carol")
            let next = try #require(world.last(.subscribe, at: "carol"))
            #expect((next.callID != refresh.callID) == isFirst, "what is forgotten again is asked for later")
            subscribe = next
        }
        guard case .waiting(481, _, _)? = statuses(world).last else {
            Issue.record("\(statuses(world))")
            return
        }
    }

    @Test func aRefreshThatFailsForNowLeavesWhatIsThereUntilItExpires() throws {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world, expires: 600)
        world.run(for: .seconds(519))
        try world.reply(500, to: try #require(world.last(.subscribe, at: "carol")), from: "carol")
        #expect(statuses(world).count == 1)
        try notify(subscribe, "active;expires=100", in: &world, sequence: 7)
        #expect(world.received(200, at: "carol").count == 2)
    }

    @Test func unsubscribingWaitsForTheLastNotify() throws {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world)
        world.perform(.unsubscribe(handle), by: "alice")
        world.run(for: .milliseconds(20))
        let last = try #require(world.last(.subscribe, at: "carol"))
        #expect(try last.headers.first(Expires.self)?.seconds == 0)
        #expect(last.to.tag == "carol")
        try world.reply(200, to: last, from: "carol", tag: "carol", headers: [(.expires, "0")])
        try notify(subscribe, "terminated;reason=timeout", in: &world, sequence: 2)
        #expect(world.received(200, at: "carol").count == 2)
        #expect(statuses(world).last == .ended(nil, reason: "unsubscribed"))
        world.run(for: .seconds(100))
        #expect(subscribes(world).count == 2)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    /// One that was on its way, or a notifier that does not hear: the last one is not waited for longer than timer N.
    @Test(.proves(.clause("RFC 6665 §4.1.2.4")), arguments: [3600, 0] as [UInt32])
    func aNotifyThatIsNotTheLastDoesNotKeepASubscriptionThatIsOver(expires: UInt32) throws {
        var (world, subscribe) = try subscribed(expires: expires)
        try accept(subscribe, in: &world)
        world.perform(.unsubscribe(handle), by: "alice")
        world.run(for: .milliseconds(20))
        if expires > 0 { try world.reply(200, to: try #require(subscribes(world).last), from: "carol", tag: "carol") }
        try notify(subscribe, "active;expires=600", in: &world, sequence: 2)
        world.run(for: .seconds(33))
        #expect(statuses(world).last.map { if case .ended = $0 { true } else { false } } == true)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    /// The 2xx names the dialog that is to be left, whether it was there first or the wish to leave.
    @Test(.proves(.clause("RFC 6665 §4.1.2.3")), arguments: [true, false])
    func leavingBeforeTheFirstNotifyLeavesWhoeverAccepted(isAccepted: Bool) throws {
        var (world, subscribe) = try subscribed()
        func accept() throws {
            try world.reply(
                202, to: subscribe, from: "carol", tag: "carol", contact: "<sip:desk@192.0.2.9>",
                headers: [(.expires, "600"), (.recordRoute, "<sip:192.0.2.9:5060;lr>")])
        }
        if isAccepted { try accept() }
        world.perform(.shutDown, by: "alice")
        if !isAccepted { try accept() }
        world.run(for: .milliseconds(20))
        let last = try #require(world.last(.subscribe, at: "carol"))
        #expect(try last.headers.first(Expires.self)?.seconds == 0)
        #expect(last.to.tag == "carol" && last.cSeq.number == 2)
        #expect(last.uri == (try target("sip:desk@192.0.2.9")))
        #expect(last.headers.values(.route) == ["<sip:192.0.2.9:5060;lr>"])
        try world.reply(200, to: last, from: "carol", tag: "carol", headers: [(.expires, "0")])
        try notify(subscribe, "terminated;reason=timeout", in: &world)
        #expect(statuses(world) == [.ended(nil, reason: "unsubscribed")])
        #expect(world.story(of: "alice").last == "shutDownFinished")
    }

    @Test func unsubscribingBeforeTheFirstNotifyWaitsForIt() throws {
        var (world, subscribe) = try subscribed()
        world.perform(.unsubscribe(handle), by: "alice")
        try world.reply(200, to: subscribe, from: "carol", tag: "carol", headers: [(.expires, "600")])
        #expect(subscribes(world).count == 1)
        try notify(subscribe, "active;expires=600", in: &world)
        #expect(try subscribes(world).last?.headers.first(Expires.self)?.seconds == 0)
        world.run(for: .seconds(100))
        #expect(statuses(world).last.map { if case .ended = $0 { true } else { false } } == true)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 6665 §4.4.3"), .incident(46)))
    func aPollAsksOnce() throws {
        var (world, subscribe) = try subscribed(expires: 0)
        #expect(try subscribe.headers.first(Expires.self)?.seconds == 0)
        try world.reply(200, to: subscribe, from: "carol", tag: "carol", headers: [(.expires, "0")])
        try notify(
            subscribe, "terminated;reason=timeout", in: &world, type: "application/simple-message-summary",
            body: "Messages-Waiting: yes\r\n")
        #expect(notifications(world) == [.messageSummary(MessageSummary(isWaiting: true))])
        let told = (world.events["alice"] ?? []).compactMap { event -> String? in
            switch event {
            case .notified: "notified"
            case .subscription(_, .ended(nil, let reason)): reason
            default: nil
            }
        }
        #expect(told == ["notified", "asked once"])
        world.run(for: .seconds(4000))
        #expect(subscribes(world).count == 1)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    /// There are notifiers that call it active for no time.
    @Test(.proves(.clause("RFC 6665 §4.4.3")), arguments: ["active;expires=0", "active", "pending;expires=600"])
    func aPollIsOverWithTheFirstNotifyOfAnyState(state: String) throws {
        var (world, subscribe) = try subscribed(expires: 0)
        try world.reply(200, to: subscribe, from: "carol", tag: "carol", headers: [(.expires, "0")])
        try notify(subscribe, state, in: &world)
        #expect(world.received(200, at: "carol").count == 1)
        #expect(statuses(world) == [.ended(nil, reason: "asked once")])
    }

    /// What each reason asks for (§4.1.3): whether it is tried again, and how soon.
    @Test(
        .proves(.clause("RFC 6665 §4.1.3")),
        arguments: [
            ("deactivated", Duration.zero, true), ("timeout", .zero, true),
            ("probation;retry-after=100", .seconds(100), true),
            ("giveup;retry-after=50", .seconds(50), true), ("giveup", .seconds(1), true),
            ("mystery", .seconds(1), true),
            ("rejected", .zero, false), ("noresource", .zero, false), ("invariant", .zero, false),
        ]) func theReasonOfAnEndSaysWhetherToAskAgain(reason: String, notBefore: Duration, isTriedAgain: Bool) throws
    {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world)
        // Long enough up that an immediate try is none too early.
        world.run(for: .seconds(60))
        let ended = world.now
        try notify(subscribe, "terminated;reason=\(reason)", in: &world, sequence: 2)
        world.run(for: .seconds(300))
        let later = world.ladder.first { $0.summary == "alice>carol SUBSCRIBE" && $0.at > ended }
        #expect((later != nil) == isTriedAgain)
        if let later {
            #expect(later.at - ended >= notBefore)
            if notBefore == .zero { #expect(later.at - ended < .seconds(1)) }
        } else {
            #expect(world.cores["alice"]?.occupancy == .empty)
        }
    }

    /// Also one that has only just begun (§4.1.3).
    @Test(.proves(.clause("RFC 6665 §4.1.3"))) func aNotifierThatEndsItAtOnceIsAskedOnceMoreAndNotInALoop() throws {
        var (world, subscribe) = try subscribed()
        for round in 1...5 {
            try world.reply(200, to: subscribe, from: "carol", tag: "carol", headers: [(.expires, "600")])
            try notify(subscribe, "terminated;reason=deactivated", in: &world, sequence: UInt32(round))
            guard let next = world.last(.subscribe, at: "carol"), next.callID != subscribe.callID else { break }
            subscribe = next
        }
        #expect(subscribes(world).count == 2 && world.now < .zero + .seconds(1))
        guard case .waiting(nil, "deactivated", let wait)? = statuses(world).last else {
            Issue.record("\(statuses(world))")
            return
        }
        #expect(wait >= .seconds(30))
    }

    @Test func shutDownUnsubscribes() throws {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world)
        world.perform(.shutDown, by: "alice")
        world.run(for: .milliseconds(20))
        let last = try #require(world.last(.subscribe, at: "carol"))
        #expect(try last.headers.first(Expires.self)?.seconds == 0)
        try world.reply(200, to: last, from: "carol", tag: "carol")
        #expect(world.story(of: "alice").last != "shutDownFinished", "the last word is the notifier's (§4.1.2.3)")
        try notify(subscribe, "terminated;reason=timeout", in: &world, sequence: 2)
        #expect(world.story(of: "alice").last == "shutDownFinished")
    }

    @Test func shutDownDoesNotWaitLongForTheLastWord() throws {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world)
        world.perform(.shutDown, by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(200, to: try #require(world.last(.subscribe, at: "carol")), from: "carol", tag: "carol")
        world.run(for: .seconds(2))
        #expect(world.story(of: "alice").last == "shutDownFinished")
    }

    @Test func nothingInTheDialogButNotifyIsTaken() throws {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world)
        for (method, status) in [(SIPMessages.Method.message, 405), (.options, 405), (.bye, 481)] {
            let request = try world.request(
                method, from: "carol", to: "alice", callID: subscribe.callID, sequence: 9, fromTag: "carol",
                toTag: subscribe.from.tag)
            world.ask(request, from: "carol", to: "alice")
            let last = world.mailbox["carol"]?.last
            guard case .response(let response)? = last else { continue }
            #expect(response.status.value == status)
        }
    }
}
