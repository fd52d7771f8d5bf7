import EngineKit
import Testing

@testable import TerminalUI

@Suite struct KeyTests {
    private let first = CallReference(1)
    private let second = CallReference(2)

    @Test func aKeyMeansOneThingInEachScope() {
        for scope in Scope.allCases {
            let keys = Binding.table.filter { $0.scope == scope }.flatMap(\.keys)
            #expect(Set(keys).count == keys.count, "\(scope)")
        }
    }

    @Test func aCommandHasOneMeaning() {
        let names = Binding.table.flatMap(\.names)
        #expect(Set(names).count == names.count)
        // Each name finds its own row even where it begins another.
        for alias in [
            "call", "dial", "invite", "accept", "bye", "terminate", "pause", "retrieve", "exit", "quit", "q",
        ] {
            #expect(names.contains(alias))
        }
    }

    @Test func escapeNeverHangsUpAnywhere() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.incoming(2, "carol@example.com")
        for opening in ["", "d", ":", "@", "?", "q", "L", "c", "l", "i", "x"] {
            phone.type(opening)
            for _ in 0..<3 { #expect(phone.press(.escape).isEmpty, "after \(opening)") }
        }
        #expect(phone.state.liveCalls.count == 2)
    }

    @Test func whomAPeerNamesInItsPlaceIsCalledWhereThePersonWantsIt() {
        var phone = Phone()
        phone.outgoing(1, "bob@example.com")
        phone.receive(
            .ended(
                CallReference(1),
                CallEnd(
                    cause: "302 Moved", cure: "To call", side: .remote, isFailure: true,
                    redirection: "sip:carol@example.com")))
        #expect(phone.commands.isEmpty)
        phone.type("d")
        phone.press(.up)
        #expect(phone.press(.enter) == [.dial(target: "sip:carol@example.com", account: nil)])
    }

    @Test(arguments: ["b", "h"]) func hangsUpAtOnce(key: Character) {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        #expect(phone.press(.character(key)) == [.hangUp(first)])
    }

    @Test func hangsUpFromAPageToo() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type("?")
        #expect(phone.type("b") == [.hangUp(first)])
    }

    @Test func aSecondPressDoesNotEndTheNextCall() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.established(2, "carol@example.com")
        #expect(phone.type("b") == [.hangUp(second)])
        phone.receive(.ended(second, CallEnd(cause: "hung up", side: .local, isFailure: false)))
        #expect(phone.state.selection == first)
        phone.wait(.milliseconds(300))
        #expect(phone.type("b").isEmpty)
        phone.wait(.seconds(1))
        #expect(phone.type("b") == [.hangUp(first)])
    }

    @Test func hangingUpRightAfterARefusalIsMeant() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.incoming(2, "carol@example.com")
        #expect(phone.type("r") == [.reject(second, status: 486)])
        phone.receive(.ended(second, CallEnd(cause: "refused", side: .local, isFailure: false)))
        phone.wait(.milliseconds(100))
        #expect(phone.type("b") == [.hangUp(first)])
    }

    @Test func hangingUpACallJustSelectedIsMeant() {
        var phone = Phone()
        for number in 1...3 { phone.established(UInt32(number), "bob@example.com") }
        #expect(phone.type("b") == [.hangUp(CallReference(3))])
        phone.receive(.ended(CallReference(3), CallEnd(cause: "hung up", side: .local, isFailure: false)))
        #expect(phone.type("]b") == [.hangUp(second)])
    }

    @Test(arguments: ["r", "a", "i"]) func aSecondPressDoesNotReachTheNextCallInTheBox(key: String) {
        var phone = Phone()
        phone.incoming(1, "bob@example.com")
        phone.incoming(2, "carol@example.com")
        #expect(phone.type(key).count == 1)
        if key == "a" {
            phone.wait(.seconds(2))
            phone.receive(.answered(first))
        }
        phone.wait(.milliseconds(300))
        #expect(phone.state.ringingCalls.map(\.reference) == [second])
        #expect(phone.type(key).isEmpty)
        phone.wait(.seconds(1))
        #expect(phone.type(key).count == 1)
    }

    @Test func aCallAnsweredLongAgoHoldsNoKeyBack() {
        var phone = Phone()
        phone.incoming(1, "bob@example.com")
        phone.type("a")
        phone.receive(.answered(first))
        phone.wait(.seconds(60))
        phone.incoming(2, "carol@example.com")
        phone.receive(.ended(first, CallEnd(cause: "the peer hung up", side: .remote, isFailure: false)))
        #expect(phone.type("a") == [.answer(second)])
    }

    @Test func theBottomRowSaysWhatTheKeysDoNow() {
        func row(_ phone: Phone) -> String { phone.canvas(columns: 120).text(ofRow: 23) }
        var phone = Phone()
        phone.established(1, "bob@example.com")
        #expect(row(phone).contains("m mute") && row(phone).contains("0-9*# digits"))
        phone.receive(.muted(first, true))
        #expect(row(phone).contains("m unmute"))
        phone.receive(.hold(first, .byUs))
        #expect(row(phone).contains("X resume") && !row(phone).contains("digits"))
        phone.type("c")
        #expect(row(phone) == " b hang up  Esc close")
        phone.type("?")
        #expect(row(phone).contains("PgDn page down") && row(phone).contains("b hang up"))
    }

    @Test func whatIsOverCantBeHungUpAndSaysSo() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.receive(.ended(first, CallEnd(cause: "the peer hung up", side: .remote, isFailure: false)))
        #expect(phone.type("b").isEmpty)
        #expect(phone.state.notice?.text == "call 1 is over: d dials, [ ] select")
    }

    @Test func theDialLineTakesKeysOnlyWithTheFocus() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        #expect(phone.type("dbhxmq5").isEmpty)
        #expect(phone.state.dialLine.text == "bhxmq5")
        #expect(phone.press(.enter) == [.dial(target: "bhxmq5", account: nil)])
        #expect(phone.type("m") == [.setMuted(first, true)])
    }

    @Test func aRingingCallDoesNotTakeKeysFromALine() {
        var phone = Phone()
        phone.type("da")
        phone.incoming(1, "carol@example.com")
        #expect(phone.type("nna").isEmpty)
        #expect(phone.state.dialLine.text == "anna")
        phone.press(.escape)
        #expect(phone.type("a") == [.answer(first)])
    }

    @Test func digitsAreSentInACallAndDialledWithoutOne() {
        var phone = Phone()
        #expect(phone.type("12#").isEmpty)
        #expect(phone.press(.enter) == [.dial(target: "12#", account: nil)])
        phone.established(1, "bob@example.com")
        #expect(phone.type("5*") == [.sendDigits(first, "5"), .sendDigits(first, "*")])
        phone.receive(.hold(first, .byUs))
        #expect(phone.type("7").isEmpty)
        #expect(phone.state.dialLine.text == "7")
    }

    @Test func aPasteNeverActsAsKeys() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        #expect(phone.press(.paste("b\nq\u{1B}xhy")).isEmpty)
        #expect(phone.state.dialLine.text == "b qxhy")
        phone.press(.escape)
        phone.type("q")
        #expect(phone.press(.paste("y")).isEmpty)
        #expect(phone.state.question == .quit)
    }

    @Test func quitAsksOnlyWithCallsUp() {
        var phone = Phone()
        #expect(phone.type("q") == [.quit])
        phone.established(1, "bob@example.com")
        #expect(phone.type("q").isEmpty)
        #expect(phone.type("n").isEmpty)
        #expect(phone.type("b") == [.hangUp(first)])
        #expect(phone.type("q").isEmpty)
        #expect(phone.type("xb").isEmpty)
        #expect(phone.type("y") == [.quit])
        #expect(phone.canvas().text(ofRow: 22).hasPrefix(" leaving: "))
    }

    @Test func theBoxAnswersHoldsRefusesAndIgnores() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.incoming(2, "carol@example.com")
        #expect(phone.state.selection == first)
        var other = phone
        #expect(other.type("a") == [.answer(second)])
        other = phone
        #expect(other.type("H") == [.hold(first), .answer(second)])
        other = phone
        #expect(other.type("r") == [.reject(second, status: 486)])
        other = phone
        #expect(other.type("i") == [.silence(second)])
        #expect(other.state.ringingCalls.isEmpty)
        #expect(other.type("a") == [.answer(second)])
        #expect(phone.type("b") == [.hangUp(first)])
    }

    @Test func holdsResumesAndMutesWhatIsSelected() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.established(2, "carol@example.com")
        #expect(phone.type("x") == [.hold(second)])
        phone.receive(.hold(second, .byUs))
        #expect(phone.type("x").isEmpty)
        #expect(phone.type("X") == [.resume(second)])
        #expect(phone.type("[m") == [.setMuted(first, true)])
        phone.receive(.muted(first, true))
        #expect(phone.type("m") == [.setMuted(first, false)])
        #expect(phone.type("@2m") == [.setMuted(second, true)])
        #expect(phone.type("@9").isEmpty)
        #expect(phone.state.selection == second)
    }

    @Test func selectsByTwoDigitsWhereThereAreSoManyCalls() {
        var phone = Phone()
        for number in 1...12 { phone.established(UInt32(number), "bob@example.com") }
        phone.type("@1")
        #expect(phone.state.line == .callNumber)
        phone.type("1")
        #expect(phone.state.selection == CallReference(11))
        phone.type("@1")
        phone.press(.enter)
        #expect(phone.state.selection == first)
    }

    @Test(arguments: [
        (":dial bob@example.com", UserCommand.dial(target: "bob@example.com", account: nil)),
        (":call 1", .dial(target: "1", account: nil)),
        (":invite sip:a@b ", .dial(target: "sip:a@b", account: nil)),
        (":bye", .hangUp(CallReference(1))), (":terminate 1", .hangUp(CallReference(1))),
        (":pause", .hold(CallReference(1))), ("/hold 1", .hold(CallReference(1))),
        (":mute", .setMuted(CallReference(1), true)), (":unmute", .setMuted(CallReference(1), false)),
        (":dtmf 12 3a#", .sendDigits(CallReference(1), "123A#")), (":register work", .register(account: "work")),
        (":unreg", .unregister(account: nil)), (":options sip:a@b", .options(target: "sip:a@b")),
        (":OPT sip:a@b", .options(target: "sip:a@b")),
    ])
    func commandsAndTheirAliasesDoWhatKeysDo(line: String, command: UserCommand) {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type(line)
        #expect(phone.press(.enter) == [command])
    }

    @Test(arguments: [
        ":", ":   ", ":nonsense", ":h", ":dtmf xyz", ":reject 99999999999999999999", ":hold 77", ":account x",
    ])
    func whatCantBeDoneIsSaidAndNothingIsAsked(line: String) {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type(line)
        #expect(phone.press(.enter).isEmpty)
        #expect(line.dropFirst().allSatisfy { $0 == " " } || phone.state.notice != nil)
    }

    @Test func tabCompletesCommandsAndAccounts() {
        var phone = Phone()
        phone.type(":regi")
        phone.press(.tab)
        #expect(phone.state.commandLine.text == "regist")
        phone.type("e")
        phone.press(.tab)
        #expect(phone.state.commandLine.text == "register ")
        phone.type("w")
        phone.press(.tab)
        #expect(phone.press(.enter) == [.register(account: "work")])
    }

    @Test func stoppingIsRefusedWhileACallIsUp() {
        var phone = Phone()
        #expect(phone.press(.control("z")) == [.suspend])
        phone.established(1, "bob@example.com")
        #expect(phone.press(.control("z")).isEmpty)
    }
}
