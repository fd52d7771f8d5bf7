/// Lines of a description in order: the bytes of all of it, and where its lines stand there.
///
/// The sections of one description share both, so that reading one copies nothing; what a line says is read when
/// somebody asks. Places lie within the bytes: they come from `places(in:limits:)` or from `SDPLineWriter`.
package struct SDPLines: RandomAccessCollection, Sendable {
    /// Where a line stands. Its letter and `=` are the two octets before `start`, its end follows `valueEnd`.
    struct Place: Sendable {
        let letter: Letter
        let end: SDPLine.End
        private let start: UInt32
        private let valueEnd: UInt32

        @inline(__always)
        init(_ letter: Letter, value: Range<Int>, end: SDPLine.End) {
            self.letter = letter
            self.end = end
            start = UInt32(truncatingIfNeeded: value.lowerBound)
            valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
        }

        @inline(__always) var value: Range<Int> { Int(start)..<Int(valueEnd) }
        /// With letter and end.
        @inline(__always) var whole: Range<Int> { Int(start) &- 2..<Int(valueEnd) &+ end.length }
    }

    let bytes: [UInt8]
    private let places: [Place]
    private let first: UInt32
    private let last: UInt32

    init(_ bytes: [UInt8], _ places: [Place]) {
        self.init(bytes, places, 0..<places.count)
    }

    private init(_ bytes: [UInt8], _ places: [Place], _ range: Range<Int>) {
        self.bytes = bytes
        self.places = places
        first = UInt32(truncatingIfNeeded: range.lowerBound)
        last = UInt32(truncatingIfNeeded: range.upperBound)
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { Int(last &- first) }

    package subscript(position: Int) -> SDPLine {
        let place = place(at: position)
        return SDPLine(letter: place.letter, value: bytes[place.value], end: place.end)
    }

    @inline(__always)
    func place(at position: Int) -> Place { places[Int(first) &+ position] }

    func value(at position: Int) -> ArraySlice<UInt8> { bytes[place(at: position).value] }

    /// The value of the first line of a letter.
    func value(of letter: Letter) -> ArraySlice<UInt8>? {
        indices.first { place(at: $0).letter == letter }.map(value(at:))
    }

    /// Where the first `c=` line has media sent.
    var connection: Connection? { value(of: .connection).map(Connection.init(value:)) }

    /// Some of the lines, numbered from 0 again.
    func section(_ range: Range<Int>) -> SDPLines {
        SDPLines(bytes, places, Int(first) + range.lowerBound..<Int(first) + range.upperBound)
    }

    /// The lines as they stand on the wire.
    var text: ArraySlice<UInt8> {
        guard !isEmpty else { return [] }
        return bytes[place(at: 0).whole.lowerBound..<place(at: count - 1).whole.upperBound]
    }
}

extension SDPLines: Hashable {
    package static func == (left: SDPLines, right: SDPLines) -> Bool { left.text == right.text }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }
}

// MARK: - Attributes

extension SDPLines {
    /// The attributes among the lines, in order.
    package var attributes: some Sequence<Attribute> {
        lazy.filter { $0.letter == .attribute }.map { Attribute(parsing: $0.value) }
    }

    /// The first attribute of this name.
    func attribute(_ name: StaticString) -> Attribute? {
        for index in indices where isAttribute(name, at: index) { return Attribute(parsing: value(at: index)) }
        return nil
    }

    /// What `read` makes of the attributes of this name, in order.
    func attributes<Reading>(_ name: StaticString, _ read: (Attribute) -> Reading?) -> [Reading] {
        indices.compactMap { isAttribute(name, at: $0) ? read(Attribute(parsing: value(at: $0))) : nil }
    }

    @inline(__always)
    func isAttribute(_ name: StaticString, at position: Int) -> Bool {
        let place = place(at: position)
        return place.letter == .attribute && bytes.span.isAttribute(place.value, named: name)
    }

    /// The first direction attribute.
    var direction: Direction? {
        for index in indices where place(at: index).letter == .attribute {
            if let direction = Direction(value(at: index).trimmed) { return direction }
        }
        return nil
    }

    /// Milliseconds in the first attribute of this name, where it says 1 ... 200.
    func packetTime(_ name: StaticString) -> Int? {
        guard let value = attribute(name)?.valueText?.words.first?.decimal(Int.self), (1...200).contains(value)
        else { return nil }
        return value
    }
}

// MARK: - Reading

extension SDPLines {
    /// Finds the lines of a text.
    static func places(in text: Span<UInt8>, limits: SDPLimits) throws(SDPError) -> [Place] {
        var places: [Place] = []
        places.reserveCapacity(text.count / 16 + 2)
        var start = 0
        while start < text.count {
            let number = places.count + 1
            let line = text.line(from: start)
            guard line.end - start <= limits.lineBytes else { throw SDPError(.tooMany(.lineBytes), line: number) }
            guard line.end - start >= 2, text[start + 1] == UInt8(ascii: "=") else {
                throw SDPError(.malformedLine, line: number)
            }
            guard let letter = Letter(rawValue: text[start]) else {
                throw SDPError(.unknownLetter(text[start]), line: number)
            }
            guard line.isClean else { throw SDPError(.forbiddenByte, line: number) }
            places.append(Place(letter, value: start + 2..<line.end, end: line.kind))
            start = line.end + line.kind.length
        }
        return places
    }
}

/// Puts lines together, each ended by CRLF.
struct SDPLineWriter {
    private var bytes: [UInt8] = []
    private var places: [SDPLines.Place] = []

    init() {
        bytes.reserveCapacity(256)
        places.reserveCapacity(16)
    }

    /// Adds a line with the value that `write` writes, which holds no NUL, CR or LF.
    mutating func line(_ letter: Letter, _ write: (inout [UInt8]) -> Void) {
        bytes.append(letter.rawValue)
        bytes.append(UInt8(ascii: "="))
        let start = bytes.count
        write(&bytes)
        places.append(SDPLines.Place(letter, value: start..<bytes.count, end: .crlf))
        bytes.append(0x0d)
        bytes.append(0x0a)
    }

    /// Adds an attribute with a number.
    mutating func attribute(_ name: String, _ number: UInt16) {
        line(.attribute) { bytes in
            bytes += name.utf8
            bytes.append(UInt8(ascii: ":"))
            bytes.append(decimal: number)
        }
    }

    var lines: SDPLines { SDPLines(bytes, places) }
}
