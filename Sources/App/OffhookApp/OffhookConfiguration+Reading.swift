import AudioCodecs
import EngineKit
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import VoiceProcessing

extension OffhookConfiguration {
    /// Reads a whole file, with everything that is wrong with it in one error.
    package init(
        _ file: ConfigurationFile, environment: (String) -> String? = environmentVariable
    ) throws(ConfigurationError) {
        path = file.path
        let document: TOMLValue
        do {
            document = try TOMLValue(parsing: file.bytes)
        } catch {
            let fault = ConfigurationFault(position: error.position, problem: error.problem)
            throw ConfigurationError(path: file.path, faults: [fault])
        }
        guard case .table(let entries) = document.content else { return }
        let paths = PathExpansion(configuration: file.path, home: environment("HOME"))
        var root = ConfigurationTable(entries, at: document.position)
        root.sections("account") { account in readAccount(from: &account, in: file, paths: paths) }
        root.section("audio") { audio in
            self.audio.input = audio.audioSpecification("input", isOutput: false)
            self.audio.output = audio.audioSpecification("output", isOutput: true)
            self.audio.ring = audio.audioSpecification("ring", isOutput: true)
            let features = audio.parsedList(
                "voice_processing", as: "echo, noise or gain", choices: VoiceFeatures.words.map(\.word)
            ) { VoiceFeatures(word: $0) }
            self.audio.voiceProcessing = VoiceFeatures(features ?? [])
        }
        root.section("sip") { sip in
            self.sip.listen =
                sip.parsedList("listen", as: "ADDRESS:PORT[;transport=udp|tcp]") { ListenAddress($0) } ?? []
            self.sip.limits = sip.choice("limits", SIPSettings.Limits.allCases.map { ($0.rawValue, $0) })
            let verdicts = SIPSettings.Verdict.allCases.map { ($0.rawValue, $0) }
            self.sip.refer = sip.choice("refer", verdicts)
            self.sip.replaces = sip.choice("replaces", verdicts)
            self.sip.nameServers =
                sip.parsedList("dns_servers", as: "ADDRESS or ADDRESS:PORT") { SocketAddress(nameServer: $0) } ?? []
            self.sip.reliableProvisionals = sip.choice(
                "reliable_provisionals", ReliableProvisionalsPolicy.allCases.map { ($0.rawValue, $0) })
            self.sip.sessionTimer = sip.choice(
                "session_timer", SessionTimerPolicy.Use.allCases.map { ($0.rawValue, $0) })
            self.sip.sessionExpires = sip.integer("session_expires", in: SIPSettings.sessionIntervals)
            self.sip.minimumSessionExpires = sip.integer("min_session_expires", in: SIPSettings.sessionIntervals)
            if let fault = self.sip.sessionTimerFault { sip.refuse(fault.key, fault.problem) }
            self.sip.maximumCalls = sip.integer("max_calls", in: SIPSettings.callCounts)
        }
        root.section("media") { media in
            let known = CodecKind.allCases
            self.media.codecs =
                media.parsedList("codecs", as: "a codec", choices: known.map(\.configurationName)) { name in
                    known.first { $0.configurationName == name.lowercased() }
                } ?? []
            if media.isEmptyList("codecs") {
                media.refuse("codecs", "names no codec; without the key all are spoken")
            }
            self.media.redundancy = media.boolean("redundancy")
            if let text = media.string("opus") {
                do throws(OpusSettingsFault) {
                    self.media.opus = try OpusSettings(argument: text)
                } catch {
                    media.refuse("opus", error.description)
                }
            }
            self.media.packetTime = media.integer("ptime", in: PhoneSettings.packetTimes)
            self.media.rtpPorts = media.parsed("rtp_ports", as: "LOW-HIGH with room for two ports") { PortRange($0) }
        }
        root.sections("caller") { caller in readCaller(from: &caller, in: file, paths: paths) }
        var contactNames: Set<String> = []
        root.sections("contact") { contact in readContact(from: &contact, besides: &contactNames) }
        root.refuseUnknownKeys()
        guard root.faults.isEmpty else { throw ConfigurationError(path: file.path, faults: root.faults) }
    }

    private mutating func readAccount(
        from table: inout ConfigurationTable, in file: ConfigurationFile, paths: PathExpansion
    ) {
        let name = table.string("name")
        if name == "" { table.refuse("name", "is empty") }
        let address = table.address("address")
        table.require("address", because: "the account's SIP URI, such as sip:alice@example.com")
        if let name, accounts.contains(where: { $0.name == name }) {
            table.refuse("name", "another account has this name")
        }
        var account = ConfiguredAccount(
            name: name ?? "", address: address ?? NameAddress(uri: .other(scheme: "", rest: "")),
            position: table.position)
        account.registrars = table.serverURIs("registrar", default: address)
        account.username = table.string("username")
        account.realm = table.string("realm")
        account.password = table.password(in: file, paths: paths)
        account.passwordPosition = table.passwordPosition
        account.allowsObsoleteDigest = table.choice("digest", [("sha-256", false), ("md5", true)]) ?? false
        account.transport = table.transport("transport")
        account.answer =
            table.choice("answer", [("ask", .ask), ("auto", .automatic), ("busy", .busy)]) ?? .ask
        account.proxies = table.serverURIs("proxy", default: nil)
        account.isOutbound = table.boolean("outbound") ?? true
        account.usesGRUU = table.boolean("gruu") ?? false
        account.keepAlive = table.keepAlive("keep_alive") ?? .automatic
        account.expires = table.integer("expires", in: 60...86_400).map { UInt32($0) }
        account.sources = table.parsedList("sources", as: "a network such as 192.0.2.0/24") { AddressRange($0) } ?? []
        account.subscriptions =
            table.parsedList("subscribe", as: "EVENT:URI, such as presence:sip:bob@example.com") {
                ConfiguredSubscription($0)
            } ?? []
        account.publishes = table.boolean("publish") ?? false
        account.takesMessages = table.boolean("messages") ?? false
        account.isPeerToPeer = table.boolean("peer_to_peer") ?? false
        account.isAnonymous = table.boolean("privacy") ?? false
        account.tellsComposing = table.boolean("composing") ?? false
        account.answerWishes =
            table.choice("answer_mode", [("off", .ignored), ("trusted", .trusted), ("privileged", .privileged)])
            ?? .ignored
        if account.isPeerToPeer, !table.contains("registrar") { account.registrars = [] }
        if name == nil, case .sip(let uri)? = address?.uri {
            account.name = uri.user ?? uri.host.description
            if accounts.contains(where: { $0.name == account.name }) {
                table.refuse("address", "another account is named '\(account.name)' too: give this one a name")
            }
        }
        accounts.append(account)
    }

    private mutating func readCaller(
        from table: inout ConfigurationTable, in file: ConfigurationFile, paths: PathExpansion
    ) {
        table.require("username", because: "whom the credentials of a caller name")
        let username = table.string("username")
        let realm = table.string("realm") ?? callerRealm
        let password = table.password(in: file, paths: paths)
        let digests = table.choice("digest", [("sha-256", Set([MessageDigest.sha256])), ("md5", [.md5])])
        if !accounts.isEmpty, !accounts.contains(where: { $0.isPeerToPeer || !isRegistering }) {
            table.refuse(
                "username",
                "no such caller gets here: every account is reached by its registrar alone; "
                    + "an account with peer_to_peer = true takes calls from anywhere")
        }
        guard let username, let password else {
            if password == nil, !ConfigurationTable.passwordKeys.contains(where: { table.contains($0) }) {
                table.refuse("password", "is missing; password_command, password_file and password_env do as well")
            }
            return
        }
        if username.isEmpty { table.refuse("username", "is empty") }
        if realm.isEmpty { table.refuse("realm", "is empty") }
        if callers.contains(where: { $0.username == username && $0.realm == realm }) {
            table.refuse("username", "another caller has this name and realm")
        }
        if Set(callers.map(\.realm) + [realm]).count > ConfiguredCaller.realmLimit {
            table.refuse("realm", "is one more than the \(ConfiguredCaller.realmLimit) that a challenge can name")
        }
        callers.append(
            ConfiguredCaller(
                username: username, realm: realm, password: password, passwordPosition: table.passwordPosition,
                digests: digests ?? [.sha256, .md5]))
    }

    private var isRegistering: Bool { accounts.contains { !$0.registrars.isEmpty } }

    /// The domain of the account that takes calls from anywhere (RFC 3261 §22.1).
    private var callerRealm: String {
        let account = accounts.first { $0.isPeerToPeer || $0.registrars.isEmpty } ?? accounts.first
        guard case .sip(let uri)? = account?.address.uri else { return "offhook.invalid" }
        return uri.host.description
    }

    /// - Parameter names: those of the contacts before, in lower case; a long book is not gone through for each.
    private mutating func readContact(from table: inout ConfigurationTable, besides names: inout Set<String>) {
        table.require("name", because: "what you will dial")
        table.require("address", because: "the contact's SIP or tel URI")
        let name = table.string("name")
        let address = table.address("address")
        guard let name, let address else { return }
        if !names.insert(name.lowercased()).inserted {
            table.refuse("name", "another contact has this name")
        }
        contacts.append(ConfiguredContact(name: name, address: address.uri))
    }
}
