import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Provisional responses of ours that are sent until a PRACK comes (RFC 3262 §3, §5).
@Suite struct PrackCalleeTests {
    private static let supported: [(HeaderName, String)] = [(.supported, "100rel")]
    private static let required: [(HeaderName, String)] = [(.require, "100rel")]

    /// Carol's PRACK of a response of Bob's.
    private func prack(
        _ response: Response, in world: World, sequence: UInt32 = 2, number: UInt32? = nil, cSeq: String? = nil,
        body: String? = nil
    ) throws -> Request {
        let sent = try response.headers.first(RSeq.self)?.number ?? 0
        return try world.request(
            .prack, from: "carol", to: "bob", sequence: sequence, toTag: response.to.tag, body: body,
            headers: [(.rAck, "\(number ?? sent) \(cSeq ?? "1 INVITE")")])
    }

    /// Carol sends a PRACK, and is heard.
    private func acknowledge(
        _ response: Response, in world: inout World, sequence: UInt32 = 2, body: String? = nil
    ) throws -> Response? {
        let request = try prack(response, in: world, sequence: sequence, body: body)
        world.ask(request, from: "carol", to: "bob")
        return world.mailbox["carol"]?.reversed().lazy.compactMap { message in
            if case .response(let answer) = message, answer.cSeq == request.cSeq { answer } else { nil }
        }.first
    }

    private func earlyMedia(
        _ headers: [(HeaderName, String)], body: String? = World.answerText
    ) throws -> (world: World, handle: CallHandle, response: Response) {
        var world = World()
        let (_, handle) = try world.carolCallsBob(body: body, headers: headers)
        world.perform(.progress(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        return (world, handle, try #require(world.received(183, at: "carol").last))
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func earlyMediaGoesReliablyToWhoeverUnderstandsIt() throws {
        let (_, _, response) = try earlyMedia(Self.supported)
        #expect(response.reliable != nil)
        #expect(try response.headers.first(Require.self)?.tags == ["100rel"])
        #expect(response.headers.contains(.contact))
        let (_, _, plain) = try earlyMedia([])
        #expect(plain.reliable == nil && !plain.headers.contains(.require))
        #expect(!plain.body.isEmpty)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func ringingGoesReliablyOnlyWhereThatIsRequired() throws {
        for (headers, isReliable) in [(Self.supported, false), (Self.required, true)] {
            var world = World()
            let (_, handle) = try world.carolCallsBob(headers: headers)
            world.perform(.ring(handle), by: "bob")
            world.run(for: .milliseconds(20))
            let response = try #require(world.received(180, at: "carol").first)
            #expect((response.reliable != nil) == isReliable)
        }
    }

    @Test(.proves(.row(57), .clause("RFC 3262 §3")))
    func allButThe100GoesReliablyWhereTheUserRequiresIt() throws {
        var configuration = World.configuration(user: "bob")
        configuration.reliableProvisionals = .required
        var world = World()
        let (_, handle) = try world.carolCallsBob(configuration, headers: Self.supported)
        world.perform(.ring(handle), by: "bob")
        world.perform(.progress(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let ringing = try #require(world.received(180, at: "carol").first)
        #expect(ringing.reliable != nil)
        #expect(try acknowledge(ringing, in: &world)?.status == 200)
        #expect(try #require(world.received(183, at: "carol").first).reliable == ringing.reliable.map { $0 + 1 })
    }

    /// What is not required by the caller itself may be said unreliably where it would have to offer (RFC 3262 §5).
    @Test(.proves(.row(57), .clause("RFC 3262 §5")))
    func ringingThatWouldHaveToOfferGoesUnreliablyToWhoDoesNotRequireItOtherwise() throws {
        var configuration = World.configuration(user: "bob")
        configuration.reliableProvisionals = .required
        var world = World()
        let (_, handle) = try world.carolCallsBob(configuration, body: nil, headers: Self.supported)
        world.perform(.ring(handle), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(try #require(world.received(180, at: "carol").first).reliable == nil)
    }

    @Test(.proves(.row(25), .incident(50), .clause("RFC 3262 §3")))
    func repeatsAtDoublingIntervalsThenRefusesWith504() throws {
        var (world, handle, _) = try earlyMedia(Self.supported)
        let start = world.ladder.filter { $0.summary == "bob>carol 183 INVITE" }.map(\.at)
        world.run(for: .seconds(40))
        let sent = world.ladder.filter { $0.summary == "bob>carol 183 INVITE" }.map { ($0.at - start[0]).milliseconds }
        #expect(sent == [0, 500, 1500, 3500, 7500, 15500, 31500])
        let refusal = try #require(world.ladder.first { $0.summary == "bob>carol 504 INVITE" })
        #expect((refusal.at - start[0]).milliseconds == 32000)
        #expect(world.ends(at: "bob") == [CallEnd(cause: .notAcknowledged, by: .local, status: 504)])
        world.perform(.answer(handle, World.media), by: "bob")
        #expect(world.received(200, at: "carol").isEmpty)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func stopsAtThePrack() throws {
        var (world, _, response) = try earlyMedia(Self.supported)
        #expect(try acknowledge(response, in: &world)?.status == 200)
        world.run(for: .seconds(60))
        #expect(world.received(183, at: "carol").count == 1)
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func prackOfNothingThatIsOutGets481() throws {
        var (world, _, response) = try earlyMedia(Self.supported)
        let number = try #require(response.reliable)
        let wrong: [(UInt32?, String?)] = [
            (number + 1, nil), (number - 1, nil), (nil, "2 INVITE"), (nil, "1 BYE"), (nil, "1 invite"),
        ]
        for (index, (number, cSeq)) in wrong.enumerated() {
            let request = try prack(response, in: world, sequence: UInt32(2 + index), number: number, cSeq: cSeq)
            world.ask(request, from: "carol", to: "bob")
        }
        #expect(world.received(481, at: "carol").count == wrong.count)
        #expect(try acknowledge(response, in: &world, sequence: 20)?.status == 200)
        // The same again acknowledges nothing any more.
        #expect(try acknowledge(response, in: &world, sequence: 21)?.status == 481)
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func prackWithoutRAckGets400() throws {
        var (world, _, response) = try earlyMedia(Self.supported)
        let request = try world.request(.prack, from: "carol", to: "bob", sequence: 2, toTag: response.to.tag)
        world.ask(request, from: "carol", to: "bob")
        #expect(world.received(400, at: "carol").count == 1)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func secondReliableResponseWaitsForThePrackOfTheFirst() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob(headers: Self.required)
        world.perform(.ring(handle), by: "bob")
        world.perform(.progress(handle, World.media), by: "bob")
        world.run(for: .milliseconds(200))
        #expect(world.received(183, at: "carol").isEmpty)
        let first = try #require(world.received(180, at: "carol").first)
        #expect(try acknowledge(first, in: &world)?.status == 200)
        let second = try #require(world.received(183, at: "carol").first)
        #expect(second.reliable == first.reliable.map { $0 + 1 })
        #expect(!second.body.isEmpty)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func answerWaitsForThePrackOfADescription() throws {
        var (world, handle, response) = try earlyMedia(Self.supported)
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .seconds(3))
        #expect(world.received(200, at: "carol").isEmpty)
        #expect(try acknowledge(response, in: &world)?.status == 200)
        let answer = try #require(world.received(200, at: "carol").first { $0.cSeq.method == .invite })
        // The description was said, and acknowledged.
        #expect(answer.body.isEmpty)
        #expect(world.agreements(at: "bob").map(\.media.remoteRTP?.port) == [20000])
        world.run(for: .seconds(3))
        #expect(world.count("bob>carol 183 INVITE") == 3)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func answerOvertakesARingingThatIsNotAcknowledged() throws {
        var world = World()
        let (invite, handle) = try world.carolCallsBob(headers: Self.required)
        world.perform(.ring(handle), by: "bob")
        world.run(for: .milliseconds(100))
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let ringing = try #require(world.received(180, at: "carol").first)
        let answer = try #require(world.received(200, at: "carol").first)
        #expect(!answer.body.isEmpty)
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
        world.run(for: .seconds(40))
        #expect(world.count("bob>carol 180 INVITE") == 1)
        #expect(try acknowledge(ringing, in: &world)?.status == 200)
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test(.proves(.row(25), .incident(51), .clause("RFC 3262 §3")))
    func cancelAndRefusalEndWhatIsNotAcknowledged() throws {
        for isCancelled in [true, false] {
            var (world, handle, response) = try earlyMedia(Self.supported)
            world.perform(.answer(handle, World.media), by: "bob")
            if isCancelled {
                var cancel = try world.request(
                    .cancel, from: "carol", to: "bob", branch: "z9hG4bKINVITEcall-11")
                cancel.cSeq = CSeq(1, .cancel)
                world.send(.request(cancel), from: "carol", to: "bob")
            } else {
                world.perform(.hangUp(handle), by: "bob")
            }
            world.run(for: .milliseconds(200))
            #expect(world.received(isCancelled ? 487 : 603, at: "carol").count == 1)
            #expect(world.ends(at: "bob").count == 1)
            // A PRACK that was on its way is understood (§3).
            #expect(try acknowledge(response, in: &world)?.status == 200)
            world.run(for: .seconds(100))
            #expect(world.count("bob>carol 183 INVITE") == 1)
            #expect(world.count("bob>carol 200 INVITE") == 0)
            #expect(world.cores["bob"]?.occupancy == .empty)
        }
    }

    @Test(.proves(.row(25), .row(26), .clause("RFC 3262 §5")))
    func offerlessInviteIsOfferedReliablyAndAnsweredInThePrack() throws {
        var (world, handle, response) = try earlyMedia(Self.supported, body: nil)
        #expect(try SessionDescription(parsing: response.body).media.map(\.port) == [16384])
        world.perform(.answer(handle, World.media), by: "bob")
        #expect(try acknowledge(response, in: &world, body: World.answerText)?.status == 200)
        let answer = try #require(world.received(200, at: "carol").first { $0.cSeq.method == .invite })
        #expect(answer.body.isEmpty)
        #expect(
            world.story(of: "bob").filter { $0 == "earlyMedia" || $0 == "mediaAgreed" } == [
                "earlyMedia", "mediaAgreed",
            ])
    }

    @Test(.proves(.row(25), .row(26), .clause("RFC 3262 §5")))
    func prackWithoutTheAnswerThatItOwesEndsTheCall() throws {
        var (world, _, response) = try earlyMedia(Self.supported, body: nil)
        #expect(try acknowledge(response, in: &world)?.status == 200)
        #expect(world.received(488, at: "carol").count == 1)
        #expect(world.ends(at: "bob").map(\.cause) == [.mediaRefused])
    }

    @Test(.proves(.row(25), .row(26), .clause("RFC 3262 §5")))
    func ringingThatWouldHaveToOfferIsLeftToThe100() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob(body: nil, headers: Self.required)
        world.perform(.ring(handle), by: "bob")
        world.run(for: .milliseconds(300))
        #expect(world.received(180, at: "carol").isEmpty)
        #expect(world.received(100, at: "carol").count == 1)
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.received(200, at: "carol").first?.body.isEmpty == false)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §5")))
    func offerInThePrackIsAnsweredInIts2xx() throws {
        var (world, handle, response) = try earlyMedia(Self.supported)
        let moved = World.answerText.replacing("o=- 1 1", with: "o=- 1 2").replacing("20000", with: "20222")
        let answer = try #require(try acknowledge(response, in: &world, body: moved))
        #expect(answer.status == 200)
        #expect(try SessionDescription(parsing: answer.body).media.map(\.port) == [16384])
        world.perform(.answer(handle, World.media), by: "bob")
        #expect(world.agreements(at: "bob").map(\.media.remoteRTP?.port) == [20222])
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §5")))
    func offerInThePrackThatCanNotBeMetLeavesWhatWasAgreed() throws {
        var (world, handle, response) = try earlyMedia(Self.supported)
        let fax = World.answerText.replacing("o=- 1 1", with: "o=- 1 2").replacing(
            "m=audio 20000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", with: "m=image 20000 udptl t38")
        #expect(try acknowledge(response, in: &world, body: fax)?.status == 488)
        world.run(for: .seconds(40))
        #expect(world.count("bob>carol 183 INVITE") == 1)
        world.perform(.answer(handle, World.media), by: "bob")
        #expect(world.agreements(at: "bob").map(\.media.remoteRTP?.port) == [20000])
    }

    @Test(.proves(.row(57), .clause("RFC 3262 §3")))
    func callerThatRequiresWhatIsOffGets420() throws {
        var configuration = World.configuration(user: "bob")
        configuration.reliableProvisionals = .off
        var world = bobAndCarol(configuration)
        let invite = try world.request(
            .invite, from: "carol", to: "bob", body: World.answerText, headers: Self.required)
        world.ask(invite, from: "carol", to: "bob")
        let refusal = try #require(world.received(420, at: "carol").first)
        #expect(try refusal.headers.first(Unsupported.self)?.tags == ["100rel"])
    }

    @Test(.proves(.row(57), .clause("RFC 3262 §3")))
    func callerThatCanNotDoWhatIsRequiredGets421() throws {
        var configuration = World.configuration(user: "bob")
        configuration.reliableProvisionals = .required
        var world = bobAndCarol(configuration)
        for (index, headers) in [[], Self.supported].enumerated() {
            let invite = try world.request(
                .invite, from: "carol", to: "bob", callID: "call-\(index)", body: World.answerText, headers: headers)
            world.ask(invite, from: "carol", to: "bob")
        }
        let refusals = world.received(421, at: "carol")
        #expect(refusals.map(\.callID) == ["call-0"])
        #expect(try refusals.first?.headers.first(Require.self)?.tags == ["100rel"])
        #expect(world.incoming(at: "bob") != nil)
    }

    @Test(.proves(.rule(1)))
    func strangerWhoMayBeAnsweredUnprovenIsSentNothingReliably() throws {
        var configuration = World.configuration(user: "bob")
        configuration.automaticAnswer = AutomaticAnswerRules(loopback: true, registrarFlows: true, anybody: true)
        var world = World()
        let (_, handle) = try world.carolCallsBob(configuration, headers: Self.required)
        world.perform(.ring(handle), by: "bob")
        world.perform(.progress(handle, World.media), by: "bob")
        world.run(for: .seconds(5))
        #expect(world.received(180, at: "carol").isEmpty && world.received(183, at: "carol").isEmpty)
        world.perform(.answer(handle, World.media, automatic: true), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.received(200, at: "carol").first?.body.isEmpty == false)
    }
}

extension Response {
    /// The RSeq of a response that says that it is reliable.
    fileprivate var reliable: UInt32? {
        guard (try? headers.first(Require.self))?.contains("100rel") ?? false else { return nil }
        return (try? headers.first(RSeq.self))?.number
    }
}
