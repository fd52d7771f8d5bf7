import CLinux
import EngineKit
import Glibc
import Synchronization

/// What a `SignallingThread` is to do at an instant.
struct ScheduledWork: Hashable, Sendable {
    let number: UInt64
}

/// What the thread of signalling waits for, and what it does then.
final class SignallingTurns: @unchecked Sendable {
    // Unchecked, as once the thread runs all but `thread` belongs to it.
    private let epoll = cs_epoll_create()
    private let ready = UnsafeMutableBufferPointer<cs_ready>.allocate(capacity: 64)
    private var receivers: [CInt: (UInt32) -> Void] = [:]
    private var deadlines = DeadlineQueue<ScheduledWork>()
    private var scheduled: [ScheduledWork: () -> Void] = [:]
    private var count: UInt64 = 0
    private let thread = Atomic<UInt>(0)

    init() { ready.initialize(repeating: cs_ready()) }

    deinit {
        ready.deallocate()
        if epoll >= 0 { close(epoll) }
    }

    var isCurrent: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    func begin() { thread.store(pthread_self(), ordering: .relaxed) }

    // MARK: - Descriptors

    func watch(_ descriptor: CInt, _ receiver: @escaping (UInt32) -> Void) -> Bool {
        guard cs_epoll_add(epoll, descriptor, UInt64(descriptor)) >= 0 else { return false }
        receivers[descriptor] = receiver
        return true
    }

    func unwatch(_ descriptor: CInt) {
        guard receivers[descriptor] != nil else { return }
        _ = cs_epoll_remove(epoll, descriptor)
        // What it holds may close the descriptor with this.
        receivers[descriptor] = nil
    }

    func pause(_ descriptor: CInt, until instant: Instant) {
        guard receivers[descriptor] != nil else { return }
        _ = cs_epoll_remove(epoll, descriptor)
        _ = schedule(at: instant) { [self] in
            // It may be nobody's by then; another one's of the same number is watched already, which changes nothing.
            guard receivers[descriptor] != nil else { return }
            let result = cs_epoll_add(epoll, descriptor, UInt64(descriptor))
            if result < 0, result != -EEXIST { pause(descriptor, until: SystemClock.now + .milliseconds(10)) }
        }
    }

    /// How many descriptors are ready.
    func wait(mayRest: Bool) -> Int {
        Int(max(0, cs_epoll_wait(epoll, ready.baseAddress, CInt(ready.count), mayRest ? timeout : 0)))
    }

    func serve(_ count: Int) {
        for news in ready.prefix(count) { receivers[CInt(news.token)]?(news.events) }
    }

    // MARK: - Instants

    func schedule(at instant: Instant, _ work: @escaping () -> Void) -> ScheduledWork {
        count += 1
        let id = ScheduledWork(number: count)
        deadlines.set(id, at: instant)
        scheduled[id] = work
        return id
    }

    func cancel(_ id: ScheduledWork) {
        deadlines.cancel(id)
        scheduled[id] = nil
    }

    func performDue() {
        guard deadlines.deadline != nil else { return }
        let now = SystemClock.now
        while let id = deadlines.popDue(at: now) { scheduled.removeValue(forKey: id)?() }
    }

    /// Until the next instant, in milliseconds, rounded up; at most an hour.
    private var timeout: CInt {
        guard let deadline = deadlines.deadline else { return 3_600_000 }
        let left = (deadline - SystemClock.now).saturatedNanoseconds
        return left <= 0 ? 0 : CInt(min(left / 1_000_000 + 1, 3_600_000))
    }
}
