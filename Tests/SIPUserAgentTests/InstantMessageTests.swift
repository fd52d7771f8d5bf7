import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Instant messages (RFC 3428), sent and taken, and other requests that the user sends.
@Suite(.proves(.clause("RFC 3428 §4")))
struct InstantMessageTests {
    private let handle = RequestHandle(rawValue: 7)

    /// Bob's phone, which takes messages from anybody.
    private var open: UserAgentConfiguration {
        var configuration = World.configuration(user: "bob")
        configuration.accounts[0].takesMessages = true
        return configuration
    }

    private func answer(_ world: World, at name: String = "alice") -> RequestAnswer? {
        (world.events[name] ?? []).lazy.compactMap {
            if case .requestAnswered(handle, let answer) = $0 { answer } else { nil }
        }.first
    }

    private func messages(_ world: World, at name: String) -> [IncomingMessage] {
        (world.events[name] ?? []).compactMap { if case .messageReceived(let message) = $0 { message } else { nil } }
    }

    private func message(
        _ text: String, from name: String, in world: World, sequence: UInt32 = 1, type: ContentType = .plainText
    ) throws -> Request {
        var request = try world.request(
            .message, from: name, to: "bob", callID: "m\(sequence)", sequence: sequence)
        request.headers.append(type)
        request.body = Array(text.utf8)
        return request
    }

    // MARK: - Between two of ours

    @Test func reachesTheOtherSideAndIsAnsweredOnce() throws {
        var world = aliceAndBob(bob: open)
        let target = try target("sip:bob@192.0.2.2")
        world.perform(.request(handle, .message("Gruß", to: .address(target))), by: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.steps() == ["alice>bob MESSAGE", "bob>alice 200 MESSAGE"])
        let received = try #require(messages(world, at: "bob").first)
        #expect(received.text == "Gruß")
        #expect(received.call == nil)
        #expect(received.from.uri.sipURI?.user == "offhook" || received.from.uri.sipURI?.user == "alice")
        let answered = try #require(answer(world))
        #expect(answered.method == .message)
        #expect(answered.status == 200)
        #expect(answered.roundTrip == .milliseconds(20))
        let sent = try #require(world.requests(.message, from: "alice").first)
        #expect(!sent.headers.contains(.contact), "a MESSAGE makes no dialog (RFC 3428 §4)")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    /// Of alternatives the last that is read, of a mixture each.
    @Test(
        .proves(.clause("RFC 2046 §5.1.4"), .clause("RFC 2046 §5.1.3")),
        arguments: [
            ("alternative", ["text/plain", "text/plain", "text/html"], "part 2"),
            ("alternative", ["text/html", "text/plain; charset=klingon"], "part 1"),
            ("mixed", ["text/plain", "text/plain;charset=iso-8859-1"], "part 1\npart 2"),
        ])
    func ofSeveralPartsTheTextIsRead(kind: String, types: [String], text: String) throws {
        var world = bobAndCarol(open)
        let parts = types.enumerated().map { "--x\r\nContent-Type: \($1)\r\n\r\npart \($0 + 1)\r\n" }
        var request = try message(parts.joined() + "--x--\r\n", from: "carol", in: world)
        try request.headers.set(.contentType, "multipart/\(kind);boundary=x")
        world.ask(request, from: "carol", to: "bob")
        #expect(messages(world, at: "bob").map(\.text) == [text])
    }

    @Test func isSentAgainUntilItIsAnsweredAndTakenOnce() throws {
        var world = aliceAndBob(bob: open)
        world.loses = { step, index in index == 0 || step.summary == "bob>alice 200 MESSAGE" && index < 4 }
        world.perform(.request(handle, .message("hi", to: .address(try target("sip:bob@192.0.2.2")))), by: "alice")
        world.run(for: .seconds(10))
        #expect(messages(world, at: "bob").count == 1)
        #expect(answer(world)?.status == 200)
        #expect(world.count("alice>bob MESSAGE") > 2)
    }

    @Test func withoutAnAnswerSaysWhy() throws {
        var world = aliceAndBob()
        world.loses = { _, _ in true }
        world.perform(.request(handle, .message("hi", to: .address(try target("sip:bob@192.0.2.2")))), by: "alice")
        world.run(for: .seconds(40))
        let failed = try #require(answer(world))
        #expect(failed.status == nil)
        #expect(failed.reason.hasPrefix("timed out"))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3428 §8")))
    func longerThan1300OctetsIsNotSent() throws {
        var world = aliceAndBob(bob: open)
        let target = try target("sip:bob@192.0.2.2")
        let long = String(repeating: "x", count: 1300)
        world.perform(.request(handle, .message(long, to: .address(target))), by: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.steps().isEmpty)
        #expect(answer(world)?.status == nil)
        #expect(answer(world)?.reason.contains("1300") == true)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    // MARK: - Within a call

    @Test func withinACallItTravelsInTheDialogToEitherSide() throws {
        var world = aliceAndBob()
        let incoming = try world.talk()
        world.perform(.request(handle, .message("from the caller", to: .peer(of: caller))), by: "alice")
        world.perform(.request(handle, .message("from the callee", to: .peer(of: incoming))), by: "bob")
        world.run(for: .milliseconds(50))
        #expect(messages(world, at: "bob").map(\.text) == ["from the caller"])
        #expect(messages(world, at: "bob").first?.call == incoming)
        #expect(messages(world, at: "alice").map(\.text) == ["from the callee"])
        #expect(messages(world, at: "alice").first?.call == caller)
        #expect(answer(world)?.status == 200)
        #expect(answer(world, at: "bob")?.status == 200)
        let request = try #require(world.requests(.message, from: "alice").first)
        #expect(request.to.tag != nil)
        #expect(request.cSeq.number > 1)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test func aRequestThatTheCallOutlivesNotIsAnsweredForAllThat() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        world.loses = { step, _ in step.summary.contains("MESSAGE") }
        world.perform(.request(handle, .message("lost", to: .peer(of: caller))), by: "alice")
        world.run(for: .milliseconds(50))
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(100))
        #expect(answer(world)?.status == nil)
        #expect(world.ends(at: "alice").count == 1)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    @Test(.proves(.row(20)), arguments: [481, 408]) func anAnswerThatTheDialogIsGoneEndsTheCall(status: Int) throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        world.perform(.request(handle, OutgoingRequest(.other("DANCE"), to: .peer(of: caller))), by: "alice")
        world.run(for: .milliseconds(20))
        let dance = try #require(world.last(.other("DANCE"), at: "carol"))
        try world.reply(try #require(StatusCode(status)), to: dance, from: "carol")
        #expect(world.ends(at: "alice").first?.cause == .dialogLost)
        #expect(answer(world)?.status?.value == status)
    }

    // MARK: - From strangers

    @Test(.proves(.rule(5), .incident(53)))
    func strangersAreRefusedUnlessTheAccountTakesTheirMessages() throws {
        for (configuration, status) in [(World.configuration(user: "bob"), 403), (open, 200)] {
            var world = bobAndCarol(configuration)
            world.send(.request(try message("buy now", from: "carol", in: world)), from: "carol", to: "bob")
            world.run(for: .milliseconds(50))
            #expect(world.received(try #require(StatusCode(status)), at: "carol").count == 1)
            #expect(messages(world, at: "bob").count == (status == 200 ? 1 : 0))
        }
    }

    @Test(.proves(.rule(5)))
    func aListedSourceMayWrite() throws {
        var configuration = World.configuration(user: "bob")
        configuration.automaticAnswer.ranges = [try #require(IPAddress("192.0.2.9")).alone]
        var world = bobAndCarol(configuration)
        world.addScripted("dave", at: "192.0.2.10")
        world.send(.request(try message("it is me", from: "carol", in: world)), from: "carol", to: "bob")
        world.send(.request(try message("me too", from: "dave", in: world, sequence: 2)), from: "dave", to: "bob")
        world.run(for: .milliseconds(50))
        #expect(messages(world, at: "bob").map(\.text) == ["it is me"])
        #expect(world.received(403, at: "dave").count == 1)
    }

    @Test(.proves(.rule(5), .rule(11)))
    func aSourceMayWriteTenTimesAMinute() throws {
        var world = bobAndCarol(open)
        for number in 1...15 as ClosedRange<UInt32> {
            // Long enough that a refusal is not larger than what it refuses.
            let text = String(repeating: "spam ", count: 60)
            world.send(
                .request(try message(text, from: "carol", in: world, sequence: number)), from: "carol", to: "bob")
            world.run(for: .milliseconds(200))
        }
        #expect(messages(world, at: "bob").count == 10)
        let refusals = world.received(503, at: "carol")
        #expect(refusals.count == 5)
        #expect(try refusals.first?.headers.first(RetryAfter.self)?.seconds == 60)
        #expect(world.cores["bob"]?.counters[.messageRate] == 5)
        #expect(world.cores["bob"]?.occupancy.serverTransactions == 10)
        world.run(for: .seconds(60))
        world.send(.request(try message("later", from: "carol", in: world, sequence: 99)), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        #expect(messages(world, at: "bob").count == 11)
    }

    @Test(.proves(.row(28)))
    func aTypeThatNobodyCanReadGets415WithTheTypesThatCan() throws {
        var world = bobAndCarol(open)
        let types = [ContentType("application", "x-secret"), ContentType("text", "markdown"), .sdp]
        for (index, type) in types.enumerated() {
            let request = try message("x", from: "carol", in: world, sequence: UInt32(index + 1), type: type)
            world.send(.request(request), from: "carol", to: "bob")
            world.run(for: .milliseconds(50))
        }
        #expect(world.received(415, at: "carol").map(\.cSeq.number) == [1, 3])
        #expect(messages(world, at: "bob").map(\.contentType.subtype) == ["markdown"])
        let accepted = try world.received(415, at: "carol")[0].headers.all(Accept.self)
        #expect(accepted.contains(Accept(.plainText)))
    }

    @Test(
        arguments: [
            ("iso-8859-1", [0x68, 0xe4], "h\u{e4}"), ("ISO-8859-1", [0x9b, 0xff], "\u{9b}\u{ff}"),
            ("us-ascii", [0x68, 0x69], "hi"), ("utf-8", [0xc3, 0xa4, 0xe4], "\u{e4}\u{fffd}"),
            ("UTF-16", [0xff, 0xfe, 0x68, 0, 0x3d, 0xd8, 0, 0xde], "h\u{1f600}"),
            ("utf-16", [0xfe, 0xff, 0, 0x68], "h"), ("utf-16", [0, 0x68, 1], "h\u{fffd}"),
            ("utf-16le", [0x68, 0], "h"), ("utf-16be", [0xd8, 0x3d], "\u{fffd}"), ("utf-16", [0xff], "\u{fffd}"),
        ] as [(String, [UInt8], String)])
    func aTextIsReadInTheCharsetThatItNames(charset: String, octets: [UInt8], text: String) throws {
        var world = bobAndCarol(open)
        var type = ContentType.plainText
        type.parameters["charset"] = charset
        var request = try message("", from: "carol", in: world, type: type)
        request.body = octets
        world.ask(request, from: "carol", to: "bob")
        #expect(world.received(200, at: "carol").count == 1)
        #expect(messages(world, at: "bob").map(\.text) == [text])
    }

    @Test(.proves(.clause("RFC 3261 §21.4.13")))
    func aCharsetThatNobodyReadsGets415WithOneThatIsRead() throws {
        var world = bobAndCarol(open)
        let type = ContentType("text", "plain", parameters: Parameters(.field, [("charset", "koi8-r")]))
        world.ask(try message("x", from: "carol", in: world, type: type), from: "carol", to: "bob")
        let refusal = try #require(world.received(415, at: "carol").first)
        #expect(refusal.headers.values(.accept).contains("text/plain;charset=utf-8"))
        #expect(messages(world, at: "bob").isEmpty)
    }

    @Test(.proves(.clause("RFC 3261 §20.11")))
    func anOptionalTextInACharsetThatNobodyReadsIsPassedOver() throws {
        var world = bobAndCarol(open)
        let type = ContentType("text", "plain", parameters: Parameters(.field, [("charset", "koi8-r")]))
        var request = try message("x", from: "carol", in: world, type: type)
        try request.headers.append(.contentDisposition, "render;handling=optional")
        world.ask(request, from: "carol", to: "bob")
        #expect(world.received(200, at: "carol").count == 1)
        #expect(messages(world, at: "bob").isEmpty)
    }

    // MARK: - Other methods

    @Test func aMethodThatOnlyTheUserKnowsIsSentAndItsAnswerTold() throws {
        var world = aliceAndBob()
        var query = OutgoingRequest(.other("DANCE"), to: .address(try target("sip:bob@192.0.2.2")))
        try query.headers.append(.subject, "tango")
        world.perform(.request(handle, query), by: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.requests(.other("DANCE"), from: "alice").first?.headers.first(.subject) == "tango")
        #expect(answer(world)?.status == 501)
        #expect(try answer(world)?.headers.first(Allow.self)?.methods.contains(.message) == true)
    }

    @Test func methodsThatMakeDialogsAreNotSentBare() throws {
        var world = aliceAndBob()
        for method in [SIPMessages.Method.invite, .ack, .cancel, .bye, .prack, .update, .subscribe, .refer] {
            let query = OutgoingRequest(method, to: .address(try target("sip:bob@192.0.2.2")))
            world.perform(.request(handle, query), by: "alice")
        }
        world.run(for: .milliseconds(50))
        #expect(world.steps().isEmpty)
        #expect(world.story(of: "alice") == Array(repeating: "warning", count: 8))
    }
}

extension IPAddress {
    fileprivate var alone: AddressRange { AddressRange(network: self, prefix: isV4 ? 32 : 128) }
}
