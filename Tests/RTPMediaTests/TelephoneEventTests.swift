import EngineKit
import Proofs
import RTPMedia
import Testing

struct TelephoneEventTests {
    private func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }

    private struct Packet {
        var code: UInt8 = 5
        var isEnd = false
        var duration: UInt16
        var timestamp: UInt32 = 1_000
        var at: Int
    }

    private func reports(_ packets: [Packet], until end: Int = 10_000) -> [DigitReport] {
        var receiver = TelephoneEventReceiver()
        var reports: [DigitReport] = []
        for packet in packets {
            if let deadline = receiver.deadline, deadline <= at(packet.at) { receiver.handleDeadline(at: deadline) }
            let event = TelephoneEvent(code: packet.code, isEnd: packet.isEnd, duration: packet.duration)
            let bytes = written { event.write(to: &$0) }
            receiver.receive(
                bytes.span, timestamp: packet.timestamp, clockRate: 8_000, rtpRate: 8_000, at: at(packet.at))
            while let report = receiver.nextReport() { reports.append(report) }
        }
        receiver.handleDeadline(at: at(end))
        while let report = receiver.nextReport() { reports.append(report) }
        return reports
    }

    private func digit(_ character: Character) throws -> DTMFDigit { try #require(DTMFDigit(character)) }

    @Test(.proves(.row(53), .clause("RFC 4733 §2.5")))
    func manyPacketsAndThreeEndsAreOneDigit() throws {
        let packets =
            [Packet(duration: 160, at: 0), Packet(duration: 560, at: 50)]
            + (0..<3).map { Packet(isEnd: true, duration: 800, at: 100 + 50 * $0) }
        #expect(reports(packets) == [.began(try digit("5")), .ended(try digit("5"), milliseconds: 100)])
    }

    @Test(.proves(.row(53), .clause("RFC 4733 §2.5")))
    func aLostEndIsFoundByTimeOrByTheNextDigit() throws {
        let five = [Packet(duration: 160, at: 0), Packet(duration: 560, at: 50)]
        #expect(reports(five) == [.began(try digit("5")), .ended(try digit("5"), milliseconds: 70)])
        let six = Packet(code: 6, isEnd: true, duration: 400, timestamp: 3_000, at: 180)
        #expect(
            reports(five + [six]) == [
                .began(try digit("5")), .ended(try digit("5"), milliseconds: 70), .began(try digit("6")),
                .ended(try digit("6"), milliseconds: 50),
            ])
    }

    @Test(.proves(.row(53), .clause("RFC 4733 §2.5")))
    func onlyTheLastEndArrived() throws {
        #expect(
            reports([Packet(isEnd: true, duration: 800, at: 200)])
                == [.began(try digit("5")), .ended(try digit("5"), milliseconds: 100)])
    }

    @Test(.proves(.row(53), .clause("RFC 4733 §2.5")))
    func latePacketsOfADigitThatEndedBeginNoneAgain() {
        let packets = [
            Packet(duration: 160, at: 0), Packet(isEnd: true, duration: 800, at: 100),
            Packet(code: 6, duration: 160, timestamp: 4_000, at: 300), Packet(duration: 560, at: 310),
            Packet(isEnd: true, duration: 800, at: 320),
            Packet(code: 6, isEnd: true, duration: 800, timestamp: 4_000, at: 400),
            Packet(duration: 560, at: 900), Packet(duration: 160, timestamp: 500, at: 950),
        ]
        #expect(reports(packets).count == 4)
    }

    @Test(.proves(.row(53), .clause("RFC 4733 §2.5")))
    func theLongestDurationAndTheShortestAreDigits() throws {
        #expect(
            reports([Packet(isEnd: true, duration: 65_535, at: 0)])
                == [.began(try digit("5")), .ended(try digit("5"), milliseconds: 8_191)])
        #expect(
            reports([Packet(isEnd: true, duration: 0, at: 0)])
                == [.began(try digit("5")), .ended(try digit("5"), milliseconds: 0)])
    }

    @Test(.proves(.row(53), .clause("RFC 4733 §2.5")))
    func segmentsOfALongEventAreOneDigit() throws {
        let packets = [
            Packet(duration: 160, at: 0), Packet(duration: 65_535, at: 150),
            Packet(duration: 400, timestamp: 1_000 &+ 65_535, at: 200),
            Packet(isEnd: true, duration: 800, timestamp: 1_000 &+ 65_535, at: 250),
        ]
        #expect(reports(packets) == [.began(try digit("5")), .ended(try digit("5"), milliseconds: 8_291)])
    }

    @Test(.proves(.row(53), .clause("RFC 4733 §2.5")))
    func theSameDigitTwiceIsTwoDigits() {
        let packets = [
            Packet(isEnd: true, duration: 800, at: 0), Packet(isEnd: true, duration: 800, timestamp: 3_000, at: 200),
        ]
        #expect(reports(packets).count == 4)
    }

    @Test func eventsThatAreNoDigitsAndShortPayloadsAreIgnored() {
        #expect(reports([Packet(code: 16, duration: 160, at: 0), Packet(code: 255, duration: 160, at: 0)]).isEmpty)
        var receiver = TelephoneEventReceiver()
        for length in 0..<4 {
            let bytes = [UInt8](repeating: 1, count: length)
            receiver.receive(bytes.span, timestamp: 1, clockRate: 8_000, rtpRate: 8_000, at: .zero)
        }
        check(receiver.nextReport(), nil)
    }

    @Test(.proves(.incident(16)))
    func anyPayloadEndsInPairsOfBeginAndEnd() {
        var random = RandomSource(seed: 3)
        var receiver = TelephoneEventReceiver()
        var open = 0
        for step in 0..<20_000 {
            var bytes = randomBytes(Int.random(in: 0...20, using: &random), &random)
            if !bytes.isEmpty { bytes[0] %= 18 }
            receiver.receive(
                bytes.span, timestamp: UInt32.random(in: 0...UInt32.max, using: &random),
                clockRate: step % 3 == 0 ? 0 : 8_000, rtpRate: 48_000, at: at(step))
            while let report = receiver.nextReport() {
                if case .began = report { open += 1 } else { open -= 1 }
                #expect((0...1).contains(open))
            }
        }
    }

    @Test(.proves(.clause("RFC 4733 §2.5.1")), arguments: [UInt32(8_000), 48_000])
    func senderRepeatsEveryFiftyMillisecondsAndEndsThreeTimes(rate: UInt32) throws {
        var sender = TelephoneEventSender()
        let isQueued = sender.append(try digit("#"), duration: .milliseconds(160))
        #expect(isQueued)
        var packets: [(at: Int, report: TelephoneEventSender.Report)] = []
        for millisecond in 0..<1_000 {
            while let report = sender.next(
                at: at(millisecond), timestamp: UInt32(millisecond * 48), rtpRate: 48_000,
                format: TelephoneEventFormat(payloadType: 101, clockRate: rate), packetTime: 20)
            {
                packets.append((millisecond, report))
            }
        }
        let perMillisecond = Int(rate) / 1_000
        #expect(packets.map(\.at) == [0, 50, 100, 150, 160, 210, 260])
        #expect(packets.map { Int($0.report.event.duration) / perMillisecond } == [20, 50, 100, 150, 160, 160, 160])
        #expect(packets.map(\.report.event.isEnd) == [false, false, false, false, true, true, true])
        #expect(packets.map(\.report.hasMarker) == [true, false, false, false, false, false, false])
        #expect(packets.allSatisfy { $0.report.timestamp == 0 && $0.report.event.code == 11 })
        #expect(sender.deadline == nil)
    }

    @Test(.proves(.clause("RFC 4733 §2.5.1")))
    func senderCutsALongDigitIntoSegments() throws {
        var sender = TelephoneEventSender()
        var receiver = TelephoneEventReceiver()
        _ = sender.append(try digit("1"), duration: .seconds(3))
        var timestamps: Set<UInt32> = []
        var reports: [DigitReport] = []
        for millisecond in 0..<4_000 {
            while let report = sender.next(
                at: at(millisecond), timestamp: 77, rtpRate: 48_000,
                format: TelephoneEventFormat(payloadType: 101, clockRate: 48_000), packetTime: 20)
            {
                timestamps.insert(report.timestamp)
                let bytes = written { report.event.write(to: &$0) }
                receiver.receive(
                    bytes.span, timestamp: report.timestamp, clockRate: 48_000, rtpRate: 48_000, at: at(millisecond))
            }
            while let report = receiver.nextReport() { reports.append(report) }
        }
        #expect(timestamps.count == 3)  // 144000 ticks in pieces of 65535
        #expect(reports == [.began(try digit("1")), .ended(try digit("1"), milliseconds: 3_000)])
    }

    @Test func thirtyTwoDigitsWaitAndNoMore() throws {
        var sender = TelephoneEventSender()
        let accepted = try (0..<40).filter { _ in sender.append(try digit("1"), duration: .zero) }
        #expect(accepted.count == 32)
    }

    @Test func everyKeyHasItsCode() {
        for (code, character) in "0123456789*#ABCD".enumerated() {
            #expect(DTMFDigit(character)?.code == UInt8(code))
            #expect(DTMFDigit(code: UInt8(code))?.character == character)
        }
        #expect(DTMFDigit("b")?.character == "B")
        #expect(DTMFDigit("x") == nil && DTMFDigit("é") == nil && DTMFDigit(code: 16) == nil)
    }
}
