import EngineKit

/// The streams that arrive under different SSRCs from the peer's address; at most eight, of which one is played
/// (RFC 3550 §8.2).
package struct SynchronizationSources: Sendable {
    package static let capacity = 8

    private static let belief = Duration.seconds(5)
    private static let returnSilence = Duration.milliseconds(500)

    struct Entry: Sendable {
        var identifier: UInt32
        var statistics: ReceptionStatistics
        var heardAt: Instant
        /// It was played before another one took over.
        var wasDisplaced = false
        /// The middle of the NTP timestamp of its last SR, and when that came.
        var lastReport: UInt32 = 0
        var lastReportAt: Instant?
    }

    package enum Verdict: Equatable, Sendable {
        /// Belongs to the stream that is played.
        case active
        /// Belongs to it, and is the first one of it.
        case began
        /// Belongs to it, whose sequence starts over.
        case restarted
        /// On probation, out of range, or of a stream that is not played.
        case dropped
    }

    private var entries = InlineArray<8, Entry?>(repeating: nil)
    private var activeIndex: Int?
    /// Until then a new source is believed from its first packet: after a BYE or a new description. So is the first.
    private var believesUntil: Instant?

    package init() {}

    package var active: UInt32? { activeIndex.flatMap { entries[$0]?.identifier } }

    var activeEntry: Entry? {
        get { activeIndex.flatMap { entries[$0] } }
        set { if let activeIndex { entries[activeIndex] = newValue } }
    }

    package mutating func believeNext(at now: Instant) {
        believesUntil = now + Self.belief
    }

    private func believesNext(at now: Instant) -> Bool {
        guard activeIndex != nil else { return true }
        return believesUntil.map { now < $0 } ?? false
    }

    /// The peer said BYE for a source. True where it is the one that is played.
    package mutating func goodbye(_ identifier: UInt32, at now: Instant) -> Bool {
        guard active == identifier else { return false }
        believeNext(at: now)
        return true
    }

    package mutating func receive(_ identifier: UInt32, sequence: SequenceNumber, at now: Instant) -> Verdict {
        let index = place(of: identifier, sequence: sequence, at: now)
        guard var entry = entries[index] else { return .dropped }
        let outcome = entry.statistics.receive(sequence)
        entry.heardAt = now
        entries[index] = entry
        if index == activeIndex {
            switch outcome {
            case .valid: return .active
            case .restarted: return .restarted
            case .onProbation, .outOfRange: return .dropped
            }
        }
        guard outcome == .valid || outcome == .restarted, mayTakeOver(entry, at: now) else { return .dropped }
        if let activeIndex { entries[activeIndex]?.wasDisplaced = true }
        entries[index]?.wasDisplaced = false
        activeIndex = index
        believesUntil = nil
        return .began
    }

    /// Of two streams that go on side by side the later one stays, else they would take turns with every packet.
    private func mayTakeOver(_ entry: Entry, at now: Instant) -> Bool {
        guard let activeEntry, entry.wasDisplaced, !believesNext(at: now) else { return true }
        return now - activeEntry.heardAt >= Self.returnSilence
    }

    mutating func noteReport(from identifier: UInt32, ntp: NTPTimestamp, at now: Instant) {
        for index in 0..<Self.capacity where entries[index]?.identifier == identifier {
            entries[index]?.lastReport = ntp.middle
            entries[index]?.lastReportAt = now
        }
    }

    /// The slot of a source; a new one takes a free slot or that of the source heard the longest ago.
    private mutating func place(of identifier: UInt32, sequence: SequenceNumber, at now: Instant) -> Int {
        var oldest = activeIndex == 0 ? 1 : 0
        for index in 0..<Self.capacity {
            guard let entry = entries[index] else { continue }
            if entry.identifier == identifier { return index }
            guard index != activeIndex, let other = entries[oldest] else { continue }
            if entry.heardAt < other.heardAt { oldest = index }
        }
        for index in 0..<Self.capacity where entries[index] == nil {
            oldest = index
            break
        }
        entries[oldest] = Entry(
            identifier: identifier,
            statistics: ReceptionStatistics(first: sequence, isBelieved: believesNext(at: now)), heardAt: now)
        return oldest
    }
}
