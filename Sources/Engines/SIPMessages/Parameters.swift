/// The `;name=value` list of a header field or a URI, in order; names compare without case (RFC 3261 §7.3.1, §19.1.1).
///
/// The list is kept as the text it came in, a range of bytes that the message already holds, and is looked through on
/// demand: most parameters are only ever copied.
package struct Parameters: Sendable {
    /// Which grammar the values follow.
    package enum Syntax: Sendable {
        /// Token, host or quoted string (`generic-param`).
        case field
        /// `%HH` escapes (`uri-parameter`).
        case uri
    }

    package let syntax: Syntax
    private var bytes: [UInt8]
    private var extent: Extent

    package init(_ syntax: Syntax = .field) {
        self.syntax = syntax
        bytes = []
        extent = .empty
    }

    /// Parameters in the order given.
    package init(_ syntax: Syntax = .field, _ list: [(name: String, value: String?)]) {
        self.init(syntax)
        for (name, value) in list { append(name, value) }
    }

    /// A range of text that was checked to be `;name=value` without white space.
    init(_ syntax: Syntax, checked bytes: [UInt8], _ range: Range<Int>) {
        self.syntax = syntax
        self.bytes = bytes
        extent = Extent(range)
    }

    package var isEmpty: Bool { extent.isEmpty }

    private var range: Range<Int> { extent.range }

    /// The list as it is written in its own syntax.
    var text: ArraySlice<UInt8> { bytes[range] }

    /// The value of the first parameter of that name, unquoted and unescaped; nil where there is none, or it has no
    /// value. Setting nil removes the parameter, setting a value replaces it where it stands or appends it.
    package subscript(_ name: String) -> String? {
        get {
            guard let entry = entry(name), let value = entry.value else { return nil }
            return decoded(value)
        }
        set {
            rewrite(name, newValue)
        }
    }

    package func contains(_ name: String) -> Bool { entry(name) != nil }

    /// Where the value of the first parameter of that name can be read, unquoted; nil where there is none, or it has no
    /// value. Only for the parameters of header fields, whose names have no escapes.
    func cursor(of name: ShortWord) -> FieldCursor? {
        var position = range.lowerBound
        while let entry = nextEntry(&position) {
            guard cursor.matches(entry.name, name) else { continue }
            return entry.value.map { value in
                bytes[value].first == UInt8(ascii: "\"") ? FieldCursor(decoded(value)) : FieldCursor(bytes, value)
            }
        }
        return nil
    }

    func hasValue(_ name: String) -> Bool { entry(name)?.value != nil }

    /// Adds a parameter behind the others, a flag where `value` is nil.
    package mutating func append(_ name: String, _ value: String? = nil) {
        var writer = MessageWriter(continuing: Array(bytes[range]))
        Self.write(name, value, syntax, to: &writer)
        adopt(writer.bytes)
    }

    package mutating func remove(_ name: String) { rewrite(name, nil) }

    /// Puts `value` in the place of the first parameter of that name, or behind all, and takes out the others of that
    /// name; all the rest stays as it is written.
    private mutating func rewrite(_ name: String, _ value: String?) {
        var writer = MessageWriter(reserving: range.count + 64)
        var isPlaced = value == nil
        var position = range.lowerBound
        var start = position
        while let entry = nextEntry(&position) {
            if !isNamed(entry, name) {
                writer.write(raw: bytes[start..<position])
            } else if !isPlaced {
                Self.write(decoded(entry.name), value, syntax, to: &writer)
                isPlaced = true
            }
            start = position
        }
        if !isPlaced { Self.write(name, value, syntax, to: &writer) }
        adopt(writer.bytes)
    }

    private mutating func adopt(_ text: [UInt8]) {
        bytes = text
        extent = Extent(0..<text.count)
    }

    /// Every parameter, decoded.
    package var list: [(name: String, value: String?)] {
        var list: [(name: String, value: String?)] = []
        var position = range.lowerBound
        while let entry = nextEntry(&position) {
            list.append((decoded(entry.name), entry.value.map(decoded)))
        }
        return list
    }

    package var names: [String] { list.map(\.name) }

    /// The names that are there more than once, each once, in lower case: none may be (RFC 3261 §7.3.1, §19.1.1).
    package var repeatedNames: [String] {
        var counts: [String: Int] = [:]
        return names.map(\.asciiLowercased).filter { name in
            counts[name, default: 0] += 1
            return counts[name] == 2
        }
    }

    /// Whether the value of that parameter has more than `limit` octets on the wire.
    func exceeds(_ limit: UInt16, in name: ShortWord) -> Bool {
        var position = range.lowerBound
        while let entry = nextEntry(&position) {
            if cursor.matches(entry.name, name) { return entry.value.map { $0.count > Int(limit) } ?? false }
        }
        return false
    }
}

// MARK: - Looking through

extension Parameters {
    private typealias Entry = (name: Range<Int>, value: Range<Int>?)

    private var cursor: FieldCursor { FieldCursor(bytes, range) }

    private func entry(_ name: String) -> Entry? {
        var position = range.lowerBound
        while let entry = nextEntry(&position) {
            if isNamed(entry, name) { return entry }
        }
        return nil
    }

    private func isNamed(_ entry: Entry, _ name: String) -> Bool {
        if bytes.span.extracting(entry.name).equalsIgnoringCase(name) { return true }
        return syntax == .uri && bytes[entry.name].contains(UInt8(ascii: "%"))
            && decoded(entry.name).equalsIgnoringCase(name)
    }

    /// The entry whose semicolon is at `position`, which moves behind it. The text was checked when it was taken in.
    private func nextEntry(_ position: inout Int) -> Entry? {
        let end = range.upperBound
        guard position < end else { return nil }
        let nameStart = position + 1
        var index = firstSemicolon(or: UInt8(ascii: "="), from: nameStart)
        let name = nameStart..<index
        guard index < end, bytes[index] == UInt8(ascii: "=") else {
            position = index
            return (name, nil)
        }
        index += 1
        let valueStart = index
        if index < end, bytes[index] == UInt8(ascii: "\"") {
            index += 1
            while index < end, bytes[index] != UInt8(ascii: "\"") {
                index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
            }
            index = min(index + 1, end)
        } else {
            index = firstSemicolon(from: index)
        }
        position = index
        return (name, valueStart..<index)
    }

    /// Where the next semicolon is, or the next of another octet; else the end.
    @inline(__always)
    private func firstSemicolon(or other: UInt8 = UInt8(ascii: ";"), from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            let end = min(range.upperBound, buffer.count)
            var index = start
            while index < end, buffer[index] != UInt8(ascii: ";"), buffer[index] != other { index &+= 1 }
            return index
        }
    }

    /// The first value of each name, both without escapes and in lower case, as octets: text would take different
    /// octets that are no UTF-8, or two forms of one letter, for the same.
    var comparable: [[UInt8]: [UInt8]?] {
        var values: [[UInt8]: [UInt8]?] = [:]
        var position = range.lowerBound
        while let entry = nextEntry(&position) {
            let name = FieldCursor.unescapedOctets(bytes[entry.name]).map(\.lowercased)
            guard values[name] == nil else { continue }
            values[name] = .some(entry.value.map { FieldCursor.unescapedOctets(bytes[$0]).map(\.lowercased) })
        }
        return values
    }

    private func decoded(_ range: Range<Int>) -> String {
        switch syntax {
        case .uri:
            return cursor.unescaped(range)
        case .field:
            guard range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "\"") else {
                return String(decoding: bytes[range], as: UTF8.self)
            }
            return cursor.unquoted(range.lowerBound + 1..<range.upperBound - 1)
        }
    }
}

extension Parameters: Hashable {
    package static func == (left: Parameters, right: Parameters) -> Bool {
        if left.syntax == right.syntax, left.bytes[left.range] == right.bytes[right.range] { return true }
        let (leftList, rightList) = (left.list, right.list)
        return leftList.count == rightList.count
            && zip(leftList, rightList).allSatisfy { $0.name.equalsIgnoringCase($1.name) && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        for (name, value) in list {
            hasher.combine(name.asciiLowercased)
            hasher.combine(value)
        }
    }
}

extension Parameters: CustomStringConvertible {
    package var description: String {
        var writer = MessageWriter()
        write(to: &writer, as: syntax)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
