import EngineKit
import EventPackages
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// How a subscription is made: by the first NOTIFY (RFC 6665 §4.1.2.4).
extension SubscriptionTests {
    @Test func asksWithEventExpiresAndTheTypesThatItReads() throws {
        let (_, subscribe) = try subscribed()
        #expect(subscribe.headers.first(.event) == "presence")
        #expect(try subscribe.headers.first(Expires.self)?.seconds == 3600)
        #expect(try subscribe.headers.all(Accept.self) == [Accept(ContentType("application", "pidf+xml"))])
        #expect(subscribe.headers.contains(.contact))
        #expect(subscribe.to.tag == nil)
    }

    @Test func isActiveWithTheFirstNotifyAndTellsWhatItSays() throws {
        var (world, subscribe) = try subscribed()
        try world.reply(202, to: subscribe, from: "carol", tag: "carol", headers: [(.expires, "600")])
        #expect(statuses(world).isEmpty, "the dialog is made by NOTIFY (§4.1.2.4)")
        let presence = PresenceDocument(entity: "sip:carol@192.0.2.9", tuples: [.init(id: "1", isOpen: true)])
        try notify(
            subscribe, "active;expires=599", in: &world, type: "application/pidf+xml",
            body: String(decoding: presence.bytes, as: UTF8.self))
        #expect(world.received(200, at: "carol").count == 1)
        #expect(statuses(world) == [.active(expires: 599)])
        #expect(notifications(world) == [.presence(presence)])
    }

    @Test(.proves(.clause("RFC 2046 §5.1")))
    func ofSeveralPartsTheOneThatThePackageIsAboutIsRead() throws {
        var (world, subscribe) = try subscribed()
        let presence = PresenceDocument(entity: "sip:carol@192.0.2.9", tuples: [.init(id: "1", isOpen: true)])
        let parts = [
            "Content-Type: text/plain\r\n\r\nNothing to be read.", "Content-Type: application/pidf+xml\r\n\r\n",
        ]
        let body = "--x\r\n" + parts.joined(separator: "\r\n--x\r\n") + String(decoding: presence.bytes, as: UTF8.self)
        try notify(
            subscribe, "active;expires=600", in: &world, type: "multipart/mixed;boundary=x",
            body: body + "\r\n--x--\r\n")
        #expect(notifications(world) == [.presence(presence)])
    }

    @Test func aNotifyBeforeThe200IsTaken() throws {
        var (world, subscribe) = try subscribed()
        try notify(subscribe, "pending;expires=600", in: &world)
        try world.reply(202, to: subscribe, from: "carol", tag: "carol", headers: [(.expires, "600")])
        try notify(subscribe, "active;expires=600", in: &world, sequence: 2)
        #expect(world.received(200, at: "carol").count == 2)
        #expect(statuses(world) == [.pending, .active(expires: 600)])
    }

    /// What Linphone's NOTIFYs lack, its 200 has.
    @Test(.proves(.clause("RFC 6665 §4.4.1")), arguments: [("carol", 200), ("other", 400)])
    func aNotifyWithoutContactIsTakenFromWhoAccepted(tag: String, status: UInt16) throws {
        var (world, subscribe) = try subscribed()
        try world.reply(
            200, to: subscribe, from: "carol", tag: "carol", contact: "<sip:desk@192.0.2.9>",
            headers: [(.expires, "600")])
        try notify(subscribe, "active;expires=600", in: &world, tag: tag, contact: nil)
        #expect(world.received(try #require(StatusCode(Int(status))), at: "carol").count == 1)
        guard status == 200 else { return }
        world.perform(.unsubscribe(handle), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.last(.subscribe, at: "carol")?.uri == (try target("sip:desk@192.0.2.9")))
    }

    @Test func aForkedNotifyGets481() throws {
        var (world, subscribe) = try subscribed()
        try accept(subscribe, in: &world)
        try notify(subscribe, "active;expires=600", in: &world, tag: "other")
        #expect(world.received(481, at: "carol").count == 1)
        #expect(statuses(world).count == 1)
    }

    @Test(.proves(.clause("RFC 6665 §4.1.2.4")))
    func withoutANotifyItIsTriedAgain() throws {
        var (world, subscribe) = try subscribed()
        try world.reply(200, to: subscribe, from: "carol", tag: "carol", headers: [(.expires, "600")])
        world.run(for: .seconds(33))
        guard case .waiting(nil, "no NOTIFY came", let pause)? = statuses(world).last else {
            Issue.record("\(statuses(world))")
            return
        }
        world.run(for: pause)
        #expect(Set(subscribes(world).map(\.callID)).count == 2, "a new subscription, not a refresh of one that is not")
    }

    @Test func notifiesThatBreakTheRulesAreRefused() throws {
        var (world, subscribe) = try subscribed()
        try notify(subscribe, "", in: &world, sequence: 1)
        #expect(world.received(400, at: "carol").count == 1)
        try notify(subscribe, "active", in: &world, sequence: 2, event: "dialog")
        #expect(world.received(481, at: "carol").count == 1)
        try notify(subscribe, "active", in: &world, sequence: 3, contact: nil)
        #expect(world.received(400, at: "carol").count == 2)
        try notify(subscribe, "active", in: &world, sequence: 5)
        try notify(subscribe, "active", in: &world, sequence: 4)
        #expect(world.received(500, at: "carol").count == 1)
        #expect(statuses(world).count == 1)
    }

    @Test func bodiesThatAreBrokenAreToldAndTheSubscriptionGoesOn() throws {
        var (world, subscribe) = try subscribed()
        try notify(subscribe, "active;expires=600", in: &world, type: "application/pidf+xml", body: "<presence>")
        #expect(world.received(200, at: "carol").count == 1)
        guard case .unreadable? = notifications(world).first else {
            Issue.record("\(notifications(world))")
            return
        }
        #expect(statuses(world) == [.active(expires: 600)])
    }
}
