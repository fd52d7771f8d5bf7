import EngineKit

/// Holds somebody to a rate with a burst (the generic cell rate algorithm).
struct RateMeter: Sendable {
    /// When one who comes at exactly the rate would come next.
    private var theoreticalArrival = Instant.zero

    /// Whether one more is within one each `interval`, of which `burst` may come at once.
    func admits(_ interval: Duration, burst: Int, at now: Instant) -> Bool {
        max(theoreticalArrival, now) - now <= interval * (max(1, burst) - 1)
    }

    /// Counts one; false where it exceeds the rate.
    mutating func admit(_ interval: Duration, burst: Int, at now: Instant) -> Bool {
        guard admits(interval, burst: burst, at: now) else { return false }
        theoreticalArrival = max(theoreticalArrival, now) + interval
        return true
    }

    func admits(_ rate: UserAgentLimits.RequestRate, at now: Instant) -> Bool {
        admits(rate.interval, burst: rate.burst, at: now)
    }

    mutating func admit(_ rate: UserAgentLimits.RequestRate, at now: Instant) -> Bool {
        admit(rate.interval, burst: rate.burst, at: now)
    }
}

extension UserAgentLimits.RequestRate {
    fileprivate var interval: Duration { .nanoseconds(1_000_000_000 / Int64(max(1, perSecond))) }
}
