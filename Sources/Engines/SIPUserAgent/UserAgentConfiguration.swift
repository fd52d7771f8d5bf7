import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// Everything that is decided before the first message: who we are, what we can hear, and how much we take.
package struct UserAgentConfiguration: Sendable {
    /// Empty: one anonymous peer-to-peer account is made.
    package var accounts: [Account]
    /// The value of `User-Agent` and `Server`; empty: neither is sent.
    package var product: String
    /// Who this phone is among those of its accounts: a URN that stays the same for as long as the phone is installed
    /// (RFC 5626 §4.1); nil: it does not say, and has neither flows nor GRUU.
    package var instance: String?
    /// What we can do with media: answers OPTIONS, and refuses with 488 before anybody is rung.
    package var capabilities: LocalMedia
    package var limits: UserAgentLimits
    package var automaticAnswer: AutomaticAnswerRules
    package var transfers: TransferRules
    /// Who may prove by digest who they are. Where there is anybody, strangers have to.
    package var callers: [CallerCredentials]
    package var timers: TransactionTimers
    /// How long an incoming call rings before it is refused with 480; nil: until the caller gives up.
    package var incomingRingTimeout: Duration?
    /// How long a call may last that was answered without a person (ROBUSTNESS S1); nil: no bound. Where a person talks,
    /// nothing but the person ends the call.
    package var maximumCallDuration: Duration?
    package var reliableProvisionals: ReliableProvisionalsPolicy
    package var sessionTimers: SessionTimerPolicy

    package init(
        accounts: [Account] = [], product: String = "Offhook", capabilities: LocalMedia,
        limits: UserAgentLimits = .strict, automaticAnswer: AutomaticAnswerRules = .off,
        transfers: TransferRules = .standard, callers: [CallerCredentials] = [], timers: TransactionTimers = .standard,
        incomingRingTimeout: Duration? = nil, maximumCallDuration: Duration? = .seconds(3600),
        reliableProvisionals: ReliableProvisionalsPolicy = .supported, sessionTimers: SessionTimerPolicy = .supported
    ) {
        self.accounts = accounts.isEmpty ? [.anonymousPeerToPeer()] : accounts
        self.product = product
        self.capabilities = capabilities
        self.limits = limits
        self.automaticAnswer = automaticAnswer
        self.transfers = transfers
        self.callers = callers
        self.timers = timers
        self.incomingRingTimeout = incomingRingTimeout
        self.maximumCallDuration = maximumCallDuration
        self.reliableProvisionals = reliableProvisionals
        self.sessionTimers = sessionTimers
    }

    /// What we can do under this configuration, and say that we can (RFC 3261 §20.5, §20.37, §20.1).
    var abilities: Capabilities {
        var abilities = Capabilities.ours
        if reliableProvisionals == .off { abilities.optionTags.removeAll { $0 == .reliable } }
        if sessionTimers.use == .off { abilities.optionTags.removeAll { $0 == .sessionTimer } }
        if !transfers.joins { abilities.optionTags.removeAll { $0 == "join" } }
        return abilities
    }
}

/// Whether provisional responses are acknowledged by PRACK (RFC 3262).
package enum ReliableProvisionalsPolicy: String, Hashable, Sendable, CaseIterable {
    /// Never; a caller that requires it is refused with 420.
    case off
    /// Where the peer requires it, and as callee for early media where the caller supports it.
    case supported
    /// Of all provisional responses but the 100; callees that can't are not called, callers that can't are refused with
    /// 421.
    case required
}

/// How much state strangers may make us keep. Requests beyond it are refused without keeping any.
package struct UserAgentLimits: Equatable, Sendable {
    package var serverTransactions: Int
    package var clientTransactions: Int
    /// Confirmed and early dialogs together.
    package var dialogs: Int
    /// Early dialogs of one INVITE that we sent.
    package var earlyDialogs: Int
    package var ringingCalls: Int
    package var calls: Int
    /// Requests a second of one source, and how many may come at once; nil: no rate.
    package var requestRate: RequestRate?
    /// The same for all sources together that `requestRate` holds for: a flood may bear any number of addresses.
    package var strangerRate: RequestRate?
    /// Unanswered INVITEs of one source; nil: only `ringingCalls` bounds them.
    package var pendingInvitesPerSource: Int?
    /// Subscriptions of others to us.
    package var watchers: Int
    /// Messages a minute of one source; nil: as many as come.
    package var messagesPerMinute: Int?
    /// Sources that are remembered, least recently heard forgotten first.
    package var sources: Int
    /// Whether `requestRate` and `pendingInvitesPerSource` spare loopback as they spare allow-listed sources.
    package var sparesLoopback: Bool

    /// The part of `serverTransactions` that is kept for requests within calls, so that no flood from outside drops a
    /// BYE; the half of it for BYE alone, so that neither does one from within a call.
    var reservedTransactions: Int { max(2, serverTransactions / 8) }

    package struct RequestRate: Equatable, Sendable {
        package var perSecond: Int
        package var burst: Int

        package init(perSecond: Int, burst: Int) {
            self.perSecond = perSecond
            self.burst = burst
        }
    }

    package static let strict = UserAgentLimits(
        serverTransactions: 1024, clientTransactions: 256, dialogs: 64, earlyDialogs: 8, ringingCalls: 4, calls: 8,
        requestRate: RequestRate(perSecond: 20, burst: 40), strangerRate: RequestRate(perSecond: 80, burst: 60),
        pendingInvitesPerSource: 2, watchers: 16,
        messagesPerMinute: 10,
        sources: 4096,
        sparesLoopback: false)

    /// Loopback, allow-listed sources and registrar flows have no rate; everybody else as in `strict`.
    package static let trusted: UserAgentLimits = {
        var limits = strict
        limits.sparesLoopback = true
        return limits
    }()

    /// Only the number of calls bounds what is taken.
    package static func open(calls: Int) -> UserAgentLimits {
        UserAgentLimits(
            serverTransactions: 262_144, clientTransactions: 65536, dialogs: max(64, 8 * calls), earlyDialogs: 8,
            ringingCalls: calls, calls: calls, requestRate: nil, strangerRate: nil,
            pendingInvitesPerSource: nil, watchers: 64,
            messagesPerMinute: nil,
            sources: 4096,
            sparesLoopback: true)
    }
}

/// Who may be answered without a person (ROBUSTNESS S1).
package struct AutomaticAnswerRules: Equatable, Sendable {
    package var loopback: Bool
    /// Callers that come over the registrar flow or proxy set of a registered account.
    package var registrarFlows: Bool
    package var ranges: [AddressRange]
    /// Callers who proved by digest to be one of `UserAgentConfiguration.callers`.
    package var authenticated: Bool
    /// What the From of a caller may be who comes over a registrar flow or proved to be its user.
    package var from: [URIPattern]
    package var anybody: Bool
    /// Automatically answered calls at once, of one source address and together.
    package var perCaller: Int
    package var total: Int

    package init(
        loopback: Bool, registrarFlows: Bool, authenticated: Bool = false, ranges: [AddressRange] = [],
        from: [URIPattern] = [], anybody: Bool = false, perCaller: Int = 1, total: Int = 4
    ) {
        self.loopback = loopback
        self.registrarFlows = registrarFlows
        self.authenticated = authenticated
        self.ranges = ranges
        self.from = from
        self.anybody = anybody
        self.perCaller = perCaller
        self.total = total
    }

    package static let off = AutomaticAnswerRules(loopback: false, registrarFlows: false)
    /// What an unattended phone does unless told more: `--allow account --allow loopback`, and whoever has a password.
    package static let standard = AutomaticAnswerRules(loopback: true, registrarFlows: true, authenticated: true)
}
