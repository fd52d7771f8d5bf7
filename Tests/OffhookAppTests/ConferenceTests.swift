import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@testable import OffhookApp
@testable import SIPUserAgent

/// Calls whose peers hear each other, by the person's wish or by a caller's (RFC 3911).
@Suite struct ConferenceTests {
    private let incoming = CallHandle(rawValue: CallHandle.firstIncoming)

    private func talking(_ desk: inout Desk) throws -> CallHandle {
        let handle = try desk.dial()
        desk.coordinator.endsWithLastCall = false
        try desk.answer(handle)
        return handle
    }

    private func conferences(_ desk: Desk, _ handles: [CallHandle]) -> [UInt32?] {
        handles.map { desk.coordinator.calls[$0]?.conference }
    }

    private func end(_ desk: inout Desk, _ handle: CallHandle, _ cause: CallEnd.Cause = .hungUp) {
        desk.tell(.ended(handle, CallEnd(cause: cause, by: .remote)))
    }

    /// What the person did to a call, as the user agent tells it afterwards.
    private func isHeld(_ desk: inout Desk, _ handle: CallHandle, _ isHeld: Bool) throws {
        desk.tell(.mediaAgreed(handle, try desk.agreement(direction: isHeld ? .sendOnly : .sendReceive)))
        desk.tell(.modified(handle))
    }

    /// A caller who wants to be let into that call, and rings here.
    private func rings(_ desk: inout Desk, joining handle: CallHandle) throws {
        var call = try desk.incoming("x")
        call.joining = handle
        desk.tell(.incomingCall(incoming, call))
    }

    @Test func twoCallsHearEachOtherAndAThirdComesIn() throws {
        var desk = Desk()
        let handles = [try talking(&desk), try talking(&desk), try talking(&desk)]
        desk.coordinator.confer(handles[0], with: handles[1])
        desk.drain()
        #expect(conferences(desk, handles) == [1, 1, nil])
        #expect(desk.conferences == ["c1: c2", "c2: c1"])
        desk.coordinator.confer(handles[2], with: handles[0])
        desk.drain()
        #expect(conferences(desk, handles) == [1, 1, 1])
        #expect(desk.conferences.suffix(3) == ["c1: c2 c3", "c2: c1 c3", "c3: c1 c2"])
        #expect(desk.media.filter { $0 == "conference" }.count == 3)
    }

    @Test func twoConferencesBecomeOne() throws {
        var desk = Desk()
        let handles = try (0..<4).map { _ in try talking(&desk) }
        desk.coordinator.confer(handles[0], with: handles[1])
        desk.coordinator.confer(handles[2], with: handles[3])
        #expect(conferences(desk, handles) == [1, 1, 2, 2])
        desk.coordinator.confer(handles[0], with: handles[3])
        #expect(conferences(desk, handles) == [2, 2, 2, 2])
    }

    @Test func nothingIsDoneForACallThatIsOverOrWithItself() throws {
        var desk = Desk()
        let handles = [try talking(&desk), try talking(&desk)]
        desk.coordinator.confer(handles[1], with: handles[1])
        end(&desk, handles[0])
        desk.coordinator.confer(handles[1], with: handles[0])
        desk.drain()
        #expect(desk.conferences.isEmpty && !desk.media.contains("conference"))
    }

    @Test func whoIsLeftAloneIsInNone() throws {
        var desk = Desk()
        let handles = try (0..<3).map { _ in try talking(&desk) }
        for other in handles.dropFirst() { desk.coordinator.confer(other, with: handles[0]) }
        end(&desk, handles[0])
        #expect(conferences(desk, handles) == [nil, 1, 1])
        end(&desk, handles[1])
        #expect(conferences(desk, handles) == [nil, nil, nil])
        #expect(desk.conferences.last == "c3:")
    }

    @Test(.proves(.clause("RFC 3891 §3")))
    func whoTakesThePlaceOfACallIsInItsConference() throws {
        var desk = Desk()
        let handles = [try talking(&desk), try talking(&desk)]
        desk.coordinator.confer(handles[0], with: handles[1])
        var call = try desk.incoming("x")
        call.replacement = Replacement(call: handles[0], isAllowed: true)
        desk.tell(.incomingCall(incoming, call))
        try desk.answer(incoming)
        end(&desk, handles[0], .replaced)
        #expect(conferences(desk, [incoming, handles[1]]) == [1, 1])
        #expect(desk.conferences.suffix(2) == ["c2: c3", "c3: c2"])
    }

    /// Also where the hold has not been answered yet.
    @Test(arguments: [true, false])
    func whoWaitsIsTakenBack(isAnswered: Bool) throws {
        var desk = Desk()
        let handles = [try talking(&desk), try talking(&desk)]
        desk.coordinator.hold(handles[0])
        if isAnswered { try isHeld(&desk, handles[0], true) }
        desk.drain()
        desk.signalling = []
        desk.coordinator.confer(handles[1], with: handles[0])
        desk.drain()
        #expect(desk.signalling == ["resume"])
    }

    @Test func aConferenceIsResumedAsOne() throws {
        var desk = Desk()
        let handles = try (0..<3).map { _ in try talking(&desk) }
        desk.coordinator.confer(handles[0], with: handles[1])
        desk.coordinator.holdOthers(than: handles[2])
        for handle in handles.prefix(2) { try isHeld(&desk, handle, true) }
        desk.signalling = []
        desk.coordinator.resume(handles[1])
        desk.drain()
        #expect(desk.signalling == ["hold", "resume", "resume"])
    }

    @Test(.proves(.clause("RFC 3911 §4")))
    func aCallerIsLetInOnceThePersonAnswers() throws {
        var desk = Desk()
        let first = try talking(&desk)
        desk.signalling = []
        try rings(&desk, joining: first)
        #expect(desk.signalling == ["ring"])
        #expect(desk.conferences.isEmpty)
        desk.coordinator.answer(incoming, at: desk.now)
        desk.drain()
        try desk.answer(incoming)
        #expect(conferences(desk, [first, incoming]) == [1, 1])
    }

    @Test(.proves(.clause("RFC 3911 §4")))
    func aCallThatRingsIsJoinedOnceItIsUpToo() throws {
        var desk = Desk()
        let first = try desk.dial()
        try rings(&desk, joining: first)
        desk.coordinator.answer(incoming, at: desk.now)
        desk.drain()
        try desk.answer(incoming)
        #expect(conferences(desk, [first, incoming]) == [nil, nil])
        try desk.answer(first)
        #expect(conferences(desk, [first, incoming]) == [1, 1])
    }
}
