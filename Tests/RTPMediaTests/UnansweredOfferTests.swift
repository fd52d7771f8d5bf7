import AudioCodecs
import EngineKit
import Proofs
import RTPMedia
import Testing

/// Media that comes after our offer and before the peer's answer (RFC 3264 §5.1).
struct UnansweredOfferTests {
    private let peer = VirtualCall.addressB
    private let stranger = SocketAddress(.v4(0xc000_0209), port: 5_000)
    private let start = Instant(nanoseconds: 1_000_000_000)

    private func offered() -> MediaConfiguration {
        var configuration = VirtualCall.configuration(.pcmu, to: peer)
        configuration.remoteRTP = nil
        configuration.remoteRTCP = nil
        configuration.sends = false
        configuration.isOnHold = true
        configuration.isPathProven = false
        configuration.signallingPeer = peer.address
        return configuration
    }

    private func answered() -> MediaConfiguration {
        var configuration = VirtualCall.configuration(.pcmu, to: peer)
        configuration.signallingPeer = peer.address
        configuration.descriptionNumber = 1
        return configuration
    }

    /// Lets packets of a tone come in each 20 ms from `source`, and plays what there is to be heard.
    private func talk(_ phone: Phone, packets: Range<Int>, from source: SocketAddress, ssrc: UInt32 = 7) {
        var tone = ToneGenerator(.sine(1_000, level: -12))
        for index in packets {
            var samples = [Int16](repeating: 0, count: 960)
            var span = samples.mutableSpan
            tone.fill(&span)
            // Every sixth sample: a tone of 1 kHz needs no filter to be one at 8 kHz.
            let payload = (0..<160).map { G711.muLaw.encode(samples[6 * $0]) }
            let now = start + .milliseconds(20 * index)
            let bytes = rtpBytes(
                payload, sequence: UInt16(truncatingIfNeeded: index), timestamp: UInt32(160 * index), source: ssrc)
            phone.session.receivePacket(bytes.span, from: source, isRTCP: false, at: now)
            for half in 0..<2 {
                let time = now + .milliseconds(10 * half)
                let silence = [Int16](repeating: 0, count: 480)
                phone.session.capture(silence.span, at: time)
                var output = [Int16](repeating: 0, count: 480)
                var heard = output.mutableSpan
                phone.session.playout(into: &heard, at: time)
                phone.heard += output
                phone.drain(at: time)
            }
        }
    }

    @Test(.proves(.clause("RFC 3264 §5.1")))
    func isPlayedOnceItIsSteadyAndComesFromWhereTheOfferWent() throws {
        let phone = try Phone(offered(), address: VirtualCall.addressA, seed: 3, at: start)
        talk(phone, packets: 0..<50, from: peer)
        #expect(phone.events.contains { if case .firstPacketPlayed = $0 { true } else { false } })
        #expect(phone.detect(1_000, from: 0.2).isFound)
        #expect(phone.sent.isEmpty, "nothing may leave before the peer has said where it is")
    }

    @Test(.proves(.rule(7), .clause("RFC 3264 §5.1")))
    func ofAnybodyElseIsRefused() throws {
        let phone = try Phone(offered(), address: VirtualCall.addressA, seed: 3, at: start)
        talk(phone, packets: 0..<50, from: stranger)
        #expect(phone.heard.allSatisfy { $0 == 0 })
        #expect(phone.session.statistics.receivedPackets == 0)
    }

    @Test func goesOnWithoutAHoleWhenTheAnswerComes() throws {
        let phone = try Phone(offered(), address: VirtualCall.addressA, seed: 3, at: start)
        talk(phone, packets: 0..<50, from: peer)
        let concealed = phone.session.statistics.concealedMilliseconds
        phone.session.update(answered(), at: start + .seconds(1))
        talk(phone, packets: 50..<100, from: peer)
        #expect(phone.session.statistics.concealedMilliseconds == concealed)
        #expect(phone.detect(1_000, from: 1).isFound)
        #expect(phone.sent.contains { !$0.isRTCP && $0.to == peer })
    }

    @Test func itsLackIsNotJudgedUntilTheAnswer() throws {
        let phone = try Phone(offered(), address: VirtualCall.addressA, seed: 3, at: start)
        var now = start
        func wait(until end: Instant) {
            while let deadline = phone.session.deadline, deadline <= end {
                now = max(now, deadline)
                phone.session.handleDeadline(at: now)
                phone.drain(at: now)
            }
            now = end
        }
        wait(until: start + .seconds(60))
        #expect(phone.events.isEmpty)
        phone.session.update(answered(), at: now)
        wait(until: start + .milliseconds(89_999))
        #expect(!phone.events.contains(.silenceExceeded))
        wait(until: start + .seconds(90))
        #expect(phone.events.contains(.silenceExceeded))
    }

    @Test(.proves(.row(43)))
    func anAnswerAfterLongSilenceOfEarlyMediaBeginsTheThirtySecondsAnew() throws {
        let phone = try Phone(answered(), address: VirtualCall.addressA, seed: 3, at: start)
        func wait(from begin: Duration, to end: Duration) {
            var now = start + begin
            while let deadline = phone.session.deadline, deadline <= start + end {
                now = max(now, deadline)
                phone.session.handleDeadline(at: now)
                phone.drain(at: now)
            }
        }
        wait(from: .zero, to: .seconds(40))
        #expect(phone.events.filter { $0 == .silenceExceeded }.count == 1)
        var final = answered()
        final.descriptionNumber = 2
        phone.session.update(final, at: start + .seconds(40))
        wait(from: .seconds(40), to: .milliseconds(69_990))
        #expect(phone.events.filter { $0 == .silenceExceeded }.count == 1)
        wait(from: .milliseconds(69_990), to: .seconds(71))
        #expect(phone.events.filter { $0 == .silenceExceeded }.count == 2)
    }
}
