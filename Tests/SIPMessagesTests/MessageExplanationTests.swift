import Proofs
import SIPMessages
import Testing

struct MessageExplanationTests {
    @Test func structureOfAGoodMessage() {
        let explanation = MessageExplanation(of: requestText(extra: ["Subject: lunch"]))
        #expect(explanation.isAcceptable)
        #expect(explanation.answer == nil)
        #expect(explanation.lines.first == "request: INVITE sip:ben@example.com")
        #expect(explanation.lines.contains("Subject: lunch"))
        #expect(explanation.lines.last == "body: none")
    }

    @Test(.proves(.clause("RFC 3261 §8.1.1")))
    func everyFaultOfABrokenMessageIsTold() {
        let explanation = MessageExplanation(
            of: requestText(
                line: "INVITE <sip:a@b> SIP/2.0",
                replacing: ["To": nil, "CSeq": "x INVITE", "Contact": "sip:a@b?c=d", "Max-Forwards": "-1"]))
        #expect(!explanation.isAcceptable)
        #expect(explanation.answer == 400)
        #expect(explanation.entries.map(\.subject) == ["message", "To", "CSeq", "Max-Forwards", "Contact"])
        #expect(explanation.entries.allSatisfy { $0.kind == .fault && $0.status == 400 && $0.clause != nil })
        #expect(explanation.lines[1].hasPrefix("fault: To: the header field is missing (RFC 3261 §8.1.1, octet "))
    }

    @Test(.proves(.clause("RFC 3261 §20.22")))
    func maxForwardsBeyondItsRangeIsAFaultAndShownAsItCame() throws {
        let explanation = MessageExplanation(of: requestText(replacing: ["Max-Forwards": "700"]))
        #expect(explanation.answer == 400)
        #expect(explanation.lines.contains("Max-Forwards: 700"))
        #expect(
            explanation.lines.last
                == "fault: Max-Forwards: the number is not within 0 to 255 (RFC 3261 §20.22, owed 400)")
        let broken = MessageExplanation(of: requestText(replacing: ["Max-Forwards": "700", "To": nil]))
        #expect(broken.entries.map(\.subject) == ["To", "Max-Forwards"])
    }

    @Test func brokenRulesFollowTheStructure() throws {
        let explanation = MessageExplanation(of: requestText(extra: ["Require: x"]))
        #expect(explanation.answer == 420)
        let fault = try #require(explanation.entries.last)
        #expect(fault.status == 420 && fault.subject == "Require")
        #expect(explanation.entries.first?.kind == .part)
    }

    @Test func nobodyIsOwedAnAnswerToAnAckOrAResponse() {
        let ack = MessageExplanation(of: requestText(method: "ACK", replacing: ["CSeq": "1 BYE"]))
        #expect(!ack.isAcceptable && ack.answer == nil)
        let response = MessageExplanation(of: requestText(line: "SIP/2.0 999 x"))
        #expect(response.entries.allSatisfy { $0.status == nil })
        #expect(!response.isAcceptable && response.answer == nil)
    }
}
