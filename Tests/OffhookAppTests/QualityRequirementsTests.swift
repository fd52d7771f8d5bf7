import AudioCodecs
import EngineKit
import RTPMedia
import SIPUserAgent
import Testing

@testable import OffhookApp

@Suite struct QualityRequirementsTests {
    private func script(_ change: (inout CallScriptOptions) -> Void) throws(CallScript.Fault) -> CallScript {
        var options = CallScriptOptions()
        change(&options)
        return try CallScript(options)
    }

    private var statistics: MediaStatistics {
        var statistics = MediaStatistics()
        statistics.receiveCodec = .opus
        statistics.receivedPackets = 98
        statistics.expected = 100
        statistics.lost = 2
        statistics.jitterMilliseconds = 12.5
        statistics.latencyMilliseconds = 80
        statistics.listeningMOS = 4.1
        return statistics
    }

    @Test func readsWhatIsToHold() throws {
        let quality = try script {
            $0.minimumMOS = "3.8"
            $0.maximumLoss = "0.5%"
            $0.maximumJitter = .milliseconds(30)
        }.quality
        #expect(quality.minimumMOS == 3.8 && quality.maximumLoss == 0.5 && quality.maximumJitter == .milliseconds(30))
        #expect(quality.maximumLatency == nil)
    }

    @Test func namesTheOptionThatIsWrong() {
        for text in ["", "0.9", "4.6", "-4", "4,2", "nan", "1e1", ".", "4.2 "] {
            #expect(throws: CallScript.Fault(option: "--min-mos", problem: "'\(text)' is not between 1 and 4.5")) {
                try script { $0.minimumMOS = text }
            }
        }
        for text in ["", "%", "2", "101%", "-1%", "inf%", "1%%", " 1%", ".%"] {
            #expect(
                throws: CallScript.Fault(
                    option: "--max-loss", problem: "'\(text)' is no percentage, such as 0.5%")
            ) {
                try script { $0.maximumLoss = text }
            }
        }
    }

    @Test func holdsAtTheBoundAndNotBeyond() {
        var quality = QualityRequirements()
        quality.minimumMOS = 4.1
        quality.maximumLoss = 2
        quality.maximumJitter = .microseconds(12_500)
        quality.maximumLatency = .milliseconds(80)
        #expect(quality.faults(in: statistics).isEmpty)
        quality.minimumMOS = 4.11
        quality.maximumLoss = 1.9
        quality.maximumJitter = .milliseconds(12)
        quality.maximumLatency = .zero
        #expect(
            quality.faults(in: statistics) == [
                "MOS 4.10, expected at least 4.11", "loss 2.00 %, expected at most 1.90 %",
                "jitter 12.5 ms, expected at most 12.0 ms", "latency 80.0 ms, expected at most 0.0 ms",
            ])
    }

    @Test func whatWasNotMeasuredDoesNotHold() {
        var quality = QualityRequirements()
        quality.minimumMOS = 1
        quality.maximumLoss = 100
        quality.maximumJitter = .seconds(10)
        quality.maximumLatency = .seconds(10)
        #expect(quality.faults(in: nil).count == 4)
        #expect(
            quality.faults(in: MediaStatistics()).allSatisfy { $0.contains("not measured") })
        #expect(QualityRequirements().faults(in: nil).isEmpty)
    }

    @Test(arguments: [(4.0, OffhookApp.ExitStatus.success), (4.4, .expectationFailed)])
    func decidesHowTheProcessEnds(minimum: Double, exit: OffhookApp.ExitStatus) throws {
        var script = CallScript()
        script.quality.minimumMOS = minimum
        var desk = Desk()
        let handle = try desk.dial(script)
        try desk.answer(handle)
        desk.tell(.heard, handle)
        desk.tell(.statistics(statistics), handle)
        desk.end(handle, .hungUp)
        #expect(desk.exit == exit)
    }

    @Test func askNothingOfACallThatWasNotAnswered() throws {
        var script = CallScript()
        script.expectedStatus = 486
        script.quality.minimumMOS = 4
        var desk = Desk()
        let handle = try desk.dial(script)
        desk.end(handle, .refused, status: 486)
        #expect(desk.exit == .success)
    }
}
