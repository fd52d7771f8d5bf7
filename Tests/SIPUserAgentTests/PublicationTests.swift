import EngineKit
import EventPackages
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// The publication of our presence (RFC 3903).
@Suite(.proves(.clause("RFC 3903 §4")))
struct PublicationTests {
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

    @Test(.proves(.clause("RFC 3903 §6")))
    func anAnswerWithoutATagHasPublishedNothing() throws {
        var (world, _) = try publishing()
        try answer(200, in: &world)
        #expect(statuses(world) == [.failed(nil, reason: "200 without SIP-ETag", retryAfter: nil)])
        world.run(for: .seconds(4000))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }
}
