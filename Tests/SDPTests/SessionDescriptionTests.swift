import EngineKit
import Proofs
import Testing

@testable import SDP

@Suite struct SessionDescriptionTests {
    static let sample = [
        "v=0", "o=alice 2890844526 2890844527 IN IP4 pc.example.com", "s=Two streams", "i=about it",
        "c=IN IP4 192.0.2.1",
        "b=AS:128", "t=0 0", "a=tool:bench", "a=recvonly", "m=audio 49170 RTP/AVP 0 96", "b=TIAS:64000",
        "a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1", "a=ptime:30", "a=sendonly",
        "m=video 51372/2 RTP/AVP 99", "c=IN IP6 2001:db8::5", "a=rtpmap:99 h263-1998/90000",
    ]

    @Test(.proves(.clause("RFC 4566 §5")))
    func readsWhatEachLineSays() throws {
        let description = try SessionDescription(parsing: wire(Self.sample))
        #expect(description.origin.username == "alice")
        #expect(description.origin.sessionID == "2890844526")
        #expect(description.origin.version == "2890844527")
        #expect(description.origin.address == "pc.example.com")
        #expect(description.sessionName == "Two streams")
        #expect(description.connection?.address == .v4(0xc000_0201))
        #expect(description.attributes.map(\.name) == ["tool", "recvonly"])
        #expect(SessionDescription.bandwidth(of: description.lines) == [Bandwidth(parsing: Array("AS:128".utf8)[...])])

        let (audio, video) = (description.media[0], description.media[1])
        #expect(
            audio.kind == .audio && audio.port == 49170 && audio.proto == "RTP/AVP" && audio.formats == ["0", "96"])
        #expect(audio.ptime == 30)
        #expect(description.direction(of: audio) == .sendOnly)
        #expect(description.connection(of: audio)?.host == "192.0.2.1")
        #expect(video.kind == .video && video.port == 51372 && video.portCount == 2)
        #expect(description.direction(of: video) == .receiveOnly)
        #expect(description.connection(of: video)?.address == IPAddress("2001:db8::5"))
    }

    @Test(arguments: ["\r\n", "\n"])
    func writesTheSameBytesBack(end: String) throws {
        for tail in ["", end, end + end, end + "\r\n\n"] {
            let bytes = Array((Self.sample.joined(separator: end) + tail).utf8)
            #expect(try SessionDescription(parsing: bytes).bytes() == bytes)
        }
    }

    @Test(.proves(.incident(33), .incident(34)))
    func keepsBytesThatAreNoText() throws {
        let bytes = wire(["v=0", "o=- 1 1 IN IP4 192.0.2.1"]) + [0x73, 0x3d, 0xff, 0xfe, 0x0d, 0x0a] + wire(["t=0 0"])
        let description = try SessionDescription(parsing: bytes)
        #expect(description.bytes() == bytes)
        #expect(description.sessionName == "\u{fffd}\u{fffd}")
    }

    @Test func takesWhatPhonesLeaveOutOrTurnAround() throws {
        let description = try description("v=0", "o=- 1 1 IN IP4 192.0.2.1", "a=sendonly", "c=IN IP4 192.0.2.1")
        #expect(description.sessionName == nil)
        #expect(description.timing.isEmpty)
        #expect(description.media.isEmpty)
    }

    /// What is wrong, and with which line.
    static let faults: [(String, SDPError)] = [
        ("", SDPError(.empty, line: 0)),
        ("\r\n\r\n", SDPError(.empty, line: 0)),
        ("o=- 1 1 IN IP4 h\n", SDPError(.missing(.version), line: 1)),
        ("v=1\n", SDPError(.unsupportedVersion, line: 1)),
        ("v=0\n", SDPError(.missing(.origin), line: 0)),
        ("v=0\no=- 1 1 IN IP4\n", SDPError(.malformed(.origin), line: 2)),
        ("v=0\no=- 1 1 IN IP4 h\nv=0\n", SDPError(.repeated(.version), line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\no=- 1 1 IN IP4 h\n", SDPError(.repeated(.origin), line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\ns=a\ns=b\n", SDPError(.repeated(.sessionName), line: 4)),
        ("v=0\no=- 1 1 IN IP4 h\nc=IN IP4 h\nc=IN IP4 h\n", SDPError(.repeated(.connection), line: 4)),
        ("v=0\no=- 1 1 IN IP4 h\nc=IN IP4\n", SDPError(.malformed(.connection), line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\nx=1\n", SDPError(.unknownLetter(0x78), line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\n\ns=-\n", SDPError(.malformedLine, line: 3)),
        ("v=0\n o=- 1 1 IN IP4 h\n", SDPError(.malformedLine, line: 2)),
        ("v=0\no=- 1 1 IN IP4 h\ns=a\0b\n", SDPError(.forbiddenByte, line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\ns=a\rb\n", SDPError(.forbiddenByte, line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\nm=audio 1 RTP/AVP\n", SDPError(.malformed(.media), line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\nm=audio 65536 RTP/AVP 0\n", SDPError(.malformed(.media), line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\nm=audio -1 RTP/AVP 0\n", SDPError(.malformed(.media), line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\nm=audio 1/x RTP/AVP 0\n", SDPError(.malformed(.media), line: 3)),
        ("v=0\no=- 1 1 IN IP4 h\nm=audio 1 RTP/AVP 0\na=x\nt=0 0\n", SDPError(.misplaced(.timing), line: 5)),
    ]

    @Test(arguments: faults)
    func namesTheFaultAndItsLine(text: String, error: SDPError) {
        #expect(throws: error) { try SessionDescription(parsing: Array(text.utf8)) }
    }

    private static let head = ["v=0", "o=- 1 1 IN IP4 192.0.2.1"]
    private static let audio = "m=audio 1 RTP/AVP 0"

    /// Lines that just fit, and the error that one more gives.
    static let limits: [(SDPError.Limit, String, Int, [String])] = [
        (.mediaDescriptions, audio, 16, head), (.attributes, "a=x", 64, head), (.attributes, "a=x", 64, head + [audio]),
        (.cryptoAttributes, "a=crypto:1 x", 16, head + [audio]), (.candidates, "a=candidate:1", 20, head + [audio]),
    ]

    @Test(.proves(.rule(13), .incident(8), .incident(12)), arguments: limits)
    func takesAsManyLinesAsTheLimitAndNoMore(limit: SDPError.Limit, line: String, count: Int, before: [String]) throws {
        let full = before + Array(repeating: line, count: count)
        let description = try SessionDescription(parsing: wire(full))
        #expect(description.media.reduce(description.lines.count) { $0 + $1.lines.count } == full.count)
        #expect(throws: SDPError(.tooMany(limit), line: full.count + 1)) {
            try SessionDescription(parsing: wire(full + [line]))
        }
    }

    @Test(.proves(.rule(13), .incident(8), .incident(12)))
    func takesLongLinesAndManyFormatsUpToTheLimit() throws {
        let name = "s=" + String(repeating: "x", count: 1022)
        #expect(try SessionDescription(parsing: wire(Self.head + [name])).sessionName?.count == 1022)
        #expect(throws: SDPError(.tooMany(.lineBytes), line: 3)) {
            try SessionDescription(parsing: wire(Self.head + [name + "x"]))
        }
        let media = "m=audio 1 RTP/AVP" + (1...64).map { " \($0)" }.joined()
        #expect(try SessionDescription(parsing: wire(Self.head + [media])).media[0].formats.count == 64)
        #expect(throws: SDPError(.tooMany(.formats), line: 3)) {
            try SessionDescription(parsing: wire(Self.head + [media + " 65"]))
        }
        #expect(throws: SDPError(.tooMany(.bytes), line: 0)) {
            try SessionDescription(parsing: Array(repeating: 0x20, count: 32 * 1024 + 1))
        }
    }
}
