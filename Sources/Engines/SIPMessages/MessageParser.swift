/// Reads one whole message: a datagram, or what `StreamFramer` cut out of a stream (RFC 3261 §7).
///
/// Any bytes give a `Message` or a `ParseError`, in one pass over the head and within `MessageLimits`. Refused is only
/// what can't be framed or identified; the rest is for `Validation` to judge.
package enum MessageParser {
    package static func parse(_ bytes: [UInt8], limits: MessageLimits = .standard) throws(ParseError) -> Message {
        do throws(ParseError) {
            return try message(bytes, limits)
        } catch {
            var error = error
            error.owedResponse = FaultyRequest(bytes, limits: limits).answer(error.kind.status)
            throw error
        }
    }

    package static func parse(
        _ bytes: ArraySlice<UInt8>, limits: MessageLimits = .standard
    ) throws(ParseError) -> Message {
        try parse(Array(bytes), limits: limits)
    }

    /// Whether a request may belong to a dialog, which is to say that its To may have a tag: told from its lines alone,
    /// for whoever has too many requests to read them.
    package static func mayNameDialog(_ bytes: [UInt8], limits: MessageLimits = .standard) -> Bool {
        var head = MessageHead(bytes, limits: limits)
        guard (try? head.split()) != nil,
            let to = head.fields.first(where: { $0.code == KnownHeader.to.rawValue })
        else { return false }
        let cursor = FieldCursor(head.bytes, to.value)
        return to.value.contains { start in
            start + 3 <= to.value.upperBound && cursor.matches(start..<start + 3, "tag")
        }
    }

    @inline(__always)
    private static func message(_ bytes: [UInt8], _ limits: MessageLimits) throws(ParseError) -> Message {
        var head = MessageHead(bytes, limits: limits)
        try head.split()
        var cursor = FieldCursor(head.bytes, head.startLine, limits: head.limits.field)
        let startLine = try StartLine(&cursor)
        var vias: [Via] = []
        let typed = try TypedFields(&head, &cursor, vias: &vias)
        let body = try body(head, typed.contentLength)
        let headers = head.takeHeaders()
        switch consume startLine {
        case .request(let method, let uri):
            return .request(
                Request(
                    method: method, uri: uri, vias: vias, from: try typed.from(&cursor),
                    to: try typed.to(&cursor), callID: try typed.callID(&cursor), cSeq: try typed.cSeq(&cursor),
                    maxForwards: typed.maxForwards, headers: headers, body: body))
        case .response(let status, let reason):
            return .response(
                Response(
                    status: status, reason: reason, vias: vias, from: try typed.from(&cursor),
                    to: try typed.to(&cursor), callID: try typed.callID(&cursor), cSeq: try typed.cSeq(&cursor),
                    headers: headers, body: body))
        }
    }

    /// The body: Content-Length octets, or without one all that is left. Octets behind it are dropped (§18.3).
    private static func body(_ head: MessageHead, _ declared: Int?) throws(ParseError) -> [UInt8] {
        let available = head.bytes.count - head.end
        let length = declared ?? available
        if length > head.limits.body { throw ParseError(.tooLong(.body), header: .contentLength, offset: head.end) }
        if length > available {
            throw ParseError(.bodyTruncated, header: .contentLength, offset: head.bytes.count)
        }
        return length == 0 ? [] : Array(head.bytes[head.end..<head.end + length])
    }
}

/// The first line of a message taken apart (§7.1, §7.2).
enum StartLine {
    case request(Method, URI)
    case response(StatusCode, reason: String)

    init(_ cursor: inout FieldCursor) throws(ParseError) {
        do throws(FieldFault) {
            if cursor.byte(at: cursor.position + 3) == UInt8(ascii: "/"),
                cursor.matches(cursor.position..<cursor.position + 3, "sip")
            {
                self = try Self.statusLine(&cursor)
            } else {
                self = try Self.requestLine(&cursor)
            }
        } catch {
            throw ParseError(error.kind, offset: error.offset)
        }
    }

    private static func requestLine(_ cursor: inout FieldCursor) throws(FieldFault) -> StartLine {
        guard let first = cursor.next, ByteSet.token.contains(first) else { throw cursor.fault(.startLine) }
        let method = try Method(parsing: &cursor)
        guard cursor.take(0x20), cursor.next != 0x20 else { throw cursor.fault(.startLine) }
        let uri = try URI(parsing: &cursor, isBare: false)
        guard cursor.take(0x20) else { throw cursor.fault(.startLine) }
        try version(&cursor)
        guard cursor.isAtEnd else { throw cursor.fault(.startLine) }
        return .request(method, uri)
    }

    private static func statusLine(_ cursor: inout FieldCursor) throws(FieldFault) -> StartLine {
        try version(&cursor)
        guard cursor.take(0x20) else { throw cursor.fault(.startLine) }
        let start = cursor.position
        let digits = try cursor.run(of: .token)
        guard digits.count == 3 else { throw FieldFault(.statusCode, at: start) }
        cursor.position = start
        guard let status = StatusCode(Int(truncatingIfNeeded: try cursor.number())), cursor.position == start + 3
        else { throw FieldFault(.statusCode, at: start) }
        // The space before an empty reason phrase is at times left out.
        guard cursor.isAtEnd || cursor.take(0x20) else { throw cursor.fault(.startLine) }
        return .response(status, reason: cursor.text(cursor.position..<cursor.end))
    }

    private static func version(_ cursor: inout FieldCursor) throws(FieldFault) {
        let start = cursor.position
        if cursor.take("sip/2.0"), cursor.next?.isBlank ?? true { return }
        cursor.position = start
        if cursor.isAtEnd { throw cursor.fault(.startLine) }
        while let byte = cursor.next, !byte.isBlank { cursor.position &+= 1 }
        let range = start..<cursor.position
        let isSIP = range.count > 4 && cursor.matches(start..<start + 4, "sip/")
        throw FieldFault(isSIP ? .version : .startLine, at: start)
    }
}
