import EngineKit
import Testing

@testable import TerminalUI

/// What lies over the phone must hide neither the call in progress nor what the keys do.
@Suite struct OverlayTests {
    private let first = CallReference(1)
    private let second = CallReference(2)

    private func rows(_ phone: Phone) -> [String] {
        let canvas = phone.canvas()
        return (0..<canvas.rows).map { canvas.text(ofRow: $0) }
    }

    @Test(arguments: ["?", "r", "C", "l", "L", "c"]) func theCallInProgressStaysInSightAboveAPage(key: String) {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type(key)
        #expect(rows(phone)[2].hasPrefix(" ▶ 1  bob@example.com") && rows(phone)[2].contains("● up 00:00"))
        phone.receive(.ended(first, CallEnd(cause: "hung up", side: .remote, isFailure: false)))
        #expect(!rows(phone)[2].contains("up 00:00"))
    }

    @Test func diallingClosesThePage() {
        var phone = Phone()
        phone.type("?dbob@example.com")
        phone.press(.enter)
        #expect(phone.state.page == nil)
        phone.outgoing(1, "bob@example.com")
        #expect(rows(phone)[3].contains("bob@example.com"))
    }

    @Test func theBoxOverAPageHasItsKeysAndTheBottomRowNamesThem() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type("?")
        phone.incoming(2, "carol@example.com")
        let row = rows(phone)[23]
        #expect(row == " H hold current and answer  a answer too  r reject  i ignore  Esc close")
        var other = phone
        #expect(other.type("H") == [.hold(first), .answer(second)])
        other = phone
        #expect(other.type("i") == [.silence(second)])
        #expect(phone.type("r") == [.reject(second, status: 486)])
    }

    @Test func theBottomRowSaysWhichCallEndsBesideABox() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.incoming(2, "carol@example.com")
        #expect(phone.canvas(columns: 120).text(ofRow: 23).contains("i ignore  b hang up call 1"))
    }

    @Test func aPageScrollsToItsEndUnderACall() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.type("?")
        for _ in 0..<20 { phone.press(.pageDown) }
        #expect(rows(phone).contains { $0.contains("calls missed") })
        #expect(!rows(phone).contains { $0.contains("more") && $0.contains("↓") })
    }

    // MARK: - Answering beside a call

    @Test func theBoxSaysWhoWouldHearUsAndOffersToHoldFirst() throws {
        var phone = Phone()
        phone.incoming(1, "bob@example.com")
        #expect(!phone.canvas().dump.contains("all hear you"))
        phone.type("a")
        phone.receive(.answered(first))
        phone.wait(.seconds(2))
        phone.incoming(2, "carol@example.com")
        let keys = try #require(rows(phone).first { $0.contains("all hear you") })
        #expect(keys.contains("H hold current and answer  a answer, all hear you"))
        phone.receive(.muted(first, true))
        #expect(!phone.canvas().dump.contains("all hear you"))
    }

    @Test func whoeverHearsUsAtOnceIsSaidUntilOneIsHeld() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.incoming(2, "carol@example.com")
        phone.type("a")
        phone.receive(.answered(second))
        #expect(rows(phone)[2] == " CALLS  2 hear you at once: x holds one")
        #expect(rows(phone).contains { $0.contains("call 2    call 1 hears you too: x holds one of them") })
        phone.receive(.hold(first, .byUs))
        #expect(rows(phone)[2] == " CALLS")
    }

    // MARK: - Transfer without a call

    @Test func whatFollowsATransferThatCantBeIsNeitherDialledNorKept() {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        phone.receive(.ended(first, CallEnd(cause: "the peer hung up", side: .remote, isFailure: false)))
        phone.type("t")
        #expect(rows(phone)[22].contains("no call is up to transfer"))
        #expect(rows(phone)[23] == " Esc leave")
        phone.type("5551234")
        phone.press(.paste("sip:carol@example.com"))
        #expect(rows(phone)[22].contains("no call is up to transfer"))
        #expect(phone.press(.enter).isEmpty)
        #expect(phone.commands.isEmpty)
        #expect(phone.type("7").isEmpty)
        #expect(phone.state.dialLine.text == "7")
    }

    // MARK: - Order

    @Test func aNumberNamesOneCallForAsLongAsThePhoneRuns() {
        var phone = Phone()
        for reference in UInt32(1)...120 {
            phone.outgoing(reference, "+442079460000")
            phone.receive(
                .ended(CallReference(reference), CallEnd(cause: "hung up", side: .local, isFailure: false)))
            phone.wait(.seconds(11))
        }
        phone.established(121, "+442079460000")
        #expect(phone.state.calls.map(\.number) == [121])
        #expect(rows(phone)[3].contains("121 +442079460000"))
        #expect(phone.type("@121x") == [.hold(CallReference(121))])
    }

    @Test func theListBeginsWithTheNewest() {
        var phone = Phone()
        for reference in UInt32(1)...30 {
            phone.outgoing(reference, Printable("n\(reference)@example.com"))
            phone.receive(
                .ended(CallReference(reference), CallEnd(cause: "hung up", side: .local, isFailure: false)))
            phone.wait(.seconds(11))
        }
        phone.type("l")
        #expect(rows(phone)[3].contains("n30@") && rows(phone)[4].contains("n29@"))
    }

    @Test func onAWideScreenTheStateStaysNearTheName() throws {
        var phone = Phone()
        phone.established(1, "bob@example.com")
        let row = phone.canvas(columns: 200, rows: 60).text(ofRow: 3)
        let name = try #require(row.firstRange(of: "bob@example.com"))
        let state = try #require(row.firstRange(of: "●"))
        #expect(row.distance(from: name.upperBound, to: state.lowerBound) < 40)
    }
}
