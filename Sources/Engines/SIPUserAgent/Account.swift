import EngineKit
import SIPMessages

/// Who we say we are when a registrar or proxy challenges (RFC 3261 §22).
package struct AccountCredentials: Hashable, Sendable {
    package var username: String
    /// The realm that may be answered; nil pins the first realm that the registrar or outbound proxy names.
    package var realm: String?
    package var password: Secret
    /// Whether MD5 is answered even where the realm offered better before.
    package var allowsObsoleteDigest: Bool

    package init(username: String, realm: String? = nil, password: Secret, allowsObsoleteDigest: Bool = false) {
        self.username = username
        self.realm = realm
        self.password = password
        self.allowsObsoleteDigest = allowsObsoleteDigest
    }
}

/// A network whose callers are trusted: an address and how many leading bits of it count (CIDR).
package struct AddressRange: Hashable, Sendable {
    package var network: IPAddress
    package var prefix: Int

    package init(network: IPAddress, prefix: Int) {
        self.network = network
        self.prefix = prefix
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.unmapped.isInside(network, prefix: prefix)
    }
}

/// What is sent to keep the way through translators (NAT) open that stand between us and the registrar.
package enum KeepAlivePolicy: Hashable, Sendable {
    /// What RFC 5626 §4.4 says where the registrar keeps our flow, else blank lines where a translator was seen.
    case automatic
    case off
    /// As `automatic`, and blank lines also without a translator, as often as that.
    case every(Duration)
}

/// An identity that places and takes calls: registered somewhere, or peer to peer.
package struct Account: Equatable, Sendable {
    package enum AnswerPolicy: Hashable, Sendable { case ask, automatic, busy }

    /// Which wishes to be put through without a person are met, of callers whom the rules let in (ROBUSTNESS S2).
    package enum AnswerWishPolicy: Hashable, Sendable {
        case ignored
        case trusted
        /// Also those that claim a privilege, of callers who proved by digest who they are: while other calls stand, and
        /// where all others find the account busy (RFC 5373).
        case privileged
    }

    package var id: AccountID
    package var name: String
    /// The address of record, with the display name that peers are shown.
    package var address: NameAddress
    /// Where to register; nil: this account never registers.
    package var registrar: URI?
    /// Asked in this order where `registrar` fails.
    package var furtherRegistrars: [URI] = []
    package var credentials: AccountCredentials?
    /// Visited first by every request of this account that starts a dialog or stands alone (RFC 3261 §8.1.2).
    package var outboundProxy: URI?
    /// Other proxies to the same domain: with `isOutbound` each bears a flow of its own, else they stand in for the first.
    package var furtherProxies: [URI] = []
    /// Whether registrars are asked to keep the flow on which we registered (RFC 5626); those that can't do without.
    package var isOutbound = true
    package var keepAlive = KeepAlivePolicy.automatic
    /// Whether dialogs name the GRUU that the registrar gives (RFC 5627). Not unless somebody says that its proxies route
    /// requests of dialogs to it: many give one to whoever asks, and then send such requests to themselves.
    package var usesGRUU = false
    /// The lifetime that is asked of the registrar, in seconds.
    package var expires: UInt32
    /// The user part of our Contact, by which peers and the registrar reach this account.
    package var contactUser: String
    package var answer: AnswerPolicy
    /// Networks whose callers reach this account beside its registrar and proxies.
    package var sources: [AddressRange]
    /// Whether this account takes calls from anybody.
    package var isPeerToPeer: Bool
    /// Whether anybody who reaches the account may write to it, and not only its registrar, its sources and loopback.
    package var takesMessages: Bool
    /// Whether calls of this account do not say who calls (RFC 3323).
    package var isAnonymous: Bool
    package var answerWishes = AnswerWishPolicy.ignored
    /// The transport that requests of this account use; nil: by RFC 3263.
    package var transport: Transport?

    /// Flows of one account at most (RFC 5626 §4.2: at least two).
    static let flowLimit = 4

    package var registrars: [URI] { (registrar.map { [$0] } ?? []) + furtherRegistrars }
    package var proxies: [URI] { (outboundProxy.map { [$0] } ?? []) + furtherProxies }

    /// Whether `hop` is one of the account's proxies.
    func hasProxy(at hop: URI) -> Bool { proxies.contains { $0.isSameServer(as: hop) } }

    /// Whether `hop` is one of the account's registrars.
    func hasRegistrar(at hop: URI) -> Bool { registrars.contains { $0.isSameServer(as: hop) } }

    /// Whether `uri` is of the account's own domain, or its registrar's.
    func isServed(_ uri: URI) -> Bool { address.uri.isSameServer(as: uri) || hasRegistrar(at: uri) }

    package init(
        id: AccountID, name: String, address: NameAddress, registrar: URI? = nil,
        credentials: AccountCredentials? = nil, outboundProxy: URI? = nil, expires: UInt32 = 3600,
        contactUser: String? = nil, answer: AnswerPolicy = .ask, sources: [AddressRange] = [],
        isPeerToPeer: Bool = false, isAnonymous: Bool = false, takesMessages: Bool = false, transport: Transport? = nil
    ) {
        self.id = id
        self.name = name
        self.address = address
        self.registrar = registrar
        self.credentials = credentials
        self.outboundProxy = outboundProxy
        self.expires = expires
        self.answer = answer
        self.sources = sources
        self.isPeerToPeer = isPeerToPeer
        self.takesMessages = takesMessages
        self.isAnonymous = isAnonymous
        self.transport = transport
        if let contactUser {
            self.contactUser = contactUser
        } else if case .sip(let uri) = address.uri, let user = uri.user {
            self.contactUser = user
        } else {
            self.contactUser = "offhook"
        }
    }

    /// The account of a phone that nobody configured: `sip:offhook@anonymous.invalid`, open to everybody within the limits.
    package static func anonymousPeerToPeer(id: AccountID = AccountID(rawValue: 0), user: String = "offhook") -> Account
    {
        let uri = SIPURI(user: user, host: .name("anonymous.invalid"))
        return Account(id: id, name: "anonymous", address: NameAddress(uri: .sip(uri)), isPeerToPeer: true)
    }
}

extension URI {
    /// Whether requests to the other go where they go to this one: by host, port and `maddr`, which peers may write into
    /// the addresses that they give us.
    fileprivate func isSameServer(as other: URI) -> Bool {
        guard let uri = sipURI, let other = other.sipURI else { return false }
        return uri.host == other.host && uri.port == other.port && uri.maddr == other.maddr
    }
}
