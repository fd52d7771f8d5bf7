import EngineKit
import Glibc

/// The clocks of the running system.
package enum SystemClock {
    /// The monotonic clock that every engine of the process lives by.
    package static var now: Instant { Instant(nanoseconds: nanoseconds(CLOCK_MONOTONIC)) }

    /// Nanoseconds since 1970, UTC.
    package static var wallNanoseconds: Int64 { nanoseconds(CLOCK_REALTIME) }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension RandomSource {
    /// A source under a key of 256 bits from the kernel, so that nobody can guess what it gives (ROBUSTNESS S23).
    package static func system() -> RandomSource {
        // The standard library's generator is getrandom(2), which waits until the kernel has gathered enough.
        var kernel = SystemRandomNumberGenerator()
        var key = InlineArray<8, UInt32>(repeating: 0)
        for index in 0..<8 { key[index] = kernel.next() }
        return RandomSource(key: key)
    }
}
