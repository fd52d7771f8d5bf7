import EngineKit
import EventPackages
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Those who watch us (RFC 6665 §4.2, RFC 3856, RFC 4235).
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

    /// That everybody is answered says nothing of who may know to whom we talk.
    @Test(.proves(.rule(5)))
    func strangersMayNotWatchWhereEverybodyIsAnswered() throws {
        var configuration = World.configuration(user: "bob")
        configuration.automaticAnswer.anybody = true
        var world = bobAndCarol(configuration)
        for package in ["presence", "dialog"] { try subscribe(package, in: &world, callID: package) }
        #expect(world.received(403, at: "carol").count == 2)
        #expect(notifies(world).isEmpty)
    }

    /// Whoever names Call-ID and both tags is believed to be in the dialog.
    @Test(.proves(.rule(6), .clause("RFC 4235 §6")))
    func whoProvedNothingIsNotToldHowDialogsAreNamed() throws {
        var world = aliceAndBob(bob: try bob())
        world.addScripted("carol", at: "192.0.2.9")
        _ = try world.talk()
        try subscribe("dialog", in: &world)
        let notify = try #require(world.last(.notify, at: "carol"))
        let dialog = try #require(try DialogInformation(parsing: notify.body).dialogs.first)
        #expect(dialog.state == .confirmed && dialog.remoteIdentity != nil)
        #expect(dialog.callID == nil && dialog.localTag == nil && dialog.remoteTag == nil)
        let invite = try #require(world.requests(.invite, from: "alice").first)
        #expect(!String(decoding: notify.body, as: UTF8.self).contains(invite.callID))
    }

    /// A datagram may name anybody, who would be sent many times as much.
    @Test(.proves(.rule(5), .rule(1)))
    func whoIsSaidToWatchFromElsewhereIsSentNothing() throws {
        var world = try worldWithCarol()
        world.addScripted("victim", at: "192.0.2.77")
        for (index, place) in ["sip:carol@192.0.2.77", "sip:carol@192.0.2.9;maddr=192.0.2.77"].enumerated() {
            var request = try world.request(
                .subscribe, from: "carol", to: "bob", callID: "elsewhere\(index)", headers: [(.event, "presence")])
            request.headers.append(Contact.address(try NameAddress(parsing: "<\(place)>")))
            world.send(.request(request), from: "carol", to: "bob")
            world.run(for: .seconds(40))
            #expect(world.last(.notify, at: "victim") == nil, "\(place)")
            #expect(world.last(.notify, at: "carol")?.callID == "elsewhere\(index)")
        }
    }

    /// Nor does a refresh take the NOTIFYs elsewhere.
    @Test(.proves(.rule(5), .rule(1)))
    func aRefreshFromElsewhereIsNone() throws {
        var world = try worldWithCarol()
        try subscribe("presence", in: &world)
        try take(in: &world)
        world.addScripted("victim", at: "192.0.2.77")
        let tag = try #require(world.received(200, at: "carol").first?.to.tag)
        var request = try world.request(
            .subscribe, from: "carol", to: "bob", callID: "watch", sequence: 2, toTag: tag,
            headers: [(.event, "presence")])
        request.headers.append(Contact.address(try NameAddress(parsing: carolContact)))
        world.send(.request(request), from: "victim", to: "bob")
        world.run(for: .seconds(2))
        #expect(world.received(481, at: "victim").count == 1)
        #expect(world.last(.notify, at: "victim") == nil)
    }

    @Test(.proves(.clause("RFC 3261 §21.4.6")))
    func whatHasNoPlaceInItsDialogIsRefusedWithWhatHas() throws {
        var world = try worldWithCarol()
        try subscribe("presence", in: &world)
        let tag = try #require(world.received(200, at: "carol").first?.to.tag)
        let request = try world.request(
            .options, from: "carol", to: "bob", callID: "watch", sequence: 2, toTag: tag)
        world.send(.request(request), from: "carol", to: "bob")
        world.run(for: .milliseconds(30))
        #expect(world.received(405, at: "carol").first?.headers.contains(.allow) == true)
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
}
