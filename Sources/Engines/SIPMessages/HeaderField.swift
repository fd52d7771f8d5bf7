/// A header field whose value is decoded on demand: `try message.headers.first(Contact.self)`.
///
/// The type stands for one value. In fields that are comma lists each element is one; sets of tokens
/// (Allow, Supported ...) are one value over all lines.
package protocol HeaderField: Equatable, Sendable {
    static var name: HeaderName { get }
    static var shape: FieldShape { get }
    /// Reads one value and stops behind it.
    init(parsing cursor: inout FieldCursor) throws(FieldFault)
    func write(to writer: inout MessageWriter)
    /// For `.set`: takes in the value of a later line.
    mutating func join(_ next: Self)
}

/// How often a field and its values may appear (RFC 3261 §7.3.1).
package enum FieldShape: Sendable {
    /// One line with one value.
    case single
    /// Lines and, in a line, values between commas; at most `limit` of them, and in some fields none at all.
    case list(limit: Int, mayBeEmpty: Bool = false)
    /// One value for each line (challenges and credentials, §20.7).
    case lines
    /// All lines together are one value.
    case set
}

extension HeaderField {
    package mutating func join(_ next: Self) {}
}

extension Headers {
    /// The first value of the field, or nil if the field is not there. A repeated single-value field is a fault.
    @specialized(where F == Contact)
    @specialized(where F == Route)
    @specialized(where F == ContentType)
    package func first<F: HeaderField>(_ type: F.Type) throws(ParseError) -> F? {
        guard contains(F.name) else { return nil }
        switch F.shape {
        case .single, .lines, .list(_, mayBeEmpty: false):
            var found: Field?
            for field in fields where matches(field, F.name) {
                if found != nil {
                    if case .single = F.shape {
                        throw ParseError(.repeated, header: F.name, offset: Int(field.start))
                    }
                    break
                }
                found = field
            }
            guard let found else { return nil }
            var cursor = FieldCursor(storage, found.value)
            return try Self.value(type, &cursor)
        case .set, .list(_, mayBeEmpty: true):
            return try all(type).first
        }
    }

    /// Every value of the field in order, lines and commas alike.
    @specialized(where F == Contact)
    @specialized(where F == Route)
    @specialized(where F == RecordRoute)
    package func all<F: HeaderField>(_ type: F.Type) throws(ParseError) -> [F] {
        guard contains(F.name) else { return [] }
        var values: [F] = []
        if case .list = F.shape { values.reserveCapacity(4) }
        for field in fields where matches(field, F.name) {
            var cursor = FieldCursor(storage, field.value)
            switch F.shape {
            case .single:
                if !values.isEmpty { throw ParseError(.repeated, header: F.name, offset: Int(field.start)) }
                values.append(try Self.lastValue(type, &cursor))
            case .lines:
                values.append(try Self.lastValue(type, &cursor))
            case .set:
                let value = try Self.lastValue(type, &cursor)
                if values.isEmpty { values.append(value) } else { values[0].join(value) }
            case .list(let limit, let mayBeEmpty):
                cursor.skipBlanks()
                if mayBeEmpty, cursor.isAtEnd { continue }
                repeat {
                    if values.count >= limit {
                        throw ParseError(.tooMany(Self.limitName(F.name)), header: F.name, offset: cursor.position)
                    }
                    values.append(try Self.value(type, &cursor))
                } while cursor.take(UInt8(ascii: ","))
            }
        }
        return values
    }

    /// What is wrong with the fields of that type, if anything is.
    func fault<F: HeaderField>(in type: F.Type) -> ParseError? {
        guard contains(F.name) else { return nil }
        do throws(ParseError) {
            _ = try all(type)
            return nil
        } catch {
            return error
        }
    }

    /// Adds the value as a field of its own behind the others.
    package mutating func append<F: HeaderField>(_ field: F) {
        append(F.name) { field.write(to: &$0) }
    }

    /// Puts the value in the place of all fields of its name.
    package mutating func set<F: HeaderField>(_ field: F) {
        removeAll(F.name)
        append(field)
    }

    /// One value, behind which the field ends or, in a list, goes on with a comma.
    @inline(__always)
    private static func value<F: HeaderField>(_ type: F.Type, _ cursor: inout FieldCursor) throws(ParseError) -> F {
        do throws(FieldFault) {
            let value = try F(parsing: &cursor)
            cursor.skipBlanks()
            if case .list = F.shape, cursor.next == UInt8(ascii: ",") { return value }
            if !cursor.isAtEnd { throw cursor.fault(.expected(.end)) }
            return value
        } catch {
            throw ParseError(error.kind, header: F.name, offset: error.offset)
        }
    }

    private static func lastValue<F: HeaderField>(
        _ type: F.Type, _ cursor: inout FieldCursor
    ) throws(ParseError) -> F {
        try value(type, &cursor)
    }

    private static func limitName(_ name: HeaderName) -> ParseError.Limit {
        switch name {
        case .contact: .contacts
        case .route, .recordRoute: .routes
        default: .elements
        }
    }
}
