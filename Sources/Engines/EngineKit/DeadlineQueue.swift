/// The deadlines of many machines, of which a layer shows only the earliest.
///
/// One deadline a key, in a binary heap that knows where each key's entry is: to set, to move and to cancel one costs
/// O(log n) amortised. Of those that are gone at most four times the room is kept that those take which are there.
/// Equal deadlines fall due in the order in which they were set, so that a run repeats exactly.
///
/// All of it can be inlined: the keys are types of other rooms, and a queue that is not made for its key takes ten times
/// as long.
@usableFromInline
package struct DeadlineQueue<Key: Hashable & Sendable>: Sendable {
    /// Without its key, as the heap moves its entries about.
    @usableFromInline struct Entry: Sendable {
        @usableFromInline let at: Instant
        @usableFromInline let sequence: UInt64
        @usableFromInline var slot: Int

        @inlinable init(at: Instant, sequence: UInt64, slot: Int) {
            self.at = at
            self.sequence = sequence
            self.slot = slot
        }

        @inlinable static func < (left: Entry, right: Entry) -> Bool {
            left.at == right.at ? left.sequence < right.sequence : left.at < right.at
        }
    }

    /// What stays where it is while an entry moves: its key, and the place in the heap that it has now.
    @usableFromInline struct Slot: Sendable {
        @usableFromInline var key: Key?
        @usableFromInline var place = 0

        @inlinable init(key: Key, place: Int = 0) {
            self.key = key
            self.place = place
        }
    }

    /// The earliest first; none is later than those at twice its place and one or two more.
    @usableFromInline var heap: [Entry] = []
    @usableFromInline var slots: [Slot] = []
    @usableFromInline var slotsByKey: [Key: Int] = [:]
    /// The slots without a key.
    @usableFromInline var vacant: [Int] = []
    @usableFromInline var lastSequence: UInt64 = 0

    @inlinable package init() {}

    @inlinable package var count: Int { heap.count }
    @inlinable package var isEmpty: Bool { heap.isEmpty }

    /// The earliest deadline, or nil where none is set.
    @inlinable package var deadline: Instant? { heap.first?.at }

    /// The deadline of one key.
    @inlinable package subscript(key: Key) -> Instant? {
        slotsByKey[key].map { heap[slots[$0].place].at }
    }

    /// Sets, moves or, with nil, cancels the deadline of `key`.
    @inlinable
    package mutating func set(_ key: Key, at instant: Instant?) {
        guard let instant else { return cancel(key) }
        let free = vacant.last ?? slots.count
        let slot = Self.slot(&slotsByKey[key], orTaking: free)
        if slot == free {
            take(slot, for: key)
            heap.append(entry(at: instant, of: slot))
            raise(heap.count - 1)
            return
        }
        let place = slots[slot].place
        let former = heap[place].at
        guard former != instant else { return }
        heap[place] = entry(at: instant, of: slot)
        if instant < former { raise(place) } else { lower(place) }
    }

    @inlinable
    package mutating func cancel(_ key: Key) {
        guard let slot = slotsByKey.removeValue(forKey: key) else { return }
        remove(slot)
    }

    /// Takes one key whose deadline is at or before `now`, earliest first.
    @inlinable
    package mutating func popDue(at now: Instant) -> Key? {
        guard let first = heap.first, first.at <= now, let key = slots[first.slot].key else { return nil }
        slotsByKey[key] = nil
        remove(first.slot)
        return key
    }
}

// MARK: - Slots

extension DeadlineQueue {
    /// In its place, so that the key is looked for once.
    @inlinable
    static func slot(_ known: inout Int?, orTaking free: Int) -> Int {
        let slot = known ?? free
        known = slot
        return slot
    }

    @inlinable
    mutating func take(_ slot: Int, for key: Key) {
        if vacant.popLast() == nil { slots.append(Slot(key: key)) } else { slots[slot].key = key }
    }

    @inlinable
    mutating func entry(at instant: Instant, of slot: Int) -> Entry {
        lastSequence += 1
        return Entry(at: instant, sequence: lastSequence, slot: slot)
    }

    /// Vacates a slot and takes its entry out of the heap.
    @inlinable
    mutating func remove(_ slot: Int) {
        let place = slots[slot].place
        let last = heap.removeLast()
        if place < heap.count {
            let removed = heap[place]
            heap[place] = last
            if last < removed { raise(place) } else { lower(place) }
        }
        slots[slot].key = nil
        vacant.append(slot)
        if vacant.count > 64, vacant.count > 4 * heap.count { compact() }
    }

    /// Gives back the memory of a queue that was long. What is left keeps its order.
    @inlinable
    mutating func compact() {
        let (entries, keys) = (heap, slots)
        (heap, slots, slotsByKey, vacant) = ([], [], [:], [])
        for var entry in entries {
            guard let key = keys[entry.slot].key else { continue }
            entry.slot = slots.count
            slots.append(Slot(key: key, place: heap.count))
            slotsByKey[key] = entry.slot
            heap.append(entry)
        }
    }
}

// MARK: - Order

extension DeadlineQueue {
    /// Moves an entry up past all that are later.
    @inlinable
    mutating func raise(_ start: Int) {
        let entry = heap[start]
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry < heap[parent] else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    /// Moves an entry down past all that are earlier.
    @inlinable
    mutating func lower(_ start: Int) {
        let entry = heap[start]
        var place = start
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < entry else { break }
            put(heap[child], at: place)
            place = child
        }
        put(entry, at: place)
    }

    @inlinable
    mutating func put(_ entry: Entry, at place: Int) {
        heap[place] = entry
        slots[entry.slot].place = place
    }
}
