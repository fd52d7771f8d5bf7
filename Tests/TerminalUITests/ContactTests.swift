import EngineKit
import Testing

@testable import TerminalUI

/// The list of contacts, and who is writing.
@Suite struct ContactTests {
    private func phone() -> Phone {
        var phone = Phone()
        phone.receive(.contact(Party(displayName: "Bob", address: "bob@example.com")))
        phone.receive(.contact(Party(displayName: "Desk 14", address: "14@example.com")))
        return phone
    }

    private func rows(_ phone: Phone) -> [String] {
        let canvas = phone.canvas()
        return (0..<canvas.rows).map { canvas.text(ofRow: $0) }
    }

    @Test func showsWhoCanBeReachedAndWhoIsOnThePhone() {
        var phone = phone()
        phone.press(.character("C"))
        #expect(rows(phone).contains { $0.contains("Bob") && !$0.contains("available") })
        phone.receive(.presence(of: "bob@example.com", Presence(isOpen: true, detail: "lunch")))
        phone.receive(.lamp(of: "14@example.com", .ringing))
        #expect(rows(phone).contains { $0.contains("Bob") && $0.contains("● available, lunch") })
        #expect(rows(phone).contains { $0.contains("Desk 14") && $0.contains("◌ ringing") })
        phone.receive(.lamp(of: "14@example.com", .busy))
        phone.receive(.presence(of: "bob@example.com", Presence(isOpen: false)))
        #expect(rows(phone).contains { $0.contains("Desk 14") && $0.contains("● on a call") })
        #expect(rows(phone).contains { $0.contains("Bob") && $0.contains("○ away") })
        // Lines keep their place, and whoever is watched without a name comes behind them.
        phone.receive(.lamp(of: "carol@example.net", .idle))
        #expect(phone.state.contacts.map(\.address.text) == ["bob@example.com", "14@example.com", "carol@example.net"])
    }

    @Test(
        arguments: [
            (":message Desk 14 are you there", "Desk 14", "are you there"), (":message bob  hello", "bob", "hello"),
            (":message Desk 15 hello", "Desk", "15 hello"), (":message desk 14  hello", "Desk 14", "hello"),
        ])
    func aTextGoesToTheContactThatIsNamed(typed: String, target: String, text: String) {
        var phone = phone()
        phone.receive(.contact(Party(displayName: "Desk", address: "desk@example.com")))
        phone.type(typed)
        phone.press(.enter)
        let sent = phone.commands.compactMap { command -> [String]? in
            if case .message(let target, let text) = command { [target.lowercased(), text] } else { nil }
        }
        #expect(sent == [[target.lowercased(), text]])
    }

    @Test(arguments: [("dbo", "Bob"), ("dDe", "Desk 14"), (":message de", "message Desk 14"), (":dial Bo", "dial Bob")])
    func contactsAreOfferedWhereSomebodyIsToBeNamed(typed: String, line: String) {
        var phone = phone()
        phone.type(typed)
        if typed.first == "d" { #expect(phone.canvas().text(ofRow: 22).contains("⇥ \(line)")) }
        phone.press(.tab)
        #expect(phone.canvas().text(ofRow: 22).contains("▏\(line)"))
    }

    @Test func anEmptyListTeaches() {
        var phone = Phone()
        phone.type(":contacts")
        phone.press(.enter)
        #expect(rows(phone).contains { $0.contains("Add a [[contact]]") })
    }

    @Test func theListIsBounded() {
        var phone = Phone()
        for number in 0..<600 { phone.receive(.lamp(of: "\(number)@example.com", .idle)) }
        #expect(phone.state.contacts.count == AppState.maximumContacts)
        for number in 0..<40 {
            phone.receive(.composing(Party(address: "\(number)@example.com"), isActive: true))
        }
        #expect(phone.state.writers.count == AppState.maximumWriters)
    }

    @Test func whoWritesIsShownUntilTheMessageComes() {
        var phone = phone()
        let bob = Party(displayName: "Bob", address: "bob@example.com")
        phone.receive(.composing(bob, isActive: true))
        #expect(rows(phone)[22].contains("Bob <bob@example.com> is writing"))
        phone.receive(.message(account: "work", bob, "hello"))
        phone.wait(.seconds(11))
        #expect(rows(phone)[22].contains("d or a number dials"))
        phone.receive(.composing(bob, isActive: true))
        phone.receive(.composing(bob, isActive: false))
        #expect(rows(phone)[22].contains("d or a number dials"))
    }

    // MARK: - Ours

    @Test func whomTheCommandLineWritesToHearsOfEachKeyThatCounts() {
        var phone = Phone()
        #expect(phone.type(":message bob@example.com").isEmpty)
        #expect(phone.type(" h") == [.composing(target: "bob@example.com", isActive: true)])
        #expect(phone.press(.left).isEmpty)
        #expect(phone.press(.character("o")) == [.composing(target: "bob@example.com", isActive: true)])
        #expect(phone.press(.enter) == [.message(target: "bob@example.com", text: "oh")])
    }

    @Test func whoeverGivesTheTextUpHasStopped() {
        for key in [Key.escape, .control("u")] {
            var phone = Phone()
            phone.type(":write bob@example.com hi")
            phone.commands = []
            phone.press(key)
            #expect(phone.commands == [.composing(target: "bob@example.com", isActive: false)])
        }
        var phone = Phone()
        #expect(phone.type(":options bob@example.com now").isEmpty)
        #expect(phone.type("\u{1b}").isEmpty)
    }

    @Test func theFullStopStandsForWhoeverWroteLast() {
        var phone = phone()
        #expect(phone.type(":message . ye").isEmpty, "nobody has written yet")
        phone.press(.escape)
        phone.receive(.message(account: "work", Party(address: "carol@example.net"), "where are you?"))
        #expect(phone.type(":message . h") == [.composing(target: "carol@example.net", isActive: true)])
    }
}
