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
    private var lower: UInt32
    private var upper: UInt32

    package init(_ syntax: Syntax = .field) {
        self.syntax = syntax
        bytes = []
        lower = 0
        upper = 0
    }

    /// Parameters in the order given.
    package init(_ syntax: Syntax = .field, _ list: [(name: String, value: String?)]) {
        self.init(syntax)
        for (name, value) in list { append(name, value) }
    }

    /// A range of text that was checked to be `;name=value` without white space.
    fileprivate init(_ syntax: Syntax, checked bytes: [UInt8], _ range: Range<Int>) {
        self.syntax = syntax
        self.bytes = bytes
        lower = UInt32(truncatingIfNeeded: range.lowerBound)
        upper = UInt32(truncatingIfNeeded: range.upperBound)
    }

    package var isEmpty: Bool { lower == upper }

    fileprivate var range: Range<Int> { Int(lower)..<Int(upper) }

    /// The value of the first parameter of that name, unquoted and unescaped; nil where there is none, or it has no
    /// value. Setting nil removes the parameter, setting a value replaces it where it stands or appends it.
    package subscript(_ name: String) -> String? {
        get {
            guard let entry = entry(name), let value = entry.value else { return nil }
            return decoded(value)
        }
        set {
            guard let newValue else { return remove(name) }
            replace(name, newValue)
        }
    }

    package func contains(_ name: String) -> Bool { entry(name) != nil }

    /// Adds a parameter behind the others, a flag where `value` is nil.
    package mutating func append(_ name: String, _ value: String? = nil) {
        var writer = MessageWriter(continuing: Array(bytes[range]))
        Self.write(name, value, syntax, to: &writer)
        adopt(writer.bytes)
    }

    package mutating func remove(_ name: String) {
        guard contains(name) else { return }
        self = Parameters(syntax, list.filter { !$0.name.equalsIgnoringCase(name) })
    }

    private mutating func replace(_ name: String, _ value: String) {
        guard contains(name) else { return append(name, value) }
        var isPlaced = false
        var replaced: [(name: String, value: String?)] = []
        for entry in list {
            guard entry.name.equalsIgnoringCase(name) else {
                replaced.append(entry)
                continue
            }
            if !isPlaced { replaced.append((entry.name, value)) }
            isPlaced = true
        }
        self = Parameters(syntax, replaced)
    }

    private mutating func adopt(_ text: [UInt8]) {
        bytes = text
        lower = 0
        upper = UInt32(truncatingIfNeeded: text.count)
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

    /// Whether the value of that parameter has more than `limit` octets on the wire.
    func exceeds(_ limit: UInt16, in name: StaticString) -> Bool {
        if range.count <= Int(limit) { return false }
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
            if entry.name.count == name.utf8.count,
                zip(bytes[entry.name], name.utf8).allSatisfy({ $0.lowercased == $1.lowercased })
            {
                return entry
            }
            if syntax == .uri, bytes[entry.name].contains(UInt8(ascii: "%")),
                decoded(entry.name).equalsIgnoringCase(name)
            {
                return entry
            }
        }
        return nil
    }

    /// The entry whose semicolon is at `position`, which moves behind it. The text was checked when it was taken in.
    private func nextEntry(_ position: inout Int) -> Entry? {
        let end = range.upperBound
        guard position < end else { return nil }
        var index = position + 1
        let nameStart = index
        while index < end, bytes[index] != UInt8(ascii: "="), bytes[index] != UInt8(ascii: ";") { index += 1 }
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
            while index < end, bytes[index] != UInt8(ascii: ";") { index += 1 }
        }
        position = index
        return (name, valueStart..<index)
    }

    private func decoded(_ range: Range<Int>) -> String {
        let cursor = cursor
        switch syntax {
        case .uri:
            return cursor.unescaped(range)
        case .field:
            guard cursor.byte(at: range.lowerBound) == UInt8(ascii: "\""), range.count >= 2 else {
                return cursor.text(range)
            }
            return cursor.unquoted(range.lowerBound + 1..<range.upperBound - 1)
        }
    }
}

// MARK: - Reading

extension Parameters {
    /// Reads `*(SEMI generic-param)`.
    init(parsingField cursor: inout FieldCursor) throws(FieldFault) {
        let start = cursor.position
        var isPlain = true
        var last = start
        while cursor.next != nil {
            let before = cursor.position
            cursor.skipBlanks()
            if cursor.position != before, cursor.next == UInt8(ascii: ";") { isPlain = false }
            guard cursor.take(UInt8(ascii: ";")) else {
                cursor.position = before
                break
            }
            isPlain = cursor.skippedNoBlanks() && isPlain
            _ = try cursor.tokenRange()
            last = cursor.position
            let afterName = cursor.position
            cursor.skipBlanks()
            guard cursor.take(UInt8(ascii: "=")) else {
                cursor.position = last
                continue
            }
            if cursor.position != afterName + 1 { isPlain = false }
            isPlain = cursor.skippedNoBlanks() && isPlain
            if cursor.next == UInt8(ascii: "\"") {
                let (inside, _) = try cursor.quotedRange()
                // A NUL in a quoted pair may be read but not kept as text to be written again.
                if cursor.bytes[inside].contains(0) { isPlain = false }
            } else {
                let value = try cursor.run(of: .parameterValue)
                if value.isEmpty { throw cursor.fault(.expected(.value)) }
            }
            last = cursor.position
        }
        if isPlain {
            self.init(.field, checked: cursor.bytes, start..<last)
        } else {
            self = Self.normalised(cursor, start..<last)
        }
    }

    /// The same text without the white space around separators: the rare case pays for a copy.
    private static func normalised(_ cursor: FieldCursor, _ range: Range<Int>) -> Parameters {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var isQuoted = false
        var index = range.lowerBound
        while index < range.upperBound, let byte = cursor.byte(at: index) {
            if isQuoted, byte == UInt8(ascii: "\\"), index + 1 < range.upperBound,
                let escaped = cursor.byte(at: index + 1)
            {
                if escaped == 0 { text += [0xef, 0xbf, 0xbd] } else { text += [byte, escaped] }
                index += 2
                continue
            }
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted || !byte.isBlank { text.append(byte) }
            index += 1
        }
        return Parameters(.field, checked: text, 0..<text.count)
    }

    /// Reads `*(";" uri-parameter)`.
    init(parsingURI cursor: inout FieldCursor) throws(FieldFault) {
        let start = cursor.position
        while cursor.take(UInt8(ascii: ";")) {
            let name = try cursor.escapedRun(of: .uriParameter)
            if name.isEmpty { throw cursor.fault(.expected(.parameter)) }
            if cursor.take(UInt8(ascii: "=")) {
                // Peers do write `;user=`, which costs nothing to read.
                _ = try cursor.escapedRun(of: .uriParameter)
            }
        }
        if cursor.position == start {
            self.init(.uri)
        } else {
            self.init(.uri, checked: cursor.bytes, start..<cursor.position)
        }
    }
}

extension FieldCursor {
    @inline(__always)
    fileprivate mutating func skippedNoBlanks() -> Bool {
        let before = position
        skipBlanks()
        return position == before
    }
}

// MARK: - Writing

extension Parameters {
    /// Writes the list in the grammar of the place it stands in.
    func write(to writer: inout MessageWriter, as place: Syntax) {
        if place == syntax {
            writer.write(raw: bytes[range])
        } else {
            for (name, value) in list { Self.write(name, value, place, to: &writer) }
        }
    }

    private static func write(_ name: String, _ value: String?, _ syntax: Syntax, to writer: inout MessageWriter) {
        // A name that is no token can't be quoted: what is not of a token is left out.
        let name = syntax == .uri ? name : String(decoding: name.utf8.filter(ByteSet.token.contains), as: UTF8.self)
        guard !name.isEmpty else { return }
        writer.write(fixed: ";")
        switch syntax {
        case .uri:
            writer.write(escaping: name, keeping: .uriParameter)
            guard let value else { return }
            writer.write(fixed: "=")
            writer.write(escaping: value, keeping: .uriParameter)
        case .field:
            writer.write(name)
            guard let value else { return }
            writer.write(fixed: "=")
            if !value.isEmpty, ByteSet.unquoted.containsAll(value) {
                writer.write(value)
            } else {
                writer.write(quoted: value)
            }
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
