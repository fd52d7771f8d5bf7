import EngineKit
import SIPUserAgent

/// How full the room is that a phone keeps for requests of strangers: who fills it gets answers of which nothing is
/// kept (ROBUSTNESS S11).
struct Crowd {
    /// As much of a bucket as is in use, as of an instant.
    private struct Level {
        private var count = 0.0
        private var at = Instant.zero

        mutating func add(_ rate: UserAgentLimits.RequestRate, at now: Instant) {
            count = min(value(rate, at: now) + 1, Double(rate.burst))
            at = now
        }

        private func value(_ rate: UserAgentLimits.RequestRate, at now: Instant) -> Double {
            max(0, count - (now - at) / .seconds(1) * Double(rate.perSecond))
        }

        /// Whether there may be no room for one more.
        func isFull(_ rate: UserAgentLimits.RequestRate, at now: Instant) -> Bool {
            value(rate, at: now) > Double(rate.burst) - 1.5
        }
    }

    private let limits = UserAgentLimits.strict
    private var all = Level()
    private var sources: [SourceTable.Key: Level] = [:]

    mutating func arrived(from source: SocketAddress, at now: Instant) {
        if let rate = limits.strangerRate { all.add(rate, at: now) }
        guard let rate = limits.requestRate else { return }
        sources[SourceTable.Key(source.address), default: Level()].add(rate, at: now)
    }

    /// Whether one of that source may just have been the last for whom there was room.
    func isFull(for source: SocketAddress, at now: Instant) -> Bool {
        let ofSource = limits.requestRate.flatMap { sources[SourceTable.Key(source.address)]?.isFull($0, at: now) }
        return ofSource ?? false || limits.strangerRate.map { all.isFull($0, at: now) } ?? false
    }
}
