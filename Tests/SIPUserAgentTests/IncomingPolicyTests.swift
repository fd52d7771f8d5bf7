import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import Testing

@testable import SIPUserAgent

@Suite struct IncomingPolicyTests {
    private let now = Instant.zero
    private static let registered = Account(
        id: AccountID(rawValue: 1), name: "home", address: address("sip:alice@example.com"),
        registrar: try? URI(parsing: "sip:example.com"), contactUser: "a1b2",
        sources: [AddressRange(network: .v4(0xc633_6400), prefix: 24)])
    private static let open = Account(
        id: AccountID(rawValue: 2), name: "open", address: address("sip:anyone@anonymous.invalid"), isPeerToPeer: true)
    private static let registrar = SocketAddress(.v4(0xcb00_7105), port: 5060)  // 203.0.113.5

    private static func address(_ text: String) -> NameAddress {
        (try? NameAddress(parsing: "<\(text)>")) ?? NameAddress(uri: .other(scheme: "bad", rest: text))
    }

    private func policy(
        _ accounts: [Account] = [registered], limits: UserAgentLimits = .strict, rules: AutomaticAnswerRules = .standard
    ) -> IncomingPolicy {
        var random = RandomSource(seed: 5)
        var policy = IncomingPolicy(
            configuration: UserAgentConfiguration(
                accounts: accounts, capabilities: LocalMedia(rtpPort: 5004), limits: limits, automaticAnswer: rules),
            random: &random)
        policy.setProxySet(IncomingPolicy.ProxySet(addresses: [Self.registrar]), of: AccountID(rawValue: 1))
        return policy
    }

    private func flow(_ remote: String, _ transport: Transport = .udp, connection: UInt64? = nil) throws -> Flow {
        Flow(
            transport: transport, local: SocketAddress(.v4(0xc000_0209), port: 5060),
            remote: try #require(SocketAddress(remote)), connection: connection.map(ConnectionID.init(rawValue:)))
    }

    private func request(_ method: SIPMessages.Method, to uri: String = "sip:a1b2@192.0.2.9") throws -> Request {
        Request(
            method: method, uri: try URI(parsing: uri), vias: [],
            from: Self.address("sip:bob@example.net"), to: Self.address("sip:alice@example.com"), callID: "c1",
            cSeq: CSeq(number: 1, method: method))
    }

    // MARK: - S11

    @Test func strangersTogetherHaveARateAndTheServerHasNone() throws {
        var policy = policy()
        let strangers = try (1...200).map { try flow("198.18.0.\($0):5060") }
        #expect(strangers.count { policy.admit(over: $0, at: now) } == 60)
        #expect(!policy.admits(over: strangers[0], at: now))
        #expect(policy.admit(over: try flow("203.0.113.5:5060"), at: now))
        // 80 a second, whoever asks.
        #expect(strangers.count { policy.admit(over: $0, at: now + .milliseconds(500)) } == 40)
    }

    // MARK: - S6

    @Test(
        .proves(.rule(6), .incident(53)),
        arguments: [
            ("203.0.113.5:5060", "sip:a1b2@192.0.2.9", CallerTrust?.some(.registrarFlow)),
            ("203.0.113.5:5060", "sip:alice@example.com", .registrarFlow), ("203.0.113.5:5060", "sip:x@192.0.2.9", nil),
            ("203.0.113.5:5061", "sip:a1b2@192.0.2.9", nil), ("198.51.100.9:1234", "sip:alice@192.0.2.9", .allowListed),
            ("8.8.8.8:5060", "sip:a1b2@192.0.2.9", nil), ("127.0.0.1:5060", "sip:a1b2@192.0.2.9", nil),
            ("203.0.113.5:5060", "tel:+1", nil),
        ])
    func reachesARegisteredAccountFromItsServersAndSourcesAlone(remote: String, uri: String, trust: CallerTrust?) throws
    {
        let reception = policy().reception(of: try request(.invite, to: uri), over: try flow(remote))
        #expect(reception?.trust == trust)
        #expect(reception.map(\.account) == trust.map { _ in AccountID(rawValue: 1) })
    }

    @Test(.proves(.rule(6), .incident(53)))
    func givesTheRestToThePeerToPeerAccount() throws {
        let policy = policy([Self.registered, Self.open])
        let reception = policy.reception(
            of: try request(.invite, to: "sip:x@192.0.2.9"), over: try flow("8.8.8.8:5060"))
        #expect(reception == IncomingPolicy.Reception(account: AccountID(rawValue: 2), trust: .stranger))
        #expect(
            policy.reception(of: try request(.invite), over: try flow("203.0.113.5:5060"))?.account
                == AccountID(rawValue: 1))
    }

    @Test(.proves(.rule(6), .incident(53)))
    func isOpenWhereNoAccountRegisters() throws {
        var plain = Self.registered
        plain.registrar = nil
        #expect(
            policy([plain]).reception(of: try request(.invite, to: "sip:x@h"), over: try flow("127.0.0.1:9"))
                == IncomingPolicy.Reception(account: plain.id, trust: .loopback))
    }

    @Test(.proves(.rule(6), .incident(53)))
    func knowsItsServersOverTCPByConnectionOrAddress() throws {
        var policy = policy()
        #expect(policy.trust(try flow("203.0.113.5:40000", .tcp)) == .registrarFlow)
        #expect(policy.trust(try flow("203.0.113.6:40000", .tcp, connection: 3)) == .stranger)
        policy.setProxySet(
            IncomingPolicy.ProxySet(connections: [ConnectionID(rawValue: 3)]), of: AccountID(rawValue: 1))
        #expect(policy.trust(try flow("203.0.113.6:40000", .tcp, connection: 3)) == .registrarFlow)
    }

    // MARK: - S14

    @Test(.proves(.rule(14), .incident(41)))
    func letsABurstAndThenTheRateOfOneSourceThrough() throws {
        var policy = policy()
        let stranger = try flow("8.8.8.8:5060")
        var passed = 0
        for _ in 0..<100 where policy.admit(over: stranger, at: now) { passed += 1 }
        #expect(passed == 40)
        for tick in 1...200 where policy.admit(over: stranger, at: now + .milliseconds(10 * Int64(tick))) {
            passed += 1
        }
        #expect(passed == 80)
        // Another port is the same source, another address is not.
        #expect(policy.admit(over: try flow("8.8.8.8:9999"), at: now + .seconds(2)) == false)
        #expect(policy.admit(over: try flow("8.8.4.4:5060"), at: now + .seconds(2)) == true)
        #expect(policy.admit(over: stranger, at: now + .seconds(60)) == true)
    }

    @Test(
        .proves(.rule(14), .incident(41)),
        arguments: [
            ("203.0.113.5:5060", UserAgentLimits.strict, true), ("198.51.100.1:5060", .strict, true),
            ("127.0.0.1:5060", .strict, false), ("127.0.0.1:5060", .trusted, true), ("8.8.8.8:5060", .trusted, false),
            ("8.8.8.8:5060", .open(calls: 8), true),
        ])
    func sparesWhomTheProfileTrusts(remote: String, limits: UserAgentLimits, spared: Bool) throws {
        var policy = policy(limits: limits)
        let source = try flow(remote)
        let passed = (0..<500).count { _ in policy.admit(over: source, at: now) }
        #expect(passed == (spared ? 500 : 40))
        let invites = (0..<10).count { _ in policy.beginInvite(over: source, at: now) }
        #expect(invites == (spared ? 10 : 2))
    }

    @Test(.proves(.rule(14), .incident(41)))
    func countsInvitesThatWaitForAnAnswer() throws {
        var policy = policy()
        let stranger = try flow("8.8.8.8:5060")
        #expect(policy.beginInvite(over: stranger, at: now) == true)
        #expect(policy.beginInvite(over: stranger, at: now) == true)
        #expect(policy.beginInvite(over: stranger, at: now) == false)
        policy.endInvite(over: stranger)
        #expect(policy.beginInvite(over: stranger, at: now) == true)
        for _ in 0..<9 { policy.endInvite(over: stranger) }
        #expect(policy.sources.pendingInvites(SourceTable.Key(stranger.remote.address)) == 0)
    }

    @Test(.proves(.rule(14), .incident(41)))
    func remembersSoManySourcesAndNoMore() {
        var table = SourceTable(capacity: 64)
        let rate = UserAgentLimits.RequestRate(perSecond: 20, burst: 1)
        let waiting = SourceTable.Key(.v4(1))
        #expect(table.beginInvite(waiting, limit: 2, at: now) == true)
        for number in UInt32(2)...10_000 { _ = table.admit(SourceTable.Key(.v4(number)), rate: rate, at: now) }
        #expect(table.count == 64)
        #expect(table.pendingInvites(waiting) == 1)
        #expect(table.admit(SourceTable.Key(.v4(10_000)), rate: rate, at: now) == false)
        #expect(table.admit(SourceTable.Key(.v4(2)), rate: rate, at: now) == true)
    }

    @Test(.proves(.rule(14), .incident(41)))
    func takesTheHostsOfOneIPv6NetworkForOneSource() throws {
        let first = SourceTable.Key(try #require(IPAddress("2001:db8:1:2::1")))
        #expect(first == SourceTable.Key(try #require(IPAddress("2001:db8:1:2:ffff::9"))))
        #expect(first != SourceTable.Key(try #require(IPAddress("2001:db8:1:3::1"))))
        #expect(SourceTable.Key(try #require(IPAddress("::ffff:8.8.8.8"))) == SourceTable.Key(.v4(0x0808_0808)))
    }

    /// Against a plain list in order of hearing.
    @Test(.proves(.rule(14), .incident(41)))
    func forgetsTheLeastRecentlyHeard() {
        var random = RandomSource(seed: 14)
        var table = SourceTable(capacity: 16)
        let rate = UserAgentLimits.RequestRate(perSecond: 1, burst: 1_000_000)
        var order: [UInt32] = []
        var counts: [UInt32: Int] = [:]
        for _ in 0..<5_000 {
            let number = UInt32.random(in: 0..<40, using: &random)
            order.removeAll { $0 == number }
            order.append(number)
            if order.count > 16 { counts[order.removeFirst()] = nil }
            _ = table.admit(SourceTable.Key(.v4(number)), rate: rate, at: now)
            counts[number, default: 0] += 1
        }
        // Whoever is remembered has used up its share; whoever was forgotten has all of it again.
        for number in order {
            let left = UserAgentLimits.RequestRate(perSecond: 1, burst: counts[number] ?? 0)
            #expect(table.admit(SourceTable.Key(.v4(number)), rate: left, at: now) == false)
        }
    }

    // MARK: - S5 and S11

    @Test(
        .proves(.rule(5)),
        arguments: [
            (SIPMessages.Method.invite, OutOfDialogVerdict.invite, .invite), (.ack, .drop, .drop),
            (.options, .answerOptions(isMinimal: false), .answerOptions(isMinimal: true)),
            (.notify, .refuse(489), .refuse(481)), (.subscribe, .takeSubscription(toCall: nil), .refuse(403)),
            (.message, .takeMessage, .refuse(403)), (.refer, .refuse(403), .refuse(403)),
            (.register, .refuse(405), .refuse(405)), (.bye, .refuse(481), .refuse(481)),
            (.cancel, .refuse(481), .refuse(481)), (.info, .refuse(481), .refuse(481)),
            (.update, .refuse(481), .refuse(481)), (.other("FROB"), .refuse(501), .refuse(501)),
        ] as [(SIPMessages.Method, OutOfDialogVerdict, OutOfDialogVerdict)])
    func answersServersMoreThanStrangers(
        method: SIPMessages.Method, server: OutOfDialogVerdict, stranger: OutOfDialogVerdict
    ) throws {
        var policy = policy()
        let request = try request(method)
        #expect(
            policy.outOfDialog(request, trust: .registrarFlow, over: try flow("203.0.113.5:5060"), at: now) == server)
        #expect(policy.outOfDialog(request, trust: .stranger, over: try flow("8.8.8.8:5060"), at: now) == stranger)
        var inDialog = request
        inDialog.to.tag = "gone"
        #expect(
            policy.outOfDialog(inDialog, trust: .stranger, over: try flow("8.8.8.8:5060"), at: now)
                == (method == .ack ? .drop : .refuse(481)))
    }

    @Test(.proves(.rule(5), .incident(53)))
    func takesWordOfVoiceMailFromItsRegistrar() throws {
        var policy = policy()
        var notify = try request(.notify)
        try notify.headers.append(.event, "Message-Summary;id=3")
        #expect(
            policy.outOfDialog(notify, trust: .registrarFlow, over: try flow("203.0.113.5:5060"), at: now) == .accept)
        #expect(policy.outOfDialog(notify, trust: .stranger, over: try flow("8.8.8.8:5060"), at: now) == .refuse(481))
    }

    @Test(.proves(.rule(5)))
    func answersOptionsOfAStrangerOnceASecond() throws {
        var policy = policy()
        let stranger = try flow("8.8.8.8:5060")
        let request = try request(.options)
        let verdicts = [0, 10, 999, 1000, 1500, 2001].map { milliseconds in
            policy.outOfDialog(request, trust: .stranger, over: stranger, at: now + .milliseconds(Int64(milliseconds)))
        }
        let minimal = OutOfDialogVerdict.answerOptions(isMinimal: true)
        #expect(verdicts == [minimal, .drop, .drop, minimal, .drop, minimal])
    }

    @Test(.proves(.rule(5), .rule(14)), arguments: [UserAgentLimits.strict, .trusted])
    func answersThisMachineAsOftenAsTheProfileHasIt(limits: UserAgentLimits) throws {
        var policy = policy(limits: limits)
        let (loopback, request) = (try flow("127.0.0.1:5060"), try request(.options))
        let answered = (0..<10).count { _ in
            policy.outOfDialog(request, trust: .loopback, over: loopback, at: now) != .drop
        }
        #expect(answered == (limits.sparesLoopback ? 10 : 1))
    }

    @Test(.proves(.rule(11), .clause("RFC 3261 §8.2.7")))
    func refusesWithoutStateTheSameWayEachTimeAndNeverAtGreaterLength() throws {
        let policy = policy()
        let request = try request(.invite)
        let refusal = try #require(policy.statelessRefusal(403, of: request, size: 1000))
        #expect(refusal.to.tag?.count == 16)
        #expect(policy.statelessRefusal(403, of: request, size: 1000) == refusal)
        #expect(policy.statelessRefusal(403, of: request, size: refusal.bytes().count) != nil)
        #expect(policy.statelessRefusal(403, of: request, size: refusal.bytes().count - 1) == nil)
        #expect(policy.statelessRefusal(403, of: try self.request(.ack), size: 1000) == nil)
        #expect(
            try policy.statelessRefusal(503, of: request, size: 1000, retryAfter: 5)?.headers.first(RetryAfter.self)?
                .seconds == 5)
    }

    // MARK: - S1

    @Test(
        .proves(.rule(1)),
        arguments: [
            (
                "127.0.0.1:5060", Transport.udp, AutomaticAnswerRules.standard,
                IncomingPolicy.AutomaticAnswer.allowed(isProven: true)
            ),
            ("203.0.113.5:5060", .udp, .standard, .allowed(isProven: true)), ("8.8.8.8:5060", .udp, .standard, .denied),
            ("198.51.100.1:5060", .udp, .standard, .denied), ("127.0.0.1:5060", .udp, .off, .denied),
            ("8.8.8.8:5060", .udp, anybody, .allowed(isProven: false)),
            ("8.8.8.8:5060", .tcp, anybody, .allowed(isProven: true)),
            ("8.8.8.8:5060", .udp, listed, .allowed(isProven: true)), ("9.8.8.8:5060", .udp, listed, .denied),
        ])
    func answersWithoutAPersonWhomTheRulesName(
        remote: String, transport: Transport, rules: AutomaticAnswerRules, expected: IncomingPolicy.AutomaticAnswer
    ) throws {
        var policy = policy([Self.registered, Self.open], rules: rules)
        let flow = try flow(remote, transport)
        #expect(
            policy.beginAutomaticAnswer(
                CallHandle(rawValue: 1), trust: policy.trust(flow), from: Self.address("sip:bob@example.net"),
                over: flow) == expected)
    }

    private static let anybody = AutomaticAnswerRules(loopback: false, registrarFlows: false, anybody: true)
    private static let listed = AutomaticAnswerRules(
        loopback: false, registrarFlows: false, ranges: [AddressRange(network: .v4(0x0800_0000), prefix: 8)])

    @Test(.proves(.rule(1)))
    func answersOneCallOfACallerAndFourInAll() throws {
        var policy = policy([Self.open], rules: Self.anybody)
        func answer(_ call: UInt32, _ remote: String) throws -> IncomingPolicy.AutomaticAnswer {
            policy.beginAutomaticAnswer(
                CallHandle(rawValue: call), trust: .stranger, from: Self.address("sip:bob@example.net"),
                over: try flow(remote))
        }
        #expect(try answer(1, "8.8.8.1:5060") == .allowed(isProven: false))
        #expect(try answer(2, "8.8.8.1:5061") == .limited)
        for number: UInt32 in 2...4 { #expect(try answer(number, "8.8.8.\(number):5060") == .allowed(isProven: false)) }
        #expect(try answer(5, "8.8.8.5:5060") == .limited)
        policy.endAutomaticAnswer(CallHandle(rawValue: 1))
        #expect(try answer(6, "8.8.8.1:5060") == .allowed(isProven: false))
    }

    @Test(.proves(.rule(1)))
    func answersSeveralCallersBehindTheRegistrarButFourInAll() throws {
        var policy = policy(rules: .standard)
        let proxy = try flow("\(Self.registrar)")
        for number: UInt32 in 1...4 {
            let verdict = policy.beginAutomaticAnswer(
                CallHandle(rawValue: number), trust: .registrarFlow, from: Self.address("sip:bob@example.net"),
                over: proxy)
            #expect(verdict == .allowed(isProven: true))
        }
        let fifth = policy.beginAutomaticAnswer(
            CallHandle(rawValue: 5), trust: .registrarFlow, from: Self.address("sip:bob@example.net"), over: proxy)
        #expect(fifth == .limited)
    }
}
