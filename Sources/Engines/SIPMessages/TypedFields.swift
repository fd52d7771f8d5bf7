/// The header fields that every layer needs, taken out of the head's list: those that are read at once, and where the
/// larger ones stand, so that each is decoded only once and into its place.
struct TypedFields {
    private(set) var maxForwards: Int?
    private(set) var contentLength: Int?
    private let from: Range<Int>
    private let to: Range<Int>
    private let callID: Range<Int>
    private let cSeq: Range<Int>

    /// From, To, Call-ID, CSeq and a Via must be there (RFC 3261 §8.1.1); Max-Forwards may be missing, as it is from
    /// peers of RFC 2543. None but Via may be repeated.
    init(_ head: inout MessageHead, _ cursor: inout FieldCursor, vias: inout [Via]) throws(ParseError) {
        var from: Range<Int>?
        var to: Range<Int>?
        var callID: Range<Int>?
        var cSeq: Range<Int>?
        var kept = 0
        var fields = head.fields.mutableSpan
        for index in fields.indices {
            let field = fields[index]
            switch field.code {
            case KnownHeader.via.rawValue:
                try cursor.read(.via, field.value) { cursor throws(FieldFault) in
                    try Self.readVias(&cursor, into: &vias)
                }
            case KnownHeader.from.rawValue: try Self.place(field, in: &from)
            case KnownHeader.to.rawValue: try Self.place(field, in: &to)
            case KnownHeader.callID.rawValue: try Self.place(field, in: &callID)
            case KnownHeader.cSeq.rawValue: try Self.place(field, in: &cSeq)
            case KnownHeader.maxForwards.rawValue:
                if maxForwards != nil { throw Self.repeated(field) }
                // Beyond 255 (§20.22) it still frames and identifies: `Validation` names that.
                maxForwards = try cursor.read(.maxForwards, field.value, Self.number)
            case KnownHeader.contentLength.rawValue:
                if contentLength != nil { throw Self.repeated(field) }
                contentLength = try cursor.read(.contentLength, field.value, Self.number)
            default:
                fields[kept] = field
                kept &+= 1
            }
        }
        head.fields.removeLast(head.fields.count &- kept)
        if vias.isEmpty { throw ParseError(.missing, header: .via, offset: head.end) }
        guard let from else { throw ParseError(.missing, header: .from, offset: head.end) }
        guard let to else { throw ParseError(.missing, header: .to, offset: head.end) }
        guard let callID else { throw ParseError(.missing, header: .callID, offset: head.end) }
        guard let cSeq else { throw ParseError(.missing, header: .cSeq, offset: head.end) }
        self.from = from
        self.to = to
        self.callID = callID
        self.cSeq = cSeq
    }

    @inline(__always)
    func from(_ cursor: inout FieldCursor) throws(ParseError) -> NameAddress {
        try cursor.read(.from, from, Self.address)
    }

    @inline(__always)
    func to(_ cursor: inout FieldCursor) throws(ParseError) -> NameAddress {
        try cursor.read(.to, to, Self.address)
    }

    @inline(__always)
    func callID(_ cursor: inout FieldCursor) throws(ParseError) -> String {
        try cursor.read(.callID, callID, Self.callID)
    }

    @inline(__always)
    func cSeq(_ cursor: inout FieldCursor) throws(ParseError) -> CSeq {
        try cursor.read(.cSeq, cSeq) { cursor throws(FieldFault) in
            let cSeq = try CSeq(parsing: &cursor)
            try cursor.expectEnd()
            return cSeq
        }
    }

    @inline(__always)
    private static func place(_ field: Headers.Field, in range: inout Range<Int>?) throws(ParseError) {
        if range != nil { throw repeated(field) }
        range = field.value
    }

    private static func repeated(_ field: Headers.Field) -> ParseError {
        ParseError(
            .repeated, header: KnownHeader(rawValue: field.code).map { HeaderName($0) }, offset: Int(field.start))
    }

    // MARK: - One field each

    static func readVias(_ cursor: inout FieldCursor, into vias: inout [Via]) throws(FieldFault) {
        repeat {
            if vias.count >= Int(cursor.limits.vias) { throw cursor.fault(.tooMany(.vias)) }
            vias.append(try Via(parsing: &cursor))
            cursor.skipBlanks()
        } while cursor.take(UInt8(ascii: ","))
        try cursor.expectEnd()
    }

    static func address(_ cursor: inout FieldCursor) throws(FieldFault) -> NameAddress {
        let address = try NameAddress(parsing: &cursor)
        try cursor.expectEnd()
        if address.hasTag(longerThan: cursor.limits.identifier) { throw cursor.fault(.tooLong(.identifier)) }
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

    private static func number(_ cursor: inout FieldCursor) throws(FieldFault) -> Int {
        let number = try cursor.number()
        try cursor.expectEnd()
        return Int(truncatingIfNeeded: number)
    }
}

extension FieldCursor {
    /// What `read` makes of the value in `range`, its faults those of the header field `name`.
    @inline(__always)
    fileprivate mutating func read<T>(
        _ name: KnownHeader, _ range: Range<Int>, _ read: (inout FieldCursor) throws(FieldFault) -> T
    ) throws(ParseError) -> T {
        move(to: range)
        do throws(FieldFault) {
            return try read(&self)
        } catch {
            throw ParseError(error.kind, header: HeaderName(name), offset: error.offset)
        }
    }
}
