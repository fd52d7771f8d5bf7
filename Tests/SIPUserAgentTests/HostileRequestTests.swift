import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Requests that broke other programs, at a phone that rings for anybody.
@Suite struct HostileRequestTests {
    private func text(_ method: String, changing lines: [String: String] = [:], more: [String] = []) -> String {
        let fields = [
            ("Via", "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKhostile;rport"), ("Max-Forwards", "70"),
            ("From", "<sip:carol@192.0.2.9>;tag=c"), ("To", "<sip:bob@192.0.2.2>"), ("Call-ID", "hostile"),
            ("CSeq", "1 \(method)"), ("Contact", "<sip:carol@192.0.2.9>"), ("Content-Length", "0"),
        ]
        let head = fields.map { "\($0.0): \(lines[$0.0] ?? $0.1)" } + more
        return "\(method) sip:bob@192.0.2.2 SIP/2.0\r\n" + head.joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// Whatever was sent, the phone lives: it answers the next request, and in the end nothing is left.
    private func expectAlive(_ world: inout World, _ name: String) throws {
        // Strangers' OPTIONS are answered once a second.
        world.run(for: .seconds(2))
        let options = try world.request(.options, from: "carol", to: "bob", callID: "after", branch: "z9hG4bKafter")
        world.send(.request(options), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        #expect(world.mailbox["carol"]?.last?.callID == "after", "\(name)")
        world.perform(.shutDown, by: "bob")
        world.run(for: .seconds(200))
        #expect(world.cores["bob"]?.occupancy == .empty, "\(name)")
    }

    @Test(.proves(.incident(32), .rule(12)), arguments: ["SUBSCRIBE", "INVITE", "OPTIONS"])
    func fiftyAcceptHeadersAreNoMoreThanOne(_ method: String) throws {
        var world = bobAndCarol()
        let accepts = (0..<50).map { "Accept: application/type-\($0), application/sdp" }
        world.send(text(method, more: accepts + ["Event: presence"]), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        // A stranger may not watch; the others are taken as with one field.
        let expected: [StatusCode] = method == "SUBSCRIBE" ? [403] : method == "OPTIONS" ? [200] : []
        let statuses = (world.mailbox["carol"] ?? []).compactMap { message in
            if case .response(let response) = message, response.status != 100 { response.status } else { nil }
        }
        #expect(statuses == expected)
        #expect((world.incoming(at: "bob") != nil) == (method == "INVITE"))
        try expectAlive(&world, method)
    }

    private static let addresses = [
        "/", "*", "", "<>", "<tel:+15550100>", "<http://example.com/a>", "<sip:>", "<sip:@>", "<urn:x:y>", "\"", "\\",
        "\"\\", "<sip:a@b", "<:>",
    ]

    @Test(
        .proves(.incident(26), .incident(27), .incident(28)),
        arguments: ["From", "To", "Contact", "Diversion", "Refer-To", "Referred-By", "P-Asserted-Identity", "Route"])
    func addressesThatAreNoneDoNoHarm(_ field: String) throws {
        for method in ["INVITE", "OPTIONS", "REFER", "SUBSCRIBE"] {
            for address in Self.addresses {
                var world = bobAndCarol()
                let isThere = ["From", "To", "Contact"].contains(field)
                let message = text(
                    method, changing: isThere ? [field: address] : [:], more: isThere ? [] : ["\(field): \(address)"])
                world.send(message, from: "carol", to: "bob")
                world.run(for: .milliseconds(50))
                if let handle = world.incoming(at: "bob") {
                    world.perform(.answer(handle, World.media), by: "bob")
                    world.run(for: .milliseconds(50))
                    world.perform(.hangUp(handle), by: "bob")
                }
                try expectAlive(&world, "\(method) with \(field): \(address)")
            }
        }
    }

    @Test(.proves(.row(58)))
    func ourOwnRequestComingBackIsAnsweredAndTurnsNoCircles() throws {
        var world = World()
        world.add("alice", at: "192.0.2.1")
        world.addScripted("carol", at: "192.0.2.9")
        let handle = RequestHandle(rawValue: 1)
        world.perform(
            .request(handle, OutgoingRequest(.options, to: .address(try target("sip:carol@192.0.2.9")))), by: "alice")
        world.run(for: .milliseconds(20))
        let options = try #require(world.last(.options, at: "carol"))
        world.ask(options, from: "carol", to: "alice")
        let answers = (world.mailbox["carol"] ?? []).compactMap { message in
            if case .response(let response) = message { response } else { nil }
        }
        #expect(answers.count == 1)
        // The answer comes back too, and is that to the question.
        if let answer = answers.first { world.send(.response(answer), from: "carol", to: "alice") }
        world.run(for: .seconds(40))
        #expect(world.requests(.options, from: "alice").count <= 2)
        #expect(world.events["alice"]?.contains { if case .requestAnswered = $0 { true } else { false } } == true)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.incident(60), .rule(14)))
    func invitesThatAreCancelledAtOnceAreBoundedByTheRate() throws {
        var world = bobAndCarol()
        for index in 0..<200 as Range<UInt32> {
            let id = "churn\(index)"
            let invite = try world.request(
                .invite, from: "carol", to: "bob", callID: id, body: World.answerText)
            for request in [invite, invite.bare(.cancel)] { world.send(.request(request), from: "carol", to: "bob") }
        }
        world.run(for: .milliseconds(100))
        // A burst of 40 requests and no more costs anything, two of them at a time waiting.
        #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count <= 40)
        #expect((world.mailbox["carol"] ?? []).count <= 3 * 40)
        world.run(for: .seconds(10))
        try expectAlive(&world, "churn")
    }
}
