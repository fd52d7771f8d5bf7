import EngineKit
import Proofs
import Testing

@testable import SDP

@Suite struct MediaDescriptionTests {
    private func formats(_ lines: String...) throws -> [MediaFormat] {
        try SessionDescription(parsing: wire(["v=0", "o=- 1 1 IN IP4 h"] + lines)).media[0].mediaFormats
    }

    @Test(.proves(.incident(11), .clause("RFC 3551 §6")))
    func knowsStaticPayloadTypesWithoutAnRTPMap() throws {
        let formats = try formats("m=audio 1 RTP/AVP 0 8 9 18 13")
        #expect(formats.map(\.encodingName) == ["PCMU", "PCMA", "G722", "G729", "CN"])
        #expect(formats.map(\.codec) == [.pcmu, .pcma, .g722, nil, nil])
    }

    @Test(.proves(.incident(11), .clause("RFC 3551 §6")))
    func leavesOutWhatNothingExplains() throws {
        let formats = try formats(
            "m=audio 1 RTP/AVP 96 97 128 300 -1 x 0 0", "a=rtpmap:97 opus/48000/2", "a=rtpmap:128 opus/48000/2",
            "a=rtpmap:65535 opus/48000/2", "a=rtpmap:98 PCMA/8000")
        #expect(formats.map(\.payloadType) == [97, 0])
    }

    @Test(
        .proves(.incident(9), .incident(10), .rule(13)),
        arguments: [
            "96 opus", "96", "", "x opus/48000/2", "96 opus/0", "96 opus/x", "96 /48000", "96 opus/4294967296",
            "96 o(pus/48000",
        ])
    func takesNoMalformedRTPMap(value: String) {
        #expect(MediaFormat(parsingRTPMap: Array(value.utf8)[...]) == nil)
    }

    @Test(arguments: [
        ("96 OPUS/48000/2", CodecKind?.some(.opus)), ("96 opus/48000", nil), ("96 opus/48000/1", nil),
        ("96 opus/16000/2", nil), ("96 pcmu/8000", .pcmu), ("96 PCMU/8000/1", .pcmu), ("96 PCMU/8000/2", nil),
        ("9 g722/8000", .g722), ("9 G722/16000", nil), ("97 L16/16000", .l16), ("97 L16/16000/2", nil),
        ("11 L16/44100", nil),
        ("96 PCMA/16000", nil), ("96 pcma/8000/999", .pcma),
    ])
    func knowsACodecByNameRateAndChannels(map: String, codec: CodecKind?) throws {
        let format = try #require(MediaFormat(parsingRTPMap: Array(map.utf8)[...]))
        #expect(format.codec == codec)
    }

    @Test func findsTheParametersOfAFormat() throws {
        let formats = try formats(
            "m=audio 1 RTP/AVP 96 97 101", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 opus/48000/2",
            "a=rtpmap:101 telephone-event/8000", "a=fmtp:97  stereo=1 ", "a=fmtp:101 0-15", "a=fmtp:96", "a=fmtp")
        #expect(formats.map(\.parameters) == [nil, "stereo=1", "0-15"])
    }

    @Test(
        .proves(.incident(13), .rule(13)),
        arguments: [
            ("20", Int?.some(20)), ("1", 1), ("200", 200), ("0", nil), ("201", nil), ("-20", nil), ("2147483648", nil),
            ("99999999999999999999", nil), ("", nil), ("20.5", nil), (" 30 ", 30),
        ])
    func readsPacketTimesFromOneToTwoHundred(value: String, ptime: Int?) throws {
        let description = try peer("m=audio 1 RTP/AVP 0", "a=ptime:\(value)", "a=maxptime:\(value)")
        #expect(description.media[0].ptime == ptime)
        #expect(description.media[0].maxptime == ptime)
    }

    @Test func readsWhereRTCPGoes() throws {
        func rtcp(_ value: String) throws -> SocketAddress? {
            let rtcp = try peer("m=audio 1 RTP/AVP 0", "a=rtcp\(value)").media[0].rtcp
            return rtcp.map { SocketAddress($0.address ?? .unspecified, port: $0.port) }
        }
        #expect(try rtcp(":53020") == SocketAddress("0.0.0.0:53020"))
        #expect(try rtcp(":53020 IN IP4 126.16.64.4") == SocketAddress("126.16.64.4:53020"))
        #expect(try rtcp(":53020 IN IP6 2001:db8::7") == SocketAddress("[2001:db8::7]:53020"))
        #expect(try rtcp(":53020 IN IP4 host.example") == nil)
        #expect(try rtcp(":0") == nil)
        #expect(try rtcp(":65536") == nil)
        #expect(try rtcp("") == nil)
    }

    @Test func refusesInPlaceWithTheFormatsKept() throws {
        let section = try peer("m=image 4000 udptl t38", "a=T38FaxVersion:0").media[0]
        #expect(section.refused.lines.map(\.text) == ["image 0 udptl t38"])
    }

    @Test(.proves(.rule(22), .incident(56)))
    func buildsNoAttributeThatCouldBreakItsLine() {
        #expect(Attribute("x", "a\r\nm=audio 1 RTP/AVP 0") == nil)
        #expect(Attribute("x", "a\0") == nil)
        #expect(Attribute("x y") == nil)
        #expect(Attribute("") == nil)
        #expect(Attribute("rtcp-mux") != nil)
        #expect(MediaFormat(payloadType: 128, encodingName: "opus", clockRate: 48_000) == nil)
        #expect(MediaFormat(payloadType: 96, encodingName: "opus\r\n", clockRate: 48_000) == nil)
        #expect(MediaFormat(payloadType: 96, encodingName: "opus", clockRate: 48_000, parameters: "a\n") == nil)
    }
}
