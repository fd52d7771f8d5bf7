import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// What is answered to requests that are wrong, unknown, too many, or only ask.
@Suite struct IncomingRequestTests {
    /// The n-th OPTIONS of Carol that can only be refused.
    func broken(_ number: Int, padding: Int = 0) -> String {
        """
        OPTIONS sip:bob@192.0.2.2 SIP/2.0\r
        Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbad\(number)\r
        From: <sip:carol@192.0.2.9>;tag=1\r
        To: <sip:bob@192.0.2.2>\r
        Call-ID: bad\(number)\r
        CSeq: wrong OPTIONS\r
        User-Agent: \(String(repeating: "x", count: padding))\r
        \r

        """
    }

    /// The answer that Bob gives to a request of Carol.
    private func status(
        of method: Method, toTag: String? = nil, body: String? = nil, headers: [(HeaderName, String)] = [],
        change: (inout Request) -> Void = { _ in }
    ) throws -> Response? {
        var world = bobAndCarol()
        var request = try world.request(method, from: "carol", to: "bob", toTag: toTag, body: body, headers: headers)
        change(&request)
        world.ask(request, from: "carol", to: "bob")
        guard case .response(let response)? = world.mailbox["carol"]?.last else { return nil }
        #expect(response.to.tag != nil)
        return response
    }

    @Test(.proves(.clause("RFC 3261 §8.2.1"), .clause("RFC 3261 §21.5.2")))
    func unknownMethodsGet501AndUnsupportedOnes405WithAllow() throws {
        #expect(try status(of: .other("DANCE"))?.status == 501)
        for method in [Method.register, .publish] {
            let response = try #require(try status(of: method, headers: [(.contact, carolContact)]))
            #expect(response.status == 405)
            #expect(try response.headers.first(Allow.self)?.methods.contains(.invite) == true)
        }
    }

    @Test(.proves(.row(20), .clause("RFC 3261 §12.2.2")))
    func requestsOfUnknownDialogsGet481() throws {
        #expect(try status(of: .bye, toTag: "gone")?.status == 481)
        #expect(try status(of: .invite, toTag: "gone", body: World.answerText)?.status == 481)
        #expect(try status(of: .bye)?.status == 481)
    }

    @Test(.proves(.row(27), .clause("RFC 3261 §8.2.2.3")))
    func unknownExtensionsAreNamed() throws {
        let response = try #require(
            try status(of: .invite, body: World.answerText, headers: [(.require, "100rel, magic, 199")]))
        #expect(response.status == 420)
        #expect(try response.headers.first(Unsupported.self)?.tags == ["magic", "199"])
    }

    @Test(.proves(.row(28), .clause("RFC 3261 §8.2.3")))
    func bodiesThatAreNotUnderstoodGet415UnlessOptional() throws {
        let change: (inout Request) -> Void = { request in
            request.body = Array("hello".utf8)
            request.headers.removeAll(.contentType)
            request.headers.append(ContentType("text", "plain"))
        }
        let response = try #require(try status(of: .invite, change: change))
        #expect(response.status == 415)
        #expect(response.headers.contains(.accept))
        var world = bobAndCarol()
        var request = try world.request(
            .invite, from: "carol", to: "bob", headers: [(.contentDisposition, "render;handling=optional")])
        change(&request)
        world.ask(request, from: "carol", to: "bob")
        #expect(world.incoming(at: "bob") != nil)
    }

    @Test(.proves(.clause("RFC 3261 §21.4.26")))
    func offersThatCanNotBeMetGet488() throws {
        let body = World.answerText.replacing("AVP 0", with: "AVP 18").replacing(
            "rtpmap:0 PCMU", with: "rtpmap:18 G729")
        #expect(try status(of: .invite, body: body)?.status == 488)
        #expect(try status(of: .invite, body: "v=broken\r\n")?.status == 400)
    }

    @Test(.proves(.incident(26), .row(30), .clause("RFC 3261 §8.2.2.1")))
    func foreignSchemesGet416AndContactsOfNoUse400() throws {
        let phone = try status(of: .invite, body: World.answerText) { request in
            request.uri = .other(scheme: "tel", rest: "+15551234")
        }
        #expect(phone?.status == 416)
        let contact = try status(of: .invite, body: World.answerText) { $0.headers.removeAll(.contact) }
        #expect(contact?.status == 400)
    }

    @Test(.proves(.incident(28), .clause("RFC 3261 §8.2")))
    func brokenRequestsGet400AndGarbageNothing() throws {
        var world = bobAndCarol()
        world.send(broken(1), from: "carol", to: "bob")
        world.send("\u{1}\u{2}garbage", from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        #expect(world.unreadable.count == 1)
        #expect(world.unreadable.first?.starts(with: Array("SIP/2.0 400 ".utf8)) == true)
        #expect(world.cores["bob"]?.counters[.malformed] == 2)
    }

    @Test(.proves(.row(12), .clause("RFC 3261 §8.2.2.2")))
    func mergedRequestsGet482() throws {
        var world = bobAndCarol()
        for branch in ["z9hG4bKone", "z9hG4bKtwo"] {
            let invite = try world.request(.invite, from: "carol", to: "bob", branch: branch, body: World.answerText)
            world.ask(invite, from: "carol", to: "bob")
        }
        #expect(world.received(482, at: "carol").map { $0.vias.first?.branch } == ["z9hG4bKtwo"])
        #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count == 1)
    }

    @Test(.proves(.row(58)))
    func ourOwnInviteComingBackGets482() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        var looped = invite
        var via = try #require(invite.vias.first)
        via.branch = "z9hG4bKproxy"
        looped.vias.insert(via, at: 0)
        world.ask(looped, from: "carol", to: "alice")
        #expect(world.received(482, at: "carol").count == 1)
        #expect(world.incoming(at: "alice") == nil)
    }

    @Test(.proves(.row(32), .clause("RFC 3261 §8.2.2")))
    func exhaustedMaxForwardsDoesNotMatterAtTheEnd() throws {
        #expect(try status(of: .options) { $0.maxForwards = 0 }?.status == 200)
    }

    @Test(.proves(.rule(5), .incident(53)))
    func strangersLearnOnlyTheAllowListAndOnceASecond() throws {
        var world = bobAndCarol()
        for sequence in 1...3 as ClosedRange<UInt32> {
            let request = try world.request(
                .options, from: "carol", to: "bob", callID: "c\(sequence)", sequence: sequence)
            world.send(.request(request), from: "carol", to: "bob")
            world.run(for: .milliseconds(400))
        }
        let answers = world.received(200, at: "carol")
        #expect(answers.map(\.cSeq.number) == [1])
        #expect(answers.first?.headers.contains(.allow) == true)
        #expect(answers.first?.headers.contains(.contact) == false)
        #expect(answers.first?.body.isEmpty == true)
    }

    @Test(.proves(.clause("RFC 3261 §11.1")))
    func asksForCapabilities() throws {
        var world = aliceAndBob()
        let handle = RequestHandle(rawValue: 5)
        world.perform(
            .request(handle, OutgoingRequest(.options, to: .address(try target("sip:bob@192.0.2.2")))), by: "alice")
        world.run(for: .milliseconds(50))
        guard case .requestAnswered(handle, let answer)? = world.events["alice"]?.last else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == 200)
        #expect(answer.roundTrip == .milliseconds(20))
        #expect(try answer.headers.first(Allow.self)?.methods.contains(.bye) == true)
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.row(35), .clause("RFC 3581 §4")))
    func answersGoWhereTheRequestCameFrom() throws {
        let response = try #require(try status(of: .options) { $0.vias[0].host = .name("behind.nat.example") })
        #expect(response.vias.first?.received == IPAddress("192.0.2.9"))
        #expect(response.vias.first?.rport == .value(5060))
    }

    @Test(.proves(.clause("RFC 3261 §12.1.1")))
    func callersWithoutTagsOfTheirOwnAreAcknowledgedToo() throws {
        var world = bobAndCarol()
        let invite = try world.request(.invite, from: "carol", to: "bob", fromTag: nil, body: World.answerText)
        world.ask(invite, from: "carol", to: "bob")
        world.perform(.answer(try #require(world.incoming(at: "bob")), World.media), by: "bob")
        world.run(for: .milliseconds(20))
        world.acknowledge(try #require(world.received(200, at: "carol").first), of: invite, from: "carol", to: "bob")
        #expect(world.story(of: "bob").last == "established")
    }
}
