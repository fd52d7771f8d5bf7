import EngineKit
import HeapModule

/// What is going to happen in a simulated world, by time, and at equal times in the order of planning.
struct Agenda<Event: Sendable>: Sendable {
    private struct Entry: Comparable, Sendable {
        let at: Instant
        let sequence: UInt64
        let event: Event

        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.sequence) < (right.at, right.sequence) }
        static func == (left: Entry, right: Entry) -> Bool { left.sequence == right.sequence }
    }

    private var heap = Heap<Entry>()
    private var lastSequence: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }

    /// When the next event happens.
    var next: Instant? { heap.min?.at }

    mutating func plan(_ event: Event, at instant: Instant) {
        lastSequence += 1
        heap.insert(Entry(at: instant, sequence: lastSequence, event: event))
    }

    mutating func popDue(at now: Instant) -> Event? {
        guard let first = heap.min, first.at <= now else { return nil }
        return heap.removeMin().event
    }
}
