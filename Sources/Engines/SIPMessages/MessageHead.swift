import EngineKit

/// The lines of a message before its body: the start line, and the ranges of names and values of the header fields.
struct MessageHead {
    /// The message; where lines are folded, a copy in which each fold is spaces, so that all offsets stay.
    private(set) var bytes: [UInt8]
    private(set) var startLine = 0..<0
    /// All header fields in order; `TypedFields` takes its own out.
    var fields: [Headers.Field] = []
    /// The first octet of the body.
    private(set) var end = 0
    let limits: MessageLimits
    private let names = KnownNames.all

    init(_ bytes: [UInt8], limits: MessageLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Finds the lines. What is refused here can't be framed.
    mutating func split() throws(ParseError) {
        if bytes.count > limits.message { throw ParseError(.tooLong(.message), offset: limits.message) }
        var position = 0
        // Line ends before a message are ignored (§7.5).
        while position + 1 < bytes.count, bytes[position] == 0x0d, bytes[position + 1] == 0x0a { position += 2 }
        if position == bytes.count { throw ParseError(.empty, offset: position) }
        blankPhrase(from: position)
        startLine = position..<(try endOfLine(from: position))
        if startLine.count > limits.startLine { throw ParseError(.tooLong(.startLine), offset: position) }
        position = startLine.upperBound + 2
        fields.reserveCapacity(24)
        var foldedLines = 0
        while true {
            if position >= bytes.count { throw ParseError(.unfinishedHead, offset: bytes.count) }
            let lineEnd = try endOfLine(from: position)
            if lineEnd == position { break }
            if bytes[position].isBlank {
                foldedLines += 1
                if foldedLines > limits.foldedLines {
                    throw ParseError(.tooMany(.foldedLines), offset: position)
                }
                try unfold(position..<lineEnd)
            } else {
                if fields.count >= limits.headerFields {
                    throw ParseError(.tooMany(.headerFields), offset: position)
                }
                try addField(position..<lineEnd)
            }
            position = lineEnd + 2
        }
        end = position + 2
        if fields.count > limits.headerFieldsPerName { try checkRepetition() }
    }

    /// One line as a header field: a token, white space (SP and HTAB only), a colon, and the value.
    @inline(__always)
    private mutating func addField(_ line: Range<Int>) throws(ParseError) {
        if line.count > limits.headerField { throw ParseError(.tooLong(.headerField), offset: line.lowerBound) }
        let names = names
        let field = bytes.withUnsafeBytes { Self.field(line, in: $0, names) }
        guard let field else { throw ParseError(.headerLine, offset: line.lowerBound) }
        fields.append(field)
    }

    /// The field in `line`, which lies within the buffer, or nil if the line is none.
    @inline(__always)
    private static func field(
        _ line: Range<Int>, in buffer: UnsafeRawBufferPointer, _ names: KnownNames
    ) -> Headers.Field? {
        var (code, nameLength) = names.find(in: buffer, from: line.lowerBound) ?? (0, 0)
        var index = line.lowerBound &+ nameLength
        if code == 0 || index >= line.upperBound {
            guard let other = otherName(in: line, of: buffer, names, colonAt: nameLength) else { return nil }
            (code, nameLength, index) = other
        }
        index &+= 1
        while index < line.upperBound, buffer[index].isBlank { index &+= 1 }
        var last = line.upperBound
        while last > index, buffer[last &- 1].isBlank { last &-= 1 }
        return Headers.Field(
            code: code, nameLength: UInt16(clamping: nameLength), start: UInt32(truncatingIfNeeded: line.lowerBound),
            valueStart: UInt32(truncatingIfNeeded: index), valueEnd: UInt32(truncatingIfNeeded: last))
    }

    /// A name that is not known or not followed by its colon at once: its code, its octets, and where the colon is.
    @inline(never)
    private static func otherName(
        in line: Range<Int>, of buffer: UnsafeRawBufferPointer, _ names: KnownNames, colonAt unknown: Int
    ) -> (code: UInt8, length: Int, colon: Int)? {
        var index = line.lowerBound
        while index < line.upperBound, ByteSet.token.contains(buffer[index]) { index &+= 1 }
        let length = index &- line.lowerBound
        while index < line.upperBound, buffer[index].isBlank { index &+= 1 }
        guard length > 0, index < line.upperBound, buffer[index] == UInt8(ascii: ":") else { return nil }
        if length == unknown { return (0, length, index) }
        let name = line.lowerBound..<line.lowerBound &+ length
        return (names.code(of: UnsafeRawBufferPointer(rebasing: buffer[name])), length, index)
    }

    /// A line that starts with white space goes on with the value of the one before (§7.3.1).
    private mutating func unfold(_ line: Range<Int>) throws(ParseError) {
        guard var field = fields.popLast() else { throw ParseError(.headerLine, offset: line.lowerBound) }
        bytes[line.lowerBound - 2] = 0x20
        bytes[line.lowerBound - 1] = 0x20
        var (start, last) = (Int(field.valueStart), line.upperBound)
        while last > start, bytes[last - 1].isBlank { last -= 1 }
        while start < last, bytes[start].isBlank { start += 1 }
        if last - Int(field.start) > limits.headerField {
            throw ParseError(.tooLong(.headerField), offset: Int(field.start))
        }
        field.valueStart = UInt32(truncatingIfNeeded: start)
        field.valueEnd = UInt32(truncatingIfNeeded: last)
        fields.append(field)
    }

    /// A NUL in a reason phrase reads as a space. No phrase may hold one (§25.1), but nothing is decided by a phrase,
    /// and a response that is dropped for it is lost to a transaction that waits for it.
    @inline(__always)
    private mutating func blankPhrase(from start: Int) {
        guard let phrase = bytes.span.reasonPhrase(from: start) else { return }
        for index in phrase where bytes[index] == 0 { bytes[index] = 0x20 }
    }

    /// What is left of the fields, for the message; the head is of no more use then.
    @inline(__always)
    mutating func takeHeaders() -> Headers {
        let headers = Headers(storage: bytes, fields: fields)
        (bytes, fields) = ([], [])
        return headers
    }

    private func checkRepetition() throws(ParseError) {
        var counts: [HeaderName: Int] = [:]
        let headers = Headers(storage: bytes, fields: fields)
        for field in fields {
            guard let name = headers.name(of: field) else { continue }
            counts[name, default: 0] += 1
            if counts[name, default: 0] > limits.headerFieldsPerName {
                throw ParseError(.tooMany(.headerFieldsPerName), header: name, offset: Int(field.start))
            }
        }
    }

    // MARK: - Line ends

    /// Where the line from `start` ends: the offset of its CRLF. A CR or LF alone and a NUL outside a quoted pair are
    /// refused, because two parsers that take them differently see two different messages.
    @inline(__always)
    private func endOfLine(from start: Int) throws(ParseError) -> Int {
        var index = start
        while true {
            index = bytes.span.firstControl(from: index)
            guard index < bytes.count else { throw ParseError(.unfinishedHead, offset: bytes.count) }
            switch bytes[index] {
            case 0x0d:
                guard index &+ 1 < bytes.count else { throw ParseError(.unfinishedHead, offset: index) }
                if bytes[index &+ 1] == 0x0a { return index }
                throw ParseError(.lineEnding, offset: index)
            case 0x0a:
                throw ParseError(.lineEnding, offset: index)
            case 0 where index == start || bytes[index &- 1] != UInt8(ascii: "\\"):
                throw ParseError(.controlCharacter, offset: index)
            default:
                index &+= 1
            }
        }
    }
}

extension Span<UInt8> {
    /// What stands behind `SIP/2.0 NNN ` to the end of that line: of a status line the phrase (§7.2). Nil for others.
    @inline(__always)
    func reasonPhrase(from start: Int) -> Range<Int>? {
        let phrase = start &+ 12
        guard phrase <= count, self[start &+ 3] == UInt8(ascii: "/"), self[start &+ 7] == 0x20,
            self[start &+ 11] == 0x20
        else { return nil }
        var end = phrase
        while end < count, self[end] != 0x0d, self[end] != 0x0a { end &+= 1 }
        return phrase..<end
    }
}
