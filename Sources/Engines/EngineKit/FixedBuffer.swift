/// `count` elements of plain memory, allocated once and never moved, grown or shared.
///
/// For the media thread, where an array could copy itself on a write and a class would cost reference counting.
/// An index out of range is a fault of ours, never of the peer, and traps. Every access is inlined into the engine that
/// makes it: there are many for each sample.
@usableFromInline
package struct FixedBuffer<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline let storage: UnsafeMutableBufferPointer<Element>

    @inlinable
    package init(repeating element: Element, count: Int) {
        storage = .allocate(capacity: count)
        storage.initialize(repeating: element)
    }

    deinit {
        storage.deallocate()
    }

    @inlinable package var count: Int { storage.count }

    @inlinable
    package subscript(index: Int) -> Element {
        get {
            precondition(storage.indices.contains(index), "index outside of the buffer")
            return storage[index]
        }
        set {
            precondition(storage.indices.contains(index), "index outside of the buffer")
            storage[index] = newValue
        }
    }

    /// A part of the memory, valid while the buffer lives, for the methods of its owner: a span taken from here depends
    /// on this local value, while one that depended on the buffer would claim all of the owner at once.
    @inlinable
    package func elements(_ range: Range<Int>) -> UnsafeMutableBufferPointer<Element> {
        precondition(range.lowerBound >= 0 && range.upperBound <= storage.count, "range outside of the buffer")
        return UnsafeMutableBufferPointer(rebasing: storage[range])
    }

    /// Puts the newest elements at the end, for which the oldest at the front make room; of more than fit, the last.
    @inlinable
    package mutating func push(_ newest: UnsafeBufferPointer<Element>) {
        let pushed = min(newest.count, storage.count)
        let kept = storage.count - pushed
        _ = storage[..<kept].update(fromContentsOf: storage[pushed...])
        _ = storage[kept...].update(fromContentsOf: newest[(newest.count - pushed)...])
    }

    /// All of the memory; see `elements(_:)`.
    @inlinable package var elements: UnsafeMutableBufferPointer<Element> { storage }
}

// The buffer is the only owner of its memory, so that moving it to another thread moves all access.
extension FixedBuffer: @unchecked Sendable where Element: Sendable {}
