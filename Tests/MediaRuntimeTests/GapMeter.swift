import CLinux
import EngineKit
import Glibc
import Synchronization

@testable import MediaRuntime

/// A bare socket in the place of a peer, which measures the longest time between two packets.
final class GapMeter: Sendable {
    private struct Measure {
        var last: Instant?
        var longest = Duration.zero
        var packets = 0
    }

    let ports: MediaPorts
    private let measure = Mutex(Measure())
    private let isStopped = Atomic<Bool>(false)

    init(seed: UInt64) throws {
        ports = try RTPPortAllocator(random: RandomSource(seed: seed)).allocate(address: .loopback, at: .zero)
        try RealtimeThread.start("gap-meter", priority: .device) { [self] in run() }
    }

    func stop() { isStopped.store(true, ordering: .releasing) }

    /// Forgets what was measured so far.
    func reset() { measure.withLock { $0 = Measure() } }

    var longest: Duration { measure.withLock { $0.longest } }
    var packets: Int { measure.withLock { $0.packets } }

    private func run() {
        guard let batch = cs_datagram_batch_create(16, 2048) else { return }
        defer { cs_datagram_batch_destroy(batch) }
        while !isStopped.load(ordering: .acquiring) {
            guard cs_wait_readable(ports.rtpDescriptor, 50) > 0 else { continue }
            let count = Int(cs_datagram_receive(ports.rtpDescriptor, batch))
            guard count > 0, let items = cs_datagram_batch_items(batch) else { continue }
            let now = MonotonicClock.now
            measure.withLock { measure in
                for index in 0..<count {
                    let at = now - .nanoseconds(items[index].age)
                    if let last = measure.last { measure.longest = max(measure.longest, at - last) }
                    measure.last = at
                    measure.packets += 1
                }
            }
        }
    }
}
