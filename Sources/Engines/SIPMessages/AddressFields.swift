/// A field of which each value is one address with parameters.
package protocol AddressField: HeaderField {
    var address: NameAddress { get }
    init(_ address: NameAddress)
}

extension AddressField {
    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        self.init(try NameAddress(parsing: &cursor))
    }

    package func write(to writer: inout MessageWriter) { address.write(to: &writer) }

    package var uri: URI { address.uri }
}

/// An address on the way of a request.
package protocol RouteField: AddressField {}

extension RouteField {
    package static var shape: FieldShape { .list(limit: MessageLimits.standard.routes) }
}

/// A hop that the request has yet to visit (RFC 3261 §20.34).
package struct Route: RouteField {
    package static var name: HeaderName { .route }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}

/// A proxy that wants to see the later requests of the dialog (RFC 3261 §20.30).
package struct RecordRoute: RouteField {
    package static var name: HeaderName { .recordRoute }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}

/// A proxy between a registered contact and the registrar (RFC 3327 §4).
package struct Path: RouteField {
    package static var name: HeaderName { .path }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}

/// A route that the registrar gives for outgoing requests (RFC 3608 §5).
package struct ServiceRoute: RouteField {
    package static var name: HeaderName { .serviceRoute }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}

/// Where a REFER sends its recipient (RFC 3515 §2.1).
package struct ReferTo: AddressField {
    package static var name: HeaderName { .referTo }
    package static var shape: FieldShape { .single }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}

/// Who asked for the transfer (RFC 3892 §2).
package struct ReferredBy: AddressField {
    package static var name: HeaderName { .referredBy }
    package static var shape: FieldShape { .single }
    package var address: NameAddress
    package init(_ address: NameAddress) { self.address = address }
}
