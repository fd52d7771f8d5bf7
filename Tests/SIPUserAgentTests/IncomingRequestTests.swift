import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// What is answered to requests that are wrong, unknown, too many, or only ask.
@Suite struct IncomingRequestTests {
    private func worldWithBob(_ configuration: UserAgentConfiguration? = nil) -> World {
        var world = World()
        world.add("bob", at: "192.0.2.2", configuration: configuration)
        world.addScripted("carol", at: "192.0.2.9")
        return world
    }

    /// The status that Bob gives to a request of Carol.
    private func status(
        of method: Method, toTag: String? = nil, body: String? = nil, headers: [(HeaderName, String)] = [],
        change: (inout Request) -> Void = { _ in }
    ) throws -> Response? {
        var world = worldWithBob()
        var request = try world.request(method, from: "carol", to: "bob", toTag: toTag, body: body, headers: headers)
        change(&request)
        world.send(.request(request), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
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
        var world = worldWithBob()
        var request = try world.request(
            .invite, from: "carol", to: "bob", headers: [(.contentDisposition, "render;handling=optional")])
        change(&request)
        world.send(.request(request), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
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
        var world = worldWithBob()
        world.send(
            """
            OPTIONS sip:bob@192.0.2.2 SIP/2.0\r
            Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbad\r
            From: <sip:carol@192.0.2.9>;tag=1\r
            To: <sip:bob@192.0.2.2>\r
            Call-ID: bad\r
            CSeq: wrong OPTIONS\r
            \r

            """, from: "carol", to: "bob")
        world.send("\u{1}\u{2}garbage", from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        #expect(world.unreadable.count == 1)
        #expect(world.unreadable.first?.starts(with: Array("SIP/2.0 400 ".utf8)) == true)
        #expect(world.cores["bob"]?.counters[.malformed] == 2)
    }

    @Test(.proves(.row(12), .clause("RFC 3261 §8.2.2.2")))
    func mergedRequestsGet482() throws {
        var world = worldWithBob()
        for branch in ["z9hG4bKone", "z9hG4bKtwo"] {
            let invite = try world.request(.invite, from: "carol", to: "bob", branch: branch, body: World.answerText)
            world.send(.request(invite), from: "carol", to: "bob")
            world.run(for: .milliseconds(20))
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
        world.send(.request(looped), from: "carol", to: "alice")
        world.run(for: .milliseconds(20))
        #expect(world.received(482, at: "carol").count == 1)
        #expect(world.incoming(at: "alice") == nil)
    }

    @Test(.proves(.row(32), .clause("RFC 3261 §8.2.2")))
    func exhaustedMaxForwardsDoesNotMatterAtTheEnd() throws {
        #expect(try status(of: .options) { $0.maxForwards = 0 }?.status == 200)
    }

    @Test(.proves(.rule(5), .incident(53)))
    func strangersLearnOnlyTheAllowListAndOnceASecond() throws {
        var world = worldWithBob()
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

    // MARK: - Limits

    @Test(.proves(.rule(14)))
    func ringsForFourCallersAtMost() throws {
        var world = worldWithBob()
        for index in 0..<8 {
            let name = "peer\(index)"
            world.addScripted(name, at: "192.0.2.\(100 + index)")
            let invite = try world.request(.invite, from: name, to: "bob", callID: name, body: World.answerText)
            world.send(.request(invite), from: name, to: "bob")
            world.run(for: .milliseconds(20))
        }
        #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count == 4)
        #expect((4..<8).allSatisfy { world.received(503, at: "peer\($0)").count == 1 })
        #expect(world.cores["bob"]?.counters[.ringingCalls] == 4)
        #expect(world.cores["bob"]?.occupancy.serverTransactions == 4)
    }

    @Test(.proves(.rule(14)))
    func oneSourceKeepsTwoInvitesWaiting() throws {
        var world = worldWithBob()
        for index in 0..<3 {
            let invite = try world.request(
                .invite, from: "carol", to: "bob", callID: "c\(index)", body: World.answerText)
            world.send(.request(invite), from: "carol", to: "bob")
            world.run(for: .milliseconds(20))
        }
        #expect(world.received(503, at: "carol").count == 1)
        let first = try #require(world.incoming(at: "bob"))
        world.perform(.reject(first, 486), by: "bob")
        let next = try world.request(.invite, from: "carol", to: "bob", callID: "c9", body: World.answerText)
        world.send(.request(next), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count == 3)
    }

    @Test(.proves(.rule(11), .rule(14), .incident(41)))
    func floodIsDroppedBeyondTheRate() throws {
        var world = worldWithBob()
        for index in 0..<100 as Range<UInt32> {
            let request = try world.request(.message, from: "carol", to: "bob", callID: "c\(index)")
            world.send(.request(request), from: "carol", to: "bob")
        }
        world.run(for: .milliseconds(50))
        #expect(world.received(403, at: "carol").count == 40)
        #expect(world.cores["bob"]?.counters[.sourceRate] == 60)
    }

    /// Bob with room for 16 transactions, two of which are kept; he talks to Alice.
    private func crowded() throws -> (World, CallHandle) {
        var configuration = World.configuration(user: "bob")
        configuration.limits.serverTransactions = 16
        configuration.limits.requestRate = nil
        var world = aliceAndBob(bob: configuration)
        let handle = try world.talk()
        // The INVITE's own transaction is over.
        world.run(for: .seconds(40))
        world.addScripted("carol", at: "192.0.2.9")
        return (world, handle)
    }

    @Test(.proves(.rule(14)))
    func floodFromOutsideDropsNoByeOfACall() throws {
        var (world, _) = try crowded()
        for index in 0..<40 {
            let request = try world.request(.options, from: "carol", to: "bob", callID: "flood-\(index)")
            world.send(.request(request), from: "carol", to: "bob")
        }
        world.run(for: .milliseconds(20))
        #expect(world.cores["bob"]?.occupancy.serverTransactions == 14)
        #expect(world.cores["bob"]?.counters[.transactions] == 26)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.ends(at: "bob").map(\.cause) == [.hungUp])
        #expect(world.count("bob>alice 200 BYE") == 1)
        world.run(for: .seconds(40))
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.rule(14)))
    func floodWithinACallDropsNoByeOfIt() throws {
        var (world, _) = try crowded()
        let invite = try #require(world.requests(.invite, from: "alice").first)
        let answer = try #require(world.responses(200, from: "bob").first)
        for index in 0..<40 {
            var request = invite
            request.method = .options
            request.cSeq = CSeq(number: UInt32(2 + index), method: .options)
            request.to = answer.to
            request.vias[0].branch = "z9hG4bKwithin\(index)"
            request.body = []
            request.headers = Headers()
            world.send(.request(request), from: "alice", to: "bob")
        }
        world.run(for: .milliseconds(20))
        #expect(world.cores["bob"]?.occupancy.serverTransactions == 15)
        #expect(world.cores["bob"]?.counters[.transactions] == 25)
        var bye = invite
        bye.method = .bye
        bye.cSeq = CSeq(number: 100, method: .bye)
        bye.to = answer.to
        bye.vias[0].branch = "z9hG4bKbye"
        bye.body = []
        bye.headers = Headers()
        world.send(.request(bye), from: "alice", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.ends(at: "bob").map(\.cause) == [.hungUp])
    }

    @Test(.proves(.rule(14)))
    func noMoreDialogsThanTheLimit() throws {
        var configuration = World.configuration(user: "bob")
        configuration.limits.dialogs = 1
        var world = World()
        _ = try world.carolCallsBob(configuration)
        let second = try world.request(.invite, from: "carol", to: "bob", callID: "2", body: World.answerText)
        world.send(.request(second), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.received(503, at: "carol").count == 1)
        #expect(world.cores["bob"]?.counters[.dialogs] == 1)
        #expect(world.incoming(at: "bob", 1) == nil)
    }

    @Test(.proves(.rule(14)))
    func eighthCallIsTheLast() throws {
        var world = worldWithBob()
        for index in 0..<9 {
            let name = "peer\(index)"
            world.addScripted(name, at: "192.0.2.\(100 + index)")
            let invite = try world.request(.invite, from: name, to: "bob", callID: name, body: World.answerText)
            world.send(.request(invite), from: name, to: "bob")
            world.run(for: .milliseconds(20))
            if let handle = world.incoming(at: "bob", index) { world.perform(.answer(handle, World.media), by: "bob") }
        }
        #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count == 8)
        #expect(world.received(486, at: "peer8").count == 1)
    }

    @Test(.proves(.rule(11), .rule(14), .incident(41)))
    func brokenRequestsHaveTheRateOfAllOthers() throws {
        var world = worldWithBob()
        for index in 0..<100 {
            world.send(
                """
                OPTIONS sip:bob@192.0.2.2 SIP/2.0\r
                Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbad\(index)\r
                From: <sip:carol@192.0.2.9>;tag=1\r
                To: <sip:bob@192.0.2.2>\r
                Call-ID: bad\(index)\r
                CSeq: wrong OPTIONS\r
                User-Agent: \(String(repeating: "x", count: 60))\r
                \r

                """, from: "carol", to: "bob")
        }
        world.run(for: .milliseconds(50))
        #expect(world.unreadable.count == 40)
        // What comes beyond the rate is not read, and so not known to be broken.
        #expect(world.cores["bob"]?.counters[.malformed] == 40)
        #expect(world.cores["bob"]?.counters[.sourceRate] == 60)
    }

    @Test func byeOfACallGetsThroughTheFloodOfItsSender() throws {
        var world = worldWithBob()
        let invite = try world.request(.invite, from: "carol", to: "bob", body: World.answerText)
        world.send(.request(invite), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        world.perform(.answer(try #require(world.incoming(at: "bob")), World.media), by: "bob")
        world.run(for: .milliseconds(20))
        let answer = try #require(world.received(200, at: "carol").first)
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
        for index in 0..<100 {
            let request = try world.request(.subscribe, from: "carol", to: "bob", callID: "c\(index)")
            world.send(.request(request), from: "carol", to: "bob")
        }
        let bye = try world.request(.bye, from: "carol", to: "bob", sequence: 2, toTag: answer.to.tag)
        world.send(.request(bye), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        #expect((world.cores["bob"]?.counters[.sourceRate] ?? 0) >= 60)
        #expect(world.received(200, at: "carol").contains { $0.cSeq.method == .bye })
    }

    @Test(.proves(.rule(11), .rule(14), .incident(41)))
    func floodIsDroppedUnreadDuringACallToo() throws {
        var world = aliceAndBob(bob: World.configuration(user: "bob"))
        _ = try world.talk()
        world.addScripted("carol", at: "192.0.2.9")
        let before = world.cores["bob"]?.counters[.malformed] ?? 0
        for index in 0..<100 {
            world.send(
                """
                OPTIONS sip:bob@192.0.2.2 SIP/2.0\r
                Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbad\(index)\r
                From: <sip:carol@192.0.2.9>;tag=1\r
                To: <sip:bob@192.0.2.2>\r
                Call-ID: bad\(index)\r
                CSeq: wrong OPTIONS\r
                \r

                """, from: "carol", to: "bob")
        }
        world.run(for: .milliseconds(50))
        #expect(world.cores["bob"]?.counters[.malformed] == before + 40)
        #expect(world.cores["bob"]?.counters[.sourceRate] == 60)
        #expect(world.cores["bob"]?.occupancy.calls == 1)
    }

    @Test(.proves(.rule(11), .clause("RFC 3261 §9.2")))
    func cancelOfAnInviteGetsThroughTheFloodOfItsSender() throws {
        var world = worldWithBob()
        let invite = try world.request(.invite, from: "carol", to: "bob", body: World.answerText)
        world.send(.request(invite), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        for index in 0..<100 {
            let request = try world.request(.subscribe, from: "carol", to: "bob", callID: "c\(index)")
            world.send(.request(request), from: "carol", to: "bob")
        }
        var cancel = invite
        cancel.method = .cancel
        cancel.cSeq = CSeq(invite.cSeq.number, .cancel)
        cancel.body = []
        cancel.headers.removeAll(.contentType)
        world.send(.request(cancel), from: "carol", to: "bob")
        world.run(for: .milliseconds(50))
        #expect(world.received(487, at: "carol").count == 1)
    }

    @Test(.proves(.clause("RFC 3261 §12.1.1")))
    func callersWithoutTagsOfTheirOwnAreAcknowledgedToo() throws {
        var world = worldWithBob()
        let invite = try world.request(.invite, from: "carol", to: "bob", fromTag: nil, body: World.answerText)
        world.send(.request(invite), from: "carol", to: "bob")
        world.run(for: .milliseconds(20))
        world.perform(.answer(try #require(world.incoming(at: "bob")), World.media), by: "bob")
        world.run(for: .milliseconds(20))
        world.acknowledge(try #require(world.received(200, at: "carol").first), of: invite, from: "carol", to: "bob")
        #expect(world.story(of: "bob").last == "established")
    }
}
