import EngineKit
import RTPMedia

/// The steps of digits that one call has still to send, in a fixed place.
struct DigitQueue {
    private static let digitDuration = Duration.milliseconds(100)
    private static let pause = Duration.seconds(1)

    private var steps = InlineArray<64, DigitStep>(repeating: .pause)
    private var first = 0
    private var count = 0
    /// Digits that the session has taken and not sent yet: a pause starts after them.
    private var digitsUnderWay = 0
    private var pausedUntil: Instant?

    /// False where ``DigitStep/waitingLimit`` steps wait.
    mutating func append(_ step: DigitStep) -> Bool {
        guard count < steps.count else { return false }
        steps[(first + count) % steps.count] = step
        count += 1
        return true
    }

    mutating func digitWasSent() { digitsUnderWay = max(0, digitsUnderWay - 1) }

    /// Takes the steps that are due. Gives a digit that the session refused.
    mutating func advance(_ session: inout MediaSession, hasHeardPeer: Bool, at now: Instant) -> DTMFDigit? {
        while count > 0 {
            switch steps[first] {
            case .digit(let digit):
                guard digitsUnderWay < TelephoneEventSender.capacity else { return nil }
                dropFirst()
                guard session.sendDigit(digit, duration: Self.digitDuration) else { return digit }
                digitsUnderWay += 1
            case .pause:
                guard digitsUnderWay == 0 else { return nil }
                let end = pausedUntil ?? now + Self.pause
                pausedUntil = end
                guard now >= end else { return nil }
                pausedUntil = nil
                dropFirst()
            case .waitForMedia:
                guard hasHeardPeer else { return nil }
                dropFirst()
            }
        }
        return nil
    }

    private mutating func dropFirst() {
        first = (first + 1) % steps.count
        count -= 1
    }
}
