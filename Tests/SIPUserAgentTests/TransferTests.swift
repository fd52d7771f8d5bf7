import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Transferring a call: the side that sends REFER (RFC 3515, RFC 5589 §6).
@Suite struct TransferTests {
    let dave: URI

    init() throws { dave = try target("sip:dave@192.0.2.4") }

    /// Alice in a call with a scripted Carol, who was asked to call Dave.
    private func referring(subscribes: Bool = true) throws -> (World, Request) {
        var world = World()
        _ = try world.aliceTalksToCarol()
        world.perform(.transfer(caller, .blind(dave), subscribes: subscribes), by: "alice")
        world.run(for: .milliseconds(20))
        return (world, try #require(world.last(.refer, at: "carol")))
    }

    @Test(.proves(.clause("RFC 3515 §2.4.4"), .clause("RFC 3892 §2"), .clause("RFC 5589 §6")))
    func asksThePeerWithinTheDialogAndEndsTheCallWhenTheTargetAnswered() throws {
        var (world, refer) = try referring()
        #expect(refer.headers.first(.referTo) == "<sip:dave@192.0.2.4>")
        #expect(refer.headers.first(.referredBy) == "<sip:alice@anonymous.invalid>")
        #expect(refer.to.tag == "peer")
        #expect(refer.cSeq.number == 2)
        #expect(try refer.headers.first(Contact.self) != nil)
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        try world.carolNotifies(about: refer, "active;expires=60", "100 Trying", sequence: 1)
        try world.carolNotifies(about: refer, "active;expires=59", "180 Ringing", sequence: 2)
        #expect(world.last(.bye, at: "carol") == nil)
        try world.carolNotifies(about: refer, "terminated;reason=noresource", "200 OK", sequence: 3)
        #expect(
            world.transfers(of: "alice") == [
                .accepted, .progress(StatusFragment(100)), .progress(StatusFragment(180)),
                .succeeded(StatusFragment(200)),
            ])
        #expect(world.ends(at: "alice") == [CallEnd(cause: .transferred, by: .local)])
        try world.reply(200, to: try #require(world.last(.bye, at: "carol")), from: "carol")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3515 §2.4.4")))
    func notifyMayComeBeforeTheAnswerToRefer() throws {
        var (world, refer) = try referring()
        try world.carolNotifies(about: refer, "active;expires=60", "100 Trying", sequence: 1)
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 200)
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        #expect(world.transfers(of: "alice") == [.progress(StatusFragment(100))])
    }

    @Test func aRefusalAfterTheNotifyThatItWentWellIsNotTold() throws {
        var (world, refer) = try referring()
        try world.carolNotifies(about: refer, "active;expires=60", "200 OK", sequence: 1)
        try world.reply(405, to: refer, from: "carol")
        #expect(world.transfers(of: "alice") == [.succeeded(StatusFragment(200))])
        #expect(world.ends(at: "alice") == [CallEnd(cause: .transferred, by: .local)])
        try world.reply(200, to: try #require(world.last(.bye, at: "carol")), from: "carol")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test func aBusyTargetLeavesTheCallAsItWas() throws {
        var (world, refer) = try referring()
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        try world.carolNotifies(about: refer, "terminated;reason=noresource", "486 Busy Here", sequence: 1)
        #expect(world.transfers(of: "alice") == [.accepted, .failed(486, reason: "Busy Here")])
        #expect(world.ends(at: "alice").isEmpty)
        // And another transfer may be tried, which has another number.
        world.perform(.transfer(caller, .blind(dave)), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.refer, at: "carol")?.cSeq.number == 3)
    }

    @Test(arguments: [StatusCode(403), 405, 501, 603])
    func aRefusedTransferLeavesTheCallAsItWas(_ status: StatusCode?) throws {
        let status = try #require(status)
        var (world, refer) = try referring()
        try world.reply(status, to: refer, from: "carol")
        #expect(world.transfers(of: "alice") == [.failed(status, reason: status.reason)])
        #expect(world.ends(at: "alice").isEmpty)
        try world.carolNotifies(about: refer, "active;expires=60", "100 Trying", sequence: 1)
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 481)
    }

    @Test(.proves(.row(20), .clause("RFC 3261 §12.2.1.2")))
    func aDialogThatThePeerDoesNotKnowIsOver() throws {
        var (world, refer) = try referring()
        try world.reply(481, to: refer, from: "carol")
        #expect(world.ends(at: "alice").map(\.cause) == [.dialogLost])
    }

    @Test(.proves(.row(20), .clause("RFC 3261 §12.2.1.2")))
    func aPeerThatDoesNotAnswerReferIsLost() throws {
        var (world, _) = try referring()
        world.run(for: .seconds(33))
        #expect(world.count("alice>carol REFER") == 11)
        #expect(world.transfers(of: "alice") == [.failed(nil, reason: "timed out, udp 192.0.2.9:5060")])
        #expect(world.ends(at: "alice") == [World.silence])
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 6665 §4.1.2.4")))
    func aNotifyThatNeverComesIsWaitedForAsLongAsATransaction() throws {
        var (world, refer) = try referring()
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        world.run(for: .milliseconds(31_900))
        #expect(world.transfers(of: "alice") == [.accepted])
        world.run(for: .milliseconds(200))
        #expect(world.transfers(of: "alice") == [.accepted, .unknown])
        #expect(world.ends(at: "alice").isEmpty)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 5057 §4")))
    func theDialogOutlivesTheCallUntilTheSubscriptionEnds() throws {
        var (world, refer) = try referring()
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        try world.carolNotifies(about: refer, "active;expires=60", "100 Trying", sequence: 1)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(200, to: try #require(world.last(.bye, at: "carol")), from: "carol")
        #expect(world.cores["alice"]?.occupancy.calls == 1)
        try world.carolNotifies(about: refer, "terminated;reason=noresource", "200 OK", sequence: 2)
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 200)
        #expect(world.transfers(of: "alice").last == .succeeded(StatusFragment(200)))
        #expect(world.ends(at: "alice") == [CallEnd(cause: .hungUp, by: .local)])
        world.run(for: .seconds(70))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 5057 §4")))
    func theTransfereesByeLeavesTheSubscription() throws {
        var (world, refer) = try referring()
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        let bye = try world.request(
            .bye, from: "carol", to: "alice", callID: refer.callID, sequence: 1, toTag: refer.from.tag)
        world.send(.request(bye), from: "carol", to: "alice")
        try world.carolNotifies(about: refer, "terminated;reason=noresource", "404 Not Found", sequence: 2)
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 200)
        #expect(world.transfers(of: "alice") == [.accepted, .failed(404, reason: "Not Found")])
        world.run(for: .seconds(70))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3515 §2.4.4")))
    func asksForMoreTimeBeforeTheSubscriptionEnds() throws {
        var (world, refer) = try referring()
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        try world.carolNotifies(about: refer, "active;expires=60", "180 Ringing", sequence: 1)
        world.run(for: .seconds(54))
        #expect(world.last(.subscribe, at: "carol") == nil)
        world.run(for: .milliseconds(1_100))
        let subscribe = try #require(world.last(.subscribe, at: "carol"))
        #expect(subscribe.headers.first(.event) == "refer;id=2")
        #expect(subscribe.headers.first(.expires) == "60")
        try world.reply(200, to: subscribe, from: "carol", contact: carolContact, headers: [(.expires, "60")])
        world.run(for: .seconds(50))
        try world.carolNotifies(about: refer, "terminated;reason=noresource", "200 OK", sequence: 2)
        #expect(world.transfers(of: "alice").last == .succeeded(StatusFragment(200)))
    }

    @Test func aSubscriptionIsRefreshedTenTimesAtMost() throws {
        var (world, refer) = try referring()
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        try world.carolNotifies(about: refer, "active;expires=60", "180 Ringing", sequence: 1)
        var seen = 0
        for _ in 0..<20 {
            world.run(for: .milliseconds(55_100))
            guard world.count("alice>carol SUBSCRIBE") > seen, let subscribe = world.last(.subscribe, at: "carol")
            else {
                break
            }
            seen = world.count("alice>carol SUBSCRIBE")
            try world.reply(200, to: subscribe, from: "carol", contact: carolContact, headers: [(.expires, "60")])
        }
        #expect(seen == 10)
        world.run(for: .seconds(60))
        #expect(world.transfers(of: "alice").last == .unknown)
    }

    @Test(.proves(.clause("RFC 4488 §4")))
    func withoutASubscriptionTheCallEndsWhenThePeerTakesTheRequest() throws {
        var (world, refer) = try referring(subscribes: false)
        #expect(refer.headers.first(.referSub) == "false")
        #expect(try refer.headers.first(Supported.self)?.contains("norefersub") == true)
        try world.reply(202, to: refer, from: "carol", contact: carolContact, headers: [(.referSub, "false")])
        #expect(world.transfers(of: "alice") == [.accepted, .unknown])
        #expect(world.ends(at: "alice") == [CallEnd(cause: .transferred, by: .local)])
    }

    @Test(.proves(.clause("RFC 4488 §4")))
    func aPeerThatDoesNotKnowReferSubNotifiesAllTheSame() throws {
        var (world, refer) = try referring(subscribes: false)
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        #expect(world.ends(at: "alice").isEmpty)
        try world.carolNotifies(about: refer, "terminated;reason=noresource", "200 OK", sequence: 1)
        #expect(world.ends(at: "alice") == [CallEnd(cause: .transferred, by: .local)])
    }

    @Test func oneTransferAtATime() throws {
        var (world, _) = try referring()
        world.perform(.transfer(caller, .blind(dave)), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.count("alice>carol REFER") == 1)
        #expect(world.story(of: "alice").last == "warning")
    }

    @Test(.proves(.clause("RFC 3515 §2.4.6")))
    func notificationsOfOtherSubscriptionsAreRefused() throws {
        var (world, refer) = try referring()
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        try world.carolNotifies(about: refer, "active", "200 OK", sequence: 1, event: "refer;id=77")
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 481)
        try world.carolNotifies(about: refer, "active", "200 OK", sequence: 2, event: "presence")
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 481)
        try world.carolNotifies(about: refer, "active", nil, sequence: 3)
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 400)
        #expect(world.ends(at: "alice").isEmpty)
    }

    @Test func theSubscriptionMayEndWithoutSayingHowItWent() throws {
        var (world, refer) = try referring()
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        try world.carolNotifies(about: refer, "terminated;reason=timeout", "100 Trying", sequence: 1)
        #expect(world.transfers(of: "alice") == [.accepted, .progress(StatusFragment(100)), .unknown])
        #expect(world.ends(at: "alice").isEmpty)
    }

    /// Bob in a call with a Carol who gave herself no tag, as RFC 2543 let her.
    private func taglessCarolTalksToBob(
        headers: [(HeaderName, String)] = []
    ) throws -> (World, CallHandle, bobTag: String) {
        var world = bobAndCarol()
        world.addScripted("proxy", at: "192.0.2.40")
        let invite = try world.request(
            .invite, from: "carol", to: "bob", fromTag: nil, body: World.answerText, headers: headers)
        world.ask(invite, from: "carol", to: "bob")
        let handle = try #require(world.incoming(at: "bob"))
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let answer = try #require(world.received(200, at: "carol").last)
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
        return (world, handle, try #require(answer.to.tag))
    }

    @Test(.proves(.clause("RFC 3515 §2.4.4"), .clause("RFC 3261 §12.2.1.1")))
    func aPeerWithoutATagIsAskedWithinTheDialogToo() throws {
        var (world, handle, bobTag) = try taglessCarolTalksToBob()
        world.perform(.transfer(handle, .blind(dave)), by: "bob")
        world.run(for: .milliseconds(20))
        let refer = try #require(world.last(.refer, at: "carol"))
        #expect(refer.to.tag == nil && refer.from.tag == bobTag && refer.callID == "call-1")
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        let headers: [(HeaderName, String)] = [
            (.event, "refer"), (.subscriptionState, "terminated;reason=noresource"), (.contact, carolContact),
            (.contentType, "message/sipfrag"),
        ]
        var notify = try world.request(
            .notify, from: "carol", to: "bob", sequence: 2, fromTag: nil, toTag: bobTag, headers: headers)
        notify.body = StatusFragment(200).bytes
        world.ask(notify, from: "carol", to: "bob")
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 200)
        #expect(world.ends(at: "bob").map(\.cause) == [.transferred])
        try world.reply(200, to: try #require(world.last(.bye, at: "carol")), from: "carol")
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    /// The next hop is that of the dialog, which the request itself does not show behind a strict router.
    @Test(.proves(.row(29), .clause("RFC 3261 §12.2.1.1")))
    func aPeerWithoutATagIsAskedByItsRoute() throws {
        var (world, handle, _) = try taglessCarolTalksToBob(headers: [(.recordRoute, "<sip:192.0.2.40>")])
        world.perform(.transfer(handle, .blind(dave)), by: "bob")
        world.run(for: .milliseconds(20))
        let refer = try #require(world.last(.refer, at: "proxy"))
        #expect(refer.uri.description == "sip:192.0.2.40")
        #expect(refer.headers.values(.route).count == 1)
        #expect(world.last(.refer, at: "carol") == nil)
    }

    @Test(.proves(.clause("RFC 3891 §6.1")))
    func theTagThatAPeerHasNotIsZeroInReplaces() throws {
        var (world, first, bobTag) = try taglessCarolTalksToBob()
        world.addScripted("dave", at: "192.0.2.4")
        let call = OutgoingCall(target: dave, media: World.media)
        world.perform(.call(caller, call), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "dave"))
        try world.reply(
            200, to: invite, from: "dave", contact: "<sip:dave@192.0.2.4:5060>", body: World.answerText)
        world.perform(.transfer(caller, .attended(first)), by: "bob")
        world.run(for: .milliseconds(20))
        let refer = try #require(world.last(.refer, at: "dave"))
        let target = try #require(refer.headers.first(.referTo))
        #expect(target.contains("Replaces=call-1%3Bto-tag%3D0%3Bfrom-tag%3D\(bobTag)"))
    }
}
