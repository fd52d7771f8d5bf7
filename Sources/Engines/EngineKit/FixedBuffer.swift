/// `count` elements of plain memory, allocated once and never moved, grown or shared.
///
/// For the media thread, where an array could copy itself on a write and a class would cost reference counting.
/// An index out of range is a fault of ours, never of the peer, and traps.
package struct FixedBuffer<Element: BitwiseCopyable>: ~Copyable {
    private let storage: UnsafeMutableBufferPointer<Element>

    package init(repeating element: Element, count: Int) {
        storage = .allocate(capacity: count)
        storage.initialize(repeating: element)
    }

    deinit {
        storage.deallocate()
    }

    package var count: Int { storage.count }

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
    package func elements(_ range: Range<Int>) -> UnsafeMutableBufferPointer<Element> {
        precondition(range.lowerBound >= 0 && range.upperBound <= storage.count, "range outside of the buffer")
        return UnsafeMutableBufferPointer(rebasing: storage[range])
    }

    /// All of the memory; see `elements(_:)`.
    package var elements: UnsafeMutableBufferPointer<Element> { storage }
}

// The buffer is the only owner of its memory, so that moving it to another thread moves all access.
extension FixedBuffer: @unchecked Sendable where Element: Sendable {}
