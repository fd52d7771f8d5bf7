import EngineKit
import Glibc
import Synchronization
import Testing

@testable import MediaRuntime

/// Tests in real time judge the phone, and not a machine that stood still meanwhile. What fails while threads that only
/// sleep wake late is tried again, and where the machine never keeps time, passed over as a known issue.
struct AgainAfterStalls: TestTrait, SuiteTrait, TestScoping {
    private static let attempts = 3

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        for _ in 0..<Self.attempts {
            let gauge = StallGauge()
            defer { gauge.stop() }
            try await withKnownIssue("the machine stood still meanwhile", isIntermittent: true) {
                try await function()
            } matching: { _ in
                gauge.excuses()
            }
            guard gauge.hasExcused else { return }
        }
    }
}

extension Trait where Self == AgainAfterStalls {
    static var againAfterStalls: Self { AgainAfterStalls() }
}

/// Threads that sleep a millisecond at a time, and see how late they wake.
private final class StallGauge: Sendable {
    /// A quarter of a packet time. Less is what any system does.
    private static let tolerance = Duration.milliseconds(5)

    private let isOver = Atomic(false)
    private let hasStalled = Atomic(false)
    private let excused = Atomic(false)

    init() {
        // Two a processor, so that each is likely to have one.
        for _ in 0..<2 * min(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 4) {
            var thread = pthread_t()
            let gauge = Unmanaged.passRetained(self).toOpaque()
            let watch: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { gauge in
                gauge.map { Unmanaged<StallGauge>.fromOpaque($0).takeRetainedValue().watch() }
                return nil
            }
            if pthread_create(&thread, nil, watch, gauge) == 0 { pthread_detach(thread) }
        }
    }

    var hasExcused: Bool { excused.load(ordering: .acquiring) }

    /// Whether the machine is to blame for a failure now.
    func excuses() -> Bool {
        guard hasStalled.load(ordering: .acquiring) else { return false }
        excused.store(true, ordering: .releasing)
        return true
    }

    func stop() { isOver.store(true, ordering: .releasing) }

    private func watch() {
        while !isOver.load(ordering: .acquiring) {
            let before = MonotonicClock.now
            usleep(1000)
            if MonotonicClock.now - before > Self.tolerance { hasStalled.store(true, ordering: .releasing) }
        }
    }
}
