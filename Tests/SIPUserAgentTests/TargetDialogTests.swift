import EngineKit
import EventPackages
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@testable import SIPUserAgent

/// Requests beside a call that show by Target-Dialog that they may come (RFC 4538), taken and sent.
@Suite struct TargetDialogTests {
    private static let contact = (HeaderName.contact, carolContact)

    private func named(_ bobTag: String) -> (HeaderName, String) {
        (.targetDialog, "call-1;local-tag=\(bobTag);remote-tag=peer")
    }

    /// Bob in a call with Carol, whose REFER to Dave came beside it.
    private func referred(
        headers: [(HeaderName, String)] = []
    ) throws -> (World, CallHandle, bobTag: String) {
        var world = World()
        let (handle, tag) = try world.carolTalksToBob()
        world.addScripted("dave", at: "192.0.2.4")
        try send(.refer, [named(tag), (.referTo, "<sip:dave@192.0.2.4>"), (.require, "tdialog")] + headers, in: &world)
        return (world, handle, tag)
    }

    /// Carol sends Bob a request outside their dialog, or in the dialog that one made.
    private func send(
        _ method: Method, _ headers: [(HeaderName, String)], sequence: UInt32 = 1, toTag: String? = nil,
        in world: inout World
    ) throws {
        let request = try world.request(
            method, from: "carol", to: "bob", callID: "beside", sequence: sequence, fromTag: "carol-beside",
            toTag: toTag, headers: [Self.contact] + headers)
        world.ask(request, from: "carol", to: "bob")
    }

    private func takeNotify(_ world: inout World) throws {
        try world.reply(200, to: try #require(world.last(.notify, at: "carol")), from: "carol")
    }

    // MARK: - Taken

    /// A tag that is none was enough to keep the call for ever, as what it is to be told never left.
    @Test func aReferrerWithoutATagIsToldAndForgotten() throws {
        var world = World()
        let (handle, tag) = try world.carolTalksToBob()
        let headers = [Self.contact, named(tag), (.referTo, "<sip:dave@192.0.2.4>")]
        let request = try world.request(
            .refer, from: "carol", to: "bob", callID: "beside", fromTag: nil, headers: headers)
        world.ask(request, from: "carol", to: "bob")
        #expect(world.notifications == ["active;expires=60 100 Trying"])
        #expect(world.last(.notify, at: "carol")?.to.tag == nil)
        try takeNotify(&world)
        world.perform(.declineTransfer(handle), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last?.hasPrefix("terminated") == true)
        try takeNotify(&world)
        try world.carolSends(.bye, sequence: 2, bobTag: tag)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(3), .clause("RFC 4538 §4"), .clause("RFC 5589 §5")))
    func aReferBesideTheCallIsAskedAboutAndToldOfInItsOwnDialog() throws {
        var (world, handle, tag) = try referred(headers: [(.recordRoute, "<sip:192.0.2.9;lr>")])
        let answer = try #require(world.lastAnswer(to: .refer, at: "carol"))
        #expect(answer.status == 202)
        #expect(answer.headers.contains(.contact))
        #expect(answer.headers.first(.recordRoute) == "<sip:192.0.2.9;lr>")
        let own = try #require(answer.to.tag)
        #expect(own != tag)
        #expect(world.notifications == ["active;expires=60 100 Trying"])
        let notify = try #require(world.last(.notify, at: "carol"))
        #expect(notify.callID == "beside" && notify.from.tag == own && notify.to.tag == "carol-beside")
        #expect(notify.headers.first(.route) == "<sip:192.0.2.9;lr>")
        #expect(world.requests(.invite, from: "bob").isEmpty)
        try takeNotify(&world)
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "dave"))
        // Carol wants to be told for longer.
        try send(.subscribe, [(.event, "refer;id=1"), (.expires, "50")], sequence: 2, toTag: own, in: &world)
        #expect(world.lastAnswer(to: .subscribe, at: "carol")?.status == 200)
        try takeNotify(&world)
        world.send(.response(invite.response(486, toTag: "dave")), from: "dave", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last == "terminated;reason=noresource 486 Busy Here")
        try takeNotify(&world)
        // The call itself goes on, and its dialog knows nothing of the other's numbers.
        #expect(world.ends(at: "bob").map(\.cause) == [.refused])
        try world.carolSends(.bye, sequence: 2, bobTag: tag)
        #expect(world.lastAnswer(to: .bye, at: "carol")?.status == 200)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(3), .rule(5), .clause("RFC 4538 §4")))
    func whoNamesNoDialogOfOursIsRefused() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        let fields: [String?] = [
            nil, "call-1;local-tag=\(tag);remote-tag=other", "call-1;local-tag=other;remote-tag=peer",
            "call-2;local-tag=\(tag);remote-tag=peer", "call-1;local-tag=\(tag)",
            "call-1;local-tag=peer;remote-tag=\(tag)",
        ]
        for (index, field) in fields.enumerated() {
            var headers: [(HeaderName, String)] = [(.referTo, "<sip:dave@192.0.2.4>")]
            if let field { headers.append((.targetDialog, field)) }
            try send(.refer, headers, sequence: UInt32(index + 1), in: &world)
            #expect(world.lastAnswer(to: .refer, at: "carol")?.status == 403, "\(field ?? "none")")
        }
        #expect(world.transferRequests(at: "bob").isEmpty)
        // A call that is over authorises nothing.
        try world.carolSends(.bye, sequence: 2, bobTag: tag)
        try send(.refer, [named(tag), (.referTo, "<sip:dave@192.0.2.4>")], sequence: 20, in: &world)
        #expect(world.lastAnswer(to: .refer, at: "carol")?.status == 403)
    }

    @Test(.proves(.rule(3)))
    func theRulesAndTheOneWishAtATimeHoldBesideTheCallToo() throws {
        var (world, _, tag) = try referred()
        try takeNotify(&world)
        try world.carolRefers(to: "<sip:erin@192.0.2.5>", bobTag: tag)
        #expect(world.lastAnswer(to: .refer, at: "carol")?.status == 491)
        world.run(for: .seconds(61))
        #expect(world.notifications.last == "terminated;reason=noresource 603 Decline")
        var configuration = World.configuration(user: "bob")
        configuration.transfers.refer = .deny
        var denying = World()
        let (_, other) = try denying.carolTalksToBob(configuration)
        try send(.refer, [named(other), (.referTo, "<sip:dave@192.0.2.4>")], in: &denying)
        #expect(denying.lastAnswer(to: .refer, at: "carol")?.status == 603)
    }

    @Test func onlyTheSubscriptionHasAPlaceInTheDialogOfARefer() throws {
        var (world, _, _) = try referred()
        let own = try #require(world.lastAnswer(to: .refer, at: "carol")?.to.tag)
        try takeNotify(&world)
        try send(.bye, [], sequence: 2, toTag: own, in: &world)
        #expect(world.lastAnswer(to: .bye, at: "carol")?.status == 481)
        try send(.info, [], sequence: 3, toTag: own, in: &world)
        #expect(world.lastAnswer(to: .info, at: "carol")?.status == 405)
        try send(.subscribe, [(.event, "presence")], sequence: 4, toTag: own, in: &world)
        let refusal = try #require(world.lastAnswer(to: .subscribe, at: "carol"))
        #expect(refusal.status == 489)
        #expect(refusal.headers.first(.allowEvents) == "refer")
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test(.proves(.rule(5), .clause("RFC 4538 §2")))
    func whoTalksToUsMayWatchThatCallAndNoMore() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        try send(.subscribe, [named(tag), (.event, "presence"), (.expires, "600")], in: &world)
        #expect(world.lastAnswer(to: .subscribe, at: "carol")?.status == 403)
        try send(.subscribe, [(.event, "dialog"), (.expires, "600")], sequence: 2, in: &world)
        #expect(world.lastAnswer(to: .subscribe, at: "carol")?.status == 403)
        // Bob's other call is none of hers.
        world.addScripted("dave", at: "192.0.2.4")
        world.perform(
            .call(triggered, OutgoingCall(target: try target("sip:dave@192.0.2.4"), media: World.media)), by: "bob")
        world.run(for: .milliseconds(20))
        try send(.subscribe, [named(tag), (.event, "dialog"), (.expires, "600")], sequence: 3, in: &world)
        #expect(world.lastAnswer(to: .subscribe, at: "carol")?.status == 200)
        let notify = try #require(world.last(.notify, at: "carol"))
        let told = try DialogInformation(parsing: notify.body)
        #expect(told.dialogs.map(\.callID) == ["call-1"])
        try takeNotify(&world)
        try world.carolSends(.bye, sequence: 2, bobTag: tag)
        world.run(for: .seconds(2))
        let last = try #require(world.last(.notify, at: "carol"))
        #expect(last.headers.first(.subscriptionState) == "terminated;reason=noresource")
        #expect(try DialogInformation(parsing: last.body).dialogs.isEmpty)
    }

    // MARK: - Sent

    private static let gruu = "<sip:carol@192.0.2.9:5060;gr=urn:uuid:1>"

    /// Alice in a call with a scripted Carol, who knows `tdialog` or not and whose Contact is a GRUU or not.
    private func referring(
        contact: String = gruu, supported: String = "tdialog", subscribes: Bool = true
    ) throws -> (World, Request, invite: Request) {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            200, to: invite, from: "carol", contact: contact, body: World.answerText,
            headers: [(.supported, supported)])
        world.perform(
            .transfer(caller, .blind(try target("sip:dave@192.0.2.4")), subscribes: subscribes), by: "alice")
        world.run(for: .milliseconds(20))
        return (world, try #require(world.last(.refer, at: "carol")), invite)
    }

    @Test(.proves(.clause("RFC 4538 §3"), .clause("RFC 5589 §5")))
    func aPeerWithAGRUUThatKnowsTargetDialogIsAskedBesideTheCall() throws {
        var (world, refer, invite) = try referring()
        #expect(invite.supports("tdialog"))
        #expect(refer.callID != invite.callID && refer.to.tag == nil && refer.from.tag != invite.from.tag)
        #expect(refer.uri == (try target("sip:carol@192.0.2.9:5060;gr=urn:uuid:1")))
        let named = try #require(try refer.headers.first(TargetDialog.self))
        #expect(named.callID == invite.callID)
        #expect(named.ownTag == "peer" && named.peerTag == invite.from.tag)
        #expect(refer.requires("tdialog"))
        try world.reply(202, to: refer, from: "carol", contact: carolContact)
        try world.carolNotifies(about: refer, "active;expires=60", "100 Trying", sequence: 1)
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 200)
        // Alice asks for more time in the dialog that the NOTIFY made.
        world.run(for: .seconds(56))
        let refresh = try #require(world.last(.subscribe, at: "carol"))
        #expect(refresh.callID == refer.callID && refresh.to.tag == "peer")
        #expect(refresh.cSeq.number == refer.cSeq.number + 1)
        try world.reply(200, to: refresh, from: "carol", contact: carolContact, headers: [(.expires, "60")])
        try world.carolNotifies(about: refer, "active;expires=60", "180 Ringing", sequence: 1)
        #expect(world.lastAnswer(to: .notify, at: "carol")?.status == 500, "its number was used")
        try world.carolNotifies(about: refer, "terminated;reason=noresource", "200 OK", sequence: 2)
        #expect(world.transfers(of: "alice").last == .succeeded(StatusFragment(200)))
        #expect(world.ends(at: "alice") == [CallEnd(cause: .transferred, by: .local)])
        let bye = try #require(world.last(.bye, at: "carol"))
        #expect(bye.callID == invite.callID)
        try world.reply(200, to: bye, from: "carol")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 4538 §3")), arguments: [(carolContact, "tdialog"), (Self.gruu, "replaces")])
    func allOthersAreAskedWithinIt(contact: String, supported: String) throws {
        let (_, refer, invite) = try referring(contact: contact, supported: supported)
        #expect(refer.callID == invite.callID && refer.to.tag == "peer")
        #expect(!refer.headers.contains(.targetDialog))
    }

    @Test(.proves(.clause("RFC 4538 §3")), arguments: [420, 404, 481] as [StatusCode])
    func whatDoesNotGetThereBesideTheCallIsAskedWithinIt(status: StatusCode) throws {
        var (world, refer, invite) = try referring()
        try world.reply(status, to: refer, from: "carol", tag: nil)
        let second = try #require(world.last(.refer, at: "carol"))
        #expect(second.callID == invite.callID && second.to.tag == "peer")
        #expect(!second.headers.contains(.targetDialog))
        #expect(world.transfers(of: "alice").isEmpty)
        try world.reply(481, to: second, from: "carol")
        #expect(world.transfers(of: "alice") == [.failed(481, reason: "Call/Transaction Does Not Exist")])
    }

    @Test(.proves(.clause("RFC 4538 §3")))
    func aRefusalByWhoUnderstoodIsARefusal() throws {
        var (world, refer, _) = try referring()
        try world.reply(403, to: refer, from: "carol")
        #expect(world.transfers(of: "alice") == [.failed(403, reason: "Forbidden")])
        #expect(world.requests(.refer, from: "alice").count == 1)
        #expect(world.ends(at: "alice").isEmpty)
        // And silence beside the call does not end it.
        world.perform(.transfer(caller, .blind(try target("sip:dave@192.0.2.4"))), by: "alice")
        world.run(for: .seconds(33))
        #expect(world.ends(at: "alice").isEmpty)
        #expect(world.last(.refer, at: "carol")?.to.tag == "peer")
    }
}
