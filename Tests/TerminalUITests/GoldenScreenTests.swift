import EngineKit
import FoundationEssentials
import Testing

@testable import TerminalUI

/// Whole screens against the texts in `Golden`. With OFFHOOK_RECORD_GOLDEN set they are written instead: read the
/// difference before it is kept.
@Suite struct GoldenScreenTests {
    @Test func idle() throws {
        try expect(Phone().canvas(), "idle")
    }

    @Test func emptyStatesTeach() throws {
        var phone = Phone(withAccounts: false)
        try expect(phone.canvas(), "empty")
        phone.press(.character("r"))
        try expect(phone.canvas(), "empty-accounts")
        phone.press(.character("l"))
        try expect(phone.canvas(), "empty-calls")
    }

    @Test func incomingCall() throws {
        var phone = Phone()
        phone.incoming(1, "carol@example.net", name: "Carol")
        phone.wait(.seconds(7))
        try expect(phone.canvas(), "incoming")
        try expect(phone.canvas(repertoire: .ascii), "incoming-ascii")
    }

    @Test func callsWithLongWideAndCombiningNames() throws {
        let phone = busyPhone()
        try expect(phone.canvas(), "calls")
        try expect(phone.canvas(columns: 120, rows: 40), "calls-120x40")
        try expect(phone.canvas(repertoire: .ascii), "calls-ascii")
        try expect(phone.canvas(repertoire: .plainSigns), "calls-plain-signs")
        try expect(phone.canvas(columns: 79, rows: 23), "calls-79x23")
        try expect(phone.canvas(columns: 60, rows: 16), "calls-60x16")
        try expect(phone.canvas(columns: 40, rows: 12), "calls-small")
        try expect(phone.canvas(columns: 39, rows: 9), "calls-tiny")
    }

    @Test func callWaitingOverACall() throws {
        var phone = busyPhone()
        phone.incoming(9, "+34911234567")
        phone.wait(.seconds(3))
        try expect(phone.canvas(), "call-waiting")
    }

    @Test func help() throws {
        var phone = Phone()
        phone.press(.character("?"))
        try expect(phone.canvas(), "help")
        try expect(phone.canvas(columns: 120, rows: 90), "help-whole")
    }

    @Test func quitAsks() throws {
        var phone = busyPhone()
        phone.press(.character("q"))
        try expect(phone.canvas(), "quit")
    }

    @Test func dialLineAndCommandLine() throws {
        var phone = Phone()
        phone.type("dbob@example.com")
        phone.press(.enter)
        phone.type("dbo")
        try expect(phone.canvas(), "dial")
        phone.press(.escape)
        phone.type(":re")
        phone.press(.tab)
        try expect(phone.canvas(), "command")
    }

    @Test func failuresSayCauseAndCure() throws {
        var phone = Phone()
        phone.receive(
            .registration(
                account: "work",
                .failed(
                    cause: "403 Forbidden: the registrar does not know this user",
                    cure: "check username, or the account is disabled")))
        phone.outgoing(1, "bob@example.com", name: "Bob")
        phone.wait(.seconds(2))
        phone.receive(
            .ended(
                CallReference(1),
                CallEnd(cause: "486 Busy Here", cure: "try again later", side: .remote, isFailure: true)))
        try expect(phone.canvas(), "failures")
        phone.press(.character("r"))
        try expect(phone.canvas(), "accounts")
    }

    @Test func ladderAndStatusAndList() throws {
        var phone = Phone()
        phone.outgoing(1, "bob@example.com", name: "Bob")
        let call = CallReference(1)
        func send(_ summary: Printable, _ direction: MessageDirection, after milliseconds: Int) {
            phone.wait(.milliseconds(milliseconds))
            phone.receive(.sipMessage(call, MessageSummary(summary: summary, direction: direction, time: phone.now)))
        }
        send("INVITE sip:bob@example.com  opus,pcmu,pcma", .sent, after: 0)
        send("100 Trying", .received, after: 27)
        send("180 Ringing", .received, after: 371)
        send("200 OK  opus  203.0.113.9:16502", .received, after: 1518)
        phone.receive(.answered(call))
        phone.receive(.media(call, MediaSummary(codec: "opus 48k", detail: "opus/48000 fec=1, 203.0.113.9:16502")))
        phone.receive(.quality(call, Self.quality))
        send("ACK", .sent, after: 1)
        phone.press(.character("L"))
        try expect(phone.canvas(), "ladder")
        phone.press(.character("c"))
        try expect(phone.canvas(), "status")
        phone.wait(.seconds(61))
        phone.receive(.ended(call, CallEnd(cause: "hung up", side: .remote, isFailure: false)))
        phone.wait(.seconds(11))
        phone.press(.character("l"))
        try expect(phone.canvas(), "list")
    }

    private static let quality = CallQuality(
        lossPercent: 0.4, jitterMilliseconds: 6.2, bufferMilliseconds: 40, roundTripMilliseconds: 31.4,
        kilobitsPerSecond: 32.1, meanOpinionScore: 4.3, packetsSent: 1200, packetsReceived: 1195, packetsLost: 5,
        packetsLate: 3)

    private func busyPhone() -> Phone {
        var phone = Phone()
        phone.established(1, "bob@example.com", name: "Bob")
        for level in [-50.0, -40, -12, -3, -20, -33, -48, -90] {
            phone.receive(.levels(CallReference(1), AudioLevels(microphone: level, ear: -6 + level / 2)))
        }
        phone.receive(.quality(CallReference(1), Self.quality))
        phone.wait(.seconds(103))
        phone.established(2, "desk14@pbx.example.com", name: "李小龍 Desk fourteen, second floor")
        phone.receive(.hold(CallReference(2), .byUs))
        phone.receive(.muted(CallReference(2), true))
        phone.established(3, "e@example.com", name: "Re\u{301}ne\u{301} O\u{308}sterga\u{30A}rd")
        phone.receive(.hold(CallReference(3), .byPeer))
        phone.wait(.seconds(48))
        phone.outgoing(4, "+442079460000")
        phone.receive(.progress(CallReference(4), .ringing("180 Ringing")))
        phone.wait(.seconds(6))
        phone.receive(.log(.warning, .phone, "call 1: 3 packets late in 10 s (the buffer grew to 60 ms)"))
        phone.press(.character("@"))
        phone.press(.character("1"))
        return phone
    }

    private func expect(
        _ canvas: Canvas, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
        let file = folder.appending(path: "\(name).txt")
        if ProcessInfo.processInfo.environment["OFFHOOK_RECORD_GOLDEN"] != nil {
            try Data(canvas.dump.utf8).write(to: file)
        }
        let golden = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(canvas.dump == golden, "the screen differs from Golden/\(name).txt", sourceLocation: sourceLocation)
        for row in 0..<canvas.rows {
            #expect(canvas.row(row).count == canvas.columns, sourceLocation: sourceLocation)
        }
    }
}
