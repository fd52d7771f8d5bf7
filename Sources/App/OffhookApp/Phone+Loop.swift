import EngineKit
import Glibc
import SIPRuntime
import TerminalRuntime

extension Phone {
    private static let refreshInterval = Duration.milliseconds(100)
    /// Threads that the system does not give are waited for without end by the library that makes them.
    private static let patienceAtStart = Duration.seconds(5)
    /// How long a reader that does not read may keep us from leaving.
    private static let readersFarewell = Duration.milliseconds(250)

    /// Runs until everything has ended, and gives the process's exit status.
    func run(signals: Signals) -> ExitStatus {
        let timeoutAt = settings.timeout.map { SystemClock.now + $0 }
        endsAt = timeoutAt
        if let timeoutAt { ReportWriter.waitForReaders(until: timeoutAt + Self.readersFarewell) }
        var isTimedOut = false
        var refreshAt = SystemClock.now
        let startsBy = SystemClock.now + Self.patienceAtStart
        while exit == nil {
            step()
            while let signal = signals.next() {
                if signal == .stop { Signals.stopProcess() }
                guard signal.endsProcess else { continue }
                guard isListening, end(by: signal.number) else { return .signal(signal.number) }
            }
            let now = SystemClock.now
            if let timeoutAt, timeoutAt <= now, !isTimedOut {
                isTimedOut = true
                ask { coordinator, _ in coordinator.timeOut() }
            }
            var wake = coordinator.deadline ?? .distantFuture
            if !isListening, exit == nil {
                // Nobody is there yet to say goodbye to.
                if coordinator.ending != nil { ask { coordinator, _ in coordinator.finishProcess() } }
                guard now < startsBy else { return failToStart() }
                wake = min(wake, startsBy)
            }
            if let timeoutAt, !isTimedOut { wake = min(wake, timeoutAt) }
            if let onRefresh, !coordinator.calls.isEmpty {
                if refreshAt <= now {
                    onRefresh()
                    refreshAt = now + Self.refreshInterval
                }
                wake = min(wake, refreshAt)
            }
            if exit == nil { wait(until: wake, signals: signals) }
        }
        close()
        return exit ?? .internalError
    }

    private func failToStart() -> ExitStatus {
        let text = "no thread began to listen within 5 s: is there enough memory for threads (ulimit -v, ulimit -u)?"
        onReport(.warning(text))
        onReport(.verdict(failed: [text], exit: .internalError))
        return .internalError
    }

    /// Ends all calls and registrations because of a signal. False for the second one, which ends the process at once; a
    /// hang-up never does, as the kernel and the shell may each send one when a terminal goes.
    func end(by signal: Int32) -> Bool {
        guard coordinator.ending?.exit != .signal(signal), !wasSignalled else {
            return signal == Signals.Signal.hangUp.number
        }
        wasSignalled = true
        ReportWriter.waitForReaders(until: SystemClock.now + Self.readersFarewell)
        ask { coordinator, _ in coordinator.end(.signal(signal)) }
        return true
    }

    private func wait(until wake: Instant, signals: Signals) {
        let nanoseconds = max(0, (wake - SystemClock.now).saturatedNanoseconds)
        // Rounded up, lest the loop turn without sleep for the last millisecond; an hour is as good as for ever.
        let milliseconds = min(nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0), 3_600_000)
        var descriptors = [
            pollfd(fd: inbox.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, nfds_t(descriptors.count), CInt(milliseconds))
    }
}

extension Signals {
    /// A signal that ends the process and has come already.
    var nextEnd: Signal? {
        while let signal = next() {
            if signal.endsProcess { return signal }
        }
        return nil
    }
}

extension Signals.Signal {
    var endsProcess: Bool {
        switch self {
        case .interrupt, .quit, .terminate, .hangUp: true
        case .continued, .stop, .resized, .user: false
        }
    }
}
