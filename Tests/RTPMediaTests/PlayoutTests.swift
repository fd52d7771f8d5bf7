import AudioCodecs
import EngineKit
import RTPMedia
import Testing

/// What is heard of a voice behind a network that delays and loses: in virtual time, with the target free.
struct PlayoutTests {
    private static func call(
        _ codec: AudioCodec = .opus, impairment: Impairment = .none, seed: UInt64 = 1
    ) throws -> VirtualCall {
        let call = try VirtualCall(
            VirtualCall.configuration(codec, to: VirtualCall.addressB, jitterTarget: nil),
            VirtualCall.configuration(codec, to: VirtualCall.addressA, jitterTarget: nil),
            impairment: impairment, seed: seed)
        var said = 0
        call.a.speaks = { count in
            said += count
            return (said - count..<said).map { syllables[$0 % syllables.count] }
        }
        return call
    }

    /// Two seconds of syllables whose pitch glides, again and again.
    private static let syllables: [Int16] = (0..<96_000).map { index in
        let time = Double(index) / 48_000
        let turns = 130 * time - 6 * AudioMath.cosine(turns: time * 0.5)
        let sum = (1...12).reduce(0.0) { $0 + AudioMath.sine(turns: turns * Double($1)) / Double($1) }
        return AudioMath.sample(6_000 * max(0.05, AudioMath.sine(turns: time * 3)) * sum)
    }

    /// Loses the RTP packets to B whose number within the call `isLost` names. Gives how many of them the next packet
    /// holds a copy of.
    private static func lose(in call: VirtualCall, _ isLost: @escaping (Int) -> Bool) -> () -> Int {
        let copies = Copies()
        call.filter = { bytes, toB, isRTCP, _ in
            guard toB, !isRTCP else { return true }
            copies.number += 1
            guard !isLost(copies.number) else {
                copies.isOwed = true
                return false
            }
            let payload = Array(bytes[RTPPacket.headerLength...])
            if copies.isOwed, OpusDecoder.redundancy(in: payload.span) == .copy { copies.count += 1 }
            copies.isOwed = false
            return true
        }
        return { copies.count }
    }

    private final class Copies {
        var (number, count, isOwed) = (0, 0, false)
    }

    @Test func aSteadyNetworkCostsNoMoreThanThePeriod() throws {
        let call = try Self.call()
        call.run(.seconds(5))
        let statistics = call.b.session.statistics
        #expect(statistics.bufferMilliseconds <= 20.5)
        #expect(statistics.concealedMilliseconds == 0 && statistics.late == 0)
    }

    @Test(arguments: [20, 50, 100])
    func jitterIsHeldForAndNotLonger(milliseconds: Int) throws {
        let call = try Self.call(impairment: Impairment(jitter: .milliseconds(milliseconds)))
        call.run(.seconds(8))
        let before = call.b.session.statistics
        call.run(.seconds(8))
        let after = call.b.session.statistics
        #expect(after.concealedMilliseconds - before.concealedMilliseconds <= 240, "of 8 s")
        #expect(after.bufferMilliseconds <= 1.3 * 0.99 * Double(milliseconds) + 11, "\(after.bufferMilliseconds) ms")
        // It goes as it came.
        call.impairment = .none
        call.run(.seconds(13))
        #expect(call.b.session.statistics.bufferMilliseconds <= 25)
    }

    @Test func aPacketThatIsLostComesBackFromTheNextOne() throws {
        let call = try Self.call()
        let copies = Self.lose(in: call) { $0 > 50 && $0 % 10 == 0 }
        call.run(.seconds(8))
        let statistics = call.b.session.statistics
        #expect(copies() >= 10)
        // All but the first one, which nobody waited for.
        #expect(statistics.recoveredByFEC + 2 >= copies())
        #expect(statistics.bufferMilliseconds >= 31)
    }

    @Test(arguments: [2, 3, 5])
    func ofSeveralLostInARowTheLastComesBack(count: Int) throws {
        let call = try Self.call()
        let copies = Self.lose(in: call) { $0 > 50 && $0 % 20 < count }
        call.run(.seconds(8))
        let statistics = call.b.session.statistics
        #expect(copies() >= 5)
        #expect(statistics.recoveredByFEC + 2 >= copies())
        #expect(statistics.concealedMilliseconds <= 20 * (statistics.lost - statistics.recoveredByFEC))
    }

    @Test func lossIsNotWaitedForWhereNothingIsCopied() throws {
        let call = try Self.call(.pcma)
        _ = Self.lose(in: call) { $0 > 50 && $0 % 10 == 0 }
        call.run(.seconds(8))
        let statistics = call.b.session.statistics
        #expect(statistics.lost >= 30 && statistics.recoveredByFEC == 0)
        #expect(statistics.bufferMilliseconds <= 25)
    }

    /// What comes too late to be heard still sets the decoder right: after a gap the voice is that which was said.
    @Test func aLatePacketIsNotLostOnTheDecoder() throws {
        func heard(isLate: Bool) throws -> [Int16] {
            let call = try Self.call()
            call.run(.seconds(2))
            var held: [UInt8]?
            var number = 0
            let from = call.a.address
            call.filter = { bytes, toB, isRTCP, at in
                guard toB, !isRTCP else { return true }
                number += 1
                if number == 1 {
                    held = bytes
                    return false
                }
                guard number == 3, isLate, let late = held else { return true }
                call.b.session.receivePacket(late.span, from: from, isRTCP: false, at: at)
                return true
            }
            call.run(.milliseconds(500))
            return call.b.heard
        }
        let undisturbed = try Self.call()
        undisturbed.run(.milliseconds(2_500))
        func error(_ heard: [Int16]) -> Double {
            zip(heard, undisturbed.b.heard).suffix(21_600).reduce(0) {
                $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
            }
        }
        let (late, lost) = (try error(heard(isLate: true)), try error(heard(isLate: false)))
        #expect(late < lost / 2, "\(late) and \(lost)")
    }
}
