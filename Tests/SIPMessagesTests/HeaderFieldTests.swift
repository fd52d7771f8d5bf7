import EngineKit
import Proofs
import SIPMessages
import Testing

struct HeaderFieldTests {
    /// Headers of the given lines, as the parser makes them.
    private func headers(_ lines: String...) throws -> Headers {
        try parsedRequest(requestText(replacing: ["Contact": nil], extra: lines)).headers
    }

    @Test(.proves(.clause("RFC 3261 §7.3.1"), .clause("RFC 3261 §20.10")))
    func contactsJoinLinesAndCommas() throws {
        let contacts = try headers(
            "Contact: \"a, b\" <sip:a,c@h;x=1>;q=0.7;expires=60, <sip:b@h>", "m: sip:c@h;expires=5;q=1.0"
        ).all(Contact.self)
        #expect(contacts.map { $0.address?.displayName } == ["a, b", nil, nil])
        #expect(contacts.map(\.expires) == [60, nil, 5])
        #expect(contacts.map(\.preference) == [700, nil, 1000])
        // Without angle brackets the parameters are those of the header field (§20).
        #expect(contacts[2].uri?.description == "sip:c@h")
        #expect(try self.headers("Contact: *").all(Contact.self) == [.star])
        #expect(throws: ParseError(.uriNeedsBrackets, header: .contact, offset: 0)) {
            try self.headers("Contact: sip:a@h?Route=x").all(Contact.self)
        }
        let many = Array(repeating: "<sip:a@h>", count: 17).joined(separator: ",")
        #expect(throws: ParseError(.tooMany(.contacts), header: .contact, offset: 0)) {
            try self.headers("Contact: \(many)").all(Contact.self)
        }
    }

    @Test(.proves(.clause("RFC 3261 §20.34")))
    func routesKeepTheirOrderAndMayBeEmpty() throws {
        let headers = try self.headers("Route: <sip:a;lr>,<sip:b;lr>;x=1", "Route: <sip:c>", "Record-Route: <sip:d;lr>")
        #expect(try headers.all(Route.self).map(\.uri.description) == ["sip:a;lr", "sip:b;lr", "sip:c"])
        #expect(try headers.first(RecordRoute.self)?.uri.sipURI?.isLooseRouter == true)
        #expect(try headers.first(ServiceRoute.self) == nil)
    }

    @Test func tokenSetsAreOneValueOverAllLines() throws {
        let headers = try self.headers("Allow: INVITE, ACK", "Allow:", "Allow: JUMP", "k: timer ,100rel", "Require: a")
        #expect(try headers.first(Allow.self)?.methods == [.invite, .ack, .other("JUMP")])
        #expect(try headers.first(Supported.self)?.contains("100REL") == true)
        #expect(throws: ParseError.self) { try self.headers("Require: a,,b").first(Require.self) }
        #expect(throws: ParseError.self) { try self.headers("Require: a b").first(Require.self) }
        let codings = try self.headers("Accept-Encoding: gzip;q=1, identity;q=0.5", "Accept-Encoding:, br")
        #expect(throws: ParseError.self) { try codings.first(AcceptEncoding.self) }
        let many = Array(repeating: "a", count: 129).joined(separator: ",")
        for name in [HeaderName.allow, .acceptEncoding] {
            let headers = try self.headers("\(name): \(many)")
            let fault = ParseError(.tooMany(.elements), header: name, offset: 0)
            #expect(throws: fault) {
                if name == .allow { _ = try headers.all(Allow.self) } else { _ = try headers.all(AcceptEncoding.self) }
            }
        }
    }

    @Test(.proves(.incident(35), .clause("RFC 3261 §7.3.1")))
    func singleFieldsAreRefusedWhereRepeated() throws {
        #expect(try self.headers("Expires: 4294967295").first(Expires.self)?.seconds == .max)
        #expect(throws: ParseError(.numberOutOfRange, header: .expires, offset: 0)) {
            try self.headers("Expires: 4294967296").first(Expires.self)
        }
        #expect(throws: ParseError(.repeated, header: .expires, offset: 0)) {
            try self.headers("Expires: 1", "Expires: 1").first(Expires.self)
        }
        let later = try self.headers("Retry-After: 18 (in (a) meeting);duration=3600").first(RetryAfter.self)
        #expect(later?.seconds == 18)
        #expect(later?.parameters["duration"] == "3600")
        #expect(throws: ParseError.self) { try self.headers("Retry-After: 1 (open").first(RetryAfter.self) }
    }

    @Test(.proves(.incident(29), .clause("RFC 3261 §20.44")))
    func challengesAreReadWithAllTheirParts() throws {
        let headers = try self.headers(
            "WWW-Authenticate: Digest realm=\"a \\\"b\\\"\", nonce=\"n==\", qop=\"auth,auth-int\", stale=TRUE,"
                + " algorithm=SHA-256, opaque=\"\", domain=\"sip:h\"",
            "WWW-Authenticate: NoOneKnowsThis thing=other", "Proxy-Authenticate: Digest realm=\"p\", nonce=\"q\"")
        let challenges = try headers.all(WWWAuthenticate.self)
        #expect(challenges.map(\.isDigest) == [true, false])
        #expect(challenges[0].realm == "a \"b\"")
        #expect(challenges[0].nonce == "n==")
        #expect(challenges[0].qop == ["auth", "auth-int"])
        #expect(challenges[0].isStale)
        #expect(challenges[0].algorithm == "SHA-256")
        #expect(challenges[0].opaque == "")
        let proxy = try #require(try headers.first(ProxyAuthenticate.self))
        #expect(proxy.algorithm == nil && proxy.qop.isEmpty && !proxy.isStale && proxy.opaque == nil)
    }

    @Test func credentialsAreWrittenAsTheyAreRead() throws {
        var parameters = AuthenticationParameters(scheme: "Digest")
        parameters.append("username", quoted: "b\"ob")
        parameters.append("nc", token: "0000000a")
        parameters.append("qop", token: "auth")
        var headers = Headers()
        headers.append(Authorization(parameters: parameters))
        #expect(headers.first(.authorization) == #"Digest username="b\"ob", nc=0000000a, qop=auth"#)
        let read = try #require(try headers.first(Authorization.self))
        #expect(read.username == "b\"ob")
        #expect(read.nonceCount == 10)
        #expect(!read.parameters.hasRepetition)
    }

    @Test(.proves(.clause("RFC 3261 §20.15")))
    func mediaTypesAndDispositions() throws {
        let headers = try self.headers(
            "c: Application/SDP ; charset=\"utf 8\"", "Accept: text/*;q=0.5, application/sdp;q=0.0, */*;q=0",
            "Content-Disposition: session;handling=Optional", "Warning: 370 h \"more \\\"b\"",
            "Reason: Q.850;cause=16;text=\"end\", SIP;cause=200")
        let type = try #require(try headers.first(ContentType.self))
        #expect(type.isType("application", "sdp"))
        #expect(type.parameters["charset"] == "utf 8")
        let accepted = try headers.all(Accept.self)
        #expect(accepted.map { [$0].admit(ContentType("text", "plain")) } == [true, false, false])
        // The range that names a type most closely decides (RFC 2616 §14.1).
        #expect(accepted.admit(ContentType("Text", "plain")) && !accepted.admit(.sdp))
        #expect(try !self.headers("Accept: */*, application/sdp;q=0").all(Accept.self).admit(.sdp))
        #expect(try headers.first(ContentDisposition.self)?.isOptional == true)
        #expect(try headers.first(Warning.self) == Warning(code: 370, agent: "h", text: "more \"b"))
        #expect(try headers.all(Reason.self).map(\.cause) == [16, 200])
    }

    @Test(.proves(.clause("RFC 3261 §20.17")))
    func datesAreGMTAndCheckedAgainstTheCalendar() throws {
        func seconds(_ text: String) throws -> Int64? {
            try self.headers("Date: \(text)").first(DateField.self)?.unixSeconds
        }
        #expect(try seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(try seconds("Sat, 13 Nov 2010 23:29:00 GMT") == 1_289_690_940)
        #expect(try seconds("Thu, 29 Feb 2024 12:00:00 GMT") == 1_709_208_000)
        #expect(throws: ParseError(.timeZone, header: .date, offset: 0)) {
            try seconds("Fri, 01 Jan 2010 16:00:00 EST")
        }
        for bad in [
            "Fri, 29 Feb 2023 00:00:00 GMT", "Fri, 00 Jan 2023 00:00:00 GMT", "Fri, 1 Jan 2023 00:00:00 GMT",
            "Foo, 01 Jan 2023 00:00:00 GMT", "Fri, 01 Jan 2023 24:00:00 GMT", "1289690940", "",
        ] {
            #expect(throws: ParseError.self) { try seconds(bad) }
        }
        for value: Int64 in [0, -1, 951_782_400, 1_709_208_000, 4_102_444_800, 253_402_300_799] {
            var headers = Headers()
            headers.append(DateField(unixSeconds: value))
            #expect(try headers.first(DateField.self)?.unixSeconds == value)
        }
        var headers = Headers()
        headers.append(DateField(unixSeconds: .min))
        headers.append(DateField(unixSeconds: .max))
        #expect(headers.values(.date).last == "Fri, 31 Dec 9999 23:59:59 GMT")
    }

    @Test func headersAreReplacedAndRemovedByName() throws {
        var headers = try self.headers("Subject: a", "X-A: 1", "s: b", "x-a: 2")
        let name = try #require(HeaderName("X-a"))
        try headers.set(.subject, "c")
        #expect(headers.values(.subject) == ["c"])
        headers.removeAll(name)
        #expect(headers.list.map(\.name) == [.subject])
        #expect(HeaderName("S") == .subject)
        #expect(HeaderName("a b") == nil)
        #expect(HeaderName("") == nil)
        for (name, _) in headers.list { #expect(HeaderName(name.spelling.asciiLowercased) == name) }
    }

    /// A Via goes back as it came (RFC 3261 §8.2.6.2), but for what we fill in.
    @Test func settingOneParameterLeavesTheOthersAsTheyAreWritten() throws {
        let text = "SIP/2.0/UDP h;x=\"1\";rport;y=%41;X=2;branch=z9hG4bKa"
        var via = try #require(try parsedRequest(requestText(replacing: ["Via": text])).vias.first)
        via.rport = .value(9)
        #expect(via.description == "SIP/2.0/UDP h;x=\"1\";rport=9;y=%41;X=2;branch=z9hG4bKa")
        via.parameters.remove("X")
        #expect(via.description == "SIP/2.0/UDP h;rport=9;y=%41;branch=z9hG4bKa")
    }

    @Test(.proves(.row(35), .clause("RFC 3261 §20.42"), .clause("RFC 3581 §3")))
    func viaTellsTheWayBack() throws {
        let text =
            "SIP/2.0/UDP First.example.com:4000;rport=9;received=2001:db8::1;branch=z9hG4bKa"
        var via = try #require(try parsedRequest(requestText(replacing: ["Via": text])).vias.first)
        #expect(via.sentBy == "first.example.com:4000")
        #expect(via.rport == .value(9))
        #expect(via.received == IPAddress("2001:db8::1"))
        #expect(via.isBranchUnique)
        via.rport = .requested
        via.received = .v4(0xc000_0201)
        #expect(via.rport == .requested)
        #expect(via.description.hasSuffix(";received=192.0.2.1;branch=z9hG4bKa;rport"))
        via.branch = "Z9HG4BKa"
        #expect(via.isBranchUnique)
        via.branch = "z9hG4bK"
        #expect(!via.isBranchUnique)
        #expect(Via(transport: .tls, host: .name("A")).sentBy == "a:5061")
    }

    /// Sent-by compares as a host and a port, the branch octet by octet.
    @Test(.proves(.clause("RFC 3261 §17.2.3"))) func whatNamesATransactionHasManySpellings() throws {
        func name(_ via: String) throws -> [UInt8]? {
            try #require(try parsedRequest(requestText(replacing: ["Via": via])).vias.first).transactionName
        }
        let known = try #require(try name("SIP/2.0/UDP h.example;branch=z9hG4bKa"))
        for same in [
            "SIP/2.0/UDP H.Example:5060;branch=z9hG4bKa", "SIP/2.0/UDP h.example;rport;BRANCH=\"z9hG4bKa\"",
            "SIP/2.0/TCP h.example ; x=y ; branch=z9hG4bKa",
        ] {
            #expect(try name(same) == known)
        }
        for other in [
            "SIP/2.0/UDP h.example;branch=z9hG4bKA", "SIP/2.0/UDP h.example:5061;branch=z9hG4bKa",
            "SIP/2.0/UDP g.example;branch=z9hG4bKa", "SIP/2.0/UDP h.example;branch=z9hG4bKaa",
        ] {
            #expect(try name(other) != known)
        }
        #expect(
            try name("SIP/2.0/UDP [2001:db8::1];branch=z9hG4bKa")
                == name("SIP/2.0/UDP [2001:DB8:0::1]:5060;branch=z9hG4bKa"))
        for none in [";branch=z9hG4bK", ";branch=a", ";branch", ""] {
            #expect(try name("SIP/2.0/UDP h" + none) == nil)
        }
    }
}
