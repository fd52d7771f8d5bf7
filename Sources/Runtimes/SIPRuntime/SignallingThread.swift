import CLinux
import EngineKit
import Glibc
import Synchronization

/// The thread that signalling lives on: it sleeps until a socket can be read, an instant has come, or another thread
/// has work for it.
///
/// It is the executor of its endpoints, so that what arrives enters the core without a change of threads, and what is
/// answered leaves in the same turn.
package final class SignallingThread: SerialExecutor {
    /// That of all signalling of this process. It starts with the first endpoint and is never stopped.
    package static let shared = SignallingThread()

    package typealias Work = @Sendable () -> Void

    private enum Errand: Sendable {
        case job(UnownedJob)
        case work(Work)
    }

    /// What other threads leave here.
    private struct Mailbox {
        var errands: [Errand] = []
        var isAsleep = false
    }

    private let mailbox = Mutex(Mailbox())
    private let thread = WaitingThread()
    private let turns = SignallingTurns()

    package init() {
        let wakeup = thread.wakeup
        guard turns.watch(wakeup, { _ in _ = cs_event_drain(wakeup) }), thread.start({ [self] in run() }) else {
            // Nobody has a call as early as this, and without it nobody would get one.
            fatalError("the system has no thread or descriptor for signalling")
        }
    }

    // MARK: - From any thread

    package func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// Has `work` done on the thread, after all that was asked for before.
    package func execute(_ work: @escaping Work) { add(.work(work)) }

    private func add(_ errand: Errand) {
        let wasAsleep = mailbox.withLock { mailbox in
            mailbox.errands.append(errand)
            defer { mailbox.isAsleep = false }
            return mailbox.isAsleep
        }
        if wasAsleep { thread.wake() }
    }

    var isCurrent: Bool { turns.isCurrent }

    package func checkIsolated() { precondition(isCurrent, "not on the thread of signalling") }

    // MARK: - From the thread itself

    /// Tells `receiver`, until `unwatch`, whenever a descriptor can be read or has an error: with the events of epoll.
    /// False where the system has no room for another.
    func watch(_ descriptor: CInt, _ receiver: @escaping (UInt32) -> Void) -> Bool {
        checkIsolated()
        return turns.watch(descriptor, receiver)
    }

    /// Comes before the descriptor is closed.
    func unwatch(_ descriptor: CInt) {
        checkIsolated()
        turns.unwatch(descriptor)
    }

    /// Looks at a descriptor again after a while.
    func pause(_ descriptor: CInt, for rest: Duration) {
        checkIsolated()
        turns.pause(descriptor, until: SystemClock.now + rest)
    }

    /// Has `work` done when the monotonic clock has come to `instant`, and within a millisecond.
    @discardableResult
    func schedule(at instant: Instant, _ work: @escaping () -> Void) -> ScheduledWork {
        checkIsolated()
        return turns.schedule(at: instant, work)
    }

    func cancel(_ work: ScheduledWork) {
        checkIsolated()
        turns.cancel(work)
    }

    private func run() {
        turns.begin()
        while true {
            for errand in takeErrands() { perform(errand) }
            turns.performDue()
            let mayRest = mailbox.withLock { mailbox in
                mailbox.isAsleep = mailbox.errands.isEmpty
                return mailbox.isAsleep
            }
            let count = turns.wait(mayRest: mayRest)
            if mayRest { mailbox.withLock { $0.isAsleep = false } }
            turns.serve(count)
        }
    }

    private func takeErrands() -> [Errand] {
        mailbox.withLock { mailbox in
            var errands: [Errand] = []
            swap(&errands, &mailbox.errands)
            return errands
        }
    }

    private func perform(_ errand: Errand) {
        switch errand {
        case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
        case .work(let work): work()
        }
    }
}
