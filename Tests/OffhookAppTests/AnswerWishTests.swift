import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@testable import OffhookApp
@testable import SIPUserAgent

/// What becomes of callers who say how they want to be answered (RFC 5373, ROBUSTNESS S2).
@Suite struct AnswerWishTests {
    private func call(
        _ name: HeaderName, _ value: String, isAtOnce: Bool = false, isPrivileged: Bool = false,
        mayAnswer: Bool = true, in desk: Desk
    ) throws -> IncomingCall {
        var call = try desk.incoming("x")
        var headers = Headers()
        try headers.append(name, value)
        call.information.answerWish = AnswerWish(in: headers)
        call.isToBeAnsweredAtOnce = isAtOnce
        call.isPrivileged = isPrivileged
        call.mayAnswerAutomatically = mayAnswer
        return call
    }

    private let first = CallHandle(rawValue: 1 << 31)
    private let second = CallHandle(rawValue: 1 << 31 + 1)

    private func desk(_ policy: Account.AnswerPolicy) -> Desk { Desk(.person([AccountID(rawValue: 0): policy])) }

    @Test(.proves(.rule(2), .clause("RFC 5373 §4")))
    func putsThroughAtOnceWhileNoOtherCallStands() throws {
        var desk = desk(.ask)
        desk.tell(.incomingCall(first, try call(.answerMode, "Auto", isAtOnce: true, in: desk)))
        #expect(desk.signalling == ["answer"])
        try desk.answer(first)
        desk.tell(.incomingCall(second, try call(.answerMode, "Auto", isAtOnce: true, in: desk)))
        #expect(desk.signalling == ["answer", "ring"])
    }

    @Test(.proves(.rule(2), .clause("RFC 5373 §4")), arguments: [Account.AnswerPolicy.ask, .automatic, .busy])
    func aPrivilegeCountsWhateverElseGoesOn(policy: Account.AnswerPolicy) throws {
        var desk = desk(policy)
        let other = try desk.dial(nil)
        try desk.answer(other)
        desk.coordinator.endsWithLastCall = false
        desk.signalling = []
        desk.tell(
            .incomingCall(
                second, try call(.privAnswerMode, "Auto", isAtOnce: true, isPrivileged: true, in: desk)))
        #expect(desk.signalling == ["hold", "answer"])
    }

    @Test(.proves(.clause("RFC 5373 §4")))
    func whoWantsAPersonIsRungFor() throws {
        var desk = desk(.automatic)
        desk.tell(.incomingCall(first, try call(.answerMode, "Manual", in: desk)))
        #expect(desk.signalling == ["ring"])
    }

    @Test(.proves(.clause("RFC 5373 §4")))
    func whoWouldRatherBeRefusedIs() throws {
        var desk = desk(.ask)
        desk.tell(.incomingCall(first, try call(.answerMode, "Auto;require", in: desk)))
        #expect(desk.signalling == ["reject"])
        desk.tell(.incomingCall(second, try call(.answerMode, "Auto", in: desk)))
        #expect(desk.signalling == ["reject", "ring"])
    }
}
