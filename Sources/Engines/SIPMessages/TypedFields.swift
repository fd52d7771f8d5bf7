/// The header fields that every layer needs, decoded and taken out of the head's list.
struct TypedFields {
    var vias: [Via] = []
    var from: NameAddress
    var to: NameAddress
    var callID: String
    var cSeq: CSeq
    var maxForwards: Int?
    var contentLength: Int?

    /// From, To, Call-ID, CSeq and a Via must be there (RFC 3261 §8.1.1); Max-Forwards may be missing, as it is from
    /// peers of RFC 2543. None but Via may be repeated.
    init(_ head: inout MessageHead) throws(ParseError) {
        var from: NameAddress?
        var to: NameAddress?
        var callID: String?
        var cSeq: CSeq?
        let fields = head.fields
        var kept = 0
        for field in fields {
            var cursor = FieldCursor(head.bytes, field.value, limits: head.limits.field)
            do throws(FieldFault) {
                switch KnownHeader(rawValue: field.code) {
                case .via:
                    try Self.readVias(&cursor, into: &vias)
                case .from:
                    from = try Self.address(&cursor, isRepeated: from != nil)
                case .to:
                    to = try Self.address(&cursor, isRepeated: to != nil)
                case .callID:
                    if callID != nil { throw cursor.fault(.repeated) }
                    callID = try Self.callID(&cursor)
                case .cSeq:
                    if cSeq != nil { throw cursor.fault(.repeated) }
                    cSeq = try CSeq(parsing: &cursor)
                    try cursor.expectEnd()
                case .maxForwards:
                    if maxForwards != nil { throw cursor.fault(.repeated) }
                    // Beyond 255 (§20.22) it still frames and identifies: `Validation` names that.
                    maxForwards = Int(truncatingIfNeeded: try Self.number(&cursor))
                case .contentLength:
                    if contentLength != nil { throw cursor.fault(.repeated) }
                    contentLength = Int(truncatingIfNeeded: try Self.number(&cursor))
                default:
                    head.fields[kept] = field
                    kept &+= 1
                }
            } catch {
                throw ParseError(
                    error.kind, header: KnownHeader(rawValue: field.code).map { HeaderName($0) },
                    offset: error.offset)
            }
        }
        head.fields.removeLast(fields.count &- kept)
        if vias.isEmpty { throw ParseError(.missing, header: .via, offset: head.end) }
        guard let from = consume from else { throw ParseError(.missing, header: .from, offset: head.end) }
        guard let to = consume to else { throw ParseError(.missing, header: .to, offset: head.end) }
        guard let callID else { throw ParseError(.missing, header: .callID, offset: head.end) }
        guard let cSeq else { throw ParseError(.missing, header: .cSeq, offset: head.end) }
        self.from = from
        self.to = to
        self.callID = callID
        self.cSeq = cSeq
    }

    static func readVias(_ cursor: inout FieldCursor, into vias: inout [Via]) throws(FieldFault) {
        repeat {
            if vias.count >= Int(cursor.limits.vias) { throw cursor.fault(.tooMany(.vias)) }
            vias.append(try Via(parsing: &cursor))
            cursor.skipBlanks()
        } while cursor.take(UInt8(ascii: ","))
        try cursor.expectEnd()
    }

    @inline(__always)
    static func address(_ cursor: inout FieldCursor, isRepeated: Bool) throws(FieldFault) -> NameAddress {
        if isRepeated { throw cursor.fault(.repeated) }
        let address = try NameAddress(parsing: &cursor)
        try cursor.expectEnd()
        if address.parameters.exceeds(cursor.limits.identifier, in: "tag") {
            throw cursor.fault(.tooLong(.identifier))
        }
        return address
    }

    /// `word [ "@" word ]` (§25.1).
    static func callID(_ cursor: inout FieldCursor) throws(FieldFault) -> String {
        let start = cursor.position
        if try cursor.run(of: .word).isEmpty { throw cursor.fault(.expected(.word)) }
        if cursor.take(UInt8(ascii: "@")), try cursor.run(of: .word).isEmpty {
            throw cursor.fault(.expected(.word))
        }
        let range = start..<cursor.position
        try cursor.expectEnd()
        if range.count > Int(cursor.limits.identifier) { throw FieldFault(.tooLong(.identifier), at: start) }
        return cursor.text(range)
    }

    private static func number(_ cursor: inout FieldCursor) throws(FieldFault) -> UInt64 {
        let number = try cursor.number()
        try cursor.expectEnd()
        return number
    }
}
