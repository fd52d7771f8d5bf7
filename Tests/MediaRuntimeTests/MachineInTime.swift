import EngineKit
import Glibc
import Testing

@testable import MediaRuntime

/// Tests in real time begin when the machine keeps it: when for two seconds a thread that sleeps was woken in time. They
/// wait for that half a minute at most, and then count whatever the machine does.
struct MachineInTime: TestTrait, SuiteTrait, TestScoping {
    /// A quarter of a packet time. Less is what any system does.
    private static let tolerance = Duration.milliseconds(5)
    private static let quiet = Duration.seconds(2)
    private static let patience = Duration.seconds(30)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let began = MonotonicClock.now
        var latest = began
        var now = began
        while now - latest < Self.quiet, now - began < Self.patience {
            usleep(1000)
            let woken = MonotonicClock.now
            if woken - now > Self.tolerance { latest = woken }
            now = woken
        }
        try await function()
    }
}

extension Trait where Self == MachineInTime {
    static var onceTheMachineKeepsTime: Self { MachineInTime() }
}
