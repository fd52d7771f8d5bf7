/// A large value behind one reference, so that a table moves and hands out a pointer and not all that the value holds.
/// It is a value all the same: what is shared is copied before it is changed.
@dynamicMemberLookup
struct Boxed<Value: Sendable>: @unchecked Sendable {
    // Unchecked, as the storage is changed only while nobody else has it.
    private final class Storage: ManagedBuffer<Void, Value> {
        deinit { _ = withUnsafeMutablePointerToElements { $0.deinitialize(count: 1) } }
    }

    private var storage: ManagedBuffer<Void, Value>

    init(_ value: consuming Value) {
        storage = Storage.create(minimumCapacity: 1) { _ in () }
        let place = storage.withUnsafeMutablePointerToElements { $0 }
        place.initialize(to: value)
    }

    /// By its address: to look at one member of a property, all of a large value would be copied.
    @inline(__always)
    var value: Value {
        unsafeAddress { UnsafePointer(storage.withUnsafeMutablePointerToElements { $0 }) }
        unsafeMutableAddress {
            if !isKnownUniquelyReferenced(&storage) { self = Boxed(value) }
            return storage.withUnsafeMutablePointerToElements { $0 }
        }
    }

    @inline(__always)
    subscript<Member>(dynamicMember path: WritableKeyPath<Value, Member>) -> Member {
        _read { yield value[keyPath: path] }
        _modify { yield &value[keyPath: path] }
    }

    @inline(__always)
    subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member {
        _read { yield value[keyPath: path] }
    }
}
