import HeapModule

/// The deadlines of many machines, of which a layer shows only the earliest.
///
/// One deadline a key. Setting and cancelling cost O(log n) amortised: a replaced or cancelled entry stays in the heap
/// and is passed over when it surfaces, and the heap is rebuilt when such entries outnumber the living.
/// Equal deadlines fall due in the order in which they were set, so that a run repeats exactly.
///
/// All of it can be inlined: the keys are types of other rooms, and a queue that is not made for its key takes ten times
/// as long.
@usableFromInline
package struct DeadlineQueue<Key: Hashable & Sendable>: Sendable {
    @usableFromInline struct Entry: Comparable, Sendable {
        @usableFromInline let at: Instant
        @usableFromInline let sequence: UInt64
        @usableFromInline let key: Key

        @inlinable init(at: Instant, sequence: UInt64, key: Key) {
            self.at = at
            self.sequence = sequence
            self.key = key
        }

        @inlinable static func < (left: Entry, right: Entry) -> Bool {
            left.at == right.at ? left.sequence < right.sequence : left.at < right.at
        }

        @inlinable static func == (left: Entry, right: Entry) -> Bool {
            left.sequence == right.sequence
        }
    }

    @usableFromInline var heap = Heap<Entry>()
    @usableFromInline var current: [Key: (at: Instant, sequence: UInt64)] = [:]
    @usableFromInline var nextSequence: UInt64 = 0

    @inlinable package init() {}

    @inlinable package var count: Int { current.count }
    @inlinable package var isEmpty: Bool { current.isEmpty }

    /// The earliest deadline, or nil where none is set.
    @inlinable package var deadline: Instant? { heap.min?.at }

    /// The deadline of one key.
    @inlinable package subscript(key: Key) -> Instant? { current[key]?.at }

    /// Sets, moves or, with nil, cancels the deadline of `key`.
    @inlinable
    package mutating func set(_ key: Key, at instant: Instant?) {
        guard let instant else { return cancel(key) }
        let (isNew, replaced) = Self.set(&current[key], at: instant, sequence: nextSequence + 1)
        guard isNew else { return }
        nextSequence += 1
        let wasFirst = isFirst(replaced)
        heap.insert(Entry(at: instant, sequence: nextSequence, key: key))
        dropStaleEntries(atTop: wasFirst)
    }

    /// In its place, so that the key is looked for once: whether the deadline is another one, and which one it replaces.
    @inlinable
    static func set(
        _ entry: inout (at: Instant, sequence: UInt64)?, at instant: Instant, sequence: UInt64
    ) -> (isNew: Bool, replaced: UInt64?) {
        let former = entry
        if former?.at == instant { return (false, nil) }
        entry = (instant, sequence)
        return (true, former?.sequence)
    }

    /// Whether that is the entry on top of the heap.
    @inlinable
    func isFirst(_ sequence: UInt64?) -> Bool {
        if let sequence { heap.min?.sequence == sequence } else { false }
    }

    @inlinable
    package mutating func cancel(_ key: Key) {
        guard let cancelled = current.removeValue(forKey: key) else { return }
        if current.isEmpty { reset() } else { dropStaleEntries(atTop: isFirst(cancelled.sequence)) }
    }

    /// Takes one key whose deadline is at or before `now`, earliest first.
    @inlinable
    package mutating func popDue(at now: Instant) -> Key? {
        guard let first = heap.min, first.at <= now else { return nil }
        heap.removeMin()
        current.removeValue(forKey: first.key)
        if current.isEmpty { reset() } else { dropStaleEntries(atTop: true) }
        return first.key
    }

    /// Empties a queue whose keys are all gone, and gives back the memory of one that was long.
    @inlinable
    mutating func reset() {
        heap = Heap()
        if current.capacity > 64 { current = [:] }
    }

    /// Keeps two promises: the heap's minimum is alive, and at most half of the heap is stale.
    ///
    /// - Parameter mayBeAtTop: false: the minimum is known to be alive.
    @inlinable
    mutating func dropStaleEntries(atTop mayBeAtTop: Bool) {
        if heap.count > 2 * current.count + 16 {
            let alive = heap.unordered.filter { current[$0.key]?.sequence == $0.sequence }
            heap = Heap(alive)
        }
        guard mayBeAtTop else { return }
        while let first = heap.min, current[first.key]?.sequence != first.sequence {
            heap.removeMin()
        }
    }
}
