import EngineKit
import Proofs
import Testing

@testable import SDP

/// Every fault of a description is named, with its line and clause.
struct DescriptionSurveyTests {
    private static let head = ["v=0", "o=ann 1 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]

    private func faults(_ lines: [String]) -> [String] {
        DescriptionSurvey.faults(in: wire(lines)).map(\.description)
    }

    private func faults(below media: String...) -> [String] {
        faults(Self.head + media)
    }

    @Test func nothingIsSaidOfAGoodDescription() throws {
        #expect(
            faults(
                below: "m=audio 5004 RTP/AVP 111 0 101", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 useinbandfec=1",
                "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20",
                "a=maxptime:62.5", "a=rtcp:5005 IN IP4 192.0.2.1", "a=sendonly", "m=image 0 udptl t38",
                "c=IN IP6 2001:db8::1", "a=fmtp:t38 x=1") == [])
        var negotiation = negotiation()
        let ours = try negotiation.makeOffer(address: ourAddress)
        #expect(DescriptionSurvey.faults(in: ours.bytes()) == [])
    }

    @Test(.proves(.incident(9), .incident(10), .clause("RFC 8866 §6.6")))
    func payloadTypesThatDoNotFitAreNamed() {
        #expect(
            faults(below: "m=audio 5004 RTP/AVP 0 128 x", "a=rtpmap:65535 opus/48000/2") == [
                "line 6: the format `128` is no payload type of 0 to 127 (RFC 8866 §6.6)",
                "line 6: the format `x` is no payload type of 0 to 127 (RFC 8866 §6.6)",
                "line 7: a=rtpmap of `65535`, which is no payload type of 0 to 127 (RFC 8866 §6.6)",
            ])
    }

    @Test(.proves(.incident(11), .clause("RFC 8866 §6.6"), .clause("RFC 3551 §6")))
    func mapsAndFormatsThatDoNotFitEachOtherAreNamed() {
        #expect(
            faults(
                below: "m=audio 5004 RTP/AVP 0 2 96 97", "a=rtpmap:96 opus", "a=rtpmap:98 opus/48000/2",
                "a=rtpmap:0 PCMA/8000", "a=rtpmap:0 PCMU/8000") == [
                    "line 6: payload type 2 has no a=rtpmap and no fixed meaning (RFC 8866 §6.6)",
                    "line 6: payload type 97 has no a=rtpmap and no fixed meaning (RFC 8866 §6.6)",
                    "line 7: a=rtpmap is not `type name/rate`: `96 opus` (RFC 8866 §6.6)",
                    "line 8: a=rtpmap of payload type 98, which the m= line does not name (RFC 8866 §6.6)",
                    "line 9: payload type 0 is PCMU/8000, not PCMA/8000 (RFC 3551 §6)",
                    "line 10: a second a=rtpmap of payload type 0 (RFC 8866 §6.6)",
                ])
    }

    @Test(.proves(.clause("RFC 8866 §6.15"), .clause("RFC 8866 §6.4"), .clause("RFC 8866 §6.5")))
    func parametersAndPacketTimesThatSayNothingAreNamed() {
        #expect(
            faults(
                below: "m=audio 5004 RTP/AVP 0", "a=fmtp:0", "a=fmtp:9 x=1", "a=fmtp:0 a=1", "a=fmtp:0 b=1",
                "a=ptime:twenty", "a=ptime:0", "a=maxptime:-1", "a=rtcp:x") == [
                    "line 7: a=fmtp is not a format and its parameters: `0` (RFC 8866 §6.15)",
                    "line 8: a=fmtp of the format `9`, which the m= line does not name (RFC 8866 §6.15)",
                    "line 10: a second a=fmtp of the format `0` (RFC 8866 §6.15)",
                    "line 11: a=ptime is no number above 0: `twenty` (RFC 8866 §6.4)",
                    "line 12: a=ptime is no number above 0: `0` (RFC 8866 §6.4)",
                    "line 13: a=maxptime is no number above 0: `-1` (RFC 8866 §6.5)",
                    "line 14: a=rtcp is not a port, or a port and an address: `x` (RFC 3605 §2.1)",
                ])
    }

    @Test(.proves(.clause("RFC 8866 §5.7"), .clause("RFC 8866 §6.7")))
    func connectionsAndDirectionsAreCountedBySection() {
        #expect(
            faults([
                "v=0", "o=ann 1 2 IN IP4 192.0.2.1", "s=-", "t=0 0", "a=sendrecv", "a=inactive",
                "m=audio 5004 RTP/AVP 0", "c=IN IP4 192.0.2.1", "a=sendonly", "m=audio 5006 RTP/AVP 0", "a=sendonly",
                "a=recvonly",
            ]) == [
                "line 6: a second direction in one section (RFC 8866 §6.7)",
                "line 10: neither this section nor the session has a c= line (RFC 8866 §5.7)",
                "line 12: a second direction in one section (RFC 8866 §6.7)",
            ])
    }

    @Test(.proves(.clause("RFC 8866 §5")))
    func linesOutOfPlaceOrShapeAreNamedAllAtOnce() throws {
        let lines = [
            "v=0", "o=ann x 2 IN IP6 192.0.2.1", "c=IP IP4 192.0.2.1", "s=", "b=x", "i=a", "i=b", "t=0", "a=ptime:20",
            "what", "q=1", "m=audio 5004 RTP/AVP", "t=0 0", "a=b c:1",
        ]
        let found = DescriptionSurvey.faults(in: wire(lines))
        #expect(
            found.map(\.description) == [
                "line 2: the session id of o= is no number: `x` (RFC 8866 §5.2)",
                "line 2: the address of o= is not IP6: `192.0.2.1` (RFC 8866 §5.2)",
                "line 3: the network type of c= is not IN: `IP` (RFC 8866 §5.7)",
                "line 4: the s= line stands behind c= (RFC 8866 §5)",
                "line 4: s= is empty; `s=-` says that there is no name (RFC 8866 §5.3)",
                "line 5: b= is not `type:number` (RFC 8866 §5.8)",
                "line 6: the i= line stands behind b= (RFC 8866 §5)",
                "line 7: a second i= line (RFC 8866 §5)",
                "line 8: t= is not two numbers (RFC 8866 §5.9)",
                "line 9: a=ptime stands above the first m= line (RFC 8866 §6.4)",
                "line 10: not a line of the form letter=value (RFC 8866 §5)",
                "line 11: unknown type letter q (RFC 8866 §5)",
                "line 12: a malformed m= line (RFC 8866 §9)",
                "line 13: a t= line below an m= line (RFC 8866 §5)",
                "line 14: the name of an attribute is no token: `b c` (RFC 8866 §5.13)",
            ])
        #expect(found.filter(\.isRefused).map(\.line) == [10, 11, 12, 13])
    }

    @Test func whatIsMissingIsNamedLast() {
        #expect(
            faults(["s=-"]) == [
                "line 1: no v= line (RFC 8866 §5)", "no o= line (RFC 8866 §5)", "no t= line (RFC 8866 §5)",
            ])
        #expect(faults([]) == ["an empty session description (RFC 8866 §5)"])
        #expect(faults(below: "a=" + String(repeating: "x", count: 1100)) == ["line 6: too many bytes in a line"])
    }

    /// What the parser refuses is refused here, and nothing else is.
    @Test(.enabled(if: Corpora.arePresent, "\(Corpora.absence)"))
    func refusesWhatTheParserRefuses() throws {
        var flawless = 0
        var random = RandomSource(seed: 4566)
        for file in Corpora.files("sdp", endingIn: ".sdp") {
            let bytes = try #require(Corpora.bytes(file))
            for text in [bytes, mutated(bytes, with: &random), mutated(bytes, with: &random)] {
                let faults = DescriptionSurvey.faults(in: text)
                let isRefused = (try? SessionDescription(parsing: text)) == nil
                #expect(faults.contains(where: \.isRefused) == isRefused, "\(file)")
            }
            flawless += DescriptionSurvey.faults(in: bytes).isEmpty ? 1 : 0
        }
        #expect(flawless > 200)
    }
}
