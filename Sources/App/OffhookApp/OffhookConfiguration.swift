import AudioCodecs
import EngineKit
import MediaRuntime
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import VoiceProcessing

/// What the configuration file says, checked and typed. What it leaves out is nil or empty: the command line and the
/// defaults fill it.
package struct OffhookConfiguration: Sendable {
    package var accounts: [ConfiguredAccount] = []
    package var audio = AudioSettings()
    package var sip = SIPSettings()
    package var media = MediaSettings()
    package var contacts: [ConfiguredContact] = []
    package var callers: [ConfiguredCaller] = []
    /// The file that says so, for what is found wrong with it later.
    package var path = ""

    package init() {}
}

/// An `[[account]]`, with its password not yet fetched.
package struct ConfiguredAccount: Sendable {
    package var name: String
    package var address: NameAddress
    /// Asked in this order; none: the account does not register.
    package var registrars: [URI] = []
    package var username: String?
    package var realm: String?
    package var password: PasswordSource?
    /// Where that is written.
    package var passwordPosition: TextPosition?
    /// Whether MD5 is answered even where the realm offered better before.
    package var allowsObsoleteDigest = false
    package var transport: Transport?
    package var answer = Account.AnswerPolicy.ask
    package var proxies: [URI] = []
    package var isOutbound = true
    package var usesGRUU = false
    package var keepAlive = KeepAlivePolicy.automatic
    /// Seconds.
    package var expires: UInt32?
    package var sources: [AddressRange] = []
    package var isPeerToPeer = false
    package var isAnonymous = false
    package var answerWishes = Account.AnswerWishPolicy.ignored
    /// Whether whom the person writes to is told so.
    package var tellsComposing = false
    package var takesMessages = false
    package var subscriptions: [ConfiguredSubscription] = []
    package var publishes = false
    /// Where the account stands in the file.
    package var position: TextPosition

    /// Whether any server may ask it to prove who it is.
    package var needsPassword: Bool { !registrars.isEmpty || !proxies.isEmpty || realm != nil }

    /// The user agent's account; fetches the password, which may wait for a program, where it is wanted.
    package func account(
        id: AccountID, withPassword: Bool = true, within timeout: Duration = PasswordSource.patience,
        environment: (String) -> String? = environmentVariable
    ) throws(PasswordError) -> Account {
        var account = Account(
            id: id, name: name, address: address, registrar: registrars.first, outboundProxy: proxies.first,
            answer: answer,
            sources: sources, isPeerToPeer: isPeerToPeer, takesMessages: takesMessages, transport: transport)
        if let expires { account.expires = expires }
        account.furtherRegistrars = Array(registrars.dropFirst())
        account.furtherProxies = Array(proxies.dropFirst())
        account.isOutbound = isOutbound
        account.usesGRUU = usesGRUU
        account.keepAlive = keepAlive
        account.isAnonymous = isAnonymous
        account.answerWishes = answerWishes
        if withPassword, let password {
            account.credentials = AccountCredentials(
                username: username ?? account.contactUser, realm: realm,
                password: try password.password(within: timeout, environment: environment),
                allowsObsoleteDigest: allowsObsoleteDigest)
        }
        return account
    }
}

/// `[audio]`: devices as the `--audio` options name them.
package struct AudioSettings: Sendable {
    package var input: AudioSpec?
    package var output: AudioSpec?
    package var ring: AudioSpec?
    package var voiceProcessing: VoiceFeatures = []
}

/// `[sip]`
package struct SIPSettings: Sendable {
    package enum Limits: String, CaseIterable, Sendable { case strict, trusted, open }
    /// What becomes of a wish of a peer; `ask` asks a person, and where nobody is there it is refused.
    package enum Verdict: String, CaseIterable, Sendable { case allow, ask, deny }

    package var listen: [ListenAddress] = []
    package var limits: Limits?
    /// REFER: the peer of a call has us call somebody in its place.
    package var refer: Verdict?
    /// INVITE with Replaces: somebody takes the place of the peer of a call.
    package var replaces: Verdict?
    /// Calls at once.
    package var maximumCalls: Int?
    /// None: the name servers of the system.
    package var nameServers: [SocketAddress] = []
    package var reliableProvisionals: ReliableProvisionalsPolicy?
    package var sessionTimer: SessionTimerPolicy.Use?
    /// Seconds.
    package var sessionExpires: Int?
    package var minimumSessionExpires: Int?

    /// What we ask for must be what we would take of others.
    package var sessionTimerFault: (key: String, problem: String)? {
        let usual = SessionTimerPolicy.supported
        let interval = sessionExpires ?? Int(usual.interval)
        let least = minimumSessionExpires ?? Int(usual.minimum)
        guard interval < least else { return nil }
        return minimumSessionExpires == nil
            ? ("session_expires", "\(interval) is below the least that peers may ask for, \(least)")
            : (
                "min_session_expires",
                "\(least) is above \(interval), which session_expires \(sessionExpires == nil ? "is without a word" : "says")"
            )
    }

    /// As many calls at once as may be asked for: each of them has room for its media.
    package static let callCounts = 1...MediaEngine.callLimit
    /// What a session may last without a refresh: from what RFC 4028 §4 allows to a day.
    package static let sessionIntervals = 90...86400
}

/// `[media]`
package struct MediaSettings: Sendable {
    /// In order of preference.
    package var codecs: [CodecKind] = []
    package var redundancy: Bool?
    package var opus: OpusSettings?
    /// Milliseconds.
    package var packetTime: Int?
    package var rtpPorts: PortRange?
}

/// A `[[contact]]`
package struct ConfiguredContact: Sendable {
    package var name: String
    package var address: URI
}

/// A `[[caller]]`: who may prove by digest to be the one who calls. The password is not yet fetched.
package struct ConfiguredCaller: Sendable {
    package var username: String
    package var realm: String
    package var password: PasswordSource
    /// Where that is written.
    package var passwordPosition: TextPosition?
    package var digests: Set<MessageDigest>

    /// The user agent's form of it; fetches the password, which may wait for a program.
    package func credentials(
        within timeout: Duration = PasswordSource.patience, environment: (String) -> String? = environmentVariable
    ) throws(PasswordError) -> CallerCredentials {
        CallerCredentials(
            username: username, realm: realm,
            password: try password.password(within: timeout, environment: environment),
            digests: digests)
    }

    /// Realms that a challenge can name and still be short.
    package static let realmLimit = 4
}

/// The ports that RTP and RTCP may use, written `LOW-HIGH`.
package struct PortRange: Hashable, Sendable, CustomStringConvertible {
    package var low: UInt16
    package var high: UInt16

    package static let standard = PortRange(low: 16384, high: 32767)

    /// nil unless an even port and the next one lie in the range, and port 0 does not.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let low = UInt16(parts[0]), let high = UInt16(parts[1]) else { return nil }
        guard low > 0, Int(low) + Int(low % 2) + 1 <= Int(high) else { return nil }
        self.init(low: low, high: high)
    }

    private init(low: UInt16, high: UInt16) {
        self.low = low
        self.high = high
    }

    package var description: String { "\(low)-\(high)" }
}
