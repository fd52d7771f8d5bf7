/// A large part of a value that is seldom there: behind a reference, so that copies of the value are small without it.
@propertyWrapper
struct Apart<Value: Sendable>: Sendable {
    private var box: Boxed<Value?>?

    init() {}

    init(wrappedValue: Value?) {
        if case .some = wrappedValue { box = Boxed(wrappedValue) }
    }

    @inline(__always)
    var wrappedValue: Value? {
        get {
            if let box { box.value } else { nil }
        }
        _modify {
            guard var box else {
                var value: Value?
                defer { if case .some = value { self.box = Boxed(value) } }
                yield &value
                return
            }
            // Taken out, as it is changed in its place only while nobody else has it.
            self.box = nil
            defer { if case .some = box.value { self.box = box } }
            yield &box.value
        }
    }
}
