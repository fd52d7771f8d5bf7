extension SessionDescription {
    /// Reads a session description; total over any bytes.
    package init(parsing bytes: [UInt8], limits: SDPLimits = .standard) throws(SDPError) {
        guard bytes.count <= limits.bytes else { throw SDPError(.tooMany(.bytes), line: 0) }
        let end = bytes.span.endOfText
        guard end > 0 else { throw SDPError(.empty, line: 0) }

        let lines = SDPLines(bytes, try SDPLines.places(in: bytes.span.extracting(0..<end), limits: limits))
        let firstMedia = lines.nextMedia(from: 0)
        let section = lines.section(0..<firstMedia)
        try section.checkSession(limits: limits)

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
        self.init(media: media, lines: section)
    }
}

extension SDPLines {
    /// The first `m=` line from there on, or the end.
    fileprivate func nextMedia(from start: Int) -> Int {
        var index = start
        while index < count, place(at: index).letter != .media { index += 1 }
        return index
    }

    /// Whether these can be the lines above the first `m=` line.
    fileprivate func checkSession(limits: SDPLimits) throws(SDPError) {
        guard !isEmpty, place(at: 0).letter == .version else { throw SDPError(.missing(.version), line: 1) }
        guard value(at: 0).trimmed.elementsEqual("0".utf8) else { throw SDPError(.unsupportedVersion, line: 1) }
        var (hasOrigin, hasName, hasConnection) = (false, false, false)
        var attributes = 0
        for index in indices.dropFirst() {
            switch place(at: index).letter {
            case .version:
                throw SDPError(.repeated(.version), line: index + 1)
            case .sessionName:
                if hasName { throw SDPError(.repeated(.sessionName), line: index + 1) }
                hasName = true
            case .origin:
                if hasOrigin { throw SDPError(.repeated(.origin), line: index + 1) }
                guard Origin(parsing: value(at: index)) != nil else {
                    throw SDPError(.malformed(.origin), line: index + 1)
                }
                hasOrigin = true
            case .connection:
                if hasConnection { throw SDPError(.repeated(.connection), line: index + 1) }
                guard Connection(parsing: value(at: index)) != nil else {
                    throw SDPError(.malformed(.connection), line: index + 1)
                }
                hasConnection = true
            case .attribute:
                attributes += 1
                if attributes > limits.attributes { throw SDPError(.tooMany(.attributes), line: index + 1) }
            default:
                break
            }
        }
        guard hasOrigin else { throw SDPError(.missing(.origin), line: 0) }
    }
}
