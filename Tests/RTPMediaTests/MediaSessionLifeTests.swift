import AudioCodecs
import EngineKit
import Proofs
import RTPMedia
import Testing

/// Who is there, who may be sent to, and what goes out when nothing is said.
struct MediaSessionLifeTests {
    private let remote = VirtualCall.addressB
    private let start = Instant(nanoseconds: 1_000_000_000)

    private func configuration(_ change: (inout MediaConfiguration) -> Void = { _ in }) -> MediaConfiguration {
        var configuration = VirtualCall.configuration(.pcmu, to: VirtualCall.addressB)
        change(&configuration)
        return configuration
    }

    private func phone(_ configuration: MediaConfiguration) throws -> Phone {
        try Phone(configuration, address: VirtualCall.addressA, seed: 9, at: start)
    }

    /// Handles the deadlines of `phone` up to an instant, with a captured piece each 10 ms where it `captures`.
    private func run(_ phone: Phone, from: Duration = .zero, to end: Duration, captures: Bool = false) {
        var now = start + from
        let silence = [Int16](repeating: 0, count: 480)
        while now < start + end {
            if captures { phone.session.capture(silence.span, at: now) }
            if let deadline = phone.session.deadline, deadline <= now { phone.session.handleDeadline(at: now) }
            phone.drain(at: now)
            now += .milliseconds(10)
        }
    }

    private func receive(_ phone: Phone, _ bytes: [UInt8], from: SocketAddress, isRTCP: Bool = false, at: Duration) {
        phone.session.receivePacket(bytes.span, from: from, isRTCP: isRTCP, at: start + at)
        phone.drain(at: start + at)
    }

    private func audio(_ sequence: Int, source: UInt32 = 7) -> [UInt8] {
        rtpBytes(
            [UInt8](repeating: 0xff, count: 160), sequence: UInt16(truncatingIfNeeded: sequence),
            timestamp: UInt32(truncatingIfNeeded: sequence * 160), source: source)
    }

    @Test func deadlinesNeverStandStill() throws {
        let phone = try phone(configuration { $0.sends = false })
        for _ in 0..<1_000 {
            guard let deadline = phone.session.deadline else { break }
            phone.session.handleDeadline(at: deadline)
            phone.drain(at: deadline)
            let following = phone.session.deadline
            let next = try #require(following)
            #expect(next > deadline)
        }
    }

    @Test(.proves(.row(43)))
    func silenceWarnsAfterFiveSecondsAndEndsAfterThirty() throws {
        let phone = try phone(configuration())
        run(phone, to: .milliseconds(4_990))
        #expect(!phone.events.contains(.silenceBegan))
        run(phone, from: .milliseconds(4_990), to: .milliseconds(5_020))
        #expect(phone.events.contains(.silenceBegan))
        run(phone, from: .milliseconds(5_020), to: .milliseconds(29_990))
        #expect(!phone.events.contains(.silenceExceeded))
        run(phone, from: .milliseconds(29_990), to: .seconds(40))
        #expect(phone.events.filter { $0 == .silenceExceeded }.count == 1)
        receive(phone, audio(1), from: remote, at: .seconds(41))
        #expect(phone.events.last == .silenceEnded || phone.events.contains(.silenceEnded))
    }

    @Test(.proves(.row(43)))
    func reportsOfThePeerKeepTheCallAlive() throws {
        let phone = try phone(configuration())
        let report: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 7]
        for second in stride(from: 0, to: 60, by: 5) {
            run(phone, from: .seconds(second), to: .seconds(second + 5))
            receive(
                phone, report, from: SocketAddress(remote.address, port: remote.port + 1), isRTCP: true,
                at: .seconds(second + 5))
        }
        #expect(phone.events.contains(.silenceBegan) && !phone.events.contains(.silenceExceeded))
    }

    @Test(.proves(.row(43)))
    func onHoldSilenceIsNotJudgedAndBeginsAnewAfterIt() throws {
        let phone = try phone(
            configuration {
                $0.isOnHold = true
                $0.sends = false
            })
        run(phone, to: .seconds(100))
        #expect(phone.events.isEmpty)
        phone.session.update(configuration(), at: start + .seconds(100))
        run(phone, from: .seconds(100), to: .milliseconds(104_900))
        #expect(phone.events.isEmpty)
        run(phone, from: .milliseconds(104_900), to: .milliseconds(105_100))
        #expect(phone.events == [.silenceBegan])
    }

    @Test func keepAlivesGoOutAtOnceAndEveryFifteenSecondsWhileNothingElseDoes() throws {
        let phone = try phone(configuration { $0.sends = false })
        run(phone, to: .seconds(61))
        let packets = phone.sent.filter { !$0.isRTCP }
        #expect(packets.map { ($0.at - start).inSeconds.rounded() } == [0, 15, 30, 45, 60])
        let parsed = try packets.map { try parsedRTP($0.bytes).get() }
        #expect(parsed.allSatisfy { $0.payload.isEmpty && $0.payloadType == 127 && !$0.hasMarker })
        #expect(zip(parsed, parsed.dropFirst()).allSatisfy { $0.sequenceNumber.distance(to: $1.sequenceNumber) == 1 })
        #expect(zip(parsed, parsed.dropFirst()).allSatisfy { $1.timestamp &- $0.timestamp == 120_000 })
        #expect(phone.sent.allSatisfy { $0.to.address == remote.address })
    }

    @Test(.proves(.rule(1)))
    func nothingLeavesBeforeThePathIsProven() throws {
        let unproven = configuration { $0.isPathProven = false }
        let phone = try phone(unproven)
        run(phone, to: .seconds(20), captures: true)
        #expect(phone.sent.isEmpty)
        phone.session.update(configuration(), at: start + .seconds(20))
        run(phone, from: .seconds(20), to: .milliseconds(20_010), captures: true)
        #expect(phone.sent.filter { !$0.isRTCP }.count == 1)
        phone.session.update(unproven, at: start + .seconds(21))
        phone.session.stop(at: start + .seconds(21))
        phone.drain(at: start + .seconds(21))
        #expect(phone.sent.count == 1)
    }

    @Test(.proves(.row(45)))
    func withoutAnAddressNothingIsSent() throws {
        let phone = try phone(
            configuration {
                $0.remoteRTP = nil
                $0.remoteRTCP = nil
            })
        run(phone, to: .seconds(60), captures: true)
        phone.session.stop(at: start + .seconds(60))
        phone.drain(at: start + .seconds(60))
        #expect(phone.sent.isEmpty && phone.events.isEmpty)
    }

    @Test(.proves(.rule(1)))
    func mediaToAStrangerWhoIsNotThereStopsAfterFifteenSeconds() throws {
        let phone = try phone(configuration { $0.isPeerTrusted = false })
        run(phone, to: .seconds(20), captures: true)
        #expect(phone.events.contains(.sendingPaused))
        let last = try #require(phone.sent.last)
        #expect((last.at - start).inSeconds < 15.02)
        receive(phone, audio(1), from: remote, at: .seconds(20))
        #expect(phone.events.contains(.sendingResumed))
        run(phone, from: .seconds(20), to: .seconds(21), captures: true)
        #expect(phone.sent.filter { $0.at > last.at && !$0.isRTCP }.count == 50)
    }

    @Test(.proves(.rule(1), .row(44)))
    func threeUnreachablesInARowPauseAStrangersMediaOnly() throws {
        for isTrusted in [true, false] {
            let phone = try phone(configuration { $0.isPeerTrusted = isTrusted })
            for _ in 0..<2 { phone.session.destinationUnreachable(at: start) }
            receive(phone, audio(1), from: remote, at: .milliseconds(10))
            for _ in 0..<2 { phone.session.destinationUnreachable(at: start) }
            phone.drain(at: start)
            #expect(!phone.events.contains(.sendingPaused))
            phone.session.destinationUnreachable(at: start)
            phone.drain(at: start)
            #expect(phone.events.contains(.sendingPaused) == !isTrusted)
        }
    }

    @Test(.proves(.clause("RFC 5761 §5.1.1")))
    func reportsShareThePortWhereThatWasAgreed() throws {
        let phone = try phone(configuration { $0.usesRTCPMux = true })
        run(phone, to: .seconds(20), captures: true)
        #expect(phone.sent.allSatisfy { !$0.isRTCP && $0.to == remote })
        let reports = phone.sent.filter { (192...223).contains($0.bytes[1]) }
        #expect(reports.count >= 3)
        receive(phone, audio(1), from: remote, at: .seconds(20))
        receive(phone, [0x81, 203, 0, 1, 0, 0, 0, 7], from: remote, at: .seconds(20))
        #expect(phone.events.contains(.remoteBye))
    }

    @Test(.proves(.row(50), .clause("RFC 3550 §8.2")))
    func aNewSynchronizationSourceIsTakenAfterTwoPackets() throws {
        let phone = try phone(configuration())
        for index in 0..<10 { receive(phone, audio(index), from: remote, at: .milliseconds(index * 20)) }
        receive(phone, audio(500, source: 8), from: remote, at: .milliseconds(200))
        #expect(!phone.events.contains(.synchronizationSourceChanged(8)))
        receive(phone, audio(501, source: 8), from: remote, at: .milliseconds(220))
        #expect(phone.events.contains(.synchronizationSourceChanged(8)))
        #expect(phone.session.statistics.lost == 0)
        #expect(phone.session.statistics.expected == 11)
    }

    @Test(.proves(.row(50), .clause("RFC 3550 §8.2")))
    func ourOwnSourceComingBackIsACollisionOnceAndThenAnEchoThatIsHeard() throws {
        let phone = try phone(configuration())
        run(phone, to: .seconds(1), captures: true)
        let before = phone.session.localSource
        for index in 0..<5 {
            receive(phone, audio(index, source: phone.session.localSource), from: remote, at: .seconds(1))
        }
        let after = phone.session.localSource
        #expect(after != before)
        #expect(phone.session.statistics.receivedPackets == 4)
        #expect(phone.events.filter { if case .collisionResolved = $0 { true } else { false } }.count == 1)
        let bye = try #require(phone.sent.last { $0.isRTCP })
        guard case .goodbye(let list)? = try parsedRTCP(bye.bytes).get().last else {
            Issue.record("no BYE for the source that was left")
            return
        }
        let names = list.contains(before, in: bye.bytes.span)
        #expect(names)
    }

    @Test(.proves(.row(50), .clause("RFC 3550 §8.2")))
    func aReportUnderOurOwnSourceIsACollisionOnceAndThenAnEcho() throws {
        let phone = try phone(configuration())
        run(phone, to: .seconds(1), captures: true)
        let before = phone.session.localSource
        var random = RandomSource(seed: 5)
        let name = CanonicalName(random: &random)
        let control = SocketAddress(remote.address, port: remote.port + 1)
        for index in 0..<3 {
            let report = RTCPReport(source: phone.session.localSource, canonicalName: name)
            receive(
                phone, written { report.write(to: &$0) }, from: control, isRTCP: true,
                at: .milliseconds(1_000 + 20 * index))
        }
        #expect(phone.session.localSource != before)
        #expect(phone.events.filter { if case .collisionResolved = $0 { true } else { false } }.count == 1)
        // RTP of the same host is an echo from then on, and no second collision.
        let after = phone.session.localSource
        receive(phone, audio(1, source: after), from: remote, at: .seconds(2))
        #expect(phone.session.localSource == after)
    }

    @Test(.proves(.rule(16)))
    func aFloodFromThePeerIsCutToTheRate() throws {
        let phone = try phone(configuration())
        for index in 0..<1_000 { receive(phone, audio(index), from: remote, at: .milliseconds(index)) }
        let statistics = phone.session.statistics
        #expect((170...200).contains(statistics.receivedPackets))
        #expect(statistics.refused.rateLimited == 1_000 - statistics.receivedPackets)
    }

    @Test(.proves(.row(51)))
    func aJumpOfTheTimestampsIsNoJitter() throws {
        let phone = try phone(configuration())
        for index in 0..<500 {
            let timestamp = UInt32(index * 160 + (index < 100 ? 0 : 1_000_000))
            let bytes = rtpBytes([UInt8](repeating: 0xff, count: 160), sequence: UInt16(index), timestamp: timestamp)
            receive(phone, bytes, from: remote, at: .milliseconds(20 * index))
            run(phone, from: .milliseconds(20 * index), to: .milliseconds(20 * (index + 1)), captures: true)
        }
        #expect(phone.session.statistics.jitterMilliseconds < 1)
        var reported: [UInt32] = []
        for report in phone.sent where report.isRTCP {
            for case .senderReport(_, _, let blocks) in try parsedRTCP(report.bytes).get() {
                if let block = blocks.block(0, in: report.bytes.span) { reported.append(block.jitter) }
            }
        }
        #expect(reported.count >= 2)
        #expect(reported.allSatisfy { $0 < 8 }, "\(reported)")
    }

    @Test(.proves(.row(48)))
    func codecAndPacketTimeChangeInTheCall() throws {
        let call = try VirtualCall(
            VirtualCall.configuration(.opus, to: VirtualCall.addressB),
            VirtualCall.configuration(.opus, to: VirtualCall.addressA))
        call.a.tone(1_000)
        call.run(.seconds(2))
        var changed = VirtualCall.configuration(.pcma, to: VirtualCall.addressB)
        changed.packetTime = 40
        changed.descriptionNumber = 1
        call.a.session.update(changed, at: call.now)
        call.run(.seconds(2))
        #expect(call.b.session.statistics.receiveCodec == .pcma)
        #expect(call.b.detect(1_000, from: 2.5).isFound)
        changed = VirtualCall.configuration(.opus, to: VirtualCall.addressB)
        changed.packetTime = 60
        call.a.session.update(changed, at: call.now)
        let count = call.a.sent.count
        call.run(.seconds(3))
        #expect((48...54).contains(call.a.sent.dropFirst(count).filter { !$0.isRTCP }.count))
        #expect(call.b.detect(1_000, from: 5).isFound)
        let statistics = call.b.session.statistics
        #expect(statistics.lost == 0 && statistics.late == 0)
    }

    @Test(.proves(.row(46)))
    func receiveOnlyPlaysAndSendOnlyIsSilent() throws {
        var receiveOnly = VirtualCall.configuration(to: VirtualCall.addressB)
        receiveOnly.sends = false
        var sendOnly = VirtualCall.configuration(to: VirtualCall.addressA)
        sendOnly.receives = false
        let call = try VirtualCall(receiveOnly, sendOnly)
        call.a.tone(440)
        call.b.tone(1_000)
        call.run(.seconds(2))
        #expect(call.a.detect(1_000).isFound)
        #expect(call.b.heard.allSatisfy { $0 == 0 })
        #expect(call.a.sent.filter { !$0.isRTCP }.count == 1)
    }
}
