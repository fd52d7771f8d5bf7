import EngineKit
import EventPackages
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Those who watch us (RFC 6665 §4.2, RFC 3856, RFC 4235), and the publication of our presence (RFC 3903).
@Suite(.proves(.clause("RFC 6665 §4.2")))
struct WatcherTests {
    private let handle = SubscriptionHandle(rawValue: 3)

    /// Bob, who lets Carol and Alice watch.
    private func bob() throws -> UserAgentConfiguration {
        var configuration = World.configuration(user: "bob")
        configuration.automaticAnswer.ranges = [
            AddressRange(network: try #require(IPAddress("192.0.2.0")), prefix: 24)
        ]
        return configuration
    }

    private func worldWithCarol() throws -> World { bobAndCarol(try bob()) }

    private func subscribe(
        _ package: String, in world: inout World, expires: Int? = 600, sequence: UInt32 = 1, toTag: String? = nil,
        callID: String = "watch", headers: [(HeaderName, String)] = []
    ) throws {
        var request = try world.request(
            .subscribe, from: "carol", to: "bob", callID: callID, sequence: sequence, toTag: toTag,
            headers: [(.event, package)] + headers)
        request.headers.append(Contact.address(try NameAddress(parsing: carolContact)))
        if let expires { try request.headers.append(.expires, String(expires)) }
        world.send(.request(request), from: "carol", to: "bob")
        world.run(for: .milliseconds(30))
    }

    private func notifies(_ world: World) -> [Request] { world.requests(.notify, from: "bob") }

    /// Carol says 200 to the last NOTIFY.
    private func take(in world: inout World) throws {
        var response = try #require(world.last(.notify, at: "carol")).response(200)
        response.to.tag = response.to.tag ?? "peer"
        world.send(.response(response), from: "carol", to: "bob")
        world.run(for: .milliseconds(30))
    }

    // MARK: - Who and what

    @Test(.proves(.rule(5), .incident(53)))
    func strangersMayNotWatch() throws {
        var world = bobAndCarol()
        try subscribe("presence", in: &world)
        #expect(world.received(403, at: "carol").count == 1)
        #expect(notifies(world).isEmpty)
    }

    @Test func aKnownWatcherIsToldAtOnce() throws {
        var world = try worldWithCarol()
        try subscribe("presence", in: &world)
        let accepted = try #require(world.received(200, at: "carol").first)
        #expect(try accepted.headers.first(Expires.self)?.seconds == 600)
        #expect(accepted.headers.contains(.contact))
        let notify = try #require(notifies(world).first)
        #expect(notify.to.tag == "peer")
        #expect(notify.from.tag == accepted.to.tag)
        #expect(notify.headers.first(.subscriptionState)?.hasPrefix("active;expires=") == true)
        #expect(try PresenceDocument(parsing: notify.body).isOpen)
    }

    @Test func whatWeDoNotTellIsRefused() throws {
        var world = try worldWithCarol()
        try subscribe("conference", in: &world, callID: "1")
        let refusal = try #require(world.received(489, at: "carol").first)
        #expect(try refusal.headers.first(AllowEvents.self)?.tags == ["presence", "dialog"])
        try subscribe("presence", in: &world, callID: "2", headers: [(.accept, "application/other")])
        #expect(world.received(406, at: "carol").count == 1)
        try subscribe("presence", in: &world, expires: 5, callID: "3")
        #expect(try world.received(423, at: "carol").first?.headers.first(MinExpires.self)?.seconds == 60)
        #expect(notifies(world).isEmpty)
    }

    @Test(.proves(.rule(14)))
    func sixteenMayWatchAndNoMore() throws {
        var world = try worldWithCarol()
        for index in 0..<20 { try subscribe("presence", in: &world, callID: "w\(index)") }
        #expect(world.received(200, at: "carol").count == 16)
        #expect(world.received(503, at: "carol").count == 4)
    }

    // MARK: - Changes

    @Test func presenceIsToldWhenItChangesAndNotMoreOftenThanEveryFiveSeconds() throws {
        var world = try worldWithCarol()
        try subscribe("presence", in: &world)
        try take(in: &world)
        for note in ["one", "two", "three"] {
            world.perform(.setPresence(OwnPresence(isOpen: false, note: note)), by: "bob")
            world.run(for: .milliseconds(500))
        }
        #expect(notifies(world).count == 1)
        world.run(for: .seconds(5))
        #expect(Set(notifies(world).map(\.cSeq.number)).count == 2)
        let told = try PresenceDocument(parsing: notifies(world)[1].body)
        #expect(told.note == "three")
        #expect(!told.isOpen)
    }

    @Test(.proves(.clause("RFC 4235 §4.3")))
    func dialogsAreToldInFullFirstAndThenAsTheyChange() throws {
        var world = aliceAndBob(bob: try bob())
        world.addScripted("carol", at: "192.0.2.9")
        try subscribe("dialog", in: &world)
        try take(in: &world)
        let call = try world.talk()
        world.run(for: .seconds(1))
        try take(in: &world)
        world.run(for: .seconds(2))
        world.perform(.hangUp(call), by: "bob")
        world.run(for: .seconds(2))
        try take(in: &world)
        world.run(for: .seconds(2))
        var table = DialogTable()
        var states: [DialogInformation.State] = []
        var seen: Set<UInt32> = []
        for notify in notifies(world) where seen.insert(notify.cSeq.number).inserted {
            #expect(table.take(try DialogInformation(parsing: notify.body)) == .changed)
            states.append(table.state)
        }
        #expect(states.first == .terminated)
        #expect(states.contains(.confirmed))
        #expect(states.last == .terminated)
    }

    @Test(.proves(.clause("RFC 4480 §3.2")))
    func presenceSaysThatTheAccountIsOnThePhoneWhileACallIsUp() throws {
        var world = aliceAndBob(bob: try bob())
        world.addScripted("carol", at: "192.0.2.9")
        try subscribe("presence", in: &world)
        try take(in: &world)
        let call = try world.dial()
        world.run(for: .seconds(6))
        #expect(notifies(world).count == 1, "ringing is not talking yet")
        world.perform(.answer(call, World.media), by: "bob")
        world.run(for: .seconds(1))
        try take(in: &world)
        #expect(try PresenceDocument(parsing: try #require(notifies(world).last).body).activities == ["on-the-phone"])
        world.perform(.hangUp(call), by: "bob")
        world.run(for: .seconds(6))
        #expect(try PresenceDocument(parsing: try #require(notifies(world).last).body).activities.isEmpty)
    }

    @Test(.proves(.clause("RFC 4235 §3.2")))
    func subscriptionToOneDialogIsToldOfNoOther() throws {
        var world = aliceAndBob(bob: try bob())
        world.addScripted("carol", at: "192.0.2.9")
        _ = try world.talk()
        let invite = try #require(world.requests(.invite, from: "alice").first)
        let ok = try #require(world.responses(200, from: "bob").first { $0.cSeq.method == .invite })
        let (mine, theirs) = (try #require(ok.to.tag), try #require(invite.from.tag))
        let named = "dialog;call-id=\"\(invite.callID)\""
        let events = [
            (named, 1), (named + ";to-tag=\(mine)", 1), (named + ";to-tag=\(mine);from-tag=\(theirs)", 1),
            (named + ";to-tag=\(theirs);from-tag=\(mine)", 0), ("dialog;call-id=other", 0),
        ]
        for (index, (event, count)) in events.enumerated() {
            try subscribe(event, in: &world, callID: "w\(index)")
            let notify = try #require(world.last(.notify, at: "carol"))
            #expect(notify.callID == "w\(index)")
            #expect(notify.headers.first(.event) == event)
            #expect(try DialogInformation(parsing: notify.body).dialogs.count == count, "\(event)")
            try take(in: &world)
        }
    }

    @Test func oneNotifyIsOnItsWayAtATime() throws {
        var world = try worldWithCarol()
        try subscribe("presence", in: &world)
        world.perform(.setPresence(OwnPresence(isOpen: false)), by: "bob")
        world.run(for: .seconds(10))
        #expect(Set(notifies(world).map(\.cSeq.number)).count == 1, "the first has no answer yet")
        try take(in: &world)
        #expect(Set(notifies(world).map(\.cSeq.number)).count == 2)
    }

    // MARK: - Ends

    @Test func aWatcherThatDoesNotAnswerOrKnowsNothingIsForgotten() throws {
        for isSilent in [true, false] {
            var world = try worldWithCarol()
            try subscribe("presence", in: &world)
            if !isSilent {
                try world.reply(481, to: try #require(world.last(.notify, at: "carol")), from: "carol")
                world.send(
                    .response(try #require(world.last(.notify, at: "carol")).response(481)), from: "carol", to: "bob")
            }
            world.run(for: .seconds(100))
            #expect(world.cores["bob"]?.occupancy == .empty)
        }
    }

    /// It names another subscription, or none: this one goes on as it was.
    @Test(
        .proves(.clause("RFC 6665 §4.2.1.1"), .clause("RFC 6665 §8.3.2")), arguments: ["dialog", "presence;id=7", nil])
    func aRefreshOfAnotherPackageIsNoneOfThisSubscription(event: String?) throws {
        var world = try worldWithCarol()
        try subscribe("presence", in: &world)
        let accepted = try #require(world.received(200, at: "carol").first)
        try take(in: &world)
        let told = notifies(world).count
        var refresh = try world.request(
            .subscribe, from: "carol", to: "bob", callID: "watch", sequence: 2, toTag: accepted.to.tag,
            headers: [(.expires, "0")])
        refresh.headers.append(Contact.address(try NameAddress(parsing: carolContact)))
        if let event { try refresh.headers.append(.event, event) }
        world.ask(refresh, from: "carol", to: "bob")
        let refusal = try #require(world.received(489, at: "carol").first)
        #expect(try refusal.headers.first(AllowEvents.self)?.tags == ["presence", "dialog"])
        world.run(for: .seconds(10))
        #expect(notifies(world).count == told)
        try subscribe("presence", in: &world, sequence: 3, toTag: accepted.to.tag)
        #expect(world.received(200, at: "carol").count == 2)
    }

    @Test func aRefreshGoesOnAndExpiresZeroEndsWithALastNotify() throws {
        var world = try worldWithCarol()
        try subscribe("presence", in: &world)
        try take(in: &world)
        let tag = try #require(world.received(200, at: "carol").first?.to.tag)
        try subscribe("presence", in: &world, expires: 900, sequence: 2, toTag: tag)
        try take(in: &world)
        #expect(notifies(world).count == 2)
        try subscribe("presence", in: &world, expires: 0, sequence: 3, toTag: tag)
        let last = try #require(notifies(world).last)
        #expect(last.headers.first(.subscriptionState) == "terminated;reason=timeout")
        try take(in: &world)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test func aSubscriptionThatIsNotRefreshedEnds() throws {
        var world = try worldWithCarol()
        try subscribe("presence", in: &world, expires: 60)
        try take(in: &world)
        world.run(for: .seconds(61))
        #expect(notifies(world).last?.headers.first(.subscriptionState) == "terminated;reason=timeout")
        try take(in: &world)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.incident(46)))
    func aPollIsAnsweredOnce() throws {
        var world = try worldWithCarol()
        try subscribe("dialog", in: &world, expires: 0)
        #expect(notifies(world).first?.headers.first(.subscriptionState)?.hasPrefix("terminated") == true)
        try take(in: &world)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test func oneOfOursWatchesAnotherOfOurs() throws {
        var world = aliceAndBob(bob: try bob())
        let order = OutgoingSubscription(target: try target("sip:bob@192.0.2.2"), event: EventPackage("dialog"))
        world.perform(.subscribe(handle, order), by: "alice")
        world.run(for: .milliseconds(100))
        let call = try world.talk()
        world.run(for: .seconds(3))
        let tables =
            (world.events["alice"] ?? []).compactMap { event in
                if case .notified(_, let told) = event, case .dialogs(let table) = told.content {
                    table.state
                } else {
                    nil
                }
            } as [DialogInformation.State]
        #expect(tables.first == .terminated)
        #expect(tables.last == .confirmed)
        world.perform(.hangUp(call), by: "bob")
        world.perform(.unsubscribe(handle), by: "alice")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    // MARK: - PUBLISH

    private func statuses(_ world: World) -> [PublicationStatus] {
        (world.events["alice"] ?? []).compactMap { if case .publication(_, let status) = $0 { status } else { nil } }
    }

    /// Alice, whose presence is published to a scripted Carol.
    private func publishing() throws -> (world: World, publish: Request) {
        var configuration = World.configuration(user: "alice")
        configuration.accounts[0].address = NameAddress(uri: try target("sip:alice@192.0.2.9"))
        var world = World()
        world.add("alice", at: "192.0.2.1", configuration: configuration)
        world.addScripted("carol", at: "192.0.2.9")
        world.perform(.publish(AccountID(rawValue: 0), OwnPresence(note: "here")), by: "alice")
        world.run(for: .milliseconds(20))
        return (world, try #require(world.last(.publish, at: "carol")))
    }

    private func answer(
        _ status: StatusCode, in world: inout World, tag: String? = nil, headers: [(HeaderName, String)] = []
    ) throws {
        let request = try #require(world.last(.publish, at: "carol"))
        try world.reply(
            status, to: request, from: "carol",
            headers: headers + (tag.map { [(.sipETag, $0), (.expires, "600")] } ?? []))
    }

    @Test(.proves(.clause("RFC 3903 §4")))
    func presenceIsPublishedRefreshedChangedAndRemovedUnderItsTag() throws {
        var (world, first) = try publishing()
        #expect(first.headers.first(.event) == "presence")
        #expect(!first.headers.contains(.sipIfMatch))
        #expect(try PresenceDocument(parsing: first.body).note == "here")
        try answer(200, in: &world, tag: "one")
        #expect(statuses(world) == [.published(expires: 600)])
        world.run(for: .seconds(521))
        let refresh = try #require(world.last(.publish, at: "carol"))
        #expect(refresh.headers.first(.sipIfMatch) == "one")
        #expect(refresh.body.isEmpty)
        try answer(200, in: &world, tag: "two")
        world.perform(.publish(AccountID(rawValue: 0), OwnPresence(isOpen: false)), by: "alice")
        world.run(for: .milliseconds(20))
        let change = try #require(world.last(.publish, at: "carol"))
        #expect(change.headers.first(.sipIfMatch) == "two")
        #expect(!(try PresenceDocument(parsing: change.body).isOpen))
        try answer(200, in: &world, tag: "three")
        world.perform(.publish(AccountID(rawValue: 0), nil), by: "alice")
        world.run(for: .milliseconds(20))
        let removal = try #require(world.last(.publish, at: "carol"))
        #expect(try removal.headers.first(Expires.self)?.seconds == 0)
        #expect(removal.headers.first(.sipIfMatch) == "three")
        try answer(200, in: &world)
        #expect(statuses(world).last == .removed)
        world.run(for: .seconds(1000))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3903 §4.1")))
    func callThatIsUpIsPublishedNoMoreOftenThanEveryFiveSeconds() throws {
        var (world, _) = try publishing()
        world.add("bob", at: "192.0.2.2")
        try answer(200, in: &world, tag: "one")
        func published() throws -> [[String]] {
            try world.requests(.publish, from: "alice").filter { !$0.body.isEmpty }
                .map { try PresenceDocument(parsing: $0.body).activities }
        }
        let call = try world.talk()
        #expect(try published() == [[]], "the last was just sent")
        world.run(for: .seconds(5))
        #expect(try published() == [[], ["on-the-phone"]])
        #expect(world.last(.publish, at: "carol")?.headers.first(.sipIfMatch) == "one")
        try answer(200, in: &world, tag: "two")
        world.run(for: .seconds(6))
        world.perform(.hangUp(call), by: "bob")
        world.run(for: .milliseconds(100))
        #expect(try published() == [[], ["on-the-phone"], []])
        try answer(403, in: &world)
        _ = try world.talk()
        world.run(for: .seconds(20))
        #expect(try published().count == 3, "what was refused for good is not published by the next call")
    }

    @Test(.proves(.clause("RFC 3903 §4.4")))
    func aTagThatTheServerForgotIsReplacedByAWholeDocument() throws {
        var (world, _) = try publishing()
        try answer(200, in: &world, tag: "one")
        world.run(for: .seconds(521))
        try answer(412, in: &world)
        let anew = try #require(world.last(.publish, at: "carol"))
        #expect(!anew.headers.contains(.sipIfMatch))
        #expect(!anew.body.isEmpty)
        try answer(412, in: &world)
        guard case .failed? = statuses(world).last else {
            Issue.record("a 412 to a request without a tag is no reason to go on")
            return
        }
    }

    @Test func aPublicationTooBriefIsMadeLongerAndARefusalIsFinal() throws {
        var (world, _) = try publishing()
        try answer(423, in: &world, headers: [(.minExpires, "7200")])
        #expect(try world.last(.publish, at: "carol").flatMap { try $0.headers.first(Expires.self)?.seconds } == 7200)
        try answer(403, in: &world)
        #expect(statuses(world).last == .failed(403, reason: "Forbidden", retryAfter: nil))
        world.run(for: .seconds(4000))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }
}
