import EngineKit
import Proofs
import SIPMessages
import Testing

/// A request with the given lines put in the place of, or behind, the usual ones.
func requestText(
    method: String = "INVITE", line: String? = nil, replacing: [String: String?] = [:], extra: [String] = [],
    body: String = ""
) -> [UInt8] {
    let usual = [
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport"), ("Max-Forwards", "70"),
        ("From", "\"Ann\" <sip:ann@example.org>;tag=17"), ("To", "<sip:ben@example.com>"),
        ("Call-ID", "one@192.0.2.1"), ("CSeq", "1 \(method)"), ("Contact", "<sip:ann@192.0.2.1>"),
        ("Content-Length", "\(body.utf8.count)"),
    ]
    var lines = [line ?? "\(method) sip:ben@example.com SIP/2.0"]
    for (name, value) in usual {
        if let replacement = replacing[name] {
            if let replacement { lines.append("\(name): \(replacement)") }
        } else {
            lines.append("\(name): \(value)")
        }
    }
    return Array(((lines + extra).joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
}

private struct NotAResponse: Error {}

func parsedRequest(_ bytes: [UInt8]) throws -> Request {
    guard case .request(let request) = try MessageParser.parse(bytes) else { throw NotARequest() }
    return request
}

struct NotARequest: Error {}

func parseError(_ bytes: [UInt8]) -> ParseError? {
    do throws(ParseError) {
        _ = try MessageParser.parse(bytes)
        return nil
    } catch {
        return error
    }
}

struct MessageParserTests {
    @Test(arguments: [
        ("<sip:ben@example.com>;tag=a", true), ("<sip:ben@example.com> ; TAG = a", true),
        ("<sip:ben@example.com>;x=1;Tag=a", true), ("<sip:ben@example.com>", false), ("sip:ben@example.com", false),
        // Read and refused by whoever reads it whole.
        ("<sip:stag@example.com>", true), ("", false),
    ])
    func tellsFromItsLinesWhetherARequestMayNameADialog(to: String, may: Bool) {
        #expect(MessageParser.mayNameDialog(requestText(replacing: ["To": to])) == may)
        #expect(!MessageParser.mayNameDialog(requestText(replacing: ["To": nil], extra: ["X-To: ;tag=a"])))
        #expect(MessageParser.mayNameDialog(requestText(replacing: ["To": nil], extra: ["t: \(to)"])) == may)
        #expect(!MessageParser.mayNameDialog(Array("To: ;tag=a".utf8)))
    }

    @Test(.proves(.clause("RFC 3261 §7")))
    func readsARequestIntoTypedAndRawFields() throws {
        let request = try parsedRequest(
            requestText(extra: ["Subject:  lunch  ", "X-Note: a", "x-note: b"], body: "hello"))
        #expect(request.method == .invite)
        #expect(request.uri.description == "sip:ben@example.com")
        #expect(request.vias.first?.branch == "z9hG4bKabc")
        #expect(request.vias.first?.rport == .requested)
        #expect(request.from.displayName == "Ann")
        #expect(request.from.tag == "17")
        #expect(request.to.tag == nil)
        #expect(request.callID == "one@192.0.2.1")
        #expect(request.cSeq == CSeq(1, .invite))
        #expect(request.maxForwards == 70)
        #expect(request.headers.first(.subject) == "lunch")
        #expect(request.headers.values(try #require(HeaderName("X-NOTE"))) == ["a", "b"])
        #expect(request.headers.count == 4)
        #expect(request.body == Array("hello".utf8))
    }

    @Test(.proves(.clause("RFC 3261 §7")))
    func readsAResponseWithAnyReasonPhrase() throws {
        for (line, status, reason) in [
            ("SIP/2.0 200 OK", 200, "OK"), ("SIP/2.0 180 ", 180, ""), ("sip/2.0 699", 699, ""),
            ("SIP/2.0 183 = 2**3 * 9**2 \u{42d}", 183, "= 2**3 * 9**2 \u{42d}"),
        ] {
            guard case .response(let response) = try MessageParser.parse(requestText(line: line)) else {
                Issue.record("\(line) is no response")
                continue
            }
            #expect(response.status.value == status)
            #expect(response.reason == reason)
        }
        #expect(parseError(requestText(line: "SIP/2.0 700 No"))?.kind == .statusCode)
        #expect(parseError(requestText(line: "SIP/2.0 0200 No"))?.kind == .statusCode)
    }

    @Test(.proves(.clause("RFC 3261 §7.3.1"), .clause("RFC 3261 §7.3.3")))
    func unfoldsLinesAndKnowsCompactForms() throws {
        let text =
            "OPTIONS sip:a.example SIP/2.0\r\nv: SIP / 2.0 / TCP\r\n b.example ;\r\n\tbranch=z9hG4bK1\r\n"
            + "f: <sip:c@c.example>\r\n ;tag=2\r\nt:sip:d@d.example\r\ni : x\r\nCSEQ: 7\r\n OPTIONS\r\n"
            + "m: <sip:e@e.example>\r\ns:\r\n two\r\n  words \r\nl: 0\r\n\r\n"
        let request = try parsedRequest(Array(text.utf8))
        #expect(request.vias == [Via(transport: .tcp, host: .name("b.example"), branch: "z9hG4bK1")])
        #expect(request.from.tag == "2")
        #expect(request.callID == "x")
        #expect(request.cSeq == CSeq(7, .options))
        #expect(request.headers.first(.subject) == "two    words")
        #expect(try request.headers.first(Contact.self)?.uri?.description == "sip:e@e.example")
    }

    @Test(.proves(.incident(28), .clause("RFC 3261 §8.1.1")), arguments: ["Via", "From", "To", "Call-ID", "CSeq"])
    func missingFieldIsNamed(_ name: String) throws {
        let error = try #require(parseError(requestText(replacing: [name: nil])))
        #expect(error.kind == .missing)
        #expect(error.header == HeaderName(name))
        #expect(error.owedResponse?.status == (name == "Via" ? nil : 400))
    }

    @Test(
        .proves(.incident(35), .clause("RFC 3261 §7.3.1")),
        arguments: ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"])
    func repeatedFieldIsRefused(_ name: String) throws {
        let value = name == "CSeq" ? "1 INVITE" : name.hasPrefix("F") || name == "To" ? "sip:x@y" : "0"
        let error = try #require(parseError(requestText(extra: ["\(name): \(value)"])))
        #expect(error == ParseError(.repeated, header: HeaderName(name), offset: 0))
        #expect(error.owedResponse?.status == 400)
    }

    @Test(.proves(.incident(54), .clause("RFC 3261 §25.1")))
    func bytesThatParsersDisagreeOnAreRefused() {
        #expect(parseError(requestText(extra: ["To\u{1}: sip:x@y"]))?.kind == .headerLine)
        #expect(parseError(requestText(extra: ["no colon"]))?.kind == .headerLine)
        #expect(parseError(requestText(extra: ["Subject: a\nTo: b"]))?.kind == .lineEnding)
        #expect(parseError(requestText(extra: ["Subject: a\rTo: b"]))?.kind == .lineEnding)
        #expect(parseError(requestText(extra: ["Subject: a\0b"]))?.kind == .controlCharacter)
        #expect(parseError(requestText(replacing: ["Content-Length": "-1"]))?.header == .contentLength)
        #expect(
            parseError(requestText(replacing: ["Content-Length": "4294967328"]))
                == ParseError(.numberOutOfRange, header: .contentLength, offset: 0))
        #expect(parseError(requestText(replacing: ["Content-Length": "1"]))?.kind == .bodyTruncated)
        #expect(parseError(Array("\r\n\r\n".utf8))?.kind == .empty)
        #expect(parseError([])?.kind == .empty)
        #expect(parseError(Array("INVITE sip:a SIP/2.0\r\nTo: b\r\n".utf8))?.kind == .unfinishedHead)
    }

    @Test(.proves(.clause("RFC 3261 §7.2")), arguments: ["Not\0Here", "\0", "\\\0\0x"])
    func responseIsNotLostForANulInItsPhrase(_ phrase: String) throws {
        let bytes = requestText(line: "SIP/2.0 404 \(phrase)")
        let message = try MessageParser.parse(bytes)
        guard case .response(let response) = message else { throw NotAResponse() }
        #expect(response.status == 404)
        #expect(response.reason == phrase.replacing("\0", with: " "))
        #expect(response.callID == "one@192.0.2.1")
        #expect(try MessageParser.parse(message.bytes()) == message)
        #expect(
            MessageExplanation(of: bytes).lines.last
                == "remark: message: a NUL in the reason phrase is read as a space (RFC 3261 §25.1)")
    }

    @Test func nulElsewhereInAStatusLineOrInARequestLineIsRefused() {
        for line in ["SIP/2.0\0404 Not Here", "SIP/2.0 404\0Not Here", "SIP/2.0 \04 x", "INVITE sip:a@b\0 SIP/2.0"] {
            #expect(parseError(requestText(line: line))?.kind == .controlCharacter, "\(line)")
        }
        #expect(
            parseError(requestText(line: "SIP/2.0 404 x", extra: ["Server: a\0b"]))?.kind == .controlCharacter)
    }

    @Test(.proves(.clause("RFC 3261 §18.3")))
    func octetsBehindTheBodyOfADatagramAreDropped() throws {
        let request = try parsedRequest(requestText(replacing: ["Content-Length": "2"], body: "abcdef"))
        #expect(request.body == Array("ab".utf8))
        let open = try parsedRequest(requestText(replacing: ["Content-Length": nil], body: "abcdef"))
        #expect(open.body.count == 6)
    }

    @Test(.proves(.rule(12), .incident(1), .incident(32), .incident(55), .incident(58)))
    func limitsAreEnforcedAndNamed() {
        let long = String(repeating: "a", count: 5000)
        func kind(_ bytes: [UInt8]) -> ParseError.Kind? { parseError(bytes)?.kind }
        #expect(kind([UInt8](repeating: 65, count: 65_536)) == .tooLong(.message))
        #expect(kind(requestText(line: "INVITE sip:\(long)@b SIP/2.0")) == .tooLong(.startLine))
        #expect(kind(requestText(line: "INVITE sip:\(long.prefix(1100))@b SIP/2.0")) == .tooLong(.uri))
        #expect(kind(requestText(method: String(long.prefix(65)))) == .tooLong(.method))
        #expect(kind(requestText(extra: ["X: \(long)"])) == .tooLong(.headerField))
        #expect(kind(requestText(extra: (0..<121).map { "X\($0): a" })) == .tooMany(.headerFields))
        #expect(kind(requestText(extra: Array(repeating: "X: a", count: 65))) == .tooMany(.headerFieldsPerName))
        #expect(kind(requestText(extra: Array(repeating: "Subject: a", count: 64))) == nil)
        #expect(kind(requestText(extra: ["X: a"] + Array(repeating: " b", count: 17))) == .tooMany(.foldedLines))
        #expect(kind(requestText(replacing: ["Call-ID": String(long.prefix(257))])) == .tooLong(.identifier))
        #expect(kind(requestText(replacing: ["From": "<sip:a@b>;tag=\(long.prefix(257))"])) == .tooLong(.identifier))
        let via = Array(repeating: "SIP/2.0/UDP a", count: 71).joined(separator: ",")
        #expect(kind(requestText(replacing: ["Via": via])) == .tooMany(.vias))
        #expect(kind(requestText(body: String(repeating: "b", count: 32_769))) == .tooLong(.body))
    }

    @Test(.proves(.clause("RFC 3261 §8.2")))
    func refusedRequestIsAnsweredWithWhatCouldBeRead() throws {
        let error = try #require(parseError(requestText(replacing: ["CSeq": "4294967296 INVITE", "To": nil])))
        let answer = try #require(error.owedResponse)
        let text = String(decoding: answer.bytes(), as: UTF8.self)
        #expect(
            text.hasPrefix("SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n"))
        #expect(text.contains("\r\nCSeq: 4294967296 INVITE\r\n"))
        #expect(text.contains("\r\nFrom: \"Ann\" <sip:ann@example.org>;tag=17\r\n"))
        #expect(!text.contains("To:"))
    }

    @Test(.proves(.clause("RFC 3261 §8.2")))
    func ackResponsesAndStrangersAreNotAnswered() {
        #expect(parseError(requestText(method: "ACK", replacing: ["To": nil]))?.owedResponse == nil)
        #expect(parseError(requestText(line: "SIP/2.0 200 OK", replacing: ["To": nil]))?.owedResponse == nil)
        #expect(parseError(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))?.owedResponse == nil)
        #expect(parseError(requestText(line: "INVITE sip:a SIP/3.0"))?.owedResponse?.status == 505)
    }
}
