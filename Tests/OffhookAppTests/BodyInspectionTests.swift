import Proofs
import SIPMessages
import SIPUserAgent
import Testing

@testable import OffhookApp

/// What `offhook parse` says of the bodies of messages.
struct BodyInspectionTests {
    private func explanation(
        _ line: String, _ method: String, type: String, body: [String]
    ) throws
        -> MessageExplanation
    {
        let text = body.map { $0 + "\r\n" }.joined()
        let head = [
            line, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa", "Max-Forwards: 70", "From: <sip:ann@example.org>;tag=1",
            "To: <sip:ben@example.com>;tag=2", "Call-ID: a", "CSeq: 1 \(method)", "Contact: <sip:ann@192.0.2.1>",
            "Content-Type: \(type)", "Content-Length: \(text.utf8.count)",
        ]
        let bytes = Array((head.joined(separator: "\r\n") + "\r\n\r\n" + text).utf8)
        var explanation = MessageExplanation(of: bytes, .ours)
        explanation.add(body: BodyInspection.entries(of: try MessageParser.parse(bytes)))
        return explanation
    }

    private let description = [
        "v=0", "o=ann 1 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 5004 RTP/AVP 0 300",
    ]

    @Test(.proves(.clause("RFC 8866 §6.6")))
    func faultsOfAnOfferThatArePassedOverAreRemarks() throws {
        let invite = try explanation(
            "INVITE sip:b@example.com SIP/2.0", "INVITE", type: "application/sdp", body: description)
        #expect(invite.isWellFormed)
        #expect(
            invite.lines.last
                == "remark: body: line 6 of the session description: the format `300` is no payload type of 0 to 127 "
                + "(RFC 8866 §6.6)")
    }

    @Test(.proves(.clause("RFC 3261 §21.4.1")))
    func offerThatCanNotBeReadIsOwed400() throws {
        let body = description.map { $0.hasPrefix("m=") ? "m=audio x RTP/AVP 0" : $0 }
        let invite = try explanation("INVITE sip:b@example.com SIP/2.0", "INVITE", type: "application/sdp", body: body)
        #expect(!invite.isWellFormed && invite.answer == 400)
        #expect(
            invite.lines.last
                == "fault: body: line 6 of the session description: a malformed m= line (RFC 8866 §9, owed 400)")
        let ok = try explanation("SIP/2.0 200 OK", "INVITE", type: "application/sdp", body: body)
        #expect(!ok.isWellFormed && ok.answer == nil)
        let parts = ["--x", "Content-Type: application/sdp", ""] + body + ["--x--"]
        let several = try explanation(
            "INVITE sip:b@example.com SIP/2.0", "INVITE", type: "multipart/mixed;boundary=x", body: parts)
        #expect(several.answer == 400)
        let optional = ["--x", "Content-Type: application/sdp", "Content-Disposition: session;handling=optional", ""]
        let passedOver = try explanation(
            "MESSAGE sip:b@example.com SIP/2.0", "MESSAGE", type: "multipart/mixed;boundary=x",
            body: ["--x", "", "hello"] + optional + body + ["--x--"])
        #expect(passedOver.isWellFormed && passedOver.entries.last?.kind == .remark)
    }

    @Test func documentsOfEventsAndDigitsAreRead() throws {
        let notify = try explanation(
            "NOTIFY sip:b@example.com SIP/2.0", "NOTIFY", type: "application/pidf+xml", body: ["<presence>"])
        #expect(notify.entries.last?.kind == .remark)
        #expect(notify.entries.last?.subject == "body")
        let info = try explanation(
            "INFO sip:b@example.com SIP/2.0", "INFO", type: "application/dtmf-relay", body: ["Duration=100"])
        #expect(info.answer == 400)
        #expect(info.lines.last == "fault: body: it names no digit (RFC 3261 §21.4.1, owed 400)")
        let digit = try explanation(
            "INFO sip:b@example.com SIP/2.0", "INFO", type: "application/dtmf-relay", body: ["Signal=5"])
        #expect(digit.isWellFormed)
    }
}
