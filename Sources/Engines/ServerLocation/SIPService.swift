import SIPMessages

/// A service that a domain may offer by SRV records: SIP over one transport.
struct SIPService: Hashable, Sendable {
    let transport: Transport
    /// `_sip._udp.example.com`
    let question: NameQuestion

    /// The service under its own name (RFC 3263 §4.1). Nil for a transport that has none, or a name that gets too long.
    init?(_ transport: Transport, of domain: String) {
        let label: String
        switch transport {
        case .udp: label = "_sip._udp"
        case .tcp: label = "_sip._tcp"
        case .tls: label = "_sips._tcp"
        default: return nil
        }
        guard let question = NameQuestion("\(label).\(domain)", .records(.srv)) else { return nil }
        self.transport = transport
        self.question = question
    }

    /// What a NAPTR record points to (RFC 3263 §4.1); nil where that is nothing we speak.
    private init?(_ pointer: NamingAuthorityPointer) {
        guard pointer.flags.equalsIgnoringCase("s"), pointer.regularExpression.isEmpty,
            let question = NameQuestion(pointer.replacement, .records(.srv))
        else { return nil }
        switch pointer.service.asciiLowercased {
        case "sip+d2u": transport = .udp
        case "sip+d2t": transport = .tcp
        case "sips+d2t": transport = .tls
        default: return nil
        }
        self.question = question
    }

    /// The services that a domain wants to be reached by: those of the best order (RFC 3403 §4.1) among what we speak,
    /// the preferred one first.
    static func preferred(by pointers: [NamingAuthorityPointer], among transports: [Transport]) -> [SIPService] {
        let usable =
            pointers
            .compactMap { pointer in SIPService(pointer).map { (pointer: pointer, service: $0) } }
            .filter { transports.contains($0.service.transport) }
        guard let order = usable.map(\.pointer.order).min() else { return [] }
        var services: [SIPService] = []
        for (_, service) in usable.filter({ $0.pointer.order == order })
            .sorted(by: { $0.pointer.preference < $1.pointer.preference })
        where !services.contains(service) {
            services.append(service)
        }
        return services
    }
}
