import Testing

@testable import SIPMessages

struct ShortWordTests {
    private func cursor(_ text: String) -> FieldCursor { FieldCursor(text) }

    @Test func aWordIsTakenInAnyCaseWhereverItStands() {
        // At the end of the bytes fewer than eight octets are left to look at.
        for behind in ["", ";", "/UDP 192.0.2.1:5060"] {
            for text in ["sip/2.0", "SIP/2.0", "SiP/2.0"] {
                var cursor = cursor(text + behind)
                let isTaken = cursor.take("sip/2.0")
                #expect(isTaken)
                #expect(cursor.position == 7)
            }
        }
    }

    @Test func onlyLettersHaveTwoCases() {
        // One bit less or more makes other characters of these.
        for text in ["sip\u{0f}2.0", "sip/\u{12}.0", "sip/2\u{0e}0", "[ip/2.0", "3ip/2.0", "sip/2.", "sip", ""] {
            var cursor = cursor(text)
            let isTaken = cursor.take("sip/2.0")
            #expect(!isTaken, "\(text)")
            #expect(cursor.position == 0)
        }
    }

    @Test func aWordDoesNotReachBeyondItsField() {
        let bytes = Array("sips:alice@example.com".utf8)
        var cursor = FieldCursor(bytes, 0..<3)
        let isTaken = cursor.take("sips")
        #expect(!isTaken)
        #expect(cursor.matches(0..<3, "sip") && !cursor.matches(0..<4, "sip"))
        #expect(!cursor.matches(-1..<2, "sip") && !cursor.matches(20..<23, "sip") && !cursor.matches(100..<103, "sip"))
    }

    @Test func exactWordsAreOfOneCase() {
        let cursor = cursor("INVITE invite")
        #expect(cursor.isExactly(0..<6, "INVITE") && !cursor.isExactly(7..<13, "INVITE"))
        #expect(!cursor.isExactly(0..<5, "INVITE"))
    }

    @Test func aWordThatIsTooLongIsLikeNoText() {
        let cursor = cursor("subscribe")
        #expect(!cursor.matches(0..<9, "subscribe") && !cursor.isExactly(0..<9, "subscribe"))
    }
}
