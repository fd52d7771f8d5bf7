/// The header fields of a message that are not typed in it, raw and in order: ranges over one block of bytes.
///
/// Via, From, To, Call-ID, CSeq, Max-Forwards and Content-Length live in the message itself and are never in here.
package struct Headers: Sendable {
    /// Where one field stands in `storage`.
    struct Field: Sendable {
        /// The raw value of `KnownHeader`, 0 for others.
        var code: UInt8
        /// The octets of the name; the name starts at `start`.
        var nameLength: UInt16
        var start: UInt32
        var valueStart: UInt32
        var valueEnd: UInt32

        @inline(__always) var name: Range<Int> { Int(start)..<Int(start) &+ Int(nameLength) }
        @inline(__always) var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

        /// The same where the storage has more or fewer octets before it.
        func moved(by offset: Int) -> Field {
            Field(
                code: code, nameLength: nameLength, start: UInt32(clamping: Int(start) + offset),
                valueStart: UInt32(clamping: Int(valueStart) + offset),
                valueEnd: UInt32(clamping: Int(valueEnd) + offset))
        }
    }

    private(set) var storage: [UInt8]
    private(set) var fields: [Field]

    package init() {
        storage = []
        fields = []
    }

    /// Fields that the parser found in `storage`; folds are spaces there.
    init(storage: [UInt8], fields: [Field]) {
        self.storage = storage
        self.fields = fields
    }

    package var isEmpty: Bool { fields.isEmpty }

    /// How many header fields (lines, not values) there are.
    package var count: Int { fields.count }
}

/// Why a value can't become a header field.
package enum FieldError: Error, Hashable, Sendable {
    /// CR, LF or NUL in the value: it would end the line and start another.
    case endsLine
    /// The field has a place of its own in the message.
    case typedInMessage
}

// MARK: - Raw access

extension Headers {
    package func contains(_ name: HeaderName) -> Bool {
        guard let known = name.known else { return fields.contains { matches($0, name) } }
        let code = known.rawValue
        for field in fields where field.code == code { return true }
        return false
    }

    /// The value of the first field of that name, as text.
    package func first(_ name: HeaderName) -> String? {
        fields.first { matches($0, name) }.map { text($0.value) }
    }

    /// The values of all fields of that name, one for each line.
    package func values(_ name: HeaderName) -> [String] {
        fields.filter { matches($0, name) }.map { text($0.value) }
    }

    /// Every field in order.
    package var list: [(name: HeaderName, value: String)] {
        fields.compactMap { field in
            name(of: field).map { ($0, text(field.value)) }
        }
    }

    func name(of field: Field) -> HeaderName? {
        KnownHeader(rawValue: field.code).map(HeaderName.init) ?? HeaderName(text(field.name))
    }

    @inline(__always)
    func matches(_ field: Field, _ name: HeaderName) -> Bool {
        if let known = name.known { return field.code == known.rawValue }
        return field.code == 0 && text(field.name).equalsIgnoringCase(name.spelling)
    }

    private func text(_ range: Range<Int>) -> String {
        FieldCursor(storage, range).text(range)
    }
}

// MARK: - Building

extension Headers {
    /// Adds a field behind the others. A value with CR, LF or NUL is refused.
    package mutating func append(_ name: HeaderName, _ value: String) throws(FieldError) {
        if let known = name.known, Self.typedInMessage.contains(known) { throw .typedInMessage }
        if value.utf8.contains(where: MessageWriter.endsLine) { throw .endsLine }
        append(name) { $0.write(value) }
    }

    /// Puts one field in the place of all of that name.
    package mutating func set(_ name: HeaderName, _ value: String) throws(FieldError) {
        if value.utf8.contains(where: MessageWriter.endsLine) { throw .endsLine }
        removeAll(name)
        try append(name, value)
    }

    package mutating func removeAll(_ name: HeaderName) {
        guard let known = name.known else {
            fields = fields.filter { !matches($0, name) }
            return
        }
        if contains(name) { fields.removeAll { $0.code == known.rawValue } }
    }

    /// Puts the fields of that name in `other` in the place of all of that name; does nothing where there are none.
    package mutating func set(_ name: HeaderName, from other: Headers) {
        guard other.contains(name) else { return }
        removeAll(name)
        for field in other.fields where other.matches(field, name) {
            let offset = storage.count - Int(field.start)
            storage.append(contentsOf: other.storage[Int(field.start)..<Int(field.valueEnd)])
            fields.append(field.moved(by: offset))
        }
    }

    /// Adds what `write` writes as the value of a field.
    mutating func append(_ name: HeaderName, writing write: (inout MessageWriter) -> Void) {
        if storage.isEmpty {
            // Room for what a 2xx to an INVITE bears.
            storage.reserveCapacity(384)
            fields.reserveCapacity(8)
        }
        let start = storage.count
        let spelling = name.spelling
        var writer = MessageWriter(continuing: storage)
        storage = []
        writer.write(spelling)
        let nameLength = writer.bytes.count - start
        writer.write(fixed: ": ")
        let valueStart = writer.bytes.count
        write(&writer)
        storage = writer.bytes
        fields.append(
            Field(
                code: name.known?.rawValue ?? 0, nameLength: UInt16(clamping: nameLength),
                start: UInt32(clamping: start), valueStart: UInt32(clamping: valueStart),
                valueEnd: UInt32(clamping: storage.count)))
    }

    private static let typedInMessage: [KnownHeader] = [
        .via, .from, .to, .callID, .cSeq, .maxForwards, .contentLength,
    ]

    func write(to writer: inout MessageWriter) {
        for field in fields {
            if let known = KnownHeader(rawValue: field.code) {
                writer.write(known.spelling)
            } else {
                writer.write(raw: storage[field.name])
            }
            writer.write(fixed: ": ")
            writer.write(raw: storage[field.value])
            writer.endLine()
        }
    }
}

extension Headers: Equatable {
    /// The same fields with the same values in the same order.
    package static func == (left: Headers, right: Headers) -> Bool {
        left.fields.count == right.fields.count
            && zip(left.fields, right.fields).allSatisfy { mine, theirs in
                mine.code == theirs.code
                    && left.storage[mine.value] == right.storage[theirs.value]
                    && (mine.code != 0 || left.text(mine.name).equalsIgnoringCase(right.text(theirs.name)))
            }
    }
}
