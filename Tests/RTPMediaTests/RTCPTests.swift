import EngineKit
import Proofs
import RTPMedia
import Testing

struct RTCPTests {
    private func report(isGoodbye: Bool = false, sends: Bool = true) -> (RTCPReport, CanonicalName) {
        var random = RandomSource(seed: 3)
        let name = CanonicalName(random: &random)
        var report = RTCPReport(source: 0xaabb_ccdd, canonicalName: name)
        report.isGoodbye = isGoodbye
        if sends {
            report.sender = RTCPPacket.SenderInformation(
                ntp: NTPTimestamp(rawValue: 0x1122_3344_5566_7788), timestamp: 99, packetCount: 7, octetCount: 700)
        }
        report.block = ReportBlock(
            source: 5, fractionLost: 128, cumulativeLost: -3, extendedMaximum: 0x1_0002, jitter: 44, lastReport: 55,
            delay: 66)
        return (report, name)
    }

    @Test(arguments: [true, false], [true, false])
    func whatIsWrittenIsRead(sends: Bool, isGoodbye: Bool) throws {
        let (report, name) = report(isGoodbye: isGoodbye, sends: sends)
        let bytes = written { report.write(to: &$0) }
        #expect(bytes.count % 4 == 0)
        let packets = try parsedRTCP(bytes).get()
        #expect(packets.count == (isGoodbye ? 3 : 2))
        let blocks: RTCPPacket.ReportBlocks
        switch packets[0] {
        case .senderReport(0xaabb_ccdd, let information, let list):
            #expect(sends && information == report.sender)
            blocks = list
        case .receiverReport(0xaabb_ccdd, let list):
            #expect(!sends)
            blocks = list
        default:
            Issue.record("the first packet is no report")
            return
        }
        let block = blocks.block(0, in: bytes.span)
        let none = blocks.block(1, in: bytes.span)
        #expect(block == report.block && none == nil)
        guard case .sourceDescription(0xaabb_ccdd, let range?) = packets[1] else {
            Issue.record("no CNAME")
            return
        }
        #expect(Array(bytes[range]) == (0..<CanonicalName.length).map { name[$0] })
        if isGoodbye, case .goodbye(let list) = packets[2] {
            let (names, namesOther) = (list.contains(0xaabb_ccdd, in: bytes.span), list.contains(5, in: bytes.span))
            #expect(names && !namesOther)
        }
    }

    @Test(.proves(.incident(16)))
    func everyLengthFromNothingToSixtyFourIsReadOrRefused() {
        var random = RandomSource(seed: 2)
        for length in 0...64 {
            for round in 0..<500 {
                var bytes = randomBytes(length, &random)
                if round > 20 && length >= 4 {
                    bytes[0] = bytes[0] & 0x3f | 0x80
                    bytes[1] = UInt8.random(in: 199...208, using: &random)
                    bytes[2] = 0
                    if round % 2 == 0 { bytes[3] = UInt8(max(0, length / 4 - 1)) }
                }
                guard case .success(let packets) = parsedRTCP(bytes) else { continue }
                #expect(length >= 4 && packets.count <= 8)
                for case .senderReport(_, _, let blocks) in packets { readAll(blocks, bytes) }
                for case .receiverReport(_, let blocks) in packets { readAll(blocks, bytes) }
            }
        }
    }

    private func readAll(_ blocks: RTCPPacket.ReportBlocks, _ bytes: [UInt8]) {
        for index in 0..<blocks.count {
            let block = blocks.block(index, in: bytes.span)
            #expect(block != nil)
        }
    }

    @Test(.proves(.incident(17), .row(54)))
    func everyLengthFieldThatLiesIsFound() {
        let (report, _) = report(isGoodbye: true)
        let bytes = written { report.write(to: &$0) }
        let whole = parsedRTCP(bytes)
        for offset in [2, 3, 54, 55, 82, 83] {  // the lengths of SR, SDES and BYE
            for value in UInt8.min...UInt8.max where value != bytes[offset] {
                var forged = bytes
                forged[offset] = value
                #expect(parsedRTCP(forged) != whole)
            }
        }
        for length in 0..<bytes.count { #expect(parsedRTCP(Array(bytes[..<length])) != whole) }
    }

    @Test(.proves(.incident(17), .row(54)))
    func countsBeyondTheLengthAreRefused() {
        #expect(parsedRTCP([0x9f, 201, 0, 1, 0, 0, 0, 1]) == .failure(.count(offset: 0)))
        #expect(parsedRTCP([0x82, 203, 0, 1, 0, 0, 0, 1]) == .failure(.count(offset: 0)))
        #expect(parsedRTCP([0x80, 200, 0, 1, 0, 0, 0, 1]) == .failure(.count(offset: 0)))
        // A CNAME of 200 octets in a packet of 12.
        #expect(parsedRTCP([0x81, 202, 0, 2, 0, 0, 0, 1, 1, 200, 65, 0]) == .failure(.count(offset: 0)))
        // An item list without an end.
        #expect(parsedRTCP([0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 65, 66]) == .failure(.count(offset: 0)))
        #expect(parsedRTCP([0xa0, 201, 0, 1, 0, 0, 0, 8]) == .failure(.padding(offset: 0)))
    }

    @Test(.proves(.rule(16)))
    func eightPacketsAreReadAndNineAreNot() throws {
        let one: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 1]
        #expect(try parsedRTCP(Array(repeating: one, count: 8).flatMap { $0 }).get().count == 8)
        #expect(parsedRTCP(Array(repeating: one, count: 9).flatMap { $0 }) == .failure(.tooManyPackets))
    }

    @Test(.proves(.incident(18), .row(54)))
    func reducedSizeAndUnknownPacketsArePassedOver() throws {
        let feedback: [UInt8] = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
        let named: [UInt8] = [0x80, 204, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4]
        #expect(try parsedRTCP(feedback).get() == [.other(type: 206)])
        #expect(try parsedRTCP(feedback + named).get() == [.other(type: 206), .other(type: 204)])
    }

    @Test(.proves(.clause("RFC 3550 §6.4.1")))
    func roundTripIsArrivalLessReportLessDelay() throws {
        let sent = NTPTimestamp(elapsed: .seconds(100))
        let arrival = NTPTimestamp(elapsed: .milliseconds(105_250))
        let delay = NTPTimestamp.delay(of: .milliseconds(5_000))
        let trip = try #require(
            NTPTimestamp.roundTrip(arrival: arrival, lastReport: sent.middle, delay: delay))
        #expect(abs(trip.milliseconds - 250) < 0.1)
        #expect(NTPTimestamp.roundTrip(arrival: arrival, lastReport: 0, delay: 0) == nil)
        #expect(NTPTimestamp.roundTrip(arrival: sent, lastReport: arrival.middle, delay: 0) == nil)
        #expect(NTPTimestamp.roundTrip(arrival: arrival, lastReport: sent.middle, delay: .max) == nil)
        #expect(NTPTimestamp.delay(of: .seconds(1_000_000_000)) == .max)
        #expect(NTPTimestamp.delay(of: .seconds(-1)) == 0)
    }

    @Test(.proves(.clause("RFC 3550 §6.3")))
    func reportsComeEveryTwoToSixSecondsAfterAnEarlyFirstOne() {
        for seed in 0..<50 as Range<UInt64> {
            var random = RandomSource(seed: seed)
            var now = Instant.zero
            var schedule = RTCPSchedule(at: now, random: &random)
            var sent: [Instant] = []
            while sent.count < 20 {
                now = schedule.deadline
                guard schedule.isDue(at: now, random: &random) else { continue }
                schedule.sent(octets: 100, at: now, random: &random)
                sent.append(now)
            }
            #expect((1.0...3.1).contains((sent[0] - .zero).inSeconds))
            for (earlier, later) in zip(sent, sent.dropFirst()) {
                #expect((2.0...6.2).contains((later - earlier).inSeconds))
            }
            // Reconsideration makes the mean 5 s again.
            let mean = (sent[19] - sent[0]).inSeconds / 19
            #expect((3.6...5.6).contains(mean))
        }
    }
}
