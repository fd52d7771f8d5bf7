import HeapModule

/// The deadlines of many machines, of which a layer shows only the earliest.
///
/// One deadline a key. Setting and cancelling cost O(log n) amortised: a replaced or cancelled entry stays in the heap
/// and is passed over when it surfaces, and the heap is rebuilt when such entries outnumber the living.
/// Equal deadlines fall due in the order in which they were set, so that a run repeats exactly.
package struct DeadlineQueue<Key: Hashable & Sendable>: Sendable {
    private struct Entry: Comparable, Sendable {
        let at: Instant
        let sequence: UInt64
        let key: Key

        static func < (left: Entry, right: Entry) -> Bool {
            (left.at, left.sequence) < (right.at, right.sequence)
        }

        static func == (left: Entry, right: Entry) -> Bool {
            left.sequence == right.sequence
        }
    }

    private var heap = Heap<Entry>()
    private var current: [Key: (at: Instant, sequence: UInt64)] = [:]
    private var nextSequence: UInt64 = 0

    package init() {}

    package var count: Int { current.count }
    package var isEmpty: Bool { current.isEmpty }

    /// The earliest deadline, or nil where none is set.
    package var deadline: Instant? { heap.min?.at }

    /// The deadline of one key.
    package subscript(key: Key) -> Instant? { current[key]?.at }

    /// Sets, moves or, with nil, cancels the deadline of `key`.
    package mutating func set(_ key: Key, at instant: Instant?) {
        guard let instant else { return cancel(key) }
        if current[key]?.at == instant { return }
        nextSequence += 1
        current[key] = (instant, nextSequence)
        heap.insert(Entry(at: instant, sequence: nextSequence, key: key))
        dropStaleEntries()
    }

    package mutating func cancel(_ key: Key) {
        guard current.removeValue(forKey: key) != nil else { return }
        dropStaleEntries()
    }

    /// Takes one key whose deadline is at or before `now`, earliest first.
    package mutating func popDue(at now: Instant) -> Key? {
        guard let first = heap.min, first.at <= now else { return nil }
        heap.removeMin()
        current.removeValue(forKey: first.key)
        dropStaleEntries()
        return first.key
    }

    /// Keeps two promises: the heap's minimum is alive, and at most half of the heap is stale.
    private mutating func dropStaleEntries() {
        if heap.count > 2 * current.count + 16 {
            let alive = heap.unordered.filter { current[$0.key]?.sequence == $0.sequence }
            heap = Heap(alive)
        }
        while let first = heap.min, current[first.key]?.sequence != first.sequence {
            heap.removeMin()
        }
    }
}
