import EngineKit
import Proofs
import SIPMessages
import Testing

struct MessageWriterTests {
    @Test(.proves(.incident(5)))
    func whatIsWrittenReadsBackTheSame() throws {
        var request = Request(
            method: .invite,
            uri: .sip(SIPURI(user: "b;x=1 \u{e9}%", host: .name("example.com"), port: 5070)),
            vias: [Via(transport: .tls, host: .address(.loopbackV6), port: 5061, branch: "z9hG4bKx")],
            from: NameAddress(displayName: "A \"quoted\" \\ name", uri: try URI(parsing: "sip:a@b")),
            to: NameAddress(uri: try URI(parsing: "tel:+1-201-555-0123;phone-context=x")),
            callID: "c@d", cSeq: CSeq(4, .invite), body: [0, 13, 10, 255])
        request.from.tag = "t"
        request.vias[0].received = .v4(0x0a00_0001)
        request.vias[0].rport = .value(5099)
        request.headers.append(Contact(SIPURI(user: "a", host: .name("h"))))
        request.headers.append(Allow([.invite, .other("JUMP")]))
        request.headers.append(ContentType("application", "x", parameters: Parameters(.field, [("n", "a b")])))
        try request.headers.append(.subject, "caf\u{e9}")
        let read = try parsedRequest(request.bytes())
        #expect(read == request)
        #expect(try read.headers.first(ContentType.self)?.parameters["n"] == "a b")
        #expect(read.uri.sipURI?.user == "b;x=1 \u{e9}%")
    }

    /// ROBUSTNESS: no typed field can end its line, whatever it is given.
    @Test(.proves(.rule(22), .incident(56)))
    func noFieldCanEndItsLine() throws {
        let evil = "x\r\nEvil: 1\r\n\r\n\0y\n"
        var headers = Headers()
        #expect(throws: FieldError.endsLine) { try headers.append(.subject, evil) }
        #expect(throws: FieldError.endsLine) { try headers.set(.subject, "a\0b") }
        #expect(throws: FieldError.typedInMessage) { try headers.append(.via, "SIP/2.0/UDP a") }
        #expect(headers.isEmpty)
        var parameters = AuthenticationParameters(scheme: evil)
        parameters.append(evil, quoted: evil)
        parameters.append(evil, token: evil)
        headers.append(WWWAuthenticate(parameters: parameters))
        headers.append(Require([evil]))
        headers.append(Allow([.other(evil)]))
        headers.append(ContentType(evil, evil, parameters: Parameters(.field, [(evil, evil)])))
        headers.append(Reason(protocolName: evil, cause: 1, text: evil))
        headers.append(Warning(code: 399, agent: evil, text: evil))
        headers.append(Replaces(callID: evil, ownTag: evil, peerTag: evil))
        headers.append(EventPackage(evil, id: evil))
        let uri = SIPURI(
            user: evil, password: evil, host: .name(evil), parameters: Parameters(.uri, [(evil, evil)]),
            headers: [(evil, evil)])
        let address = NameAddress(displayName: evil, uri: .sip(uri), parameters: Parameters(.field, [("tag", evil)]))
        headers.append(Contact.address(address))
        let via = Via(transport: .other(evil), host: .name(evil), branch: evil)
        let other = NameAddress(uri: .other(scheme: evil, rest: evil))
        let request = Request(
            method: .other(evil), uri: .other(scheme: evil, rest: evil), vias: [via], from: address, to: other,
            callID: evil, cSeq: CSeq(1, .other(evil)), headers: headers)
        let response = request.response(400, reason: evil, toTag: evil)
        for bytes in [request.bytes(), response.bytes()] {
            let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
            #expect(!bytes.contains(0))
            #expect(!lines.contains { $0.starts(with: Array("Evil".utf8)) })
            // Each line ends in CRLF and holds no other CR; the message ends behind its only empty line.
            #expect(lines.dropLast().allSatisfy { $0.last == 0x0d && $0.dropLast().allSatisfy { $0 != 0x0d } })
            #expect(lines.filter { $0.elementsEqual([0x0d]) }.count == 1)
            #expect(lines.suffix(2).map(\.count) == [1, 0])
        }
    }

    @Test(.proves(.clause("RFC 3261 §8.2.6.2")))
    func responseCopiesWhatItMust() throws {
        let request = try parsedRequest(requestText(extra: ["Timestamp: 54", "Subject: x"]))
        let trying = request.response(100)
        #expect(trying.vias == request.vias)
        #expect(trying.to.tag == nil)
        #expect(trying.headers.first(.timestamp) == "54")
        let ringing = request.response(180, toTag: "mine")
        #expect(ringing.reason == "Ringing")
        #expect(ringing.to.tag == "mine")
        #expect(ringing.from == request.from)
        #expect(ringing.cSeq == request.cSeq)
        #expect(ringing.headers.isEmpty)
        var tagged = request
        tagged.to.tag = "theirs"
        #expect(tagged.response(200, toTag: "mine").to.tag == "theirs")
    }
}
