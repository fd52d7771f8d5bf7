import EngineKit
import Glibc
import SIPRuntime
import TerminalRuntime

/// `offhook loopback`: two user agents in one process, registered nowhere, each with sockets of its own, call each
/// other over 127.0.0.1 and judge what they heard.
package enum LoopbackTest {
    /// Something wrong on purpose, by which tests see that the verdict can fail.
    enum PlantedFault: Sendable {
        /// The callee is muted.
        case mutedPath
        /// Each phone says what the other should.
        case swappedDirections
        /// The caller is muted for one second of its tone.
        case lostSecond
        /// The callee takes nothing but G.711.
        case codecMismatch
    }

    package static func run(audio: String?, seed: UInt64?, json: Bool, sipTrace: Bool) -> ExitStatus {
        let start = SystemClock.now
        do throws(StartFault) {
            let signals: Signals
            do {
                signals = try Signals()
            } catch {
                throw StartFault(.internalError, "\(error)")
            }
            let (report, signal) = try measure(
                audio: audio, seed: seed, fault: nil, signals: signals, sipTrace: sipTrace)
            let exit = signal.map { .signal($0) } ?? report.exit
            if signal != nil { ReportWriter.waitForReaders(until: SystemClock.now) }
            write(report, exit, json: json, start: start)
            // What came while nobody read the report.
            return signals.nextEnd.map { .signal($0.number) } ?? exit
        } catch {
            ReportWriter.write(error.line, to: STDERR_FILENO)
            return error.exit
        }
    }

    /// Runs the test and gives what was measured.
    static func measure(
        audio: String? = nil, seed: UInt64? = nil, fault: PlantedFault?, signals: Signals? = nil, sipTrace: Bool = false
    ) throws(StartFault) -> (report: LoopbackReport, signal: Int32?) {
        var run = try LoopbackRun(audio: audio, seed: seed, fault: fault, sipTrace: sipTrace)
        return run.run(signals: signals)
    }

    private static func write(_ report: LoopbackReport, _ exit: ExitStatus, json: Bool, start: Instant) {
        guard json else {
            return ReportWriter.write(report.text(isUnicode: Locale.isUnicode), to: STDOUT_FILENO)
        }
        let writer = ReportWriter(isJSON: true, start: start)
        let failed = report.checks.filter { !$0.holds }.map(\.name)
        writer.write(.loopback(report), at: SystemClock.now, wallClock: .now())
        writer.write(
            .verdict(failed: [report.problem].compactMap(\.self) + failed, exit: exit), at: SystemClock.now,
            wallClock: .now())
    }
}
