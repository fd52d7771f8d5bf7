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

/// An identity that places and takes calls: registered somewhere, or peer to peer.
package struct Account: Equatable, Sendable {
    package enum AnswerPolicy: Hashable, Sendable { case ask, automatic, busy }

    package var id: AccountID
    package var name: String
    /// The address of record, with the display name that peers are shown.
    package var address: NameAddress
    /// Where to register; nil: this account never registers.
    package var registrar: URI?
    package var credentials: AccountCredentials?
    /// Visited first by every request of this account that starts a dialog or stands alone (RFC 3261 §8.1.2).
    package var outboundProxy: URI?
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
    /// Whether a caller who may be answered automatically is so where it asks for that (ROBUSTNESS S2).
    package var obeysAnswerWish: Bool
    /// The transport that requests of this account use; nil: by RFC 3263.
    package var transport: Transport?

    package init(
        id: AccountID, name: String, address: NameAddress, registrar: URI? = nil,
        credentials: AccountCredentials? = nil, outboundProxy: URI? = nil, expires: UInt32 = 3600,
        contactUser: String? = nil, answer: AnswerPolicy = .ask, sources: [AddressRange] = [],
        isPeerToPeer: Bool = false, isAnonymous: Bool = false, obeysAnswerWish: Bool = false,
        takesMessages: Bool = false, transport: Transport? = nil
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
        self.obeysAnswerWish = obeysAnswerWish
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
