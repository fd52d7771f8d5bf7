import Proofs
import SIPMessages
import Testing

struct MessageExplanationTests {
    @Test func structureOfAGoodMessage() {
        let explanation = MessageExplanation(of: requestText(extra: ["Subject: lunch"]))
        #expect(explanation.isWellFormed)
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
        #expect(!explanation.isWellFormed)
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

    @Test(
        .proves(.clause("RFC 3261 §7.3.1"), .clause("RFC 3261 §19.1.1")),
        arguments: [
            (["From": "<sip:a@b>;tag=1;TAG=2"], "From: the parameter tag is", "RFC 3261 §7.3.1"),
            (["Via": "SIP/2.0/UDP h;branch=z9hG4bK1;branch=z9hG4bK2"], "Via: the parameter branch", "RFC 3261 §7.3.1"),
            (
                ["To": "<sip:a@b;transport=udp;transport=tcp>"], "To: the parameter transport of the URI is",
                "RFC 3261 §19.1.1"
            ),
            (["Contact": "<sip:a@b>;q=1.5"], "Contact: q is not within 0 to 1", "RFC 3261 §20.10"),
            (["RSeq": "0"], "RSeq: the number is not above 0", "RFC 3262 §7.1"),
            (
                ["Session-Expires": "90;refresher=foo"], "Session-Expires: the refresher is neither uac nor uas",
                "RFC 4028 §4"
            ),
            (
                ["Target-Dialog": "a;local-tag=1;local-tag=2;remote-tag=3"], "Target-Dialog: a parameter that",
                "RFC 3261 §7.3.1"
            ),
            (["Route": "<sip:a;lr>, sip:b;lr"], "Route: an address stands without angle brackets", "RFC 3261 §20.34"),
            (["Record-Route": "sip:b;lr"], "Record-Route: an address stands without", "RFC 3261 §20.34"),
            (["Subject": "a\u{1}b"], "Subject: control characters are in the value", "RFC 3261 §25.1"),
            (["X-Own": "a\u{7f}"], "X-Own: control characters are in the value", "RFC 3261 §25.1"),
        ] as [([String: String], String, String)])
    func whatMayBeReadInTwoWaysIsRemarkedOnAndNoFault(_ fields: [String: String], _ start: String, _ clause: String) {
        let known = ["From", "Via", "To", "Contact"]
        let explanation = MessageExplanation(
            of: requestText(
                replacing: fields.filter { known.contains($0.key) },
                extra: fields.filter { !known.contains($0.key) }.map { "\($0.key): \($0.value)" }))
        #expect(explanation.isWellFormed)
        let remarks = explanation.lines.filter { $0.hasPrefix("remark: ") }
        #expect(remarks.count == 1)
        #expect(remarks.first?.hasPrefix("remark: " + start) == true)
        #expect(remarks.first?.hasSuffix("(\(clause))") == true)
    }

    @Test(.proves(.clause("RFC 3261 §19.1.1")))
    func aRequestURIThatNamesOneThingTwiceIsRemarkedOn() {
        let explanation = MessageExplanation(
            of: requestText(line: "INVITE sip:ben@example.com;lr;user=phone;LR SIP/2.0"))
        #expect(explanation.isWellFormed)
        let remark = "remark: message: the parameter lr of the URI is there more than once (RFC 3261 §19.1.1)"
        #expect(explanation.lines.last == remark)
    }

    @Test func brokenRulesFollowTheStructure() throws {
        let explanation = MessageExplanation(of: requestText(replacing: ["CSeq": "1 BYE"]))
        #expect(explanation.answer == 400)
        let fault = try #require(explanation.entries.last)
        #expect(fault.status == 400 && fault.kind == .fault)
        #expect(explanation.entries.first?.kind == .part)
    }

    @Test(
        .proves(.clause("RFC 3261 §8.2.1")),
        arguments: [
            (requestText(method: "REGISTER", line: "REGISTER sip:example.com SIP/2.0"), 405),
            (requestText(method: "DANCE"), 501),
            (requestText(extra: ["Require: x"]), 420),
            (requestText(line: "INVITE http://example.com SIP/2.0"), 416),
            (requestText(extra: ["Content-Type: text/plain"], body: "hello"), 415),
        ])
    func whatTheRecipientDoesNotDoIsNoFaultOfTheMessage(_ bytes: [UInt8], _ status: Int) throws {
        let explanation = MessageExplanation(of: bytes)
        #expect(explanation.isWellFormed && explanation.answer == status)
        let refusal = try #require(explanation.entries.last { $0.kind != .remark })
        #expect(refusal.kind == .refusal && refusal.status == status && refusal.clause?.hasPrefix("RFC ") == true)
        #expect(explanation.lines.contains { $0.hasPrefix("refusal: ") && $0.hasSuffix(", owed \(status))") })
    }

    @Test func nobodyIsOwedAnAnswerToAnAckOrAResponse() {
        let ack = MessageExplanation(of: requestText(method: "ACK", replacing: ["CSeq": "1 BYE"]))
        #expect(!ack.isWellFormed && ack.answer == nil)
        let response = MessageExplanation(of: requestText(line: "SIP/2.0 999 x"))
        #expect(response.entries.allSatisfy { $0.status == nil })
        #expect(!response.isWellFormed && response.answer == nil)
    }

    @Test(
        .proves(
            .clause("RFC 3261 §8.1.1.8"), .clause("RFC 3891 §3"), .clause("RFC 3911 §4"), .clause("RFC 6665 §8.2.1")),
        arguments: [
            ("INVITE", ["Contact: <sip:ann@192.0.2.2>"], "Contact", 400),
            ("INVITE", ["Replaces: a;to-tag=1;from-tag=2", "Replaces: b;to-tag=1;from-tag=2"], "Replaces", 400),
            ("INVITE", ["Replaces: a;to-tag=1"], "Replaces", 400),
            ("INVITE", ["Replaces: a;to-tag=1;to-tag=2;from-tag=3"], "Replaces", 400),
            ("INVITE", ["Join: a;to-tag=1"], "Join", 400),
            ("INVITE", ["Replaces: a;to-tag=1;from-tag=2", "Join: b;to-tag=1;from-tag=2"], "Join", 400),
            ("OPTIONS", ["Replaces: a;to-tag=1;from-tag=2"], "Replaces", 400),
            ("SUBSCRIBE", [], "Event", 489),
        ] as [(String, [String], String, Int)])
    func whatAUserAgentRefusesOfDialogsIsAFault(
        method: String, extra: [String], subject: String, status: Int
    ) {
        let capabilities = Capabilities(methods: [.invite, .options, .subscribe])
        let explanation = MessageExplanation(of: requestText(method: method, extra: extra), capabilities)
        #expect(explanation.answer == status)
        #expect(explanation.entries.filter { $0.kind == .fault }.map(\.subject) == [subject])
    }

    @Test func aContactThatNoRequestCanGoToIsAFault() {
        let explanation = MessageExplanation(of: requestText(replacing: ["Contact": "<http://192.0.2.1/>"]))
        #expect(explanation.answer == 400)
        #expect(MessageExplanation(of: requestText(replacing: ["Contact": "<sips:ann@192.0.2.1>"])).isWellFormed)
    }

    @Test func anAcknowledgementIsOwedNothing() {
        let explanation = MessageExplanation(of: requestText(method: "ACK", extra: ["Replaces: a"]))
        #expect(explanation.answer == nil)
        #expect(explanation.isWellFormed)
    }

    @Test func whatNamesADialogRightlyIsNone() {
        for extra in ["Replaces: a;to-tag=1;from-tag=2", "Join: a;to-tag=1;from-tag=2"] {
            #expect(MessageExplanation(of: requestText(extra: [extra])).isWellFormed)
        }
    }
}
