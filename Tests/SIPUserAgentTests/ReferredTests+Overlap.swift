import Proofs
import SIPMessages
import SIPUserAgent
import Testing

/// What happens while a NOTIFY has no answer.
extension ReferredTests {
    @Test func whatHappensWhileANotifyIsUnderWayIsToldByTheNext() throws {
        var (world, handle, _) = try referred()
        world.perform(.acceptTransfer(handle, as: triggered, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "dave"))
        world.send(.response(invite.response(180, toTag: "dave")), from: "dave", to: "bob")
        world.run(for: .milliseconds(20))
        world.send(.response(invite.response(404, toTag: "dave")), from: "dave", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(Set(world.notifications) == ["active;expires=60 100 Trying"])
        try takeNotify(&world)
        #expect(world.notifications.last == "terminated;reason=noresource 404 Not Found")
    }

    /// The answer would be taken for that of the NOTIFY of the next wish.
    @Test(.proves(.rule(3), .clause("RFC 3515 §2.4.4")))
    func noOtherWishIsTakenBeforeTheLastNotifyOfOneIsAnswered() throws {
        var (world, handle, tag) = try unsubscribed()
        let last = try #require(world.last(.notify, at: "carol"))
        let invite = try #require(world.last(.invite, at: "dave"))
        world.send(.response(invite.response(486, toTag: "dave")), from: "dave", to: "bob")
        world.run(for: .milliseconds(20))
        try world.carolRefers(to: "<sip:erin@192.0.2.5>", sequence: 4, bobTag: tag)
        #expect(world.lastAnswer(to: .refer, at: "carol")?.status == 491)
        try world.reply(500, to: last, from: "carol")
        try world.carolRefers(to: "<sip:erin@192.0.2.5>", sequence: 5, bobTag: tag)
        #expect(world.notifications.last == "active;expires=60 100 Trying")
        try takeNotify(&world)
        world.perform(.declineTransfer(handle), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.notifications.last == "terminated;reason=noresource 603 Decline")
    }
}
