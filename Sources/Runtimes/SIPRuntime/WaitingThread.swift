import CLinux
import Glibc
import Synchronization

/// A thread of its own for what the thread of signalling may not wait for, with an event that wakes it.
final class WaitingThread: Sendable {
    private let stopped = Mutex(false)
    /// Readable from `wake` on until it is drained; below 0 where the system had no descriptor left.
    let wakeup: CInt

    init() {
        wakeup = cs_event_create()
    }

    deinit { if wakeup >= 0 { close(wakeup) } }

    /// Whether the thread is to end.
    var isStopped: Bool { stopped.withLock { $0 } }

    func wake() {
        if wakeup >= 0 { _ = cs_event_signal(wakeup) }
    }

    func stop() {
        stopped.withLock { $0 = true }
        wake()
    }

    /// Runs `body` on the thread, which ends with it. What it holds lives for as long.
    ///
    /// - Returns: false where the system gives no thread or descriptor.
    func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard wakeup >= 0 else { return false }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Work(body))
        let code = pthread_create(
            &thread, nil,
            { @Sendable context in
                guard let context else { return nil }
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// What a C function pointer can carry.
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }
}
