extension SIPURI.Layout {
    /// Reads what follows `sip:` or `sips:`. Without angle brackets around (`isBare`), parameters and headers belong to
    /// the header field and not to the URI (§20), which began at `scheme`.
    @inline(__always)
    init(
        afterScheme cursor: inout FieldCursor, isSecure: Bool, isBare: Bool, from scheme: Int
    ) throws(FieldFault) {
        let start = cursor.position
        var user = try cursor.escapedRun(of: isBare ? .bareUser : .user)
        if cursor.next == UInt8(ascii: ":") { Self.passPasswordBeforeAt(&cursor) }
        if !cursor.take(UInt8(ascii: "@")) || user.isEmpty {
            cursor.position = start
            user = start..<start
        }
        let host = try Host.range(&cursor)
        var port: UInt16 = 0
        if cursor.take(UInt8(ascii: ":")) {
            port = UInt16(truncatingIfNeeded: try cursor.number(upTo: UInt64(UInt16.max)))
        }
        if isBare, cursor.next == UInt8(ascii: "?") { throw cursor.fault(.uriNeedsBrackets) }
        let parametersStart = cursor.position
        if !isBare { try Parameters.passURIParameters(&cursor) }
        let parametersEnd = cursor.position
        if !isBare, cursor.take(UInt8(ascii: "?")) { try Self.passHeaders(&cursor) }
        try URI.checkLength(cursor, from: scheme)
        self.init(
            start: UInt32(truncatingIfNeeded: start), userEnd: UInt32(truncatingIfNeeded: user.upperBound),
            hostStart: UInt32(truncatingIfNeeded: host.lowerBound),
            hostEnd: UInt32(truncatingIfNeeded: host.upperBound),
            parametersStart: UInt32(truncatingIfNeeded: parametersStart),
            parametersEnd: UInt32(truncatingIfNeeded: parametersEnd),
            end: UInt32(truncatingIfNeeded: cursor.position), port: port, isSecure: isSecure)
    }

    /// Passes over the colon and a password; a bad escape, or what is no password, the host stumbles over.
    private static func passPasswordBeforeAt(_ cursor: inout FieldCursor) {
        cursor.position &+= 1
        _ = try? cursor.escapedRun(of: .password)
    }

    private static func passHeaders(_ cursor: inout FieldCursor) throws(FieldFault) {
        repeat {
            let name = try cursor.escapedRun(of: .uriHeader)
            guard !name.isEmpty, cursor.take(UInt8(ascii: "=")) else { throw cursor.fault(.expected(.parameter)) }
            _ = try cursor.escapedRun(of: .uriHeader)
        } while cursor.take(UInt8(ascii: "&"))
    }
}
