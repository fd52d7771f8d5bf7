import EngineKit

@testable import TerminalUI

/// A phone for tests: a state, a clock that the test moves, and the screen as text.
struct Phone {
    var state = AppState()
    var now = Instant.zero
    /// Everything that the person wanted so far.
    var commands: [UserCommand] = []

    init(withAccounts: Bool = true) {
        state.receive(.timeOfDay(TimeOfDay(hour: 12, minute: 1, second: 0)), at: now)
        guard withAccounts else { return }
        receive(.account(AccountDescription(name: "work", address: "alice@example.com")))
        receive(.registration(account: "work", .registering))
        receive(.account(AccountDescription(name: "p2p", address: "192.0.2.7:5060")))
        receive(.registration(account: "p2p", .peerToPeer))
        wait(.milliseconds(28))
        receive(.registration(account: "work", .registered(detail: "at sip.example.com (3600 s, udp, 28 ms)")))
    }

    mutating func wait(_ duration: Duration) {
        now += duration
        state.handleDeadline(at: now)
    }

    mutating func receive(_ event: PhoneEvent) {
        state.receive(event, at: now)
    }

    /// Presses a key and returns what the person wants.
    @discardableResult
    mutating func press(_ key: Key) -> [UserCommand] {
        let wanted = state.receive(key, at: now)
        commands += wanted
        return wanted
    }

    /// Presses the key of each character.
    @discardableResult
    mutating func type(_ text: String) -> [UserCommand] {
        text.flatMap { press(.character($0)) }
    }

    mutating func outgoing(_ reference: UInt32, _ address: Printable, name: Printable? = nil) {
        receive(
            .outgoingCall(CallReference(reference), account: "work", peer: Party(displayName: name, address: address)))
    }

    mutating func incoming(_ reference: UInt32, _ address: Printable, name: Printable? = nil) {
        receive(
            .incomingCall(
                CallReference(reference),
                IncomingCall(
                    account: "work", peer: Party(displayName: name, address: address), via: "sip.example.com",
                    codecs: ["opus", "pcma"], trust: "caller not verified")))
    }

    mutating func established(_ reference: UInt32, _ address: Printable, name: Printable? = nil) {
        outgoing(reference, address, name: name)
        receive(.answered(CallReference(reference)))
        receive(
            .media(CallReference(reference), MediaSummary(codec: "opus 48k", detail: "opus/48000, 203.0.113.9:16502")))
    }

    func canvas(columns: Int = 80, rows: Int = 24, repertoire: Repertoire = .unicode) -> Canvas {
        var canvas = Canvas(columns: columns, rows: rows, repertoire: repertoire)
        var state = state
        state.resize(columns: columns, rows: rows)
        state.draw(into: &canvas, at: now)
        return canvas
    }
}

extension Canvas {
    /// All rows, blanks at their right left out, then where the cursor is.
    var dump: String {
        var text = (0..<rows).map { self.text(ofRow: $0) }.joined(separator: "\n") + "\n"
        if let cursor { text += "cursor \(cursor.column),\(cursor.row)\n" }
        return text
    }
}
