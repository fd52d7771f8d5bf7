/// A large value behind one reference, so that a table moves and hands out a pointer and not all that the value holds.
/// It is a value all the same: what is shared is copied before it is changed.
@dynamicMemberLookup
struct Boxed<Value: Sendable>: Sendable {
    /// Of one element, always.
    private var storage: ContiguousArray<Value>

    init(_ value: consuming Value) {
        storage = [value]
    }

    var value: Value {
        _read { yield storage.span[0] }
        _modify { yield &storage[0] }
    }

    @inline(__always)
    subscript<Member>(dynamicMember path: WritableKeyPath<Value, Member>) -> Member {
        _read { yield storage.span[0][keyPath: path] }
        _modify { yield &value[keyPath: path] }
    }

    @inline(__always)
    subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member {
        _read { yield storage.span[0][keyPath: path] }
    }
}
