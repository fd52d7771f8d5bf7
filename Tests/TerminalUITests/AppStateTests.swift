import EngineKit
import Testing

@testable import TerminalUI

@Suite struct AppStateTests {
    private let first = CallReference(1)

    @Test func countsWhatWasMissedUntilTheListIsRead() {
        var phone = Phone()
        phone.incoming(1, "carol@example.com")
        phone.receive(.ended(first, CallEnd(cause: "caller gave up", side: .remote, isFailure: false)))
        #expect(phone.state.missedCalls == 1)
        #expect(phone.canvas().text(ofRow: 0).hasSuffix("⚑1"))
        phone.type("l")
        #expect(phone.state.missedCalls == 0)
    }

    @Test func anEndedCallKeepsItsLineForAWhile() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.wait(.seconds(5))
        phone.receive(.ended(first, CallEnd(cause: "hung up", side: .remote, isFailure: false)))
        #expect(phone.state.deadline(after: phone.now) <= phone.now + .seconds(10))
        phone.wait(.milliseconds(9_999))
        #expect(phone.state.calls.count == 1)
        phone.wait(.milliseconds(1))
        #expect(phone.state.calls.isEmpty)
        #expect(phone.state.pastCalls.first?.duration == .seconds(5))
    }

    @Test func newCallsAreAppendedAndKeepTheirNumbers() {
        var phone = Phone()
        phone.outgoing(7, "a@example.com")
        phone.outgoing(9, "b@example.com")
        phone.receive(.ended(CallReference(7), CallEnd(cause: "hung up", side: .local, isFailure: false)))
        phone.wait(.seconds(11))
        phone.outgoing(8, "c@example.com")
        #expect(phone.state.calls.map(\.number) == [2, 3])
        #expect(phone.state.calls.map(\.reference.rawValue) == [9, 8])
    }

    @Test func theLogStandsStillUnderWhoReadsIt() {
        var phone = Phone()
        for number in 0..<50 { phone.receive(.log(.info, .phone, "line \(number)")) }
        phone.press(.pageUp)
        let before = (8...20).map { phone.canvas().text(ofRow: $0) }
        for number in 50..<60 { phone.receive(.log(.info, .phone, "line \(number)")) }
        #expect((8...20).map { phone.canvas().text(ofRow: $0) } == before)
        for _ in 0..<20 { phone.press(.pageDown) }
        #expect(phone.canvas().text(ofRow: 20).hasSuffix("line 59"))
    }

    @Test func theLogScrollsBackToItsOldestLineAndNoFurther() {
        var phone = Phone()
        for number in 0..<50 { phone.receive(.log(.info, .phone, "line \(number)")) }
        for _ in 0..<40 { phone.press(.pageUp) }
        let full = (8...20).map { phone.canvas().text(ofRow: $0) }
        #expect(full.allSatisfy { !$0.isEmpty })
        #expect(full[0].contains("reached at"))
        phone.press(.pageDown)
        #expect((8...20).map { phone.canvas().text(ofRow: $0) } != full)
    }

    @Test func linesKeepTheirPlaceThroughHoldAndEnd() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.established(2, "carol@example.com")
        func placeOfTheSecond() -> Int? {
            let canvas = phone.canvas()
            return (0..<canvas.rows).first { canvas.text(ofRow: $0).contains("2  carol@example.com") }
        }
        let place = placeOfTheSecond()
        #expect(place == 5)
        for state in [HoldState.byUs, .byBoth, .byPeer, .none] {
            phone.receive(.hold(first, state))
            #expect(placeOfTheSecond() == place, "\(state)")
        }
        phone.wait(.seconds(5))
        phone.receive(.ended(first, CallEnd(cause: "hung up", side: .remote, isFailure: false)))
        #expect(placeOfTheSecond() == place)
        #expect(phone.canvas().text(ofRow: 4).contains("lasted 00:05"))
    }

    @Test func theClockOfALongHoldIsNeverCut() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.receive(.hold(first, .byPeer))
        phone.wait(.seconds(3654))
        #expect(phone.canvas().text(ofRow: 3).contains("‖ held by p… 1:00:54"))
    }

    @Test func whetherTheCallerIsKnownIsNeverCut() {
        var phone = Phone()
        phone.receive(
            .incomingCall(
                first,
                IncomingCall(
                    account: "work", peer: Party(address: "carol@example.com"),
                    via: "[2001:db8:85a3:1111:2222:8a2e:370:7334]:50600", codecs: ["opus", "pcmu", "pcma", "g722"],
                    trust: "address not verified")))
        #expect(phone.canvas().dump.contains("address not verified"))
    }

    @Test func theLadderHasTheMediaBeforeTheEnd() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        for text: Printable in ["INVITE sip:bob@example.com", "200 OK", "ACK", "BYE sip:bob@example.com", "200 OK"] {
            phone.receive(.sipMessage(first, MessageSummary(summary: text, direction: .sent, time: phone.now)))
        }
        phone.type("L")
        let canvas = phone.canvas()
        let rows = (5..<11).map { canvas.text(ofRow: $0) }
        #expect(rows[3].contains("═ RTP opus 48k ═") && rows[4].contains("BYE") && rows[5].contains("200 OK"))
    }

    @Test func theNumberIsNeverCutForAName() {
        let name = Printable(String(repeating: "Very long name ", count: 20))
        let party = Party(displayName: name, address: "+442079460000")
        for width in 13...120 { #expect(party.fitted(to: width).contains("+442079460000")) }
    }

    @Test func theClockRunsFromTheTimeItWasTold() {
        var phone = Phone()
        phone.wait(.seconds(86_400 + 3600 + 59 * 60))
        #expect(phone.canvas().text(ofRow: 0).hasSuffix("14:00"))
    }

    @Test func nothingTrapsWhateverKeysEventsAndSizes() {
        var random = RandomSource(seed: 2026)
        for _ in 0..<12 {
            var phone = Phone(withAccounts: Bool.random(using: &random))
            for _ in 0..<250 {
                if Bool.random(using: &random) {
                    phone.press(Self.key(&random))
                } else {
                    phone.receive(Self.event(&random))
                }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    phone.wait(.milliseconds(Int.random(in: 0...20_000, using: &random)))
                }
                guard Int.random(in: 0..<8, using: &random) == 0 else { continue }
                let sizes = [
                    (1, 1), (2, 3), (10, 200), (200, 4), (40, 10), (63, 15), (79, 24), (80, 24), (81, 25), (200, 60),
                ]
                let (columns, rows) = sizes.randomElement(using: &random) ?? (80, 24)
                let canvas = phone.canvas(
                    columns: columns, rows: rows, repertoire: Bool.random(using: &random) ? .unicode : .ascii)
                assertAligned(canvas)
                #expect(phone.state.deadline(after: phone.now) >= phone.now)
            }
        }
    }

    /// Every row has its width, wide characters both their cells, and ASCII is ASCII.
    private func assertAligned(_ canvas: Canvas) {
        for row in 0..<canvas.rows {
            let cells = Array(canvas.row(row))
            #expect(cells.count == canvas.columns)
            var width = 0
            for (index, cell) in cells.enumerated() where !cell.text.isEmpty {
                let isWide = index + 1 < cells.count && cells[index + 1].text.isEmpty
                #expect(CellWidth.of(cell.text) == (isWide ? 2 : 1))
                width += isWide ? 2 : 1
                if canvas.repertoire == .ascii { #expect(cell.text.utf8.count == 1) }
            }
            #expect(width == canvas.columns)
        }
        if let cursor = canvas.cursor {
            #expect((0..<canvas.columns).contains(cursor.column) && (0..<canvas.rows).contains(cursor.row))
        }
    }

    private static func key(_ random: inout RandomSource) -> Key {
        let special: [Key] = [
            .enter, .tab, .backTab, .escape, .backspace, .delete, .left, .right, .up, .down, .home, .end, .pageUp,
            .pageDown, .function(1), .function(12), .paste("b\u{1B}漢\n5"), .paste(String(repeating: "z", count: 9000)),
        ]
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2: return special.randomElement(using: &random) ?? .enter
        case 3:
            let value = UInt8.random(in: 0x61...0x7A, using: &random)
            return .control(Character(Unicode.Scalar(value)))
        case 4: return .character("漢")
        case 5: return .character("\u{301}")
        default: return .character(Character(Unicode.Scalar(UInt8.random(in: 0x20...0x7E, using: &random))))
        }
    }

    private static func event(_ random: inout RandomSource) -> PhoneEvent {
        let call = CallReference(UInt32.random(in: 0...6, using: &random))
        let scalars = (0..<40).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x2FFFF, using: &random)) }
        let text = Printable(String(String.UnicodeScalarView(scalars)))
        let numbers: [Double] = [0, 3.7, -1, 1e300, .infinity, -.infinity, .nan, -54, -3]
        func number() -> Double { numbers.randomElement(using: &random) ?? 0 }
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return .timeOfDay(TimeOfDay(milliseconds: Int.random(in: .min...(.max), using: &random)))
        case 1: return .account(AccountDescription(name: text, address: text))
        case 2: return .registration(account: "work", .failed(cause: text, cure: text))
        case 3: return .registration(account: "work", .registered(detail: text))
        case 4: return .outgoingCall(call, account: text, peer: Party(displayName: text, address: text))
        case 5:
            let peer = Party(displayName: text, address: text)
            return .incomingCall(call, IncomingCall(account: text, peer: peer, via: text, codecs: [text], trust: text))
        case 6: return .progress(call, .ringing(text))
        case 7: return .answered(call)
        case 8: return .media(call, MediaSummary(codec: text, detail: text))
        case 9:
            return .hold(call, [.none, .byUs, .byPeer, .byBoth].randomElement(using: &random) ?? .none)
        case 10: return .levels(call, AudioLevels(microphone: number(), ear: number()))
        case 11:
            return .quality(
                call,
                CallQuality(
                    lossPercent: number(), jitterMilliseconds: number(), bufferMilliseconds: number(),
                    roundTripMilliseconds: number(), kilobitsPerSecond: number(), meanOpinionScore: number(),
                    packetsSent: .max))
        case 12: return .digit(call, text, .received)
        case 13:
            return .ended(
                call,
                CallEnd(cause: text, cure: text, side: .remote, isFailure: Bool.random(using: &random)))
        case 14:
            let time = Instant(nanoseconds: Int64.random(in: .min...(.max), using: &random))
            return .sipMessage(call, MessageSummary(summary: text, direction: .sent, time: time))
        default: return .log(.failure, .call(call), text)
        }
    }
}
