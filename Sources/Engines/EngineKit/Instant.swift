/// A point on a monotonic clock, in nanoseconds since an origin that the runtime chose.
///
/// Engines never read a clock: each call that may depend on time carries the instant at which it happens.
/// Arithmetic saturates, because the durations added to an instant may come from the wire.
@usableFromInline
package struct Instant: Hashable, Comparable, Sendable, BitwiseCopyable {
    @usableFromInline package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The clock's origin.
    package static let zero = Instant(nanoseconds: 0)

    /// Later than every deadline.
    package static let distantFuture = Instant(nanoseconds: .max)

    @inlinable
    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    package static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.saturatedNanoseconds)
        guard overflow else { return Instant(nanoseconds: sum) }
        return Instant(nanoseconds: duration < .zero ? .min : .max)
    }

    package static func - (instant: Instant, duration: Duration) -> Instant {
        let (difference, overflow) = instant.nanoseconds.subtractingReportingOverflow(duration.saturatedNanoseconds)
        guard overflow else { return Instant(nanoseconds: difference) }
        return Instant(nanoseconds: duration < .zero ? .max : .min)
    }

    package static func += (instant: inout Instant, duration: Duration) {
        instant = instant + duration
    }

    /// The time that passes from `right` to `left`.
    package static func - (left: Instant, right: Instant) -> Duration {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        guard overflow else { return .nanoseconds(difference) }
        return .nanoseconds(left < right ? Int64.min : Int64.max)
    }
}

extension Instant? {
    /// Makes a deadline that may not be set no later than another that may not be set.
    @inlinable
    @inline(__always)
    package mutating func bringForward(to other: Instant?) {
        guard let other else { return }
        self = self.map { Swift.min($0, other) } ?? other
    }
}

extension Duration {
    /// The duration in nanoseconds, held to what 64 bits can carry (292 years).
    package var saturatedNanoseconds: Int64 {
        Int64(clamping: attoseconds / 1_000_000_000)
    }

    /// The duration in milliseconds with its fraction, for people and statistics.
    package var milliseconds: Double {
        Double(saturatedNanoseconds) / 1e6
    }

    /// The duration in seconds with its fraction, for people and statistics.
    package var inSeconds: Double {
        Double(saturatedNanoseconds) / 1e9
    }
}
