/// The sequence number of a reliable provisional response (RFC 3262 §7.1).
package struct RSeq: HeaderField {
    package static var name: HeaderName { .rSeq }
    package static var shape: FieldShape { .single }
    package var number: UInt32

    package init(_ number: UInt32) { self.number = number }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        number = UInt32(truncatingIfNeeded: try cursor.number())
    }

    package func write(to writer: inout MessageWriter) { writer.write(number: UInt64(number)) }
}

/// Which reliable provisional response a PRACK acknowledges (RFC 3262 §7.2).
package struct RAck: HeaderField {
    package static var name: HeaderName { .rAck }
    package static var shape: FieldShape { .single }
    package var responseNumber: UInt32
    package var cSeq: CSeq

    package init(responseNumber: UInt32, cSeq: CSeq) {
        self.responseNumber = responseNumber
        self.cSeq = cSeq
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        responseNumber = UInt32(truncatingIfNeeded: try cursor.number())
        guard let blank = cursor.next, blank.isBlank else { throw cursor.fault(.expected(.separator)) }
        cSeq = try CSeq(parsing: &cursor)
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(number: UInt64(responseNumber))
        writer.write(fixed: " ")
        cSeq.write(to: &writer)
    }
}

/// A field whose value is one count of seconds with parameters (RFC 4028 §4, §5).
package protocol SessionIntervalField: HeaderField {
    var seconds: UInt32 { get }
    var parameters: Parameters { get }
    init(_ seconds: UInt32, parameters: Parameters)
}

extension SessionIntervalField {
    package static var shape: FieldShape { .single }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        let seconds = UInt32(truncatingIfNeeded: try cursor.number())
        self.init(seconds, parameters: try Parameters(parsingField: &cursor))
    }

    package func write(to writer: inout MessageWriter) {
        writer.write(number: UInt64(seconds))
        parameters.write(to: &writer, as: .field)
    }
}

/// The longest time between refreshes of a session, and who refreshes (RFC 4028 §4).
package struct SessionExpires: SessionIntervalField {
    package static var name: HeaderName { .sessionExpires }
    package var seconds: UInt32
    package var parameters: Parameters

    package init(_ seconds: UInt32, parameters: Parameters) {
        self.seconds = seconds
        self.parameters = parameters
    }

    package init(_ seconds: UInt32, refresher: String? = nil) {
        self.init(seconds, parameters: Parameters())
        if let refresher { parameters.append("refresher", refresher) }
    }

    /// `uac` or `uas`.
    package var refresher: String? { parameters["refresher"]?.asciiLowercased }
}

/// The shortest time between refreshes that is accepted (RFC 4028 §5).
package struct MinSE: SessionIntervalField {
    package static var name: HeaderName { .minSE }
    package var seconds: UInt32
    package var parameters: Parameters

    package init(_ seconds: UInt32, parameters: Parameters = Parameters()) {
        self.seconds = seconds
        self.parameters = parameters
    }
}

/// The event package of a subscription (RFC 6665 §8.2.1).
package struct EventPackage: HeaderField {
    package static var name: HeaderName { .event }
    package static var shape: FieldShape { .single }
    package var package: String
    package var parameters: Parameters

    package init(_ package: String, id: String? = nil) {
        self.package = package
        parameters = Parameters()
        if let id { parameters.append("id", id) }
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        (package, parameters) = try cursor.tokenAndParameters()
    }

    package func write(to writer: inout MessageWriter) { writer.write(package, parameters) }

    package var id: String? { parameters["id"] }
}

/// How a subscription stands, in a NOTIFY (RFC 6665 §8.2.3).
package struct SubscriptionState: HeaderField {
    package static var name: HeaderName { .subscriptionState }
    package static var shape: FieldShape { .single }
    /// `active`, `pending`, `terminated` or an extension.
    package var state: String
    package var parameters: Parameters

    package init(_ state: String, parameters: Parameters = Parameters()) {
        self.state = state
        self.parameters = parameters
    }

    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        (state, parameters) = try cursor.tokenAndParameters()
    }

    package func write(to writer: inout MessageWriter) { writer.write(state, parameters) }

    package var expires: UInt32? { parameters["expires"].flatMap { UInt32($0) } }
    package var reason: String? { parameters["reason"] }
    package var retryAfter: UInt32? { parameters["retry-after"].flatMap { UInt32($0) } }
}
