import EngineKit
import Testing

@testable import TerminalUI

/// Passing calls on, and being asked to.
@Suite struct TransferTests {
    private let first = CallReference(1)
    private let second = CallReference(2)

    @Test func transfersTheSelectedCallToWhatIsTyped() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type("t")
        #expect(phone.canvas().text(ofRow: 22).hasPrefix(" transfer call 1 to ▏"))
        phone.type("dave@example.com")
        phone.press(.enter)
        #expect(phone.commands == [.transfer(first, target: "dave@example.com")])
    }

    @Test func theCommandTakesTheTarget() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type(":xfer 104")
        phone.press(.enter)
        #expect(phone.commands == [.transfer(first, target: "104")])
    }

    @Test func nothingIsTransferredWithoutACallThatIsUp() {
        var phone = Phone()
        phone.type("t")
        #expect(phone.canvas().text(ofRow: 22).contains("no call is up"))
        phone.outgoing(1, "bob@example.com")
        phone.type("tT")
        #expect(phone.commands.isEmpty)
    }

    @Test func aCallThatEndedWhileThePersonTypedIsNotTransferred() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type("tdave")
        phone.receive(.ended(first, CallEnd(cause: "hung up", side: .remote, isFailure: false)))
        phone.press(.enter)
        #expect(phone.commands.isEmpty)
    }

    @Test func twoCallsAreMadeAConference() {
        var phone = Phone()
        phone.type(":conference")
        phone.press(.enter)
        #expect(phone.commands.isEmpty)
        phone.established(1, "bob@example.com")
        phone.established(2, "dave@example.com")
        phone.type(":merge")
        phone.press(.enter)
        phone.type(":conference 2")
        phone.press(.enter)
        #expect(phone.commands == [.conference(second, with: first)], "not with itself")
        for call in [first, second] { phone.receive(.conference(call, true)) }
        #expect(phone.canvas().dump.contains("● conference"))
        #expect(!phone.canvas().dump.contains("hear you at once"), "they are to")
        phone.receive(.conference(second, false))
        #expect(phone.canvas().dump.contains("hear you at once"))
    }

    @Test func connectsTheTwoCalls() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.receive(.hold(first, .byUs))
        phone.established(2, "dave@example.com")
        phone.type("T")
        #expect(phone.commands == [.connect(first, to: second)])
    }

    @Test func amongSeveralCallsTheNumberSaysWhich() {
        var phone = Phone()
        for number in 1...3 { phone.established(UInt32(number), "bob@example.com") }
        phone.type("T")
        #expect(phone.commands.isEmpty)
        phone.type(":attended 1")
        phone.press(.enter)
        #expect(phone.commands == [.connect(first, to: CallReference(3))])
        phone.type(":attended 3")
        phone.press(.enter)
        #expect(phone.commands.count == 1)
    }

    @Test func asksWhetherToCallWhomThePeerNames() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.receive(.transferRequested(first, target: Party(displayName: "Dave", address: "dave@example.com")))
        let screen = phone.canvas().dump
        #expect(screen.contains("TRANSFER"))
        #expect(screen.contains("bob@example.com asks you to call"))
        #expect(screen.contains("dave@example.com"))
        phone.type("y")
        #expect(phone.commands == [.acceptTransfer(first)])
        #expect(!phone.canvas().dump.contains("TRANSFER"))
        phone.type("n")
        #expect(phone.commands.count == 1)
    }

    @Test func aRequestTakesNoKeyFromWhoIsTyping() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type("d")
        phone.receive(.transferRequested(first, target: Party(address: "0900123456")))
        phone.type("yan")
        phone.press(.enter)
        #expect(phone.commands == [.dial(target: "yan", account: nil)])
        phone.type("n")
        #expect(phone.commands.last == .declineTransfer(first))
    }

    @Test func aRequestThatIsSettledGoesAway() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.receive(.transferRequested(first, target: Party(address: "dave@example.com")))
        phone.receive(.transferSettled(first))
        #expect(!phone.canvas().dump.contains("TRANSFER"))
        phone.type("y")
        #expect(phone.commands.isEmpty)
    }

    @Test func aRequestStaysWhenItsCallIsOver() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.receive(.transferRequested(first, target: Party(address: "dave@example.com")))
        phone.receive(.ended(first, CallEnd(cause: "hung up", side: .remote, isFailure: false)))
        phone.wait(.seconds(30))
        #expect(phone.canvas().dump.contains("TRANSFER"))
        phone.type("y")
        #expect(phone.commands == [.acceptTransfer(first)])
        phone.wait(.seconds(1))
        #expect(!phone.canvas().dump.contains("TRANSFER"))
    }

    @Test func aCallThatIsToWaitHearsNobodyFromThenOn() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.established(2, "dave@example.com")
        phone.type("x")
        #expect(phone.commands == [.hold(second)])
        #expect(phone.canvas().dump.contains("● holding"))
        #expect(!phone.canvas().dump.contains("hear you at once"))
        phone.receive(.hold(second, .none))
        #expect(phone.canvas().dump.contains("hear you at once"), "its peer refused")
    }

    @Test func theKeyThatConnectsIsNamedWhereTwoCallsAreUp() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        #expect(phone.canvas().text(ofRow: 23).contains("t transfer"))
        phone.established(2, "dave@example.com")
        #expect(phone.canvas().text(ofRow: 23).contains("T connect"))
    }
}
