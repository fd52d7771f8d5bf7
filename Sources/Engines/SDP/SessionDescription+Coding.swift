extension SessionDescription {
    /// Reads a session description; total over any bytes.
    package init(parsing bytes: [UInt8], limits: SDPLimits = .standard) throws(SDPError) {
        guard bytes.count <= limits.bytes else { throw SDPError(.tooMany(.bytes), line: 0) }
        var body = bytes[...]
        let trailer = body.removeTrailingBlankLines()
        guard !body.isEmpty else { throw SDPError(.empty, line: 0) }

        let lines = try Self.lines(of: body, limits: limits)
        let firstMedia = lines.firstIndex { $0.letter == .media } ?? lines.endIndex
        let section = Array(lines[..<firstMedia])
        let session = try SessionSection(parsing: section, limits: limits)

        var media: [MediaDescription] = []
        var start = firstMedia
        while start < lines.endIndex {
            if media.count == limits.mediaDescriptions {
                throw SDPError(.tooMany(.mediaDescriptions), line: start + 1)
            }
            let end = lines[(start + 1)...].firstIndex { $0.letter == .media } ?? lines.endIndex
            media.append(try MediaDescription(parsing: Array(lines[start..<end]), number: start + 1, limits: limits))
            start = end
        }
        self.init(
            origin: session.origin, connection: session.connection, attributes: session.attributes, media: media,
            lines: section, trailer: trailer)
    }

    /// The description as it goes on the wire.
    package func bytes() -> [UInt8] {
        var bytes: [UInt8] = []
        for line in lines { line.write(to: &bytes) }
        for section in media {
            for line in section.lines { line.write(to: &bytes) }
        }
        return bytes + trailer
    }

    private static func lines(of body: ArraySlice<UInt8>, limits: SDPLimits) throws(SDPError) -> [SDPLine] {
        var lines: [SDPLine] = []
        var rest = body
        while !rest.isEmpty {
            let number = lines.count + 1
            let feed = rest.firstIndex(of: 0x0a)
            var line = rest[..<(feed ?? rest.endIndex)]
            rest = feed.map { rest[($0 + 1)...] } ?? []
            var end = feed == nil ? SDPLine.End.none : .lf
            if feed != nil, line.last == 0x0d {
                line = line.dropLast()
                end = .crlf
            }
            guard line.count <= limits.lineBytes else { throw SDPError(.tooMany(.lineBytes), line: number) }
            guard let byte = line.first, line.dropFirst().first == UInt8(ascii: "=") else {
                throw SDPError(.malformedLine, line: number)
            }
            guard let letter = Letter(rawValue: byte) else { throw SDPError(.unknownLetter(byte), line: number) }
            let value = line.dropFirst(2)
            guard value.isByteString else { throw SDPError(.forbiddenByte, line: number) }
            lines.append(SDPLine(letter, value: Array(value), end: end))
        }
        return lines
    }
}

/// The lines above the first `m=` line, read.
private struct SessionSection {
    var origin: Origin
    var connection: Connection?
    var attributes: [Attribute] = []

    init(parsing lines: [SDPLine], limits: SDPLimits) throws(SDPError) {
        guard let first = lines.first, first.letter == .version else { throw SDPError(.missing(.version), line: 1) }
        guard first.value[...].trimmed.text == "0" else { throw SDPError(.unsupportedVersion, line: 1) }
        var origin: Origin?
        var hasName = false
        for (index, line) in lines.enumerated().dropFirst() {
            switch line.letter {
            case .version:
                throw SDPError(.repeated(.version), line: index + 1)
            case .sessionName:
                if hasName { throw SDPError(.repeated(.sessionName), line: index + 1) }
                hasName = true
            case .origin:
                if origin != nil { throw SDPError(.repeated(.origin), line: index + 1) }
                origin = Origin(parsing: line.value)
                if origin == nil { throw SDPError(.malformed(.origin), line: index + 1) }
            case .connection:
                if connection != nil { throw SDPError(.repeated(.connection), line: index + 1) }
                connection = Connection(parsing: line.value)
                if connection == nil { throw SDPError(.malformed(.connection), line: index + 1) }
            case .attribute:
                attributes.append(Attribute(parsing: line.value))
                if attributes.count > limits.attributes { throw SDPError(.tooMany(.attributes), line: index + 1) }
            default:
                break
            }
        }
        guard let origin else { throw SDPError(.missing(.origin), line: 0) }
        self.origin = origin
    }
}

extension ArraySlice<UInt8> {
    /// Takes the blank lines off the end, all but the end of the last line that has something in it.
    fileprivate mutating func removeTrailingBlankLines() -> [UInt8] {
        let whole = self
        while let byte = last, byte == 0x0a || byte == 0x0d { self = dropLast() }
        guard !isEmpty else { return Array(whole) }
        // The first line end behind the text belongs to its line: LF, or CRLF.
        var end = endIndex
        if end < whole.endIndex, whole[end] == 0x0a {
            end += 1
        } else if end + 1 < whole.endIndex, whole[end] == 0x0d, whole[end + 1] == 0x0a {
            end += 2
        }
        self = whole[..<end]
        return Array(whole[end...])
    }
}
