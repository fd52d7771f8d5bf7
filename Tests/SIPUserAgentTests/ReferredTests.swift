import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Being transferred: the side that gets REFER (RFC 3515 §2.4, ROBUSTNESS S3).
@Suite struct ReferredTests {
    private func rules(_ refer: TransferRules.Verdict) -> UserAgentConfiguration {
        var configuration = World.configuration(user: "bob")
        configuration.transfers.refer = refer
        return configuration
    }

    /// Bob in a call with Carol, who asked him to call Dave; Dave is scripted too.
    func referred(
        to target: String = "<sip:dave@192.0.2.4>", headers: [(HeaderName, String)] = []
    ) throws -> (World, CallHandle, bobTag: String) {
        var world = World()
        let (handle, tag) = try world.carolTalksToBob()
        world.addScripted("dave", at: "192.0.2.4")
        try world.carolRefers(to: target, bobTag: tag, headers: headers)
        return (world, handle, tag)
    }

    /// The answers of Carol's phone to what Bob notified her of.
    func takeNotify(_ world: inout World) throws {
        try world.reply(200, to: try #require(world.last(.notify, at: "carol")), from: "carol")
    }

    /// Bob calls Dave as Carol asked, and she does not want to hear of it any more.
    func unsubscribed() throws -> (World, CallHandle, bobTag: String) {
        var (world, handle, tag) = try referred()
        try takeNotify(&world)
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        try world.carolSends(
            .subscribe, sequence: 3, bobTag: tag, headers: [(.event, "refer;id=2"), (.expires, "0")])
        return (world, handle, tag)
    }

    /// Whoever fell silent may be where it wants us to be.
    @Test(.proves(.row(23), .clause("RFC 3515 §2.4.4")))
    func aWishOutlivesThePeersSilence() throws {
        var (world, handle, _) = try referred()
        try takeNotify(&world)
        world.perform(.hold(handle), by: "bob")
        world.run(for: .seconds(33))
        #expect(world.ends(at: "bob") == [World.silence])
        #expect(!world.story(of: "bob").contains("transferWithdrawn"))
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.last(.invite, at: "dave") != nil)
    }

    /// Who leaves owes its referrer what came of the call: it waits for the answer as for that of a BYE.
    @Test(.proves(.row(9), .clause("RFC 3515 §2.4.5")))
    func whoLeavesWaitsUntilTheReferrerHeard() throws {
        var (world, _, _) = try referred()
        try takeNotify(&world)
        world.perform(.shutDown, by: "bob")
        world.run(for: .milliseconds(20))
        world.send(.response(try #require(world.last(.bye, at: "carol")).response(200)), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last == "terminated;reason=noresource 603 Decline")
        #expect(!world.story(of: "bob").contains("shutDownFinished"))
        try takeNotify(&world)
        #expect(world.story(of: "bob").last == "shutDownFinished")
        #expect(world.warnings(at: "bob").isEmpty)
    }

    @Test(.proves(.rule(3), .clause("RFC 3515 §2.4.2"), .clause("RFC 3515 §2.4.5")))
    func asksAndTellsAtOnceThatItIsTrying() throws {
        let (world, _, _) = try referred(headers: [(.referredBy, "<sip:carol@192.0.2.9>;cid=\"x@y\"")])
        #expect(world.lastAnswer(to: .refer, at: "carol")?.status == 202)
        #expect(world.notifications == ["active;expires=60 100 Trying"])
        let notify = try #require(world.last(.notify, at: "carol"))
        #expect(notify.headers.first(.event) == "refer;id=2")
        #expect(notify.headers.first(.contentType) == "message/sipfrag;version=2.0")
        let request = try #require(world.transferRequests(at: "bob").first)
        #expect(request.target == (try target("sip:dave@192.0.2.4")))
        #expect(request.referredBy?.uri == (try target("sip:carol@192.0.2.9")))
        #expect(!request.isAllowed)
        #expect(!request.isAttended)
        // Nobody is called before somebody says yes.
        #expect(world.requests(.invite, from: "bob").isEmpty)
    }

    @Test(.proves(.clause("RFC 3515 §2.4.3"), .clause("RFC 3892 §2.2"), .clause("RFC 3515 §2.4.7")))
    func placesTheCallAndTellsHowItGoes() throws {
        var (world, handle, tag) = try referred(headers: [(.referredBy, "<sip:carol@192.0.2.9>;cid=\"x@y\"")])
        try takeNotify(&world)
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "dave"))
        #expect(invite.headers.first(.referredBy) == "<sip:carol@192.0.2.9>;cid=\"x@y\"")
        var ringing = invite.response(180, toTag: "dave")
        ringing.headers.append(Contact.address(try NameAddress(parsing: "<sip:dave@192.0.2.4:5060>")))
        world.send(.response(ringing), from: "dave", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last?.hasSuffix("180 Ringing") == true)
        try takeNotify(&world)
        var answer = invite.response(200, toTag: "dave")
        answer.headers.append(Contact.address(try NameAddress(parsing: "<sip:dave@192.0.2.4:5060>")))
        answer.headers.append(ContentType.sdp)
        answer.body = Array(World.answerText.utf8)
        world.send(.response(answer), from: "dave", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last == "terminated;reason=noresource 200 OK")
        try takeNotify(&world)
        // The referrer hangs up, as it does when it hears of that.
        try world.carolSends(.bye, sequence: 3, bobTag: tag)
        #expect(world.ends(at: "bob").map(\.cause) == [.hungUp])
        world.perform(.hangUp(triggered), by: "bob")
        world.run(for: .milliseconds(20))
        world.send(
            .response(try #require(world.last(.bye, at: "dave")).response(200)), from: "dave", to: "bob")
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 5057 §4")))
    func theReferrersByeDoesNotEndTheSubscription() throws {
        var (world, handle, tag) = try referred()
        try takeNotify(&world)
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        try world.carolSends(.bye, sequence: 3, bobTag: tag)
        #expect(world.lastAnswer(to: .bye, at: "carol")?.status == 200)
        let invite = try #require(world.last(.invite, at: "dave"))
        world.send(.response(invite.response(486, toTag: "dave")), from: "dave", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last == "terminated;reason=noresource 486 Busy Here")
        try takeNotify(&world)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(3), .clause("RFC 3515 §2.4.6"), .clause("RFC 3515 §2.4.7")))
    func noSaidByAPersonIsTheOutcome() throws {
        var (world, handle, _) = try referred()
        try takeNotify(&world)
        world.perform(.declineTransfer(handle), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last == "terminated;reason=noresource 603 Decline")
        try takeNotify(&world)
        #expect(world.ends(at: "bob").isEmpty)
        // And what is asked for again is asked again.
        try world.carolRefers(to: "<sip:erin@192.0.2.5>", sequence: 3, bobTag: "\(world.bobTag)")
        #expect(world.transferRequests(at: "bob").count == 2)
        #expect(world.last(.notify, at: "carol")?.headers.first(.event) == "refer;id=3")
    }

    @Test(.proves(.rule(3)))
    func aPersonHasAMinute() throws {
        var (world, _, _) = try referred()
        try takeNotify(&world)
        world.run(for: .seconds(59))
        #expect(world.notifications.count == 1)
        world.run(for: .seconds(1))
        #expect(world.notifications.last == "terminated;reason=noresource 603 Decline")
        #expect(world.story(of: "bob").last == "transferWithdrawn")
    }

    @Test func theSubscriptionEndsAfterAMinuteUnlessItIsRefreshed() throws {
        var (world, handle, tag) = try referred()
        try takeNotify(&world)
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "dave"))
        world.send(.response(invite.response(180, toTag: "dave")), from: "dave", to: "bob")
        world.run(for: .milliseconds(20))
        try takeNotify(&world)
        world.run(for: .seconds(50))
        try world.carolSends(
            .subscribe, sequence: 3, bobTag: tag, headers: [(.event, "refer;id=2"), (.expires, "3600")])
        let answer = try #require(world.lastAnswer(to: .subscribe, at: "carol"))
        #expect(answer.status == 200)
        #expect(answer.headers.first(.expires) == "60")
        #expect(world.notifications.last == "active;expires=60 180 Ringing")
        try takeNotify(&world)
        world.run(for: .seconds(61))
        #expect(world.notifications.last == "terminated;reason=timeout 180 Ringing")
        // The call that was asked for goes on (§2.4.4).
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test(.proves(.clause("RFC 3515 §2.4.4")))
    func unsubscribingDoesNotCancelTheCall() throws {
        var (world, _, tag) = try unsubscribed()
        #expect(world.notifications.last == "terminated;reason=timeout 100 Trying")
        try takeNotify(&world)
        #expect(world.last(.cancel, at: "dave") == nil)
        try world.carolSends(
            .subscribe, sequence: 4, bobTag: tag, headers: [(.event, "refer;id=2"), (.expires, "60")])
        #expect(world.lastAnswer(to: .subscribe, at: "carol")?.status == 403)
    }

    @Test(.proves(.clause("RFC 6665 §4.2.2")))
    func aNotifyThatGetsLostIsSentAgainAndAtLastEndsTheSubscription() throws {
        var (world, handle, _) = try referred()
        world.run(for: .seconds(33))
        #expect(world.count("bob>carol NOTIFY") == 11)
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "dave"))
        world.send(.response(invite.response(486, toTag: "dave")), from: "dave", to: "bob")
        world.run(for: .seconds(1))
        #expect(world.count("bob>carol NOTIFY") == 11)
        // The call to Carol stands all the same.
        #expect(world.ends(at: "bob").map(\.status) == [486])
    }

    @Test(.proves(.clause("RFC 4488 §4")))
    func withoutASubscriptionNothingIsNotified() throws {
        var (world, handle, _) = try referred(headers: [(.referSub, "false")])
        #expect(world.lastAnswer(to: .refer, at: "carol")?.headers.first(.referSub) == "false")
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.last(.invite, at: "dave") != nil)
        #expect(world.last(.notify, at: "carol") == nil)
    }

    @Test func hangingUpDeclinesWhatWasAskedFor() throws {
        var (world, handle, _) = try referred()
        try takeNotify(&world)
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last == "terminated;reason=noresource 603 Decline")
        #expect(world.story(of: "bob").suffix(2) == ["transferWithdrawn", "ended"], "nobody is asked any more")
        try takeNotify(&world)
        try world.reply(200, to: try #require(world.last(.bye, at: "carol")), from: "carol")
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    /// A peer refuses the BYE that arrives behind it, and believes that the call stands.
    @Test(.proves(.clause("RFC 3261 §12.2.2"), .clause("RFC 5057 §4")), arguments: [true, false])
    func noNotifyLeavesWhileTheByeIsNotAnswered(isAnsweredAtLast: Bool) throws {
        var (world, handle, _) = try referred()
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .milliseconds(20))
        let bye = try #require(world.last(.bye, at: "carol"))
        // The first is answered only now, so that the last one is due.
        try takeNotify(&world)
        world.run(for: .seconds(20))
        #expect(try #require(world.last(.notify, at: "carol")).cSeq.number < bye.cSeq.number)
        if isAnsweredAtLast { try world.reply(200, to: bye, from: "carol") }
        world.run(for: .seconds(13))
        #expect(world.notifications.last == "terminated;reason=noresource 603 Decline")
        #expect(try #require(world.last(.notify, at: "carol")).cSeq.number > bye.cSeq.number)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test func aSubscriptionThatRunsOutBehindAnUnansweredByeIsOverWithoutAWord() throws {
        var (world, handle, _) = try referred()
        world.run(for: .seconds(30))
        world.perform(.hangUp(handle), by: "bob")
        try takeNotify(&world)
        world.run(for: .seconds(60))
        #expect(world.notifications.allSatisfy { $0.hasPrefix("active") })
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(3), .incident(57), .clause("RFC 3515 §2.4.2")))
    func refusesWhatItMayNotOrCanNotDo() throws {
        func answer(
            _ configuration: UserAgentConfiguration?, _ headers: [(HeaderName, String)]
        ) throws -> Int? {
            var world = World()
            let (_, tag) = try world.carolTalksToBob(configuration)
            try world.carolSends(.refer, sequence: 2, bobTag: tag, headers: headers)
            #expect(world.transferRequests(at: "bob").isEmpty)
            return world.lastAnswer(to: .refer, at: "carol")?.status.value
        }
        let dave = (HeaderName.referTo, "<sip:dave@192.0.2.4>")
        #expect(try answer(nil, []) == 400)
        #expect(try answer(nil, [dave, dave]) == 400)
        #expect(try answer(nil, [(.referTo, "<sip:dave@192.0.2.4>, <sip:erin@192.0.2.5>")]) == 400)
        #expect(try answer(nil, [(.referTo, "no address")]) == 400)
        #expect(try answer(nil, [(.referTo, "<http://192.0.2.4/>")]) == 403)
        #expect(try answer(nil, [(.referTo, "<mailto:dave@192.0.2.4>")]) == 403)
        #expect(try answer(nil, [(.referTo, "<sip:dave@192.0.2.4;method=MESSAGE>")]) == 403)
        #expect(try answer(rules(.deny), [dave]) == 603)
    }

    @Test(
        .proves(.rule(3), .clause("RFC 3261 §19.1.5"), .clause("RFC 3911 §5")), arguments: [HeaderName.replaces, .join])
    func takesOnlyTheNameOfACallOutOfTheTargetsHeaders(name: HeaderName) throws {
        let field = "\(name)=abc%40x%3Bto-tag%3D1%3Bfrom-tag%3D2"
        var (world, handle, _) = try referred(to: "<sip:dave@192.0.2.4;method=INVITE?\(field)&Require=\(name)>")
        #expect(world.transferRequests(at: "bob").first?.isAttended == (name == .replaces))
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "dave"))
        #expect(invite.uri == (try target("sip:dave@192.0.2.4")))
        #expect(invite.headers.first(name) == "abc@x;to-tag=1;from-tag=2")
        #expect(try invite.headers.first(Require.self)?.contains(name.spelling) == true)
    }

    @Test(.proves(.rule(3), .clause("RFC 3261 §19.1.5"), .clause("RFC 3891 §6.1")))
    func refusesHeadersOfTheTargetThatAreBrokenOrSayMore() throws {
        let call = "a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2"
        for (headers, status) in [
            ("Subject=x", 403), ("body=x", 403), ("Replaces=\(call)&Route=%3Csip:evil%3E", 403),
            ("Require=100rel", 403), ("Replaces=\(call)&Require=join", 403),
            ("Replaces=a%40b", 400), ("Replaces=\(call)&Replaces=\(call)", 400),
            ("Join=\(call)&replaces=\(call)", 400),
            ("Join=a", 400), ("Replaces=\(call)%3Bto-tag%3D3", 400), ("Replaces", 400), ("Require=a%20b", 400),
        ] {
            let (world, _, _) = try referred(to: "<sip:dave@192.0.2.4?\(headers)>")
            #expect(world.lastAnswer(to: .refer, at: "carol")?.status.value == status, "\(headers)")
            #expect(world.transferRequests(at: "bob").isEmpty)
        }
    }

    @Test(
        .proves(.clause("RFC 3892 §3"), .clause("RFC 3261 §8.2")), arguments: ["*", "junk@@", "<sip:a@b>, <sip:c@d>"])
    func whoAsksIsNotNamedWhereItCanNotBeRead(referredBy: String) throws {
        var (world, handle, _) = try referred(headers: [(.referredBy, referredBy)])
        #expect(world.transferRequests(at: "bob").map(\.referredBy) == [nil])
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(try #require(world.last(.invite, at: "dave")).headers.first(.referredBy) == nil)
    }

    @Test(.proves(.rule(3)))
    func oneWishAtATime() throws {
        var (world, _, tag) = try referred()
        try world.carolRefers(to: "<sip:erin@192.0.2.5>", sequence: 3, bobTag: tag)
        #expect(world.lastAnswer(to: .refer, at: "carol")?.status == 491)
        #expect(world.transferRequests(at: "bob").count == 1)
    }

    @Test(.proves(.rule(3), .clause("RFC 3515 §2.4.4")))
    func outsideADialogNobodyIsSentElsewhere() throws {
        var world = bobAndCarol()
        var refer = try world.request(
            .refer, from: "carol", to: "bob", headers: [(.referTo, "<sip:dave@192.0.2.4>")])
        refer.headers.append(Contact.address(try NameAddress(parsing: carolContact)))
        world.ask(refer, from: "carol", to: "bob")
        #expect(world.lastAnswer(to: .refer, at: "carol")?.status == 403)
        let subscribe = try world.request(
            .subscribe, from: "carol", to: "bob", callID: "call-2",
            headers: [(.event, "refer"), (.contact, carolContact)])
        world.ask(subscribe, from: "carol", to: "bob")
        #expect(world.lastAnswer(to: .subscribe, at: "carol")?.status == 403)
        #expect(world.transferRequests(at: "bob").isEmpty)
    }

    @Test(.proves(.rule(3)))
    func afterFiveTransfersInARowThereIsNoSixth() throws {
        var world = World()
        var (handle, tag) = try world.carolTalksToBob()
        var callID = "call-1"
        var sequence: UInt32 = 2
        for round in 1...6 {
            var refer = try world.request(
                .refer, from: "carol", to: "bob", callID: callID, sequence: sequence, toTag: tag,
                headers: [(.referTo, carolContact), (.contact, carolContact), (.referSub, "false")])
            refer.vias[0].branch = "z9hG4bKround\(round)"
            world.ask(refer, from: "carol", to: "bob")
            let answer = try #require(world.lastAnswer(to: .refer, at: "carol"))
            #expect(answer.status == (round < 6 ? 202 : 403), "round \(round)")
            guard round < 6 else { break }
            let next = CallHandle(rawValue: UInt32(100 + round))
            world.perform(.acceptTransfer(handle, as: next, World.media), by: "bob")
            world.run(for: .milliseconds(20))
            let invite = try #require(world.last(.invite, at: "carol"))
            try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
            (handle, tag, callID, sequence) = (next, invite.from.tag ?? "", invite.callID, 1)
        }
    }
}

extension World {
    /// Our tag in the first call that came in.
    fileprivate var bobTag: String { received(200, at: "carol").first?.to.tag ?? "" }
}
