import RTPMedia
import SIPMessages
import Testing

@testable import OffhookApp

/// What a script expects to hear.
@Suite struct ExpectationTests {
    @Test(arguments: [true, false]) func failsWhereNobodySpoke(isHeard: Bool) throws {
        var script = CallScript()
        script.expectsSpeech = true
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        desk.tell(.heard, handle)
        if isHeard { desk.tell(.noticed(.speech), handle) }
        desk.end(handle, .hungUp)
        #expect(desk.exit == (isHeard ? .success : .expectationFailed))
        #expect(desk.reports.contains("call.speech") == isHeard)
    }

    /// What rang before the answer does not count, nor what of it is still in the jitter buffer.
    @Test(arguments: [(400, true), (600, false)]) func failsWhereThereWasToBeSilence(after: Int, isSilent: Bool) throws
    {
        var script = CallScript()
        script.expectsSilence = true
        var desk = Desk()
        let handle = try desk.dial(script)
        desk.tell(.noticed(.sound(level: -20)), handle)
        try desk.answer(handle)
        desk.tell(.heard, handle)
        desk.pass(.milliseconds(after))
        for level in [-31.2, -10] { desk.tell(.noticed(.sound(level: level)), handle) }
        desk.end(handle, .hungUp)
        #expect(desk.exit == (isSilent ? .success : .expectationFailed))
        #expect(desk.coordinator.failures.count { $0.contains("-31 dBFS") } == (isSilent ? 0 : 1))
        #expect(desk.reports.count { $0 == "call.sound" } == (isSilent ? 0 : 1))
    }

    @Test func failsWhereToneOrDigitsWereNotHeard() throws {
        var script = CallScript()
        script.expectedTone = 440
        script.expectedDigits = "12"
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        desk.tell(.heard, handle)
        let one = try #require(DTMFDigit("1"))
        desk.tell(.digit(one, .event, milliseconds: 100), handle)
        desk.end(handle, .hungUp)
        #expect(desk.exit == .expectationFailed)
        #expect(desk.coordinator.failures.count == 2)
    }

    /// A peer may send its digits twice, beside the sound and in it, whichever comes first.
    @Test(arguments: [[DigitMode.info, .inband], [.inband, .info], [.inband]])
    func digitsInTheSoundAreNoMoreThanShadows(ways: [DigitMode]) throws {
        var desk = Desk()
        let handle = try desk.dial()
        try desk.answer(handle)
        for character in "112" {
            for way in ways {
                if way == .info {
                    desk.tell(.digitReceived(handle, try #require(SignalledDigit(String(character)))))
                } else {
                    desk.tell(.digit(try #require(DTMFDigit(character)), .sound, milliseconds: 100), handle)
                }
                desk.pass(.milliseconds(200))
            }
        }
        #expect(desk.coordinator.calls[handle]?.run.digits.latest == "112")
        #expect(desk.reports.count { $0 == "call.dtmf" } == 3)
    }

    /// However many digits come, before or after them.
    @Test(arguments: ["", "1", "112"])
    func expectedDigitsAreFoundAmongAnyNumber(expected: String) throws {
        var script = CallScript()
        if !expected.isEmpty { script.expectedDigits = "2" + expected }
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        desk.tell(.heard, handle)
        let one = try #require(DTMFDigit("1"))
        for _ in 0..<9000 { desk.tell(.digit(one, .event, milliseconds: 100), handle) }
        for digit in "2112".compactMap({ DTMFDigit($0) }) {
            desk.tell(.digit(digit, .event, milliseconds: 100), handle)
        }
        for _ in 0..<9000 { desk.tell(.digit(one, .event, milliseconds: 100), handle) }
        #expect((desk.coordinator.calls[handle]?.run.digits.latest.count ?? .max) <= 2 * HeardDigits.limit)
        desk.end(handle, .hungUp)
        #expect(desk.exit == .success)
    }
}
