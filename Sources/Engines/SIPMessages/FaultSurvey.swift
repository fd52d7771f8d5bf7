/// Every fault of a message that the parser refused, where the parser itself stops at the first.
enum FaultSurvey {
    static func faults(in bytes: [UInt8], limits: MessageLimits) -> [ParseError] {
        var head = MessageHead(bytes, limits: limits)
        do throws(ParseError) {
            try head.split()
        } catch {
            // Without lines there is nothing to look into.
            return [error]
        }
        var faults: [ParseError] = []
        do throws(ParseError) {
            var cursor = FieldCursor(head.bytes, head.startLine, limits: head.limits.field)
            _ = try StartLine(&cursor)
        } catch {
            faults.append(error)
        }
        let headers = Headers(storage: head.bytes, fields: head.fields)
        faults += typedFaults(head, headers)
        faults += bodyFaults(head, headers)
        if let fault = headers.fault(in: Contact.self) { faults.append(fault) }
        return faults + Validation.faultsOfNeededFields(headers)
    }

    private static func typedFaults(_ head: MessageHead, _ headers: Headers) -> [ParseError] {
        var faults: [ParseError] = []
        func check(
            _ known: KnownHeader, isRequired: Bool = true, isRepeatable: Bool = false,
            _ read: (inout FieldCursor) throws(FieldFault) -> Void
        ) {
            let name = HeaderName(known)
            let fields = headers.fields.filter { $0.code == known.rawValue }
            if fields.isEmpty, isRequired { faults.append(ParseError(.missing, header: name, offset: head.end)) }
            if fields.count > 1, !isRepeatable {
                faults.append(ParseError(.repeated, header: name, offset: Int(fields[1].start)))
            }
            for field in fields {
                var cursor = FieldCursor(head.bytes, field.value, limits: head.limits.field)
                do throws(FieldFault) {
                    try read(&cursor)
                    try cursor.expectEnd()
                } catch {
                    faults.append(ParseError(error.kind, header: name, offset: error.offset))
                }
            }
        }
        check(.via, isRepeatable: true) { cursor throws(FieldFault) in
            var vias: [Via] = []
            try TypedFields.readVias(&cursor, into: &vias)
        }
        check(.from) { cursor throws(FieldFault) in _ = try TypedFields.address(&cursor) }
        check(.to) { cursor throws(FieldFault) in _ = try TypedFields.address(&cursor) }
        check(.callID) { cursor throws(FieldFault) in _ = try TypedFields.callID(&cursor) }
        check(.cSeq) { cursor throws(FieldFault) in _ = try CSeq(parsing: &cursor) }
        check(.maxForwards, isRequired: false) { cursor throws(FieldFault) in _ = try cursor.number(upTo: 255) }
        check(.contentLength, isRequired: false) { cursor throws(FieldFault) in _ = try cursor.number() }
        return faults
    }

    private static func bodyFaults(_ head: MessageHead, _ headers: Headers) -> [ParseError] {
        let available = head.bytes.count - head.end
        let length = headers.first(.contentLength).flatMap { Int($0) } ?? available
        if length > head.limits.body {
            return [ParseError(.tooLong(.body), header: .contentLength, offset: head.end)]
        }
        if length > available {
            return [ParseError(.bodyTruncated, header: .contentLength, offset: head.bytes.count)]
        }
        return []
    }
}
