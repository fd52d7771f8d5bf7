/// A large value behind one reference, so that a table moves and hands out a pointer and not all that the value holds.
/// It is a value all the same: what is shared is copied before it is changed.
@dynamicMemberLookup
struct Boxed<Value: Sendable>: @unchecked Sendable {
    // Unchecked, as the storage is changed only while nobody else has it.
    private final class Storage {
        var value: Value

        init(_ value: Value) { self.value = value }
    }

    private var storage: Storage

    init(_ value: Value) {
        storage = Storage(value)
    }

    var value: Value {
        _read { yield storage.value }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
            yield &storage.value
        }
    }

    @inline(__always)
    subscript<Member>(dynamicMember path: WritableKeyPath<Value, Member>) -> Member {
        _read { yield storage.value[keyPath: path] }
        _modify { yield &value[keyPath: path] }
    }

    @inline(__always)
    subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member {
        _read { yield storage.value[keyPath: path] }
    }
}
