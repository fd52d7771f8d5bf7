import EngineKit
import SIPMessages

/// What a 2xx to a REGISTER gives, beside the time.
struct RegistrationGrant: Equatable, Sendable {
    /// The way that requests of the account are to take, in order (RFC 3608 §6.1); each 2xx says it anew.
    var serviceRoute: [NameAddress] = []
    /// Whether the registrar and the edge proxies keep our flow (RFC 5626 §4.2.1).
    var isOutbound = false
    /// How long the server waits for our keep-alives (RFC 5626 §4.4).
    var flowTimer: Duration?
    /// The address of this instance that anybody can reach (RFC 5627 §3.1).
    var publicGRUU: SIPURI?
    /// One that does not tell who we are.
    var temporaryGRUU: SIPURI?

    init() {}

    /// - Parameter contact: our binding as the response lists it, where a GRUU in it was asked for.
    init(of response: Response, contact: Contact?, addressOfRecord: URI) {
        serviceRoute = ((try? response.headers.all(ServiceRoute.self)) ?? []).map(\.address)
            .filter { $0.uri.sipURI != nil }
        isOutbound = (try? response.headers.first(Require.self))?.contains("outbound") ?? false
        // Less than 10 s would be a flood of our own making, more than a day no keep-alive.
        flowTimer = response.headers.first(.flowTimer).flatMap { UInt32($0) }
            .map { .seconds(Int64(min(max($0, 10), 86_400))) }
        publicGRUU = contact?.gruu("pub-gruu", host: addressOfRecord.sipURI?.host)
        temporaryGRUU = contact?.gruu("temp-gruu", host: nil)
    }
}

extension Contact {
    /// The GRUU in a parameter. It is a SIP URI with `gr` (RFC 5627 §6.1.1) and, where it names the account, in its domain.
    fileprivate func gruu(_ parameter: String, host: Host?) -> SIPURI? {
        guard let text = address?.parameters[parameter], case .sip(let uri)? = try? URI(parsing: text),
            uri.parameters.contains("gr"), host == nil || uri.host == host
        else { return nil }
        return uri
    }

    /// The instance that a binding is of, as it is written in `+sip.instance` (RFC 5626 §4.1), without brackets.
    var instance: String? {
        guard let text = address?.parameters["+sip.instance"] else { return nil }
        return text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
    }
}
