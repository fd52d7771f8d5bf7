import EngineKit

/// How long to wait after failures in a row: doubled each time up to a cap, and at random in the upper half of that,
/// so that the phones of a registrar that comes back do not all ask at once (RFC 5626 §4.5).
struct RetryBackoff: Hashable, Sendable {
    static let base = Duration.seconds(30)
    static let cap = Duration.seconds(1800)

    private(set) var failures = 0

    mutating func reset() { failures = 0 }

    /// The wait after one more failure, not below what the server asked for and a little spread.
    mutating func next(notBefore asked: Duration = .zero, random: inout RandomSource) -> Duration {
        var wait = Self.base
        for _ in 0..<min(failures, 6) { wait *= 2 }
        wait = min(wait, Self.cap)
        failures += 1
        let half = UInt64(clamping: wait.saturatedNanoseconds / 2)
        let drawn = wait - .nanoseconds(Int64(clamping: UInt64.random(in: 0...half, using: &random)))
        return asked > .zero ? max(drawn, asked + drawn / 8) : drawn
    }
}
