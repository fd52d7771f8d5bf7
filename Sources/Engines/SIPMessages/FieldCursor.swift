/// A place in the bytes of a field, and the pieces of the grammar (RFC 3261 §25.1) that can be read from there.
///
/// Nothing here traps or reads beyond `end`, whatever the bytes are. Each piece read costs its length in steps;
/// when the budget is spent every further read fails, so that no input can make a field cost more than its size
/// times a constant.
package struct FieldCursor {
    let bytes: [UInt8]
    var position: Int
    private(set) var end: Int
    private var steps: Int
    let limits: FieldLimits
    private let sets = ByteSet.table

    package init(_ bytes: [UInt8], _ range: Range<Int>, limits: FieldLimits = .standard) {
        self.bytes = bytes
        (position, end, steps) = (0, 0, 0)
        self.limits = limits
        move(to: range)
    }

    /// Goes to another field of the same message.
    @inline(__always)
    mutating func move(to range: Range<Int>) {
        end = min(range.upperBound, bytes.count)
        position = max(0, min(range.lowerBound, end))
        // A short field pays for its restarts too.
        steps = (end &- position) &* Int(limits.stepsPerByte) &+ 64
    }

    package init(_ text: String, limits: FieldLimits = .standard) {
        let bytes = Array(text.utf8)
        self.init(bytes, 0..<bytes.count, limits: limits)
    }

    @inline(__always)
    package var isAtEnd: Bool { position >= end }

    /// The byte here, or nil at the end.
    @inline(__always)
    package var next: UInt8? { position < end ? bytes[position] : nil }

    /// The octets that are left to read.
    var unread: ArraySlice<UInt8> { bytes[position..<end] }

    @inline(__always)
    func byte(at index: Int) -> UInt8? { index >= 0 && index < end ? bytes[index] : nil }

    package func fault(_ kind: ParseError.Kind) -> FieldFault { FieldFault(kind, at: position) }

    /// Pays for `count` octets read.
    @inline(__always)
    mutating func spend(_ count: Int) throws(FieldFault) {
        steps &-= count &+ 1
        if steps < 0 { throw fault(.tooCostly) }
    }

    /// Skips white space; folds were made spaces when the message was split into fields.
    @inline(__always)
    package mutating func skipBlanks() {
        while position < end && bytes[position].isBlank { position &+= 1 }
    }

    /// Takes `byte` if it is here.
    @inline(__always)
    package mutating func take(_ byte: UInt8) -> Bool {
        guard position < end && bytes[position] == byte else { return false }
        position &+= 1
        return true
    }

    /// Takes `byte` with the white space around it (SEMI, COMMA, EQUAL, SLASH of §25.1), or stays.
    @inline(__always)
    package mutating func takeSeparator(_ byte: UInt8) -> Bool {
        if next == byte {
            position &+= 1
        } else {
            let start = position
            skipBlanks()
            guard take(byte) else {
                position = start
                return false
            }
        }
        skipBlanks()
        return true
    }

    /// The longest run of characters of `set` here, possibly empty.
    @inline(__always)
    mutating func run(of set: ByteSet) throws(FieldFault) -> Range<Int> {
        let start = position
        let end = end
        // `end` lies within the bytes by construction, so the buffer needs no check of its own.
        position = bytes.withUnsafeBufferPointer { buffer in
            var index = start
            while index < end, sets[buffer[index]] & set.bit != 0 { index &+= 1 }
            return index
        }
        try spend(position &- start)
        return start..<position
    }

    /// The longest run of characters of `set` and of `%HH` escapes here, possibly empty.
    @inline(__always)
    mutating func escapedRun(of set: ByteSet) throws(FieldFault) -> Range<Int> {
        var range = try run(of: set)
        while next == UInt8(ascii: "%") {
            guard byte(at: position &+ 1)?.hexadecimalValue != nil, byte(at: position &+ 2)?.hexadecimalValue != nil
            else { throw fault(.escape) }
            position &+= 3
            range = range.lowerBound..<(try run(of: set)).upperBound
        }
        return range
    }

    /// A token of one character or more.
    @inline(__always)
    mutating func tokenRange() throws(FieldFault) -> Range<Int> {
        let range = try run(of: .token)
        if range.isEmpty { throw fault(.expected(.token)) }
        return range
    }

    package mutating func token() throws(FieldFault) -> String {
        text(try tokenRange())
    }

    /// One digit or more; refused above `maximum`, however many digits follow.
    package mutating func number(upTo maximum: UInt64 = UInt64(UInt32.max)) throws(FieldFault) -> UInt64 {
        let start = position
        let end = end
        var value: UInt64 = 0
        // `end` lies within the bytes by construction, so the buffer needs no check of its own.
        position = bytes.withUnsafeBufferPointer { buffer in
            var index = start
            // Not above `maximum`, the number has room for a digit more.
            while index < end, buffer[index].isDigit, value <= maximum {
                value = value &* 10 &+ UInt64(buffer[index] &- 0x30)
                index &+= 1
            }
            return index
        }
        if value > maximum { throw FieldFault(.numberOutOfRange, at: start) }
        if position == start { throw fault(.expected(.number)) }
        try spend(position &- start)
        return value
    }

    /// Passes over a quoted string, the opening quote being here, and gives what is between the quotes.
    mutating func quotedRange() throws(FieldFault) -> (range: Range<Int>, isEscaped: Bool) {
        let start = position
        guard take(UInt8(ascii: "\"")) else { throw fault(.expected(.quotedString)) }
        var isEscaped = false
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position &+= 1
                try spend(position &- start)
                return (start &+ 1..<position &- 1, isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                position &+= 2
            default:
                position &+= 1
            }
        }
        throw FieldFault(.unterminatedQuote, at: start)
    }

    /// A quoted string without its quotes and backslashes.
    package mutating func quotedString() throws(FieldFault) -> String {
        let (range, isEscaped) = try quotedRange()
        return isEscaped ? unquoted(range) : text(range)
    }

    /// The text in `range` with `\x` made `x`. NUL, which no built field may carry, becomes U+FFFD.
    func unquoted(_ range: Range<Int>) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound, var byte = byte(at: index) {
            if byte == UInt8(ascii: "\\"), let escaped = self.byte(at: index &+ 1), index &+ 1 < range.upperBound {
                byte = escaped
                index &+= 1
            }
            if byte == 0 { decoded += [0xef, 0xbf, 0xbd] } else { decoded.append(byte) }
            index &+= 1
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// What `read` makes of the bytes in `range`; of none where the range does not lie within the bytes.
    @inline(__always)
    func withBytes<T>(in range: Range<Int>, _ read: (UnsafeBufferPointer<UInt8>) -> T) -> T {
        bytes.withUnsafeBufferPointer { buffer in
            let isInside = range.lowerBound >= 0 && range.upperBound <= buffer.count
            return read(UnsafeBufferPointer(rebasing: buffer[isInside ? range : 0..<0]))
        }
    }

    /// The bytes in `range` as text; what is not UTF-8 becomes U+FFFD.
    @inline(__always)
    func text(_ range: Range<Int>) -> String {
        withBytes(in: range) { String(decoding: $0, as: UTF8.self) }
    }

    /// Everything up to the end, without the white space at either side.
    package mutating func rest() throws(FieldFault) -> String {
        skipBlanks()
        var last = end
        while last > position && bytes[last &- 1].isBlank { last &-= 1 }
        let range = position..<last
        position = end
        try spend(range.count)
        return text(range)
    }

    /// Whether the bytes in `range` are `word`, which is lower case, in any case.
    @inline(__always)
    func matches(_ range: Range<Int>, _ word: ShortWord) -> Bool {
        range.count == word.count && word.isAnyCase(of: octets(at: range.lowerBound))
    }

    /// Whether the bytes in `range` are `word` and no other case of it.
    @inline(__always)
    func isExactly(_ range: Range<Int>, _ word: ShortWord) -> Bool {
        range.count == word.count && word.isExactly(octets(at: range.lowerBound))
    }

    /// Takes `word`, which is lower case, if it is here in any case.
    @inline(__always)
    mutating func take(_ word: ShortWord) -> Bool {
        guard position &+ word.count <= end, word.isAnyCase(of: octets(at: position)) else { return false }
        position &+= word.count
        steps &-= word.count
        return true
    }

    /// Eight octets from `index` as a little-endian number, zeros where the bytes end before.
    @inline(__always)
    private func octets(at index: Int) -> UInt64 {
        bytes.withUnsafeBytes { buffer in
            guard index >= 0, index &+ 8 <= buffer.count else { return Self.lastOctets(of: buffer, from: index) }
            return UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }
    }

    private static func lastOctets(of buffer: UnsafeRawBufferPointer, from index: Int) -> UInt64 {
        guard index >= 0, index < buffer.count else { return 0 }
        return buffer[index...].prefix(8).reversed().reduce(0) { $0 &<< 8 | UInt64($1) }
    }

    /// Nothing but white space may follow.
    package mutating func expectEnd() throws(FieldFault) {
        skipBlanks()
        if !isAtEnd { throw fault(.expected(.end)) }
    }
}
