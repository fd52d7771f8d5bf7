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

    package var span: Span<Element> {
        @_lifetime(borrow self)
        get { storage.span }
    }

    package var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self)
        mutating get { storage.mutableSpan }
    }
}

// The buffer is the only owner of its memory, so that moving it to another thread moves all access.
extension FixedBuffer: @unchecked Sendable where Element: Sendable {}
