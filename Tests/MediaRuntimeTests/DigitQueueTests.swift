import AudioCodecs
import EngineKit
import RTPMedia
import Testing

@testable import MediaRuntime

struct DigitQueueTests {
    /// All that may wait is sent, though a session takes fewer digits at a time.
    @Test func sendsAsManyDigitsAsMayWait() throws {
        let text = String(repeating: "1234", count: DigitStep.waitingLimit / 4)
        var queue = DigitQueue()
        for step in try DigitStep.parse(text) {
            let isQueued = queue.append(step)
            #expect(isQueued)
        }
        var now = Instant(nanoseconds: 1_000_000_000)
        let peer = SocketAddress(.loopback, port: 4_000)
        var session = try MediaSession(
            configuration: MediaConfiguration(
                codec: .pcmu, payloadType: 0, receiveFormats: ReceiveFormats([0: .audio(.pcmu)]),
                sendTelephoneEvent: TelephoneEventFormat(payloadType: 101, clockRate: 8_000), remoteRTP: peer,
                remoteRTCP: nil),
            random: RandomSource(seed: 1), at: now)
        var sent = ""
        for _ in 0..<3_000 {
            #expect(queue.advance(&session, hasHeardPeer: true, at: now) == nil)
            session.handleDeadline(at: now)
            while session.nextPacket({ _, _, _ in }) {}
            while let event = session.nextEvent() {
                guard case .digitSent(let digit, _, _) = event else { continue }
                sent.append(digit.character)
                queue.digitWasSent()
            }
            now += .milliseconds(10)
        }
        #expect(sent == text)
    }
}
