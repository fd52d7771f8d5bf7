import AudioCodecs
import EngineKit
import Proofs
import RTPMedia
import Testing

struct MediaSessionTests {
    private func call(
        _ codecA: AudioCodec = .opus, _ codecB: AudioCodec = .opus, impairment: Impairment = .none,
        target: Duration = .milliseconds(40), seed: UInt64 = 1
    ) throws -> VirtualCall {
        try VirtualCall(
            VirtualCall.configuration(codecA, to: VirtualCall.addressB, jitterTarget: target),
            VirtualCall.configuration(codecB, to: VirtualCall.addressA, jitterTarget: target), impairment: impairment,
            seed: seed)
    }

    @Test(
        arguments: [
            (AudioCodec.opus, AudioCodec.opus), (.pcmu, .pcmu), (.pcma, .pcma), (.g722, .g722), (.l16, .opus),
            (.opus, .pcmu),
        ])
    func tonesCrossInBothDirectionsAtTheirLevel(codecs: (AudioCodec, AudioCodec)) throws {
        let call = try call(codecs.0, codecs.1)
        call.a.tone(1_000)
        call.b.tone(440)
        call.run(.seconds(4))
        for (phone, frequency, other) in [(call.b, 1_000.0, 440.0), (call.a, 440.0, 1_000.0)] {
            let detector = phone.detect(frequency, from: 1)
            #expect(detector.isFound && detector.windowsWithTone == detector.windows)
            #expect(abs(detector.level + 12) < 0.5, "\(frequency) Hz at \(detector.level) dBFS")
            #expect(!phone.detect(other).isFound)
            let statistics = phone.session.statistics
            #expect(statistics.lost == 0 && statistics.late == 0 && statistics.duplicate == 0)
            #expect(statistics.concealedMilliseconds == 0)
            #expect(statistics.receivedPackets >= 199)
            #expect(abs(statistics.heardLevel + 12) < 0.5)
        }
        #expect(call.a.session.statistics.receiveCodec == codecs.1)
    }

    @Test func firstPacketGoesOutWithTheFirstCapturedPiece() throws {
        let call = try call()
        call.run(.milliseconds(10))
        #expect(call.a.sent.filter { !$0.isRTCP }.count == 1)
        call.run(.milliseconds(200))
        #expect(call.b.events.contains { if case .firstPacketPlayed = $0 { true } else { false } })
    }

    @Test(arguments: [20, 40, 100])
    func bufferHoldsBackItsTarget(target: Int) throws {
        let call = try call(target: .milliseconds(target))
        call.run(.seconds(3))
        #expect(abs(call.b.session.statistics.bufferMilliseconds - Double(target)) < 1)
    }

    @Test(arguments: [AudioCodec.opus, .pcmu])
    func latencyIsFrameCodecNetworkAndBuffer(codec: AudioCodec) throws {
        let call = try call(codec, codec, target: .milliseconds(20))
        let chirp = Chirp.samples()
        var position = 0
        // After half a second of silence.
        call.a.speaks = { count in
            defer { position += count }
            return (position..<position + count).map { index in
                let place = index - 24_000
                return chirp.indices.contains(place) ? chirp[place] : 0
            }
        }
        call.run(.seconds(2))
        let match = try #require(Chirp.locate(in: call.b.heard))
        let latency = (match.offset - 24_000) / 48
        // The piece captured at an instant was spoken in the 10 ms before it, while playout begins at it: what is
        // 20 ms of framing on a clock is 10 ms here.
        let expected = 20 - 10 + 5 + 20 + codec.delay.milliseconds
        #expect(abs(latency - expected) < 1.1, "\(latency) ms")
        #expect(match.likeness > 0.9)
    }

    /// What was agreed, and the milliseconds that the codec makes of it.
    @Test(
        arguments: [
            (.opus, 3, 2.5), (.opus, 5, 5), (.opus, 25, 20), (.opus, 30, 30), (.opus, 120, 120),
            (.opus, Int.max, 120), (.pcmu, 1, 3), (.pcma, 7, 7), (.pcma, 30, 30), (.pcmu, 120, 120),
            (.pcmu, Int.max, 120), (.g722, 20, 20), (.g722, 120, 120), (.l16, 40, 40),
        ] as [(AudioCodec, Int, Double)])
    func packetsHaveTheAgreedTime(codec: AudioCodec, agreed: Int, milliseconds: Double) throws {
        var configuration = VirtualCall.configuration(codec, to: VirtualCall.addressB)
        configuration.packetTime = agreed
        var other = VirtualCall.configuration(codec, to: VirtualCall.addressA)
        other.packetTime = agreed
        let call = try VirtualCall(configuration, other)
        call.a.tone(1_000)
        call.run(.seconds(2))
        let packets = try call.a.sent.filter { !$0.isRTCP }.map { try parsedRTP($0.bytes).get() }
        #expect(abs(Double(packets.count) - 2_000 / milliseconds) <= 4 + 20 / milliseconds)
        let ticks = UInt32(milliseconds * Double(codec.clockRate) / 1_000)
        // In the beginning an encoder that makes up its mind cuts packets short.
        for (packet, next) in zip(packets, packets.dropFirst()).suffix(packets.count / 2) {
            #expect(next.timestamp &- packet.timestamp == ticks)
            if codec != .opus { #expect(packet.payload.count == Int(ticks) * (codec == .l16 ? 2 : 1)) }
        }
        let statistics = call.b.session.statistics
        #expect(statistics.lost == 0 && statistics.late == 0 && statistics.concealedMilliseconds == 0)
        let detector = call.b.detect(1_000, from: 0.8)
        #expect(detector.isFound && detector.windowsWithTone == detector.windows)
        #expect(abs(detector.level + 12) < 0.5)
    }

    @Test(.proves(.row(49)), arguments: [1, 2, 3] as [UInt64])
    func tenPercentLossIsCountedAndConcealed(seed: UInt64) throws {
        let call = try call(impairment: Impairment(loss: 0.1), seed: seed)
        call.a.tone(1_000)
        call.b.tone(440)
        call.run(.seconds(20))
        for (phone, frequency, lost) in [(call.b, 1_000.0, call.lostRTP.toB), (call.a, 440.0, call.lostRTP.toA)] {
            let statistics = phone.session.statistics
            // Nobody can miss what was lost before the first packet or after the last one.
            #expect(abs(Int(statistics.lost) - lost) <= 3)
            #expect(abs(statistics.lossPercent - 10) < 4)
            #expect(statistics.late == 0 && statistics.reordered == 0)
            #expect(statistics.concealedMilliseconds > 0)
            let made = Int(statistics.concealedMilliseconds) + 20 * Int(statistics.recoveredByFEC)
            #expect(abs(made - 20 * lost) <= 80)
            let detector = phone.detect(frequency, from: 1)
            #expect(detector.isFound && detector.windowsWithTone > detector.windows * 8 / 10)
        }
        // The peers tell each other.
        #expect(try #require(call.a.session.statistics.remoteFractionLost) > 0)
        #expect(abs(try #require(call.a.session.statistics.roundTripMilliseconds) - 10) < 11)
    }

    @Test func lostSpeechComesBackFromTheNextPacketWhereTheBufferHoldsIt() throws {
        for (target, least) in [(60, 0.5), (40, 0.5)] {
            let call = try call(impairment: Impairment(loss: 0.1), target: .milliseconds(target))
            var position = 0
            var phase = 0.0
            call.a.speaks = { count in
                (0..<count).map { _ in
                    // A gliding voice with harmonics and syllables.
                    let time = Double(position) / 48_000
                    position += 1
                    phase += (120 + 40 * AudioMath.sine(turns: time * 0.7)) / 48_000
                    let voice = (1...12).reduce(0.0) { $0 + AudioMath.sine(turns: phase * Double($1)) / Double($1) }
                    return AudioMath.sample(6_000 * max(0.3, AudioMath.sine(turns: time * 3)) * voice)
                }
            }
            call.run(.seconds(10))
            let recovered = Double(call.b.session.statistics.recoveredByFEC)
            #expect(recovered > least * Double(call.lostRTP.toB), "\(recovered) of \(call.lostRTP.toB) at \(target) ms")
        }
    }

    @Test(.proves(.row(49)))
    func jitterThatReordersIsBridgedByTheBuffer() throws {
        let call = try call(
            impairment: Impairment(duplication: 0.05, jitter: .milliseconds(45)), target: .milliseconds(60))
        call.a.tone(1_000)
        call.run(.seconds(10))
        let statistics = call.b.session.statistics
        #expect(statistics.reordered > 20 && statistics.duplicate > 10)
        #expect(statistics.lost == 0)
        #expect(statistics.late < 10)
        #expect(statistics.jitterMilliseconds > 5 && statistics.jitterMilliseconds < 30)
        #expect(call.b.detect(1_000, from: 1).level > -13)
    }

    @Test(.proves(.row(53), .clause("RFC 4733 §2.5")), arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func digitsArriveOnceEachAtTenPercentLoss(seed: UInt64) throws {
        let call = try call(
            seed % 2 == 0 ? .pcmu : .opus, .opus,
            impairment: Impairment(loss: 0.1, duplication: 0.1, jitter: .milliseconds(25)), seed: seed)
        for character in "159#0*D2" {
            let digit = try #require(DTMFDigit(character))
            let isQueued = call.a.session.sendDigit(digit, duration: .milliseconds(160))
            #expect(isQueued)
        }
        call.run(.seconds(5))
        #expect(call.b.digits == "159#0*D2")
        let began = call.b.events.filter { if case .digitBegan = $0 { true } else { false } }
        #expect(began.count == 8)
        let sent = call.a.events.filter { if case .digitSent = $0 { true } else { false } }
        #expect(sent.count == 8)
        for case .digitEnded(_, .event, let milliseconds) in call.b.events {
            #expect((20...180).contains(milliseconds))
        }
    }

    /// Also over a voice that talks on, and where nobody agreed on anything: who has no events listens.
    @Test(arguments: [AudioCodec.opus, .g722, .pcmu, .pcma, .l16], [true, false])
    func digitsAreHeardInTheSound(codec: AudioCodec, isAsked: Bool) throws {
        var sender = VirtualCall.configuration(codec, to: VirtualCall.addressB)
        sender.hasDigitsInSound = true
        var receiver = VirtualCall.configuration(codec, to: VirtualCall.addressA)
        receiver.hasDigitsInSound = isAsked
        if !isAsked {
            receiver.receiveFormats = ReceiveFormats()
            receiver.receiveFormats.insert(.audio(codec), payloadType: sender.sendPayloadType)
        }
        let call = try VirtualCall(sender, receiver)
        call.a.tone(1_000)
        call.b.tone(700)
        call.run(.milliseconds(500))
        for character in "0123456789ABCD*#" {
            let isQueued = call.a.session.sendDigit(try #require(DTMFDigit(character)), duration: .milliseconds(100))
            #expect(isQueued)
        }
        call.run(.seconds(4))
        #expect(call.b.digits == "0123456789ABCD*#")
        for case .digitEnded(_, let way, let milliseconds) in call.b.events {
            #expect(way == .sound && (85...120).contains(milliseconds))
        }
        #expect(call.a.events.filter { if case .digitSent(_, .sound, 100) = $0 { true } else { false } }.count == 16)
        #expect(call.a.digits == "")
        #expect(call.b.detect(1_000, from: 4).isFound)
    }

    @Test func whoHasEventsDoesNotListenForDigits() throws {
        var sender = VirtualCall.configuration(.pcmu, to: VirtualCall.addressB)
        sender.hasDigitsInSound = true
        let call = try VirtualCall(sender, VirtualCall.configuration(.pcmu, to: VirtualCall.addressA))
        _ = call.a.session.sendDigit(try #require(DTMFDigit("5")), duration: .milliseconds(100))
        call.run(.seconds(1))
        #expect(call.b.digits == "")
    }

    @Test func digitsOfEightKilohertzGoBesideOpus() throws {
        var configuration = VirtualCall.configuration(.opus, to: VirtualCall.addressB)
        configuration.sendTelephoneEvent = TelephoneEventFormat(payloadType: 102, clockRate: 8_000)
        let call = try VirtualCall(configuration, VirtualCall.configuration(to: VirtualCall.addressA))
        let digit = try #require(DTMFDigit("7"))
        _ = call.a.session.sendDigit(digit, duration: .milliseconds(100))
        call.a.tone(1_000)
        call.run(.seconds(2))
        #expect(call.b.events.contains(.digitEnded(digit, .event, milliseconds: 100)))
        #expect(call.b.digits == "7")
        #expect(call.b.session.statistics.lost == 0)
        #expect(call.b.detect(1_000, from: 1).isFound)
    }

    @Test(.proves(.row(54), .clause("RFC 3550 §6.6")))
    func aReportIsFollowedByAnotherOneAndBYEEndsAll() throws {
        let call = try call()
        call.run(.seconds(30))
        let reports = call.a.sent.filter { $0.isRTCP }
        #expect((5...14).contains(reports.count))
        for report in reports {
            #expect(report.to == SocketAddress(VirtualCall.addressB.address, port: 5_001))
            try RTCPReader.validate(report.bytes.span)
        }
        call.a.session.stop(at: call.now)
        let before = call.a.sent.count
        call.run(.seconds(1))
        #expect(call.a.sent.count == before + 1)
        #expect(call.b.events.contains(.remoteBye))
    }
}
