import EngineKit
import SIPMessages
import SIPUserAgent

/// Who takes part in a plan, and where.
package struct Setting: Equatable, Sendable {
    package var phones: [Phone] = []
    /// None: the phones call each other directly. The second one serves a domain of its own.
    package var proxies: [Server] = []
    package var rogues: [Rogue.Kind] = []
    package var resolutionDelay = Duration.zero

    package struct Phone: Equatable, Sendable {
        package var behaviour: Behaviour
        /// The user whose phone it is; several phones may be one user's.
        package var user: String
        /// Where it registers.
        package var proxy: Int?
        /// Whether every request outside dialogs visits that proxy first.
        package var visitsProxy = true
        /// How long the NAT before it remembers; nil: there is none.
        package var natPatience: Duration?
        /// The lifetime of a registration that it asks for.
        package var expires: UInt32 = 600
        /// Whether anybody may be answered without a person.
        package var isOpen = false
        package var reliableProvisionals = ReliableProvisionalsPolicy.supported
        package var sessionTimers = SessionTimerPolicy.supported
        package var transfers = TransferRules.standard
        /// Whether anybody may write.
        package var takesMessages = false
    }

    package struct Server: Equatable, Sendable {
        package var challengesCalls: Bool
        package var recordsRoute: Bool
        package var minimumExpires: UInt32
        package var maximumExpires: UInt32
        package var algorithm: MessageDigest
        package var usesPerNonce: UInt32
    }

    static let names = ["Alice", "Bob", "Carol", "Dave", "Erin", "Frank"]
    static let domains = ["a.example", "b.example"]
    static let password = "zanzibar"

    static func name(_ phone: Int) -> String { names.indices.contains(phone) ? names[phone] : "Phone\(phone)" }

    static func address(_ place: Plan.Place) -> IPAddress {
        switch place {
        case .phone(let index): .v4(0xc000_0201 + UInt32(index))
        case .proxy(let index): .v4(0xc000_0264 + UInt32(index))
        case .rogue(let index): .v4(0xc000_02c8 + UInt32(index))
        }
    }

    /// The address of a phone behind a NAT.
    static func privateAddress(_ index: Int) -> IPAddress { .v4(0x0a00_0001 + UInt32(index) << 8) }

    func contains(_ place: Plan.Place) -> Bool {
        switch place {
        case .phone(let index): phones.indices.contains(index)
        case .proxy(let index): proxies.indices.contains(index)
        case .rogue(let index): rogues.indices.contains(index)
        }
    }

    /// Where calls for a party go.
    func target(_ callee: Deed.Callee, transport: Transport?) -> URI {
        var uri: SIPURI
        switch callee {
        case .phone(let index):
            let phone = phones[index]
            if let proxy = phone.proxy {
                uri = SIPURI(user: phone.user, host: .name(Self.domains[proxy]))
            } else {
                uri = SIPURI(user: "peer", host: .address(Self.address(.phone(index))), port: 5060)
            }
        case .everybody:
            uri = SIPURI(user: "everybody", host: .name(Self.domains[0]))
        case .rogue(let index):
            uri = SIPURI(user: "rogue", host: .address(Self.address(.rogue(index))), port: 5060)
        }
        if let transport { uri.transport = transport }
        return .sip(uri)
    }

    func account(of phone: Phone) -> Account? {
        guard let proxy = phone.proxy else { return nil }
        let domain = Host.name(Self.domains[proxy])
        var route = SIPURI(host: domain)
        route.parameters.append("lr")
        return Account(
            id: AccountID(rawValue: 0), name: phone.user,
            address: NameAddress(uri: .sip(SIPURI(user: phone.user, host: domain))),
            registrar: .sip(SIPURI(host: domain)),
            credentials: AccountCredentials(username: phone.user, password: Secret(Self.password)),
            outboundProxy: phone.visitsProxy ? .sip(route) : nil, expires: phone.expires)
    }
}

extension World {
    /// A world with everybody of the setting in it: first the phones, then the proxies, then the rogues.
    init(seed: UInt64, conditions: NetworkConditions, setting: Setting) {
        self.init(seed: seed, conditions: conditions)
        resolutionDelay = setting.resolutionDelay
        for (index, phone) in setting.phones.enumerated() {
            let isBehindNAT = phone.natPatience != nil
            let address = isBehindNAT ? Setting.privateAddress(index) : Setting.address(.phone(index))
            let host = addPhone(Setting.name(index), at: address, behaviour: phone.behaviour) { configuration in
                if let account = setting.account(of: phone) { configuration.accounts = [account] }
                configuration.automaticAnswer = .standard
                configuration.automaticAnswer.anybody = phone.isOpen
                configuration.reliableProvisionals = phone.reliableProvisionals
                configuration.sessionTimers = phone.sessionTimers
                configuration.transfers = phone.transfers
                if phone.takesMessages { configuration.accounts[0].takesMessages = true }
            }
            if let patience = phone.natPatience {
                putBehindNAT(host, NAT(address: Setting.address(.phone(index)), patience: patience))
            }
        }
        for (index, server) in setting.proxies.enumerated() {
            _ = addProxy(Proxy(server, index, setting: setting, seed: seed))
        }
        for (index, kind) in setting.rogues.enumerated() {
            let address = SocketAddress(Setting.address(.rogue(index)), port: 5060)
            _ = addRogue(Rogue(kind, name: "Rogue\(index + 1)", address: address, seed: seed &+ UInt64(index)))
        }
    }
}

extension Proxy {
    fileprivate init(_ server: Setting.Server, _ index: Int, setting: Setting, seed: UInt64) {
        let members = Set(
            setting.phones.compactMap { phone in phone.proxy.map { Member(user: phone.user, proxy: $0) } })
        var settings = Settings(
            name: "Proxy\(index + 1)", domain: Setting.domains[index],
            address: SocketAddress(Setting.address(.proxy(index)), port: 5060))
        settings.groups["everybody"] = members.sorted { ($0.proxy, $0.user) < ($1.proxy, $1.user) }.map {
            SIPURI(user: $0.user, host: .name(Setting.domains[$0.proxy]))
        }
        for other in setting.proxies.indices where other != index {
            settings.neighbours[Setting.domains[other]] = SocketAddress(Setting.address(.proxy(other)), port: 5060)
        }
        settings.challengesCalls = server.challengesCalls
        settings.recordsRoute = server.recordsRoute
        let users = members.filter { $0.proxy == index }.map(\.user)
        self.init(
            settings,
            registrar: Registrar(minimumExpires: server.minimumExpires, maximumExpires: server.maximumExpires),
            guardian: DigestGuard(
                realm: Setting.domains[index],
                passwords: Dictionary(uniqueKeysWithValues: users.map { ($0, Setting.password) }),
                algorithm: server.algorithm, usesPerNonce: server.usesPerNonce, seed: seed &+ UInt64(index)))
    }

    private struct Member: Hashable {
        let user: String
        let proxy: Int
    }
}
