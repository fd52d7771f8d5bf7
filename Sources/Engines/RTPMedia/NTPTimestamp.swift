import EngineKit

/// Seconds in 32.32 bits as RTCP carries them (RFC 3550 §4).
///
/// Ours count from the start of the `MediaSession`: a sender may use elapsed time where it has no wallclock to show
/// (§6.4.1), and thus nothing of the machine's clock is told to strangers.
package struct NTPTimestamp: Hashable, Sendable {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package init(elapsed: Duration) {
        let nanoseconds = UInt64(max(0, elapsed.saturatedNanoseconds))
        let seconds = nanoseconds / 1_000_000_000
        let fraction = (nanoseconds % 1_000_000_000) << 32 / 1_000_000_000
        rawValue = seconds << 32 | fraction
    }

    /// The middle 32 bits: units of 1/65536 s, as LSR and DLSR count.
    package var middle: UInt32 {
        UInt32(truncatingIfNeeded: rawValue >> 16)
    }

    /// The round trip that a report block shows (§6.4.1, figure 2): the report's arrival less LSR less DLSR; nil where
    /// the peer has had no report of ours, or its figures can't be.
    package static func roundTrip(arrival: NTPTimestamp, lastReport: UInt32, delay: UInt32) -> Duration? {
        guard lastReport != 0 else { return nil }
        let units = Int64(arrival.middle &- lastReport) - Int64(delay)
        // A trip over a minute is a mistake, and so is one well below zero; a hair below is rounding.
        guard units >= -66, units < 60 << 16 else { return nil }
        return .nanoseconds(max(0, units) * 1_000_000_000 / 65_536)
    }

    /// A duration in units of 1/65536 s, at most what 32 bits hold.
    package static func delay(of duration: Duration) -> UInt32 {
        let nanoseconds = UInt64(max(0, duration.saturatedNanoseconds))
        let (scaled, overflow) = nanoseconds.multipliedReportingOverflow(by: 65_536)
        return overflow ? .max : UInt32(clamping: scaled / 1_000_000_000)
    }
}
