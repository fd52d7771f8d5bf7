import EngineKit

/// Sends digits one after another as telephone-events (RFC 4733 §2.5.1): a packet at once, then one every 50 ms, and
/// the end three times.
package struct TelephoneEventSender: Sendable {
    package static let capacity = 32
    private static let interval = Duration.milliseconds(50)
    private static let endCount = 3
    private static let shortest = Duration.milliseconds(40)
    private static let longest = Duration.seconds(10)
    /// Between the last packet of one digit and the first of the next.
    private static let pause = Duration.milliseconds(50)

    /// One packet to be sent.
    package struct Report: Equatable, Sendable {
        package var event: TelephoneEvent
        package var timestamp: UInt32
        package var hasMarker: Bool
    }

    private struct Digit: Sendable {
        var digit: DTMFDigit
        var duration: Duration
    }

    private struct Active: Sendable {
        var digit: Digit
        var startedAt: Instant
        /// Of this segment; a further one begins every 65535 ticks.
        var timestamp: UInt32
        var segmentStartedAt: Instant
        var nextAt: Instant
        var isFirst = true
        var endsSent = 0
    }

    private var queue = InlineArray<32, Digit?>(repeating: nil)
    private var first = 0
    private var count = 0
    private var active: Active?
    private var restsUntil: Instant?

    package init() {}

    /// False where 32 digits wait.
    package mutating func append(_ digit: DTMFDigit, duration: Duration) -> Bool {
        guard count < Self.capacity else { return false }
        queue[(first + count) % Self.capacity] = Digit(
            digit: digit, duration: max(Self.shortest, min(duration, Self.longest)))
        count += 1
        return true
    }

    package mutating func removeAll() {
        count = 0
        active = nil
        restsUntil = nil
    }

    /// A digit sounds now: its packets replace the audio.
    package func isSounding(at now: Instant) -> Bool {
        guard let active else { return false }
        return now < active.startedAt + active.digit.duration
    }

    /// When `next` has something to send; for a digit that waits and nothing in its way, always past.
    package var deadline: Instant? {
        if let active { return active.nextAt }
        return count > 0 ? restsUntil ?? .zero : nil
    }

    /// The packet that is due, if any.
    ///
    /// - Parameters:
    ///   - timestamp: the audio clock's at `now`; a digit that begins takes it.
    ///   - rtpRate: ticks a second of that clock.
    ///   - format: the payload type's own clock, in which durations count.
    package mutating func next(
        at now: Instant, timestamp: UInt32, rtpRate: UInt32, format: TelephoneEventFormat, packetTime: Int
    ) -> Report? {
        if active == nil { begin(at: now, timestamp: timestamp) }
        guard var current = active, now >= current.nextAt else { return nil }
        let end = current.startedAt + current.digit.duration
        let segment = UInt16.max
        var elapsed = ticks(in: min(now, end) - current.segmentStartedAt, rate: format.clockRate)
        var report = Report(
            event: TelephoneEvent(code: current.digit.digit.code, isEnd: false, duration: segment),
            timestamp: current.timestamp, hasMarker: current.isFirst)
        if elapsed > Int64(segment) {
            // §2.5.1.3: this segment is full; the next one begins where it ended.
            let length = Duration.nanoseconds(Int64(segment) * 1_000_000_000 / Int64(max(1, format.clockRate)))
            current.segmentStartedAt += length
            current.timestamp &+= UInt32(
                truncatingIfNeeded: UInt64(segment) * UInt64(rtpRate) / UInt64(max(1, format.clockRate)))
            active = current
            return report
        }
        // The first packet speaks for the packet time that it stands in for.
        if current.isFirst { elapsed = ticks(in: .milliseconds(packetTime), rate: format.clockRate) }
        report.event.duration = UInt16(clamping: elapsed)
        current.isFirst = false
        if now >= end {
            report.event.isEnd = true
            current.endsSent += 1
        }
        current.nextAt = min(now + Self.interval, now < end ? end : .distantFuture)
        active = current
        if current.endsSent == Self.endCount {
            active = nil
            restsUntil = now + Self.pause
        }
        return report
    }

    /// The digit whose first end packet `report` is, with its length; nil for any other packet.
    package func finished(by report: Report) -> (DTMFDigit, milliseconds: Int)? {
        guard report.event.isEnd, let active, active.endsSent == 1 else { return nil }
        return (active.digit.digit, Int(active.digit.duration.milliseconds))
    }

    private mutating func begin(at now: Instant, timestamp: UInt32) {
        guard count > 0, now >= restsUntil ?? now, let digit = queue[first] else { return }
        first = (first + 1) % Self.capacity
        count -= 1
        active = Active(
            digit: digit, startedAt: now, timestamp: timestamp, segmentStartedAt: now, nextAt: now)
    }

    private func ticks(in duration: Duration, rate: UInt32) -> Int64 {
        max(0, duration.saturatedNanoseconds) / 1_000 * Int64(rate) / 1_000_000
    }
}
