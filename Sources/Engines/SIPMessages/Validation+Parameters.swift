/// Parameters and values that a recipient reads in one way and the next in another, and which are no reason to refuse a
/// message.
extension Validation {
    static func oddParameters(in message: Message) -> [Remark] {
        var remarks: [Remark] = []
        if case .request(let request) = message { remarks += repetitions(in: request.uri, of: nil) }
        for via in message.vias { remarks += repetitions(in: via.parameters, of: .via) }
        remarks += repetitions(in: message.from, of: .from) + repetitions(in: message.to, of: .to)
        let headers = message.headers
        let contacts = (try? headers.all(Contact.self)) ?? []
        for contact in contacts.compactMap(\.address) { remarks += repetitions(in: contact, of: .contact) }
        if contacts.contains(where: { $0.address?.parameters.contains("q") ?? false && $0.preference == nil }) {
            remarks.append(Remark(text: "q is not within 0 to 1", clause: "RFC 3261 §20.10", header: .contact))
        }
        for route in (try? headers.all(Route.self)) ?? [] { remarks += repetitions(in: route.address, of: .route) }
        for route in (try? headers.all(RecordRoute.self)) ?? [] {
            remarks += repetitions(in: route.address, of: .recordRoute)
        }
        if let referTo = try? headers.first(ReferTo.self) { remarks += repetitions(in: referTo.address, of: .referTo) }
        if let referredBy = try? headers.first(ReferredBy.self) {
            remarks += repetitions(in: referredBy.address, of: .referredBy)
        }
        if let interval = try? headers.first(SessionExpires.self) {
            remarks += repetitions(in: interval.parameters, of: .sessionExpires)
            if let refresher = interval.refresher, refresher != "uac", refresher != "uas" {
                let text = "the refresher is neither uac nor uas"
                remarks.append(Remark(text: text, clause: "RFC 4028 §4", header: .sessionExpires))
            }
        }
        if (try? headers.first(RSeq.self))?.number == 0 {
            remarks.append(Remark(text: "the number is not above 0", clause: "RFC 3262 §7.1", header: .rSeq))
        }
        return remarks
    }

    private static func repetitions(in address: NameAddress, of header: HeaderName) -> [Remark] {
        repetitions(in: address.uri, of: header) + repetitions(in: address.parameters, of: header)
    }

    private static func repetitions(in uri: URI, of header: HeaderName?) -> [Remark] {
        uri.sipURI.map { repetitions(in: $0.parameters, of: header) } ?? []
    }

    private static func repetitions(in parameters: Parameters, of header: HeaderName?) -> [Remark] {
        let isInURI = parameters.syntax == .uri
        return parameters.repeatedNames.map { name in
            Remark(
                text: "the parameter \(name)\(isInURI ? " of the URI" : "") is there more than once",
                clause: isInURI ? "RFC 3261 §19.1.1" : "RFC 3261 §7.3.1", header: header)
        }
    }
}
