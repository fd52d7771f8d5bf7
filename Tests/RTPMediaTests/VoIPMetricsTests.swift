import EngineKit
import Proofs
import Testing

@testable import RTPMedia

struct VoIPMetricsTests {
    /// The block in the order of RFC 3611 §4.7, behind the header of its report.
    private static let report: [UInt8] =
        [0x80, 207, 0, 10, 0, 0, 0, 9]
        + [7, 0, 0, 8, 0x11, 0x22, 0x33, 0x44]
        + [64, 32, 128, 4, 0x01, 0x2c, 0x13, 0x88]
        + [0, 90, 0, 60, 127, 127, 127, 16]
        + [82, 127, 41, 38, 0b1011_0000, 0, 0, 40]
        + [0x01, 0xf4, 0x02, 0x58]

    private static var metrics: VoIPMetrics {
        var metrics = VoIPMetrics(source: 0x1122_3344)
        (metrics.lossRate, metrics.discardRate) = (0.25, 0.125)
        (metrics.burstDensity, metrics.gapDensity) = (0.5, 4.0 / 256)
        (metrics.burstDuration, metrics.gapDuration) = (300, 5_000)
        (metrics.roundTrip, metrics.endSystemDelay) = (90, 60)
        (metrics.rating, metrics.listeningMOS, metrics.conversationalMOS) = (82, 4.1, 3.8)
        metrics.configuration = .enhancedAdaptive
        (metrics.bufferNominal, metrics.bufferMaximum, metrics.bufferAbsoluteMaximum) = (40, 500, 600)
        return metrics
    }

    @Test(.proves(.clause("RFC 3611 §4.7")))
    func isWrittenAndReadAsTheRFCSays() throws {
        #expect(try parsedRTCP(Self.report).get() == [.extendedReport(source: 9, Self.metrics)])
        let block = written { Self.metrics.write(to: &$0) }
        #expect(block == Array(Self.report[8...]))
    }

    @Test func whatIsNotKnownIsSaid() throws {
        var random = RandomSource(seed: 1)
        var report = RTCPReport(source: 9, canonicalName: CanonicalName(random: &random))
        report.metrics = VoIPMetrics(source: 4)
        report.isGoodbye = true
        let packets = try parsedRTCP(written { report.write(to: &$0) }).get()
        #expect(packets.count == 4)
        #expect(packets[2] == .extendedReport(source: 9, VoIPMetrics(source: 4)))
    }

    @Test func whatIsOutOfRangeIsBroughtIntoIt() throws {
        var metrics = VoIPMetrics(source: 1)
        (metrics.lossRate, metrics.burstDensity, metrics.discardRate) = (1, 7, -1)
        (metrics.burstDuration, metrics.roundTrip) = (1 << 40, -5)
        (metrics.rating, metrics.listeningMOS, metrics.conversationalMOS) = (170, 9, 0)
        let bytes = written { metrics.write(to: &$0) }
        let parsed = VoIPMetrics(parsing: bytes.span.extracting(4..<36))
        let read = try #require(parsed)
        #expect(read.lossRate == 255.0 / 256 && read.burstDensity == 255.0 / 256 && read.discardRate == 0)
        #expect(read.burstDuration == 65_535 && read.roundTrip == 0)
        #expect(read.rating == 100 && read.listeningMOS == 5 && read.conversationalMOS == 1)
    }

    /// Other blocks before and behind are passed over; a length that lies is found, wherever it is.
    @Test(.proves(.clause("RFC 3611 §3")))
    func blocksAreWalkedByTheirLengths() throws {
        let (receiverReference, delays): ([UInt8], [UInt8]) = (
            [4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8], [5, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]
        )
        let block = Array(Self.report[8...])
        func report(_ blocks: [UInt8]) -> [UInt8] {
            [0x80, 207, 0, UInt8(1 + blocks.count / 4), 0, 0, 0, 9] + blocks
        }
        let all = report(receiverReference + block + delays)
        #expect(try parsedRTCP(all).get() == [.extendedReport(source: 9, Self.metrics)])
        #expect(try parsedRTCP(report(delays)).get() == [.extendedReport(source: 9, nil)])
        #expect(try parsedRTCP(report([])).get() == [.extendedReport(source: 9, nil)])
        // One word short of what its type has: none of ours, and no harm.
        var short = report([7, 0, 0, 7] + block[4..<32])
        #expect(try parsedRTCP(short).get() == [.extendedReport(source: 9, nil)])
        short[11] = 9
        #expect(parsedRTCP(short) == .failure(.count(offset: 0)))
        #expect(parsedRTCP([0x80, 207, 0, 0]) == .failure(.count(offset: 0)))
    }
}

/// The example is a run of packets, `.` heard and `x` not.
struct BurstMeterTests {
    private func metrics(_ packets: String) -> VoIPMetrics {
        var meter = BurstMeter()
        for packet in packets { if packet == "." { meter.hear() } else { meter.miss() } }
        var metrics = VoIPMetrics(source: 1)
        meter.report(into: &metrics, packetTime: 20)
        return metrics
    }

    private func heard(_ count: Int) -> String { String(repeating: ".", count: count) }

    @Test func allHeardIsOneGap() {
        let metrics = metrics(heard(100))
        #expect(metrics.lossRate == 0 && metrics.gapDensity == 0 && metrics.burstDensity == 0)
        #expect(metrics.gapDuration == 2_000 && metrics.burstDuration == 0)
    }

    @Test func nothingAtAllIsNothing() {
        #expect(metrics("") == VoIPMetrics(source: 1))
    }

    @Test(.proves(.clause("RFC 3611 §A.2")))
    func loneLossesAreOfTheGap() {
        let metrics = metrics((0..<10).map { _ in heard(99) + "x" }.joined() + heard(100))
        #expect(metrics.burstDuration == 20, "the first loss opens a burst of one packet, as in the appendix")
        #expect(abs(metrics.lossRate - 10.0 / 1_100) < 1e-9)
        #expect(abs(metrics.gapDensity - 9.0 / 1_099) < 1e-3)
    }

    @Test(.proves(.clause("RFC 3611 §A.2")))
    func lossesCloseTogetherAreABurst() {
        // Bursts of ten packets of which every other is lost, each behind 200 that are heard.
        let metrics = metrics((0..<20).map { _ in heard(200) + "x.x.x.x.xx" }.joined() + heard(200))
        #expect(abs(metrics.burstDensity - 0.6) < 0.08, "\(metrics.burstDensity)")
        #expect(abs(metrics.burstDuration - 200) <= 20, "\(metrics.burstDuration) ms")
        #expect(abs(metrics.gapDuration - 4_200) <= 250, "\(metrics.gapDuration) ms")
        #expect(metrics.gapDensity == 0)
    }

    @Test func everythingLostIsABurstWithoutHeardPackets() {
        let metrics = metrics(heard(16) + String(repeating: "x", count: 50))
        #expect(metrics.burstDensity == 1)
        #expect(metrics.burstDuration == 1_000)
    }

    @Test func whatComesTooLateIsDiscarded() {
        var meter = BurstMeter()
        for _ in 0..<90 { meter.hear() }
        meter.miss(10)
        meter.arriveLate()
        meter.arriveLate()
        var metrics = VoIPMetrics(source: 1)
        meter.report(into: &metrics, packetTime: 20)
        #expect(abs(metrics.lossRate - 0.08) < 1e-9 && abs(metrics.discardRate - 0.02) < 1e-9)
        // One that came twice, or was never missed.
        var other = BurstMeter()
        other.arriveLate()
        other.miss(-3)
        other.retract()
        #expect(other == BurstMeter())
    }
}

struct VoIPMetricsSessionTests {
    private func call(loss: Double, both: Bool = true) throws -> VirtualCall {
        var (a, b) = (
            VirtualCall.configuration(.pcmu, to: VirtualCall.addressB),
            VirtualCall.configuration(.pcmu, to: VirtualCall.addressA)
        )
        (a.sendsVoIPMetrics, b.sendsVoIPMetrics) = (both, true)
        let call = try VirtualCall(a, b, impairment: Impairment(loss: loss), seed: 5)
        call.a.tone(440)
        call.b.tone(1_000)
        call.run(.seconds(40))
        return call
    }

    @Test(.proves(.clause("RFC 3611 §4.7")))
    func eachEndLearnsHowItIsHeard() throws {
        let call = try call(loss: 0.05)
        let told = try #require(call.a.session.statistics.remoteMetrics)
        let seen = call.b.session.statistics
        #expect(abs(told.lossRate - seen.lossPercent / 100) < 0.015)
        #expect(told.discardRate < 0.01)
        #expect((10...70).contains(told.bufferNominal) && told.bufferAbsoluteMaximum == 500)
        #expect(told.configuration == .enhancedFixed)
        #expect(abs(told.roundTrip - 10) <= 12)
        #expect((40...120).contains(told.endSystemDelay))
        let opinion = try #require(told.listeningMOS)
        #expect(abs(opinion - (try #require(seen.listeningMOS))) < 0.2)
        #expect((try #require(told.rating)) < 92)
    }

    @Test func aCleanCallHasNoBursts() throws {
        let told = try #require(try call(loss: 0).a.session.statistics.remoteMetrics)
        #expect(told.lossRate == 0 && told.discardRate == 0 && told.burstDensity == 0 && told.burstDuration == 0)
        #expect(told.gapDuration > 20_000)
    }

    @Test func nobodyIsToldWhoDidNotAsk() throws {
        let call = try call(loss: 0, both: false)
        #expect(call.b.session.statistics.remoteMetrics == nil)
        #expect(call.a.session.statistics.remoteMetrics != nil)
    }
}
