import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Digits by INFO (RFC 2976 as peers use it), and INFO that is something else (RFC 6086).
@Suite(.proves(.clause("RFC 2976 §2")))
struct SignalledDigitTests {
    private func digits(_ text: String) -> [SignalledStep] {
        text.compactMap { character in
            character == ","
                ? .pause(.seconds(1)) : SignalledDigit(String(character), milliseconds: 100).map { .digit($0) }
        }
    }

    private func received(_ world: World, at name: String) -> [SignalledDigit] {
        (world.events[name] ?? []).compactMap { if case .digitReceived(_, let digit) = $0 { digit } else { nil } }
    }

    // MARK: - The bodies

    @Test(
        arguments: [
            ("Signal=5\r\nDuration=160\r\n", "5", 160), ("Signal= *\r\nDuration= 250", "*", 250),
            ("signal: #\nduration: 80\n", "#", 80), ("Signal=d", "D", nil), ("Signal=11\r\nDuration=90\r\n", "#", 90),
            ("Duration=90\r\nSignal=0", "0", 90), ("Signal=1\r\nDuration=99999999", "1", 10_000),
            ("Signal=7\r\nDuration=soon", "7", nil),
        ] as [(String, Character, Int?)])
    func readsARelayedDigit(text: String, digit: Character, milliseconds: Int?) throws {
        let read = try #require(SignalledDigit(parsing: Array(text.utf8), type: SignalledDigit.relay))
        #expect(read.digit == digit)
        #expect(read.milliseconds == milliseconds)
        #expect(SignalledDigit(parsing: read.bytes, type: SignalledDigit.relay) == read)
    }

    @Test func readsABareDigit() {
        #expect(SignalledDigit(parsing: Array("9\r\n".utf8), type: SignalledDigit.bare)?.digit == "9")
        #expect(SignalledDigit(parsing: Array("12".utf8), type: SignalledDigit.bare)?.digit == "A")
    }

    @Test(arguments: ["", "Signal=", "Signal=16", "Signal=55", "5", "Signal=x\r\nSignal=5", "=\r\n=", "\u{0}"])
    func refusesWhatIsNoDigit(text: String) {
        #expect(SignalledDigit(parsing: Array(text.utf8), type: SignalledDigit.relay) == nil)
    }

    @Test func refusesABodyOfAnotherTypeOrOfAnyLength() {
        #expect(SignalledDigit(parsing: Array("Signal=5".utf8), type: .plainText) == nil)
        let padded = "Signal=5\r\n" + String(repeating: "x", count: 400)
        #expect(SignalledDigit(parsing: Array(padded.utf8), type: SignalledDigit.relay) == nil)
    }

    // MARK: - In a call

    @Test func digitsTravelOneAfterAnotherAndArriveInOrder() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        let start = world.now
        world.perform(.sendDigits(caller, digits("12,#")), by: "alice")
        world.run(for: .seconds(5))
        #expect(received(world, at: "bob").map(\.digit) == ["1", "2", "#"])
        #expect(received(world, at: "bob").map(\.milliseconds) == [100, 100, 100])
        let times = world.ladder.filter { $0.summary == "alice>bob INFO" }.map { $0.at - start }
        // Each sounds for 100 ms, with 80 ms of silence behind; the comma waits a second.
        #expect(times == [.zero, .milliseconds(180), .milliseconds(1360)])
        #expect(world.story(of: "alice").filter { $0 == "digitSent" }.count == 3)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test func aDigitWhoseAnswerIsLateHoldsTheNextOneBack() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        let first = world.ladder.count
        // Its first three copies are lost: it arrives after 0.5 + 1 + 2 s.
        world.loses = { step, index in step.summary == "alice>bob INFO" && index < first + 3 }
        world.perform(.sendDigits(caller, digits("12")), by: "alice")
        world.run(for: .seconds(10))
        #expect(received(world, at: "bob").map(\.digit) == ["1", "2"])
        #expect(world.requests(.info, from: "alice").map(\.cSeq.number).sorted().last == 3)
    }

    @Test func aPeerThatRefusesOneDigitIsSpared() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        world.perform(.sendDigits(caller, digits("123")), by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(405, to: try #require(world.last(.info, at: "carol")), from: "carol")
        world.run(for: .seconds(3))
        #expect(world.requests(.info, from: "alice").count == 1)
        #expect(world.story(of: "alice").contains("digitsRefused"))
        #expect(world.ends(at: "alice").isEmpty)
    }

    // MARK: - What else INFO may be

    /// Bob's answer to an INFO of Carol's in their call.
    private func answer(
        to type: ContentType?, _ body: String, headers: [(HeaderName, String)] = [], afterHangingUp: Bool = false
    ) throws -> (response: Response, world: World) {
        var world = World()
        let (handle, tag) = try world.carolTalksToBob()
        if afterHangingUp { world.perform(.hangUp(handle), by: "bob") }
        var info = try world.request(.info, from: "carol", to: "bob", sequence: 2, toTag: tag, headers: headers)
        if let type { info.headers.append(type) }
        info.body = Array(body.utf8)
        world.ask(info, from: "carol", to: "bob")
        guard case .response(let response)? = world.mailbox["carol"]?.last else { throw World.NoCall() }
        return (response, world)
    }

    @Test(.proves(.clause("RFC 6086 §4.2.2")))
    func anInfoPackageThatWeDoNotKnowGets469() throws {
        let (response, _) = try answer(
            to: ContentType("application", "x-any"), "x", headers: [(.infoPackage, "conference")])
        #expect(response.status == 469)
        #expect(response.headers.first(.recvInfo) == "")
    }

    @Test(.proves(.clause("RFC 6086 §4.2.1")))
    func bothSidesSayThatTheyTakeNoInfoPackage() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        let invite = try #require(world.requests(.invite, from: "alice").first)
        #expect(invite.headers.first(.recvInfo) == "")
        #expect(world.responses(200, from: "bob").first?.headers.first(.recvInfo) == "")
    }

    @Test func aBodyThatIsNoDigitGets415WithTheTypesThatAre() throws {
        let (response, world) = try answer(to: ContentType("application", "media_control+xml"), "<media_control/>")
        #expect(response.status == 415)
        #expect(try response.headers.all(Accept.self).contains(Accept(SignalledDigit.relay)))
        #expect(world.ends(at: "bob").isEmpty)
    }

    @Test func anEmptyInfoIsAcceptedAndABrokenDigitIsNot() throws {
        #expect(try answer(to: nil, "").response.status == 200)
        #expect(try answer(to: SignalledDigit.relay, "Signal=no").response.status == 400)
        let (response, world) = try answer(to: SignalledDigit.relay, "Signal=4\r\nDuration=120\r\n")
        #expect(response.status == 200)
        #expect(received(world, at: "bob").map(\.digit) == ["4"])
    }

    /// An INFO of Carol's with a digit.
    private func info(
        to name: String, callID: String = "call-1", sequence: UInt32 = 2, fromTag: String = "peer", toTag: String?,
        digit: String, in world: World
    ) throws -> Request {
        var info = try world.request(
            .info, from: "carol", to: name, callID: callID, sequence: sequence, fromTag: fromTag, toTag: toTag)
        info.headers.append(SignalledDigit.bare)
        info.body = Array(digit.utf8)
        return info
    }

    @Test func aDigitBeforeTheAnswerIsToldByWhoIsCalled() throws {
        var world = World()
        let (_, handle) = try world.carolCallsBob()
        world.perform(.ring(handle), by: "bob")
        world.run(for: .milliseconds(20))
        let ringing = try #require(world.received(180, at: "carol").first)
        world.ask(try info(to: "bob", toTag: ringing.to.tag, digit: "4", in: world), from: "carol", to: "bob")
        #expect(world.received(200, at: "carol").map(\.cSeq.method) == [.info])
        #expect(received(world, at: "bob").map(\.digit) == ["4"])
        #expect(world.story(of: "bob") == ["incomingCall", "pathProven", "digitReceived"])
    }

    /// Of each branch of a fork, as each may answer; and of none but the one that did.
    @Test func aDigitBeforeTheAnswerIsToldByWhoCalls() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        func press(_ number: UInt32, tag: String) throws {
            let info = try info(
                to: "alice", callID: invite.callID, sequence: number, fromTag: tag, toTag: invite.from.tag,
                digit: "\(number)", in: world)
            world.ask(info, from: "carol", to: "alice")
        }
        for (number, tag) in [(1, "one"), (2, "two")] as [(UInt32, String)] {
            try world.reply(183, to: invite, from: "carol", tag: tag, contact: carolContact)
            try press(number, tag: tag)
        }
        #expect(world.received(200, at: "carol").map(\.cSeq.method) == [.info, .info])
        try world.reply(200, to: invite, from: "carol", tag: "one", contact: carolContact, body: World.answerText)
        try press(3, tag: "two")
        #expect(world.received(481, at: "carol").count == 1)
        try press(4, tag: "one")
        #expect(received(world, at: "alice").map(\.digit) == ["1", "2", "4"])
        #expect(world.ends(at: "alice").isEmpty)
    }

    @Test(.proves(.clause("RFC 3261 §15.1.1")))
    func aDigitAfterTheByeIsNotTaken() throws {
        let (response, world) = try answer(
            to: SignalledDigit.relay, "Signal=4\r\nDuration=120\r\n", afterHangingUp: true)
        #expect(response.status == 481)
        #expect(received(world, at: "bob").isEmpty)
    }

    @Test(.proves(.rule(5)))
    func infoOutsideAnyDialogGets481() throws {
        var world = bobAndCarol()
        let info = try world.request(.info, from: "carol", to: "bob")
        world.ask(info, from: "carol", to: "bob")
        #expect(world.received(481, at: "carol").count == 1)
    }
}
