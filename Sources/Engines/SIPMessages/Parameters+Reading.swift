extension Parameters {
    /// Reads `*(SEMI generic-param)`.
    init(parsingField cursor: inout FieldCursor) throws(FieldFault) {
        let (range, isPlain) = try Self.passFieldParameters(&cursor)
        if isPlain {
            self.init(.field, checked: cursor.bytes, range)
        } else {
            self.init(normalising: cursor, range)
        }
    }

    /// Passes over `*(SEMI generic-param)` and gives where it stands, and whether without white space.
    static func passFieldParameters(
        _ cursor: inout FieldCursor
    ) throws(FieldFault) -> (range: Range<Int>, isPlain: Bool) {
        let start = cursor.position
        var isPlain = true
        var last = start
        while cursor.next != nil {
            guard let semicolon = cursor.takePlainSeparator(UInt8(ascii: ";")) else { break }
            isPlain = isPlain && semicolon
            _ = try cursor.tokenRange()
            last = cursor.position
            guard let equals = cursor.takePlainSeparator(UInt8(ascii: "=")) else { continue }
            isPlain = isPlain && equals
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
        return (start..<last, isPlain)
    }

    /// The same text without the white space around separators.
    init(normalising cursor: FieldCursor, _ range: Range<Int>) {
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
        self.init(.field, checked: text, 0..<text.count)
    }

    /// Passes over `*(";" uri-parameter)`.
    @inline(__always)
    static func passURIParameters(_ cursor: inout FieldCursor) throws(FieldFault) {
        while cursor.take(UInt8(ascii: ";")) {
            let name = try cursor.escapedRun(of: .uriParameter)
            if name.isEmpty { throw cursor.fault(.expected(.parameter)) }
            if cursor.take(UInt8(ascii: "=")) {
                // Peers do write `;user=`, which costs nothing to read.
                _ = try cursor.escapedRun(of: .uriParameter)
            }
        }
    }
}

extension FieldCursor {
    /// As `takeSeparator`, and tells whether no white space was around; nil where `byte` is not here.
    @inline(__always)
    fileprivate mutating func takePlainSeparator(_ byte: UInt8) -> Bool? {
        let start = position
        return takeSeparator(byte) ? position == start &+ 1 : nil
    }
}
