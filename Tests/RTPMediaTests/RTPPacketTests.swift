import EngineKit
import Proofs
import RTPMedia
import Testing

struct RTPPacketTests {
    @Test(.proves(.incident(16)))
    func everyLengthFromNothingToSixtyFourIsAPacketOrAnError() {
        var random = RandomSource(seed: 1)
        for length in 0...64 {
            for round in 0..<500 {
                var bytes = randomBytes(length, &random)
                // Most rounds get past the version, so that the rest is tried as well.
                if round > 50 && length > 0 { bytes[0] = bytes[0] & 0x3f | 0x80 }
                guard case .success(let packet) = parsedRTP(bytes) else { continue }
                #expect(length >= RTPPacket.headerLength)
                #expect(packet.payload.lowerBound >= 12 && packet.payload.upperBound <= length)
                #expect(packet.payloadType < 128)
            }
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        let bytes = rtpBytes(
            [9, 8, 7], payloadType: 96, sequence: 65_535, timestamp: 0xdead_beef, source: 0x0102_0304, marker: true)
        #expect(Array(bytes[..<12]) == [0x80, 0xe0, 0xff, 0xff, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4])
        let packet = try parsedRTP(bytes).get()
        #expect(packet.hasMarker && packet.payloadType == 96 && packet.sequenceNumber.rawValue == 65_535)
        #expect(packet.timestamp == 0xdead_beef && packet.synchronizationSource == 0x0102_0304)
        #expect(packet.payload == 12..<15)
    }

    @Test(.proves(.clause("RFC 3550 §5.1"), .clause("RFC 3550 §5.3.1")))
    func contributingSourcesExtensionAndPaddingArePassedOver() throws {
        var bytes = rtpBytes([], sequence: 1, timestamp: 2)
        bytes[0] = 0x80 | 0x20 | 0x10 | 2
        bytes += [0, 0, 0, 1, 0, 0, 0, 2]  // two contributing sources
        bytes += [0xbe, 0xde, 0, 1, 1, 2, 3, 4]  // an extension of one word
        bytes += [42, 43]  // the payload
        bytes += [0, 0, 3]  // padding
        #expect(try parsedRTP(bytes).get().payload == 28..<30)
    }

    @Test(.proves(.incident(16), .incident(17)))
    func lengthsThatLieAreNamed() {
        var bytes = rtpBytes([1, 2, 3, 4], sequence: 1, timestamp: 2)
        func parsed(first: UInt8, last: UInt8 = 4) -> Result<RTPPacket, RTPError> {
            bytes[0] = first
            bytes[15] = last
            return parsedRTP(bytes)
        }
        #expect(parsed(first: 0x82) == .failure(.contributingSources(2)))
        #expect(parsed(first: 0x90) == .failure(.headerExtension))
        #expect(parsed(first: 0xa0, last: 5) == .failure(.padding(5)))
        #expect(parsed(first: 0xa0, last: 0) == .failure(.padding(0)))
        #expect(parsed(first: 0x40) == .failure(.version(1)))
        #expect(parsedRTP([UInt8](repeating: 0x80, count: 11)) == .failure(.truncated(11)))
        #expect(parsedRTP([UInt8](repeating: 0x80, count: 1_501)) == .failure(.oversized(1_501)))
    }

    @Test(
        .proves(.incident(16), .incident(17)),
        .enabled(if: corpora != nil, "OFFHOOK_CORPORA names no folder with recorded packets"))
    func recordedAndForgedPacketsNeverTrap() {
        let files = corpusFiles(in: "fuzz", containing: ["rtp", "rtcp"])
        #expect(files.count > 50)
        var (packets, reports) = (0, 0)
        for file in files {
            for start in [0, 12, 24, 28, 40, 42, 44] where start < file.count {
                let bytes = Array(file[start...].prefix(1_600))
                for length in [bytes.count, bytes.count / 2, min(bytes.count, 64)] {
                    if case .success = parsedRTP(Array(bytes[..<length])) { packets += 1 }
                    if case .success = parsedRTCP(Array(bytes[..<length])) { reports += 1 }
                }
            }
        }
        #expect(packets > 20 && reports > 5)
    }
}
