import EngineKit
import EventPackages
import Proofs
import SIPMessages
import SIPUserAgent
import Testing

/// Dialogs that are told in parts (RFC 4235 §4.3).
extension SubscriptionTests {
    private func dialogs(_ version: Int, isFull: Bool = false, state: String = "confirmed") -> String {
        "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"\(version)\" "
            + "state=\"\(isFull ? "full" : "partial")\" entity=\"sip:carol@192.0.2.9\">"
            + "<dialog id=\"a\"><state>\(state)</state></dialog></dialog-info>"
    }

    @Test(.proves(.clause("RFC 6665 §4.1"), .clause("RFC 4235 §4.3")))
    func aMissedDocumentIsMadeGoodByARefresh() throws {
        var (world, subscribe) = try subscribed("dialog")
        try accept(subscribe, in: &world)
        func tell(_ version: Int, isFull: Bool = false, _ state: String, in world: inout World) throws {
            try notify(
                subscribe, "active;expires=3600", in: &world, sequence: UInt32(version) + 10,
                type: "application/dialog-info+xml", body: dialogs(version, isFull: isFull, state: state))
        }
        func last(_ world: World) -> DialogTable? {
            if case .dialogs(let table)? = notifications(world).last { table } else { nil }
        }
        try tell(1, isFull: true, "early", in: &world)
        try tell(2, "confirmed", in: &world)
        #expect(last(world)?.state == .confirmed)
        world.run(for: .seconds(20))
        #expect(subscribes(world).count == 1)
        // Version 3 never comes.
        try tell(4, "terminated", in: &world)
        #expect(last(world)?.isIncomplete == true)
        #expect(last(world)?.state == .confirmed)
        #expect(subscribes(world).count == 2)
        try world.reply(
            200, to: try #require(world.last(.subscribe, at: "carol")), from: "carol", tag: "carol",
            contact: carolContact, headers: [(.expires, "3600")])
        // However much more is left out, nobody is asked again within 5 s.
        for version in [6, 8, 10] { try tell(version, "early", in: &world) }
        world.run(for: .seconds(4))
        #expect(subscribes(world).count == 2)
        world.run(for: .milliseconds(990))
        #expect(subscribes(world).count == 3)
        try world.reply(
            200, to: try #require(world.last(.subscribe, at: "carol")), from: "carol", tag: "carol",
            contact: carolContact, headers: [(.expires, "3600")])
        try tell(11, isFull: true, "early", in: &world)
        #expect(last(world)?.isIncomplete == false)
        #expect(last(world)?.state == .early)
        world.run(for: .seconds(60))
        #expect(subscribes(world).count == 3)
    }
}
