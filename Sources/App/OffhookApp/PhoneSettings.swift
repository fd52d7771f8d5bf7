import AudioCodecs
import EngineKit
import Logging
import MediaRuntime
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import TerminalUI
import VoiceProcessing

/// Why a command can't start: what is wrong, and the exit status that says whose fault it is.
package struct StartFault: Error, Sendable {
    package var exit: ExitStatus
    package var text: String

    package init(_ exit: ExitStatus, _ text: String) {
        self.exit = exit
        self.text = text
    }

    init(_ fault: CallScript.Fault) {
        self.init(fault.isInFile ? .badInput : .usage, "\(fault.option): \(fault.problem)")
    }

    /// Passwords that could not be had.
    fileprivate init(_ configuration: OffhookConfiguration, _ faults: [ConfigurationFault]) {
        self.init(.configuration, ConfigurationError(path: configuration.path, faults: faults).description)
    }

    /// What standard error is told: one line, or one for each fault of a configuration. Arguments and file names that
    /// the text quotes may hold anything, of any length.
    var line: String {
        let lines = exit == .configuration ? text.split(separator: "\n").map(String.init) : [text]
        return "offhook: " + lines.map { Printable.line($0, cells: Self.widestLine) }.joined(separator: "\n") + "\n"
    }

    private static let widestLine = 1000
}

/// What a phone runs with: the command line over the configuration over the defaults, checked.
struct PhoneSettings: Sendable {
    var userAgent: UserAgentConfiguration
    /// Who this phone is to registrars, held for as long as it runs; nil where nobody asks or nowhere is to keep it.
    var identity: InstanceIdentity?
    /// The account that calls are placed with; nil: the first.
    var account: AccountID?
    var listen: [ListenAddress]
    /// Whom to ask for names; none: the name servers of the system.
    var nameServers: [SocketAddress]
    var input: AudioSpec
    var output: AudioSpec
    /// What is done to the sound of the microphone.
    var voiceProcessing: VoiceFeatures
    /// Where incoming calls ring; nil: where the peer is heard.
    var ring: AudioSpec?
    /// Whether somebody named the devices; where nobody did, one that does not open is replaced by `null`.
    var hasChosenAudio: Bool
    var codecs: [CodecKind]
    var opus: OpusSettings
    /// Milliseconds in a packet, where the peer wishes for no other.
    var packetTime: Int
    /// Whether older Opus may go along with newer (RFC 2198).
    var redundancy: Bool
    var rtpPorts: PortRange
    var seed: UInt64?
    /// A bad network, on purpose.
    var impairment: NetworkImpairment?
    var timeout: Duration?
    var logLevel: Logger.Level
    var contacts: [ConfiguredContact]
    /// What the accounts want to be told of.
    var subscriptions: [(account: AccountID, subscription: ConfiguredSubscription)]
    /// The accounts whose presence is published.
    var publishers: [AccountID]
    /// The accounts that tell whom the person writes to that they do.
    var composers: Set<AccountID>
    /// A test signal and an ear in place of microphone and loudspeaker.
    var probe: AudioProbe?

    var accountNames: [AccountID: String] {
        Dictionary(uniqueKeysWithValues: userAgent.accounts.map { ($0.id, $0.name) })
    }

    /// Which accounts a command uses: passwords of others are not fetched, as that may unlock a keyring or ask somebody.
    enum AccountUse: Sendable {
        /// Every one, and whoever calls them.
        case all
        /// The one that `--account` names, else those that register.
        case registering
        /// The one that `--account` names, else the first.
        case chosen
    }

    /// - Parameter answering: what `offhook answer` was told; nil for commands that do not answer on their own.
    init(
        _ options: PhoneOptions, answering: AnsweringOptions? = nil, using use: AccountUse = .all
    ) throws(StartFault) {
        let configuration = try Self.configuration(for: options)
        seed = options.seed
        impairment = try Self.impairment(options.impairment)
        timeout = options.timeout
        if timeout == .zero { throw StartFault(.usage, "--timeout: 0 leaves no time for anything") }
        logLevel = options.logLevel.loggerLevel
        contacts = configuration.contacts
        composers = Set(
            configuration.accounts.indices.filter { configuration.accounts[$0].tellsComposing }.map {
                AccountID(rawValue: UInt32(clamping: $0))
            })
        publishers = configuration.accounts.indices.filter { configuration.accounts[$0].publishes }.map {
            AccountID(rawValue: UInt32(clamping: $0))
        }
        subscriptions = configuration.accounts.enumerated().flatMap { index, account in
            account.subscriptions.map { (AccountID(rawValue: UInt32(clamping: index)), $0) }
        }
        codecs =
            try Self.codecs(options.codecs) ?? (configuration.media.codecs.isEmpty ? nil : configuration.media.codecs)
            ?? CodecKind.standard
        redundancy = configuration.media.redundancy ?? true
        opus = try Self.opus(options.opus) ?? configuration.media.opus ?? OpusSettings()
        packetTime = try Self.packetTime(options.packetTime) ?? configuration.media.packetTime ?? 20
        rtpPorts = try Self.ports(options.rtpPorts) ?? configuration.media.rtpPorts ?? .standard
        listen = try Self.listenAddresses(options.listen)
        if listen.isEmpty { listen = configuration.sip.listen }
        nameServers = configuration.sip.nameServers
        if listen.isEmpty { listen = ListenAddress.standard }

        (input, output, ring) = try Self.audio(options, configuration.audio)
        voiceProcessing = try Self.voiceProcessing(options, input: input) ?? configuration.audio.voiceProcessing
        hasChosenAudio =
            options.audio != nil || options.input != nil || options.output != nil || configuration.audio.input != nil
            || configuration.audio.output != nil

        var accounts = try Self.accounts(configuration, options, use)
        if accounts.isEmpty { accounts = [.anonymousPeerToPeer()] }
        if let proxy = options.proxy {
            guard let uri = URI(server: proxy) else {
                throw StartFault(.usage, "--proxy: '\(proxy)' is not the SIP URI of a server")
            }
            for index in accounts.indices {
                accounts[index].outboundProxy = uri
                accounts[index].furtherProxies = []
            }
        }
        if options.isAnonymous {
            for index in accounts.indices { accounts[index].isAnonymous = true }
        }
        if let name = options.account {
            guard let match = accounts.first(where: { $0.name == name }) else {
                let names = accounts.map { "'\($0.name)'" }.joined(separator: ", ")
                throw StartFault(.usage, "--account: no account is named '\(name)'; there are \(names)")
            }
            account = match.id
        }

        identity =
            accounts.contains { $0.registrar != nil && ($0.isOutbound || $0.usesGRUU) } ? InstanceIdentity.taken() : nil
        userAgent = UserAgentConfiguration(
            accounts: accounts, product: OffhookVersion.product,
            capabilities: LocalMedia(rtpPort: 9, codecs: codecs, ptime: packetTime, redundancy: redundancy),
            callers: use == .all ? try Self.callers(configuration, within: options.passwordPatience) : [])
        if let policy = configuration.sip.reliableProvisionals { userAgent.reliableProvisionals = policy }
        userAgent.sessionTimers = SessionTimerPolicy(configuration.sip)
        userAgent.instance = identity?.urn
        userAgent.transfers = TransferRules(
            refer: (options.refer ?? configuration.sip.refer ?? (options.isAttended ? .ask : .deny)).rule,
            replaces: (options.replaces ?? configuration.sip.replaces ?? .ask).rule, joins: options.isAttended)
        let calls = answering?.maxCalls ?? configuration.sip.maximumCalls
        if let calls, !SIPSettings.callCounts.contains(calls) {
            throw StartFault(.usage, "--max-calls: \(calls) is not between 1 and \(SIPSettings.callCounts.upperBound)")
        }
        userAgent.limits = Self.limits(options.limits ?? configuration.sip.limits ?? .strict, calls: calls)
        if let answering {
            userAgent.automaticAnswer = try Self.automaticAnswer(answering, for: userAgent, calls: calls)
        } else if accounts.contains(where: { $0.answer == .automatic || $0.answerWishes != .ignored }) {
            userAgent.automaticAnswer = .standard
        }
    }

    /// How a person wants the calls of each account taken.
    var answerPolicies: [AccountID: Account.AnswerPolicy] {
        Dictionary(userAgent.accounts.map { ($0.id, $0.answer) }) { first, _ in first }
    }

    /// The address that RTP is bound to: that of the first listener, as media goes the way of signalling.
    var mediaAddress: IPAddress { listen.first?.address.address ?? .unspecified }

    mutating func restrictCodecs(to codecs: [CodecKind]) {
        self.codecs = codecs
        userAgent.capabilities.codecs = codecs
    }

    // MARK: - Its parts

    private static func configuration(for options: PhoneOptions) throws(StartFault) -> OffhookConfiguration {
        guard options.usesConfiguration else {
            guard options.configurationPath == nil else {
                throw StartFault(.usage, "--config and --no-config contradict each other")
            }
            return OffhookConfiguration()
        }
        if options.configurationPath == "" { throw StartFault(.usage, "--config: the name of a file is expected") }
        do {
            if let path = options.configurationPath {
                return try OffhookConfiguration(ConfigurationFile(reading: path))
            }
            guard let file = try ConfigurationFile.readingDefault() else { return OffhookConfiguration() }
            return try OffhookConfiguration(file)
        } catch {
            throw StartFault(.configuration, error.description)
        }
    }

    private static func accounts(
        _ configuration: OffhookConfiguration, _ options: PhoneOptions, _ use: AccountUse
    ) throws(StartFault) -> [Account] {
        var accounts: [Account] = []
        var faults: [ConfigurationFault] = []
        for (index, configured) in configuration.accounts.enumerated() {
            let isUsed =
                switch use {
                case .all: true
                case .registering: options.account.map { $0 == configured.name } ?? !configured.registrars.isEmpty
                case .chosen: options.account.map { $0 == configured.name } ?? (index == 0)
                }
            do {
                accounts.append(
                    try configured.account(
                        id: AccountID(rawValue: UInt32(clamping: index)),
                        withPassword: isUsed && (configured.needsPassword || options.proxy != nil),
                        within: options.passwordPatience))
            } catch {
                faults.append(
                    ConfigurationFault(
                        position: configured.passwordPosition, key: "account[\(index + 1)]", problem: "\(error)"))
            }
        }
        guard faults.isEmpty else { throw StartFault(configuration, faults) }
        return accounts
    }

    private static func callers(
        _ configuration: OffhookConfiguration, within patience: Duration
    ) throws(StartFault) -> [CallerCredentials] {
        var callers: [CallerCredentials] = []
        var faults: [ConfigurationFault] = []
        for (index, configured) in configuration.callers.enumerated() {
            do {
                callers.append(try configured.credentials(within: patience))
            } catch {
                faults.append(
                    ConfigurationFault(
                        position: configured.passwordPosition, key: "caller[\(index + 1)]", problem: "\(error)"))
            }
        }
        guard faults.isEmpty else { throw StartFault(configuration, faults) }
        return callers
    }

    private static func limits(_ profile: SIPSettings.Limits, calls: Int?) -> UserAgentLimits {
        var limits: UserAgentLimits =
            switch profile {
            case .strict: .strict
            case .trusted: .trusted
            case .open: .open(calls: calls ?? MediaEngine.callLimit)
            }
        if let calls {
            limits.calls = calls
            limits.dialogs = max(limits.dialogs, 8 * calls)
            limits.ringingCalls = max(limits.ringingCalls, min(calls, 64))
        }
        return limits
    }
}

extension SessionTimerPolicy {
    fileprivate init(_ settings: SIPSettings) {
        let usual = SessionTimerPolicy.supported
        self.init(
            use: settings.sessionTimer ?? usual.use,
            interval: settings.sessionExpires.map { UInt32(clamping: $0) } ?? usual.interval,
            minimum: settings.minimumSessionExpires.map { UInt32(clamping: $0) } ?? usual.minimum)
    }
}

extension SIPSettings.Verdict {
    fileprivate var rule: TransferRules.Verdict {
        switch self {
        case .allow: .allow
        case .ask: .ask
        case .deny: .deny
        }
    }
}

extension PhoneSettings {
    /// Who is answered without a person: what `--allow` says, else the accounts' registrar flows and loopback.
    private static func automaticAnswer(
        _ answering: AnsweringOptions, for userAgent: UserAgentConfiguration, calls: Int?
    ) throws(StartFault) -> AutomaticAnswerRules {
        var rules = AutomaticAnswerRules.standard
        if !answering.allow.isEmpty {
            rules = .off
            for rule in answering.allow { try apply(rule, to: &rules, of: userAgent) }
        }
        rules.anybody = answering.allowAny
        if let calls {
            rules.total = calls
            rules.perCaller = calls
        }
        if userAgent.limits.requestRate == nil {
            rules.total = userAgent.limits.calls
            rules.perCaller = userAgent.limits.calls
        }
        return rules
    }

    private static func apply(
        _ rule: String, to rules: inout AutomaticAnswerRules, of userAgent: UserAgentConfiguration
    ) throws(StartFault) {
        switch rule {
        case "account": rules.registrarFlows = true
        case "loopback": rules.loopback = true
        case _ where rule.hasPrefix("from:"):
            guard let pattern = URIPattern(String(rule.dropFirst("from:".count))) else {
                throw StartFault(
                    .usage,
                    "--allow: '\(rule)' names no address such as from:sip:alice@example.com or from:sip:*@example.com")
            }
            guard !userAgent.callers.isEmpty || userAgent.accounts.contains(where: { $0.registrar != nil }) else {
                throw StartFault(
                    .usage,
                    "--allow: '\(rule)' trusts a From that anybody can write; it needs a [[caller]] whose password shows "
                        + "who it is, or an account whose registrar does")
            }
            rules.from.append(pattern)
        default:
            guard let range = AddressRange(rule) else {
                throw StartFault(
                    .usage, "--allow: '\(rule)' is neither a CIDR nor 'account' nor 'loopback' nor from:ADDRESS")
            }
            rules.ranges.append(range)
        }
    }
}
