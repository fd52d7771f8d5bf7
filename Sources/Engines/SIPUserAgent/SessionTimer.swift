import EngineKit

/// How long a session goes on without a refresh, and whose part that is (RFC 4028).
struct SessionTimer: Equatable, Sendable {
    /// The shortest interval that there may be (§5). What is shorter is taken for this.
    static let shortest: UInt32 = 90

    /// The session interval in seconds.
    let interval: UInt32
    let isRefresher: Bool
    /// When we refresh: after half of the interval (§7.2); nil: the peer does, or our refresh is on its way.
    var refreshAt: Instant?
    /// When the call is given up: at the expiration, by the peer's partner 32 s or a third of the interval before (§10).
    let endsAt: Instant

    /// Begins anew, with each 2xx to a session refresh request.
    init(interval: UInt32, isRefresher: Bool, at now: Instant) {
        self.interval = interval
        self.isRefresher = isRefresher
        let whole = Duration.seconds(Int64(max(interval, Self.shortest)))
        refreshAt = isRefresher ? now + whole / 2 : nil
        endsAt = now + (isRefresher ? whole : whole - min(.seconds(32), whole / 3))
    }

    var deadline: Instant { refreshAt.map { min($0, endsAt) } ?? endsAt }
}

/// Whether calls have session timers (RFC 4028).
package struct SessionTimerPolicy: Hashable, Sendable {
    package enum Use: String, Hashable, Sendable, CaseIterable {
        /// Never; a peer that requires one is refused with 420.
        case off
        /// Where the peer or a proxy asks for one.
        case supported
        /// In every call: we ask, and refresh by ourselves where the peer does not know of it.
        case wanted
    }

    package var use: Use
    /// The interval in seconds that we ask for.
    package private(set) var interval: UInt32
    /// The shortest interval in seconds that a peer may ask for; a shorter one is refused with 422.
    package private(set) var minimum: UInt32

    /// - Parameters:
    ///   - interval: at least `minimum`.
    ///   - minimum: at least 90 (§5).
    package init(use: Use, interval: UInt32 = 1800, minimum: UInt32 = 90) {
        self.use = use
        self.minimum = max(minimum, SessionTimer.shortest)
        self.interval = max(interval, self.minimum)
    }

    package static let supported = SessionTimerPolicy(use: .supported)
}

extension String {
    /// The option tag of session timers (RFC 4028 §12.3).
    static let sessionTimer = "timer"
}
