import CLinux
import EngineKit

/// The one clock of media: CLOCK_MONOTONIC, whose origin is the machine's start.
package enum MonotonicClock {
    package static var now: Instant { Instant(nanoseconds: cs_monotonic_now()) }
}
