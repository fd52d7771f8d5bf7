import EngineKit
import SIPMessages
import ServerLocation

/// One registration of an account: its place in the account's set of flows (RFC 5626 §4.2). Most accounts have one.
struct RegistrationID: Hashable, Comparable, Sendable {
    let account: AccountID
    /// From 0; `reg-id` is one more, and the same after each start, so that the registrar replaces what it had.
    let flow: Int

    static func < (left: RegistrationID, right: RegistrationID) -> Bool {
        (left.account, left.flow) < (right.account, right.flow)
    }
}

extension AccountID {
    /// The registration that stands for the account where one has to.
    var firstRegistration: RegistrationID { RegistrationID(account: self, flow: 0) }
}

/// A registrar, and the proxy on the way to it.
struct RegistrationWay: Hashable, Sendable {
    var registrar: URI
    var proxy: URI?

    /// Where its REGISTER goes first.
    private var firstHop: SIPURI? { (proxy ?? registrar).sipURI }

    /// What to look for to send a REGISTER.
    func location(unlessSaid transport: Transport?) -> LocationRequest? {
        firstHop?.location(unlessSaid: transport, isSecure: registrar.isSecure)
    }

    /// The ways of each flow of an account: the first is tried first. Without `outbound` there is one flow, which goes by
    /// one proxy or another; with it each proxy has a flow of its own.
    static func flows(of account: Account, hasInstance: Bool) -> [[RegistrationWay]] {
        let registrars = account.registrars
        guard !registrars.isEmpty else { return [] }
        let proxies = account.proxies
        guard !proxies.isEmpty else { return [registrars.map { RegistrationWay(registrar: $0) }] }
        if account.isOutbound, hasInstance {
            return proxies.prefix(Account.flowLimit).map { proxy in
                registrars.map { RegistrationWay(registrar: $0, proxy: proxy) }
            }
        }
        return [registrars.flatMap { registrar in proxies.map { RegistrationWay(registrar: registrar, proxy: $0) } }]
    }

    /// The way that a registrar sends us: 305 names a proxy, 301 and 302 another registrar (RFC 3261 §21.3).
    ///
    /// - Returns: nil where that leads out of the registrar's own domain: whoever answers there would be shown our
    ///   credentials, and nobody configured it.
    func redirected(by response: Response) -> RegistrationWay? {
        guard let target = response.redirectionTargets.first, let uri = target.sipURI, let home = registrar.sipURI,
            uri.isSecure || !registrar.isSecure, uri.host.isInDomain(of: home.host)
        else { return nil }
        switch response.status.value {
        case 305: return RegistrationWay(registrar: registrar, proxy: target.asRequestURI)
        case 301, 302: return RegistrationWay(registrar: target.withoutUser, proxy: proxy)
        default: return nil
        }
    }
}

extension Host {
    /// Whether this is `other`, or a name below it.
    fileprivate func isInDomain(of other: Host) -> Bool {
        if self == other { return true }
        guard address == nil, other.address == nil else { return false }
        let (name, domain) = (description.lowercased(), other.description.lowercased())
        return name == domain || name.hasSuffix("." + domain)
    }
}

extension URI {
    /// The Request-URI of REGISTER names a domain alone (RFC 3261 §10.2).
    var withoutUser: URI {
        guard case .sip(var uri) = self else { return self }
        uri.user = nil
        uri.password = nil
        uri.headers = []
        uri.parameters.remove("method")
        return .sip(uri)
    }
}
