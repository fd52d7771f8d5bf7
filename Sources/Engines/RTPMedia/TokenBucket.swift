import EngineKit

/// Lets `rate` packets a second pass, and after a pause half a second's worth of them at once.
package struct TokenBucket: Sendable {
    /// For RTP: two and a half times the packet rate of the negotiated packet time, at least 125 a second.
    package static func rate(packetTime: Int) -> Double {
        max(125, 2.5 * 1_000 / Double(max(1, packetTime)))
    }

    private var rate: Double
    private var tokens: Double
    private var filledAt: Instant

    package init(rate: Double, at now: Instant) {
        self.rate = rate
        tokens = rate / 2
        filledAt = now
    }

    package mutating func setRate(_ rate: Double) {
        self.rate = rate
        tokens = min(tokens, rate / 2)
    }

    /// Whether one more packet may pass.
    package mutating func take(at now: Instant) -> Bool {
        if now > filledAt {
            tokens = min(rate / 2, tokens + (now - filledAt).inSeconds * rate)
            filledAt = now
        }
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
