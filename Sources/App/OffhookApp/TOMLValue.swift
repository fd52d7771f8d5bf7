import CTOML

/// A place in a text file. Lines and columns count from 1, columns in code points.
package struct TextPosition: Hashable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A value of a TOML 1.0 document and its place in the text.
package struct TOMLValue: Sendable {
    package enum Content: Sendable {
        case table([Entry])
        case array([TOMLValue])
        case string(String)
        case integer(Int64)
        case floatingPoint(Double)
        case boolean(Bool)
        case dateOrTime
    }

    /// A key and its value. Keys are unique in their table and stand in the order of the text.
    package struct Entry: Sendable {
        package var key: String
        package var keyPosition: TextPosition
        package var value: TOMLValue
    }

    package struct SyntaxError: Error, Equatable {
        package var problem: String
        package var position: TextPosition
    }

    package var content: Content
    package var position: TextPosition

    /// Parses a whole document; any bytes give a table or an error, in bounded time and stack.
    package init(parsing bytes: [UInt8]) throws(SyntaxError) {
        guard let document = bytes.withUnsafeBufferPointer({ ctoml_parse($0.baseAddress, $0.count) }) else {
            throw SyntaxError(problem: "out of memory", position: TextPosition(line: 1, column: 1))
        }
        defer { ctoml_free(document) }
        var line: UInt32 = 0
        var column: UInt32 = 0
        if let message = ctoml_error(document, &line, &column) {
            throw SyntaxError(
                problem: String(cString: message), position: TextPosition(line: Int(line), column: Int(column)))
        }
        var count = 0
        var entries = UnsafeBufferPointer(start: ctoml_entries(document, &count), count: count)[...]
        self = Self.take(from: &entries)
    }

    private init(_ content: Content, _ position: TextPosition) {
        self.content = content
        self.position = position
    }

    /// Takes one value with all that it holds; the entries are in preorder and complete.
    private static func take(from entries: inout Slice<UnsafeBufferPointer<ctoml_entry>>) -> TOMLValue {
        guard let entry = entries.popFirst() else { return TOMLValue(.table([]), TextPosition(line: 1, column: 1)) }
        let position = TextPosition(line: Int(entry.line), column: Int(entry.column))
        switch entry.kind {
        case ctoml_kind_table:
            var children: [Entry] = []
            for _ in 0..<entry.child_count {
                guard let child = entries.first else { break }
                let value = take(from: &entries)
                children.append(
                    Entry(
                        key: text(child.key, child.key_length),
                        keyPosition: TextPosition(line: Int(child.key_line), column: Int(child.key_column)),
                        value: value))
            }
            return TOMLValue(.table(children.sorted { $0.keyPosition < $1.keyPosition }), position)
        case ctoml_kind_array:
            return TOMLValue(.array((0..<entry.child_count).map { _ in take(from: &entries) }), position)
        case ctoml_kind_string:
            return TOMLValue(.string(text(entry.text, entry.text_length)), position)
        case ctoml_kind_integer:
            return TOMLValue(.integer(entry.integer), position)
        case ctoml_kind_floating_point:
            return TOMLValue(.floatingPoint(entry.floating_point), position)
        case ctoml_kind_boolean:
            return TOMLValue(.boolean(entry.boolean), position)
        default:
            return TOMLValue(.dateOrTime, position)
        }
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        start?.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
            String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        } ?? ""
    }

    /// What a person calls this kind of value.
    package var kind: String {
        switch content {
        case .table: "a table"
        case .array: "a list"
        case .string: "a text"
        case .integer: "a whole number"
        case .floatingPoint: "a number"
        case .boolean: "true or false"
        case .dateOrTime: "a date or time"
        }
    }
}
