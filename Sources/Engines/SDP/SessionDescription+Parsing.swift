extension SessionDescription {
    /// Reads a session description; total over any bytes.
    package init(parsing bytes: [UInt8], limits: SDPLimits = .standard) throws(SDPError) {
        guard bytes.count <= limits.bytes else { throw SDPError(.tooMany(.bytes), line: 0) }
        let end = bytes.span.endOfText
        guard end > 0 else { throw SDPError(.empty, line: 0) }

        let lines = SDPLines(bytes, try SDPLines.places(in: bytes.span.extracting(0..<end), limits: limits))
        let firstMedia = lines.nextMedia(from: 0)
        let section = lines.section(0..<firstMedia)
        let session = try SessionSection(parsing: section, limits: limits)

        var media: [MediaDescription] = []
        var start = firstMedia
        while start < lines.count {
            if media.count == limits.mediaDescriptions {
                throw SDPError(.tooMany(.mediaDescriptions), line: start + 1)
            }
            let end = lines.nextMedia(from: start + 1)
            media.append(try MediaDescription(parsing: lines.section(start..<end), number: start + 1, limits: limits))
            start = end
        }
        self.init(
            origin: session.origin, connection: session.connection, media: media, lines: section,
            trailer: bytes[end...])
    }
}

extension SDPLines {
    /// The first `m=` line from there on, or the end.
    fileprivate func nextMedia(from start: Int) -> Int {
        var index = start
        while index < count, place(at: index).letter != .media { index += 1 }
        return index
    }
}

/// The lines above the first `m=` line, read.
private struct SessionSection {
    var origin: Origin
    var connection: Connection?

    init(parsing lines: SDPLines, limits: SDPLimits) throws(SDPError) {
        guard let first = lines.first, first.letter == .version else { throw SDPError(.missing(.version), line: 1) }
        guard first.value.trimmed.elementsEqual("0".utf8) else { throw SDPError(.unsupportedVersion, line: 1) }
        var origin: Origin?
        var hasName = false
        var attributes = 0
        for index in lines.indices.dropFirst() {
            switch lines.place(at: index).letter {
            case .version:
                throw SDPError(.repeated(.version), line: index + 1)
            case .sessionName:
                if hasName { throw SDPError(.repeated(.sessionName), line: index + 1) }
                hasName = true
            case .origin:
                if origin != nil { throw SDPError(.repeated(.origin), line: index + 1) }
                origin = Origin(parsing: lines[index].value)
                if origin == nil { throw SDPError(.malformed(.origin), line: index + 1) }
            case .connection:
                if connection != nil { throw SDPError(.repeated(.connection), line: index + 1) }
                connection = Connection(parsing: lines[index].value)
                if connection == nil { throw SDPError(.malformed(.connection), line: index + 1) }
            case .attribute:
                attributes += 1
                if attributes > limits.attributes { throw SDPError(.tooMany(.attributes), line: index + 1) }
            default:
                break
            }
        }
        guard let origin else { throw SDPError(.missing(.origin), line: 0) }
        self.origin = origin
    }
}
