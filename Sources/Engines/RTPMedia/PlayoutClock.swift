import EngineKit

/// When samples are really heard, out of when they are asked for: the asking may come late, never early, so that the
/// earliest of late calls tell the pace of the device.
struct PlayoutClock: Sendable {
    private static let leak = 0.01
    private static let stall = Duration.milliseconds(100)

    private var expected: Instant?

    /// The instant of the first of `count` samples that are asked for at `now`.
    mutating func begin(count: Int, at now: Instant) -> Instant {
        var start = now
        if let expected, now > expected, now - expected < Self.stall {
            let late = Double((now - expected).saturatedNanoseconds)
            start = expected + .nanoseconds(Int64(late * Self.leak))
        }
        expected = start + .nanoseconds(Int64(count) * 1_000_000 / 48)
        return start
    }
}

/// The peer's sample clock against ours: a line through the fastest packet of each second (their delay has the least
/// of the network's jitter in it), fitted by least squares.
struct ClockDrift: Sendable {
    private static let block = Duration.seconds(1)
    private static let leastBlocks = 10

    private var lastTimestamp: UInt32?
    /// Media time since the first packet, nanoseconds.
    private var media: Int64 = 0
    private var origin = Instant.zero
    private var blockEnd = Instant.zero
    private var fastest: Int64?
    private var (n, sumX, sumY, sumXX, sumXY) = (0.0, 0.0, 0.0, 0.0, 0.0)

    mutating func reset() {
        self = ClockDrift()
    }

    mutating func receive(timestamp: UInt32, rate: UInt32, at now: Instant) {
        guard let last = lastTimestamp else {
            lastTimestamp = timestamp
            origin = now
            blockEnd = now + Self.block
            fastest = 0
            return
        }
        let step = Int64(Int32(bitPattern: timestamp &- last))
        // A jump of ten seconds is no drift: start over.
        guard abs(step) < 10 * Int64(rate) else { return reset() }
        media += step * 1_000_000_000 / Int64(max(1, rate))
        lastTimestamp = timestamp
        let elapsed = (now - origin).saturatedNanoseconds
        let delay = elapsed &- media
        fastest = min(fastest ?? delay, delay)
        guard now >= blockEnd, let least = fastest else { return }
        let (x, y) = (Double(elapsed) / 1e9, Double(least) / 1e9)
        n += 1
        sumX += x
        sumY += y
        sumXX += x * x
        sumXY += x * y
        fastest = nil
        blockEnd = now + Self.block
    }

    /// Positive where the peer's clock is faster than ours; nil before ten seconds.
    var partsPerMillion: Double? {
        let spread = n * sumXX - sumX * sumX
        guard n >= Double(Self.leastBlocks), spread > 0 else { return nil }
        return -(n * sumXY - sumX * sumY) / spread * 1e6
    }
}
