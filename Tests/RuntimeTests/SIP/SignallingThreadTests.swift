import CLinux
import EngineKit
import Glibc
import Synchronization
import Testing

@testable import SIPRuntime

struct SignallingThreadTests {
    /// Lives on a thread, and notes what happens there.
    private actor Diary {
        private let thread: SignallingThread
        private var lines: [Int] = []
        private var waiting: (count: Int, reader: CheckedContinuation<[Int], Never>)?

        nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

        init(on thread: SignallingThread) { self.thread = thread }

        func note(_ line: Int) {
            lines.append(line)
            guard let waiting, lines.count >= waiting.count else { return }
            waiting.reader.resume(returning: lines)
            self.waiting = nil
        }

        /// What is in it once that many lines are.
        func lines(_ count: Int) async -> [Int] {
            if lines.count >= count { return lines }
            return await withCheckedContinuation { waiting = (count, $0) }
        }

        func run(_ body: @Sendable (isolated Diary) -> Void) { body(self) }
    }

    private let thread = SignallingThread.shared

    @Test func doesWhatOthersAskForInItsOrder() async {
        let diary = Diary(on: thread)
        for number in 0..<1000 { thread.execute { diary.assumeIsolated { $0.note(number) } } }
        #expect(await diary.lines(1000) == Array(0..<1000))
    }

    /// Whoever comes while it goes to sleep is not forgotten.
    @Test func wakesForEachOfManyThatComeOneByOne() async {
        let diary = Diary(on: thread)
        for number in 0..<2000 {
            await diary.note(number)
            if number % 7 == 0 { await Task.yield() }
        }
        #expect(await diary.lines(2000).count == 2000)
    }

    @Test func workComesAtItsInstantAndCancelledWorkNever() async {
        let diary = Diary(on: thread)
        let thread = thread
        let begun = SystemClock.now
        await diary.run { diary in
            let note = { (line: Int) in { @Sendable [diary] in diary.assumeIsolated { $0.note(line) } } }
            thread.schedule(at: begun + .milliseconds(30), note(3))
            thread.schedule(at: begun + .milliseconds(10), note(1))
            let never = thread.schedule(at: begun + .milliseconds(15), note(9))
            thread.schedule(at: begun + .milliseconds(20), note(2))
            thread.cancel(never)
        }
        #expect(await diary.lines(3) == [1, 2, 3])
        #expect(SystemClock.now >= begun + .milliseconds(30))
    }

    @Test func aDescriptorIsWatchedUntilItIsNot() async throws {
        let diary = Diary(on: thread)
        let thread = thread
        let event = cs_event_create()
        try #require(event >= 0)
        defer { close(event) }
        await diary.run { diary in
            _ = thread.watch(event) { [diary] _ in
                let count = Int(cs_event_drain(event))
                diary.assumeIsolated { $0.note(count) }
            }
        }
        _ = cs_event_signal(event)
        #expect(await diary.lines(1) == [1])
        _ = cs_event_signal(event)
        #expect(await diary.lines(2) == [1, 1])
        await diary.run { _ in thread.unwatch(event) }
        _ = cs_event_signal(event)
        // A turn of the thread later nothing was told.
        for number in 0..<3 { await diary.note(number) }
        #expect(await diary.lines(5) == [1, 1, 0, 1, 2])
    }

    @Test func aPausedDescriptorIsWatchedAgain() async throws {
        let diary = Diary(on: thread)
        let thread = thread
        let event = cs_event_create()
        try #require(event >= 0)
        defer { close(event) }
        let begun = SystemClock.now
        await diary.run { diary in
            _ = thread.watch(event) { [diary] _ in
                let count = Int(cs_event_drain(event))
                diary.assumeIsolated { $0.note(count) }
            }
            thread.pause(event, for: .milliseconds(30))
        }
        _ = cs_event_signal(event)
        #expect(await diary.lines(1) == [1])
        #expect(SystemClock.now >= begun + .milliseconds(30))
        await diary.run { _ in thread.unwatch(event) }
    }
}
