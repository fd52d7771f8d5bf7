import Proofs
import SIPMessages
import Testing

struct ValidationTests {
    private func kinds(_ bytes: [UInt8], _ capabilities: Capabilities = Capabilities()) throws -> [Violation.Kind] {
        Validation.violations(of: try parsedRequest(bytes), capabilities).map(\.kind)
    }

    @Test func goodRequestBreaksNothing() throws {
        #expect(try kinds(requestText()) == [])
        #expect(try kinds(requestText(extra: ["Content-Type: application/sdp"], body: "v=0")) == [])
    }

    @Test(.proves(.clause("RFC 3261 §8.2")))
    func eachRuleHasItsStatus() throws {
        let cases: [([UInt8], Violation.Kind, Int)] = [
            (requestText(method: "JUMP"), .methodUnknown, 501),
            (requestText(method: "PUBLISH"), .methodNotAllowed, 405),
            (requestText(replacing: ["CSeq": "1 BYE"]), .methodMismatch, 400),
            (requestText(line: "INVITE tel:+1 SIP/2.0"), .uriSchemeUnsupported, 416),
            (requestText(line: "INVITE sip:a@b?x=y SIP/2.0"), .headersInRequestURI, 400),
            (requestText(replacing: ["Via": "SIP/2.0/UDP h;branch=z9hG4bK"]), .emptyBranch, 400),
            (requestText(replacing: ["Contact": nil]), .contactMissing, 400),
            (requestText(replacing: ["Contact": "*"]), .contactStar, 400),
            (requestText(extra: ["Require: 100rel"]), .extensionRequired, 420),
            (requestText(body: "v=0"), .contentTypeMissing, 415),
            (requestText(extra: ["Content-Type: text/plain"], body: "v"), .contentTypeUnsupported, 415),
            (
                requestText(extra: ["Content-Type: application/sdp", "e: gzip"], body: "v"),
                .contentEncodingUnsupported, 415
            ),
            (
                requestText(extra: ["Content-Type: application/sdp", "Content-Disposition: render"], body: "v"),
                .contentDispositionUnsupported, 415
            ),
            (requestText(extra: ["Accept: text/plain"]), .nothingAcceptable, 406),
            (requestText(extra: ["Accept:"]), .nothingAcceptable, 406),
            (requestText(extra: ["Accept: */*, application/sdp;q=0"]), .nothingAcceptable, 406),
            (requestText(replacing: ["Max-Forwards": "256"]), .maxForwardsTooHigh, 400),
            (requestText(extra: ["Record-Route: x"]), .field(.expected(.uri)), 400),
        ]
        for (bytes, kind, status) in cases {
            let violation = try #require(Validation.violations(of: try parsedRequest(bytes)).first)
            #expect(violation.kind == kind)
            #expect(violation.status.value == status)
            #expect(violation.clause.hasPrefix("RFC 3261 §"))
        }
    }

    /// Names of parameters and their values compare without case, the cookie too (§7.3.1).
    @Test(.proves(.clause("RFC 3261 §7.3.1")))
    func cookieInAnyCaseIsNoRemark() throws {
        let message = try MessageParser.parse(
            requestText(replacing: ["Via": "SIP/2.0/UDP h;branch=Z9HG4BKabc"]))
        #expect(Validation.remarks(on: message) == [])
    }

    @Test(.proves(.row(28), .clause("RFC 3261 §8.2.3")))
    func optionalBodyAndCancelAreSpared() throws {
        #expect(
            try kinds(
                requestText(
                    extra: ["Content-Type: text/plain", "Content-Disposition: render;handling=optional"], body: "v"))
                == [])
        #expect(try kinds(requestText(method: "CANCEL", extra: ["Require: x"])) == [])
        #expect(try kinds(requestText(extra: ["Require: 100REL"]), Capabilities(optionTags: ["100rel"])) == [])
    }

    /// What is no description has to be for something that we do with bodies where it says that this matters.
    @Test(
        .proves(.clause("RFC 3261 §20.11")),
        arguments: [
            ("magic;handling=required", false), ("magic", true), ("Render;handling=REQUIRED", true),
            ("magic;handling=optional", true), ("signal;handling=required", true), ("alert;handling=required", false),
        ])
    func aTextForWhatNobodyKnowsIsRefused(disposition: String, isTaken: Bool) throws {
        let capabilities = Capabilities(methods: [.message], contentTypes: [ContentType("text", "plain")])
        let fields = ["Content-Type: text/plain", "Content-Disposition: \(disposition)"]
        let found = try kinds(requestText(method: "MESSAGE", extra: fields, body: "hi"), capabilities)
        #expect(found == (isTaken ? [] : [.contentDispositionUnsupported]))
    }

    @Test func answersCarryWhatTheirStatusCallsFor() throws {
        func answer(_ bytes: [UInt8]) throws -> Response {
            let request = try parsedRequest(bytes)
            let violation = try #require(Validation.violations(of: request).first)
            return violation.response(to: request, Capabilities(), toTag: "t")
        }
        let extended = try answer(requestText(extra: ["Require: a, b"]))
        #expect(try extended.headers.first(Unsupported.self)?.tags == ["a", "b"])
        #expect(extended.to.tag == "t")
        #expect(try answer(requestText(method: "INFO")).headers.first(Allow.self)?.methods.first == .invite)
        let media = try answer(requestText(extra: ["Content-Type: a/b"], body: "x"))
        #expect(try media.headers.first(Accept.self) == Accept(.sdp))
    }

    @Test func oddButHarmlessThingsAreRemarks() throws {
        let message = try MessageParser.parse(
            requestText(
                replacing: ["From": "<sip:a@b>", "Via": "SIP/2.0/UDP h", "Max-Forwards": nil],
                extra: ["Date: Fri, 01 Jan 2010 16:00:00 EST"]))
        #expect(Validation.remarks(on: message).map(\.header) == [.from, .via, .maxForwards, .date])
        #expect(Validation.remarks(on: try MessageParser.parse(requestText())) == [])
    }

    @Test(.proves(.clause("RFC 3261 §25.1")), arguments: [([0x61, 0xff], true), ([0xc3, 0xa4, 0x09], false)])
    func whatIsNotUTF8IsARemark(subject: [UInt8], isRemarked: Bool) throws {
        var bytes = requestText(extra: ["Subject: %"])
        let mark = try #require(bytes.lastIndex(of: UInt8(ascii: "%")))
        bytes.replaceSubrange(mark...mark, with: subject)
        let remarks = Validation.remarks(on: try MessageParser.parse(bytes))
        #expect(remarks.map(\.text) == (isRemarked ? ["the value is not UTF-8"] : []))
    }

    /// A backslash makes any octet but CR and LF part of a quoted string (`quoted-pair`).
    @Test func whatIsEscapedIsNoRemark() throws {
        let message = try MessageParser.parse(requestText(extra: ["X-Own: \"a\\\u{2}\\\u{1}\""]))
        #expect(Validation.remarks(on: message) == [])
    }

    @Test(.proves(.row(18), .clause("RFC 3261 §8.1.3.3")))
    func responseWithTwoViasIsDropped() throws {
        let bytes = requestText(
            line: "SIP/2.0 200 OK", replacing: ["Via": "SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b"])
        guard case .response(var response) = try MessageParser.parse(bytes) else { return #expect(Bool(false)) }
        #expect(Validation.reasonToDiscard(response)?.header == .via)
        response.vias.removeLast()
        #expect(Validation.reasonToDiscard(response) == nil)
    }
}
