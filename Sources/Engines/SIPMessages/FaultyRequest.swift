/// A request that the parser refused, read again as far as it goes, to answer its sender.
///
/// An answer needs a topmost Via to find its way back. The other fields that an answer copies (RFC 3261 §8.2.6.2) are
/// copied as they came where they can't be understood, so that the sender can still match it.
struct FaultyRequest {
    private let bytes: [UInt8]
    private let limits: MessageLimits

    init(_ bytes: [UInt8], limits: MessageLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The answer, or nil for a response, an ACK, and what has no usable Via.
    func answer(_ status: StatusCode) -> Response? {
        var lines = LineSequence(bytes: bytes, limit: limits.headerFields + limits.foldedLines)
        guard let start = lines.next(), let method = method(start) else { return nil }
        var vias: [Via] = []
        var fields: [KnownHeader: Range<Int>] = [:]
        for line in fieldLines(&lines) {
            guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")) else { continue }
            var nameEnd = colon
            while nameEnd > line.lowerBound, bytes[nameEnd - 1].isBlank { nameEnd -= 1 }
            guard let name = KnownHeader(named: bytes, line.lowerBound..<nameEnd) else { continue }
            let value = colon + 1..<line.upperBound
            switch name {
            case .via: salvageVias(value, into: &vias)
            case .from, .to, .callID, .cSeq: if fields[name] == nil { fields[name] = value }
            default: break
            }
        }
        if vias.isEmpty { return nil }
        return response(status, method, vias, fields)
    }

    private func response(
        _ status: StatusCode, _ method: Method, _ vias: [Via], _ fields: [KnownHeader: Range<Int>]
    ) -> Response {
        func decoded<T>(_ name: KnownHeader, _ read: (inout FieldCursor) throws -> T) -> T? {
            guard let range = fields[name] else { return nil }
            let text = unfolded(range)
            var cursor = FieldCursor(text, 0..<text.count, limits: limits.field)
            cursor.skipBlanks()
            return try? read(&cursor)
        }
        let typedFrom = decoded(.from) { try TypedFields.address(&$0) }
        let typedTo = decoded(.to) { try TypedFields.address(&$0) }
        let typedID = decoded(.callID) { try TypedFields.callID(&$0) }
        let typedCSeq = decoded(.cSeq) { try CSeq(parsing: &$0) }
        // Where a field could not be read the typed value is that of nobody in particular (§8.1.1.3).
        let nobody = NameAddress(uri: .sip(SIPURI(user: "anonymous", host: .name("anonymous.invalid"))))
        var response = Response(
            status: status, vias: vias, from: typedFrom ?? nobody, to: typedTo ?? nobody, callID: typedID ?? "",
            cSeq: typedCSeq ?? CSeq(0, method))
        if typedFrom == nil || typedTo == nil || typedID == nil || typedCSeq == nil {
            response.copiedLines = copied(fields)
        }
        return response
    }

    private func copied(_ fields: [KnownHeader: Range<Int>]) -> [UInt8] {
        var writer = MessageWriter()
        for name: KnownHeader in [.from, .to, .callID, .cSeq] {
            guard let range = fields[name], range.count <= limits.headerField else { continue }
            writer.write(name.spelling)
            writer.write(fixed: ":")
            writer.write(raw: unfolded(range)[...])
            writer.endLine()
        }
        return writer.bytes
    }

    /// The octets with each CR, LF and NUL made a space.
    private func unfolded(_ range: Range<Int>) -> [UInt8] {
        bytes[range].map { MessageWriter.endsLine($0) ? 0x20 : $0 }
    }

    /// The method, if the line is the request line of anything but an ACK.
    private func method(_ line: Range<Int>) -> Method? {
        var cursor = FieldCursor(bytes, line, limits: limits.field)
        cursor.skipBlanks()
        guard let method = try? Method(parsing: &cursor), cursor.next == 0x20, method != .ack else { return nil }
        return method
    }

    /// The values that can be read, and of the first one that can't the part before the fault.
    private func salvageVias(_ range: Range<Int>, into vias: inout [Via]) {
        let text = unfolded(range)
        var cursor = FieldCursor(text, 0..<text.count, limits: limits.field)
        while vias.count < Int(limits.field.vias) {
            let start = cursor.position
            do throws(FieldFault) {
                vias.append(try Via(parsing: &cursor))
                cursor.skipBlanks()
                guard cursor.take(UInt8(ascii: ",")) else { return }
            } catch {
                let before = min(max(error.offset, start), text.count)
                guard let semicolon = text[start..<before].lastIndex(of: UInt8(ascii: ";")) else { return }
                var part = FieldCursor(text, start..<semicolon, limits: limits.field)
                if let via = try? Via(parsing: &part) { vias.append(via) }
                return
            }
        }
    }

    /// The lines of the header fields, folded ones together.
    private func fieldLines(_ lines: inout LineSequence) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        while let line = lines.next(), !line.isEmpty {
            if bytes[line.lowerBound].isBlank, let previous = fields.popLast() {
                fields.append(previous.lowerBound..<line.upperBound)
            } else {
                fields.append(line)
            }
        }
        return fields
    }
}

/// The lines of a message however they end, at most `limit` of them.
private struct LineSequence {
    let bytes: [UInt8]
    var limit: Int
    var position = 0

    mutating func next() -> Range<Int>? {
        if position == 0 {
            while position < bytes.count, bytes[position] == 0x0d || bytes[position] == 0x0a { position += 1 }
        }
        guard position < bytes.count, limit > 0 else { return nil }
        limit -= 1
        let start = position
        let feed = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
        position = min(feed + 1, bytes.count)
        let end = feed > start && feed <= bytes.count && bytes[feed - 1] == 0x0d ? feed - 1 : feed
        return start..<end
    }
}
