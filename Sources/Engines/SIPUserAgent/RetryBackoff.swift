import EngineKit

/// How long to wait after failures in a row: the base doubled each time up to a cap, and at random in the upper half of
/// that, so that the phones of a registrar that comes back do not all ask at once (RFC 5626 §4.5).
struct RetryBackoff: Hashable, Sendable {
    static let base = Duration.seconds(30)
    /// The base where another flow of the account stands.
    static let relaxedBase = Duration.seconds(90)
    static let cap = Duration.seconds(1800)

    private(set) var failures = 0

    mutating func reset() { failures = 0 }

    /// The wait after one more failure, not below what the server asked for and a little spread: 30 to 60 s after the
    /// first, 15 to 30 minutes in the end.
    mutating func next(
        from base: Duration = Self.base, notBefore asked: Duration = .zero, random: inout RandomSource
    ) -> Duration {
        failures += 1
        var wait = base
        for _ in 0..<min(failures, 6) { wait *= 2 }
        wait = min(wait, Self.cap)
        let half = UInt64(clamping: wait.saturatedNanoseconds / 2)
        let drawn = wait - .nanoseconds(Int64(clamping: UInt64.random(in: 0...half, using: &random)))
        return asked > .zero ? max(drawn, asked + drawn / 8) : drawn
    }
}
