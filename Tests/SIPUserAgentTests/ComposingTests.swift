import EngineKit
import EventPackages
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@testable import SIPUserAgent

/// That somebody is writing (RFC 3994), told and taken.
@Suite struct ComposingTests {
    private let carol = "sip:carol@192.0.2.9"

    private func writing() throws -> (World, OutgoingRequest.Recipient) {
        var world = World()
        world.add("alice", at: "192.0.2.1")
        world.addScripted("carol", at: "192.0.2.9")
        return (world, .address(try target(carol)))
    }

    private func type(_ recipient: OutgoingRequest.Recipient, in world: inout World, _ isTyping: Bool = true) {
        world.perform(.compose(recipient, account: nil, isTyping: isTyping), by: "alice")
        world.run(for: .milliseconds(20))
    }

    /// What Carol was told, and answered with that status.
    private func said(_ world: inout World, answering status: StatusCode = 200) throws -> ComposingState {
        let request = try #require(world.last(.message, at: "carol"))
        #expect(try request.headers.first(ContentType.self) == ContentType("application", "im-iscomposing+xml"))
        try world.reply(status, to: request, from: "carol")
        return try ComposingState(parsing: request.body)
    }

    /// Repetitions aside.
    private func count(_ world: World) -> Int {
        Set(world.requests(.message, from: "alice").map { $0.vias.first?.branch }).count
    }

    // MARK: - Sent

    @Test(.proves(.clause("RFC 3994 §3.2")))
    func saysOnceThatTheUserWritesAndOnceThatItIsOver() throws {
        var (world, recipient) = try writing()
        type(recipient, in: &world)
        let active = try said(&world)
        #expect(active == ComposingState(isActive: true, refresh: 120, contentType: "text/plain"))
        for _ in 0..<20 {
            world.run(for: .seconds(1))
            type(recipient, in: &world)
        }
        #expect(count(world) == 1)
        // A pause of 15 s counts as an end.
        world.run(for: .seconds(14))
        #expect(count(world) == 1)
        world.run(for: .seconds(2))
        #expect(count(world) == 2)
        #expect(try !said(&world).isActive)
        type(recipient, in: &world)
        #expect(count(world) == 3)
        #expect(try said(&world).isActive)
        type(recipient, in: &world, false)
        #expect(try !said(&world).isActive)
        #expect(!(world.events["alice"] ?? []).contains { if case .requestAnswered = $0 { true } else { false } })
        world.run(for: .seconds(100))
        #expect(count(world) == 4)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3994 §3.2")))
    func saysItAgainWhileItLasts() throws {
        var (world, recipient) = try writing()
        type(recipient, in: &world)
        _ = try said(&world)
        for _ in 0..<13 {
            world.run(for: .seconds(10))
            type(recipient, in: &world)
        }
        #expect(count(world) == 2)
        #expect(try said(&world).isActive)
    }

    @Test(.proves(.clause("RFC 3994 §3.2")))
    func theMessageSpeaksForItself() throws {
        var (world, recipient) = try writing()
        type(recipient, in: &world)
        _ = try said(&world)
        world.perform(.request(RequestHandle(rawValue: 1), .message("there", to: recipient)), by: "alice")
        world.run(for: .milliseconds(20))
        let message = try #require(world.last(.message, at: "carol"))
        #expect(message.body == Array("there".utf8))
        try world.reply(200, to: message, from: "carol")
        world.run(for: .seconds(60))
        #expect(count(world) == 2)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3994 §3.2")))
    func whoDoesNotKnowOfItIsNotToldForAnHour() throws {
        var (world, recipient) = try writing()
        type(recipient, in: &world)
        _ = try said(&world, answering: 415)
        for _ in 0..<3 {
            world.run(for: .seconds(20))
            type(recipient, in: &world)
        }
        #expect(count(world) == 1)
        world.run(for: .seconds(3600))
        #expect(world.cores["alice"]?.occupancy == .empty)
        type(recipient, in: &world)
        #expect(count(world) == 2)
    }

    @Test func goesWithinACallWhereTheMessagesGo() throws {
        var world = World()
        let invite = try world.aliceTalksToCarol()
        type(.peer(of: caller), in: &world)
        let request = try #require(world.last(.message, at: "carol"))
        #expect(request.callID == invite.callID && request.to.tag == "peer")
        #expect(try said(&world).isActive)
    }

    @Test(.proves(.rule(14)))
    func soManyConversationsAndNoMore() throws {
        var (world, _) = try writing()
        for number in 0..<40 { type(.address(try target("sip:\(number)@192.0.2.9")), in: &world) }
        #expect(world.cores["alice"]?.composing.count == UserAgentCore.conversationLimit)
    }

    // MARK: - Taken

    private func bob() -> World {
        var world = World()
        var configuration = World.configuration(user: "bob")
        configuration.accounts[0].takesMessages = true
        configuration.limits.messagesPerMinute = nil
        world.add("bob", at: "192.0.2.2", configuration: configuration)
        world.addScripted("carol", at: "192.0.2.9")
        return world
    }

    private func send(
        _ body: String, type: String = "application/im-iscomposing+xml", sequence: UInt32, from user: String = "carol",
        in world: inout World
    ) throws {
        var request = try world.request(
            .message, from: "carol", to: "bob", callID: "m\(sequence)", sequence: sequence,
            headers: [(.contentType, type)])
        request.from.uri = try target("sip:\(user)@192.0.2.9")
        request.body = Array(body.utf8)
        world.ask(request, from: "carol", to: "bob")
    }

    private func told(_ world: World) -> [Bool] {
        (world.events["bob"] ?? []).compactMap { if case .peerComposing(let news) = $0 { news.isActive } else { nil } }
    }

    private func status(_ isActive: Bool, refresh: UInt32? = nil) -> String {
        String(decoding: ComposingState(isActive: isActive, refresh: refresh).bytes, as: UTF8.self)
    }

    @Test(.proves(.clause("RFC 3994 §3.3")))
    func tellsThatSomebodyWritesUntilTheMessageComes() throws {
        var world = bob()
        try send(status(true), sequence: 1, in: &world)
        try send(status(true), sequence: 2, in: &world)
        #expect(told(world) == [true])
        try send("here", type: "text/plain", sequence: 3, in: &world)
        #expect(told(world) == [true, false])
        try send(status(false), sequence: 4, in: &world)
        #expect(told(world) == [true, false])
        #expect(world.received(200, at: "carol").count == 4)
        #expect((world.events["bob"] ?? []).filter { if case .messageReceived = $0 { true } else { false } }.count == 1)
        world.run(for: .seconds(100))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3994 §3.3")), arguments: [(nil, 120), (60, 60), (4_000_000_000, 600)])
    func believesItForAsLongAsItWasSaidTo(refresh: UInt32?, seconds: Int) throws {
        var world = bob()
        try send(status(true, refresh: refresh), sequence: 1, in: &world)
        world.run(for: .seconds(seconds - 1))
        #expect(told(world) == [true])
        world.run(for: .seconds(2))
        #expect(told(world) == [true, false])
        #expect(world.cores["bob"]?.correspondents.isEmpty == true)
    }

    @Test(.proves(.rule(14)))
    func whatCanNotBeReadIsRefusedAndTheTableIsBounded() throws {
        var world = bob()
        try send("<isComposing>", sequence: 1, in: &world)
        #expect(world.received(400, at: "carol").count == 1)
        for number in 0..<40 {
            try send(status(true), sequence: UInt32(number + 2), from: "u\(number)", in: &world)
        }
        #expect(world.cores["bob"]?.correspondents.count == UserAgentCore.conversationLimit)
        #expect(world.received(200, at: "carol").count == 40)
    }
}
