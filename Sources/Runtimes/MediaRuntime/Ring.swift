import Synchronization

/// A queue of fixed capacity between one producing and one consuming thread, without a lock.
///
/// Protocol: `written` and `taken` count elements since the start and never wrap (63 bits). Only the producer stores
/// `written` and only the consumer stores `taken`, each with release order after it touched the elements; each reads
/// the other's count with acquire order before. The elements between the counts belong to the consumer, all others to
/// the producer, so no element is ever touched by both. `count` may be read by any thread, as a hint.
/// Elements are plain bits without references, so that moving one neither counts nor frees.
/// That protocol makes the class `Sendable`; who produces and who consumes is stated where a ring is made.
package final class Ring<Element: Sendable>: @unchecked Sendable {
    /// A power of two.
    package let capacity: Int
    private let elements: UnsafeMutablePointer<Element>
    private let written = Atomic<Int>(0)
    private let taken = Atomic<Int>(0)

    /// A ring for at least `minimum` elements.
    package init(capacity minimum: Int, filler: Element) {
        precondition(_isPOD(Element.self), "a ring holds plain bits")
        var capacity = 1
        while capacity < minimum { capacity *= 2 }
        self.capacity = capacity
        elements = .allocate(capacity: capacity)
        elements.initialize(repeating: filler, count: capacity)
    }

    deinit { elements.deallocate() }

    /// How many elements wait to be taken.
    package var count: Int { written.load(ordering: .acquiring) - taken.load(ordering: .acquiring) }

    /// How many more elements the producer may put in.
    package var space: Int { capacity - count }

    /// All elements ever put in, the ones already taken included.
    package var totalWritten: Int { written.load(ordering: .acquiring) }

    // MARK: - Producer

    /// Puts in as many of the elements as there is space for, in order, and says how many.
    @discardableResult
    package func write(_ source: UnsafeBufferPointer<Element>) -> Int {
        guard let base = source.baseAddress else { return 0 }
        let start = written.load(ordering: .relaxed)
        let count = min(source.count, capacity - (start - taken.load(ordering: .acquiring)))
        let offset = start & (capacity - 1)
        let first = min(count, capacity - offset)
        (elements + offset).update(from: base, count: first)
        elements.update(from: base + first, count: count - first)
        written.store(start + count, ordering: .releasing)
        return count
    }

    /// Puts in one element; false where the ring is full.
    package func append(_ element: Element) -> Bool {
        let start = written.load(ordering: .relaxed)
        guard start - taken.load(ordering: .acquiring) < capacity else { return false }
        elements[start & (capacity - 1)] = element
        written.store(start + 1, ordering: .releasing)
        return true
    }

    // MARK: - Consumer

    /// Takes as many elements as the target has room for, oldest first, and says how many.
    package func read(into target: UnsafeMutableBufferPointer<Element>) -> Int {
        guard let base = target.baseAddress else { return 0 }
        let start = taken.load(ordering: .relaxed)
        let count = min(target.count, written.load(ordering: .acquiring) - start)
        let offset = start & (capacity - 1)
        let first = min(count, capacity - offset)
        base.update(from: elements + offset, count: first)
        (base + first).update(from: elements, count: count - first)
        taken.store(start + count, ordering: .releasing)
        return count
    }

    /// Takes the oldest element, or gives nil where none waits.
    package func popFirst() -> Element? {
        let start = taken.load(ordering: .relaxed)
        guard written.load(ordering: .acquiring) > start else { return nil }
        let element = elements[start & (capacity - 1)]
        taken.store(start + 1, ordering: .releasing)
        return element
    }

    /// Forgets the `count` oldest elements, or all there are where they are fewer.
    package func drop(_ count: Int) {
        let start = taken.load(ordering: .relaxed)
        taken.store(start + min(count, written.load(ordering: .acquiring) - start), ordering: .releasing)
    }
}
