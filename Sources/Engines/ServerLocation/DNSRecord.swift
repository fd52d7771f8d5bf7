import EngineKit

/// A resource record as far as finding a server needs it.
package struct DNSRecord: Hashable, Sendable {
    /// The type by its number on the wire.
    package enum Kind: UInt16, Hashable, Sendable, CaseIterable {
        case a = 1
        case aaaa = 28
        case srv = 33
        case naptr = 35
    }

    package enum Content: Hashable, Sendable {
        case address(IPAddress)
        case service(ServiceRecord)
        case pointer(NamingAuthorityPointer)
    }

    package var content: Content
    /// Seconds for which it may be believed.
    package var timeToLive: UInt32

    package init(_ content: Content, timeToLive: UInt32) {
        self.content = content
        self.timeToLive = timeToLive
    }
}

/// The content of a SRV record (RFC 2782): where a service of a domain is.
package struct ServiceRecord: Hashable, Sendable {
    package var priority: UInt16
    package var weight: UInt16
    package var port: UInt16
    /// Empty for `.`: the service is decidedly not there.
    package var target: String

    package init(priority: UInt16, weight: UInt16, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// The content of a NAPTR record (RFC 3403 §4.1): by which service a domain wants to be reached.
package struct NamingAuthorityPointer: Hashable, Sendable {
    package var order: UInt16
    package var preference: UInt16
    package var flags: String
    package var service: String
    package var regularExpression: String
    package var replacement: String

    package init(
        order: UInt16, preference: UInt16, flags: String, service: String, regularExpression: String = "",
        replacement: String
    ) {
        self.order = order
        self.preference = preference
        self.flags = flags
        self.service = service
        self.regularExpression = regularExpression
        self.replacement = replacement
    }
}
