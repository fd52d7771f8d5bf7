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
    @inline(__always)
    fileprivate mutating func skippedNoBlanks() -> Bool {
        let before = position
        skipBlanks()
        return position == before
    }
}
