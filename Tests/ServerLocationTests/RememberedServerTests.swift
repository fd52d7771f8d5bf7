import EngineKit
import NameServer
import Proofs
import SIPMessages
import Testing

@testable import ServerLocation

/// What a locator keeps: found servers by their time to live, and failed ones for a time.
@Suite struct RememberedServerTests {
    private let pair: [ZoneRecord] = [
        .srv("_sip._udp.d.test", weight: 1, port: 5060, target: "a.test", timeToLive: 120),
        .srv("_sip._udp.d.test", weight: 1, port: 5060, target: "b.test", timeToLive: 120),
        .a("a.test", [192, 0, 2, 1], timeToLive: 60), .a("b.test", [192, 0, 2, 2], timeToLive: 7_000),
    ]

    @Test func theShortestLifeBehindAnAnswerCounts() {
        var finder = Finder(pair)
        let first = finder.locate("d.test", transport: .udp).outcome
        let asked = finder.asked.count
        finder.run(for: .seconds(59))
        #expect(finder.locate("d.test", transport: .udp).outcome == first)
        #expect(finder.asked.count == asked)
        finder.run(for: .seconds(1))
        _ = finder.locate("d.test", transport: .udp)
        #expect(finder.asked.count == 2 * asked)
    }

    @Test(.proves(.rule(21)))
    func nothingIsRememberedForMoreThanAnHour() {
        var finder = Finder([.a("h.test", [192, 0, 2, 1], timeToLive: 1_000_000)])
        _ = finder.locate("h.test", port: 5060)
        finder.run(for: .seconds(3599))
        _ = finder.locate("h.test", port: 5060)
        #expect(finder.asked.count == 1)
        finder.run(for: .seconds(2))
        _ = finder.locate("h.test", port: 5060)
        #expect(finder.asked.count == 2)
    }

    @Test func aLifeOfNoneIsNotRemembered() {
        var finder = Finder([.a("h.test", [192, 0, 2, 1], timeToLive: 0)])
        _ = finder.locate("h.test", port: 5060)
        _ = finder.locate("h.test", port: 5060)
        #expect(finder.asked.count == 2)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func theDrawHoldsWhileItIsRemembered() {
        var orders: Set<String> = []
        for seed in 1...20 {
            var finder = Finder(pair, seed: UInt64(seed))
            let first = finder.locate("d.test", transport: .udp).outcome
            for _ in 0..<10 { #expect(finder.locate("d.test", transport: .udp).outcome == first) }
            orders.insert("\(first)")
        }
        #expect(orders.count == 2)
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func failedServersComeLastForAMinute() throws {
        var finder = Finder(pair)
        guard case .found(let order) = finder.locate("d.test", transport: .udp).outcome else { return }
        let first = try #require(finder.results.last?.servers.first?.server)
        finder.locator.noteFailure(of: first, for: nil, at: finder.now)
        #expect(finder.locate("d.test", transport: .udp).outcome == .found(order.reversed()))
        // Failure is of one transport: another may answer at the same address.
        var failed = FailedServers()
        failed.insert(first, until: finder.now + .seconds(60), at: finder.now)
        #expect(!failed.contains(ServerAddress(.tcp, first.address), at: finder.now))
        #expect(!failed.contains(first, at: finder.now + .seconds(60)))
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func whereAllHaveFailedAllAreTried() throws {
        var finder = Finder(pair)
        _ = finder.locate("d.test", transport: .udp)
        for ranked in try #require(finder.results.last).servers {
            finder.locator.noteFailure(of: ranked.server, for: nil, at: finder.now)
        }
        guard case .found(let servers) = finder.locate("d.test", transport: .udp).outcome else {
            Issue.record("nothing found")
            return
        }
        #expect(servers.count == 2)
    }

    @Test(
        .proves(.row(37), .clause("RFC 3263 §4.3")),
        arguments: [(30, 29, 31), (1_000_000, 599, 601)] as [(Int64, Int64, Int64)])
    func aServerIsSparedForAsLongAsItAsksWithinReason(asked: Int64, still: Int64, noMore: Int64) throws {
        let lasting = pair.map { ZoneRecord($0.name, kind: $0.kind, timeToLive: 3600, data: $0.data) }
        var finder = Finder(lasting)
        let order = finder.locate("d.test", transport: .udp).outcome
        let first = try #require(finder.results.last?.servers.first?.server)
        finder.locator.noteFailure(of: first, for: .seconds(asked), at: finder.now)
        finder.run(for: .seconds(still))
        #expect(finder.locate("d.test", transport: .udp).outcome != order)
        finder.run(for: .seconds(noMore - still))
        #expect(finder.locate("d.test", transport: .udp).outcome == order)
    }

    @Test(.proves(.rule(21)))
    func theTableOfFailuresIsBounded() {
        var failed = FailedServers()
        let servers = (0..<1000).map { ServerAddress(.udp, SocketAddress(.v4(UInt32($0) + 1), port: 5060)) }
        for (index, server) in servers.enumerated() {
            failed.insert(server, until: .zero + .seconds(60) + .milliseconds(index), at: .zero)
        }
        #expect(servers.count { failed.contains($0, at: .zero) } == 256)
        #expect(failed.contains(servers[999], at: .zero))
    }

    @Test func whatWasFoundForOtherMeansIsForgotten() {
        var finder = Finder(pair)
        _ = finder.locate("d.test", transport: .udp)
        let asked = finder.asked.count
        finder.locator.reach = Reach(transports: [.udp], hasIPv4: true, hasIPv6: true)
        _ = finder.locate("d.test", transport: .udp)
        #expect(finder.asked.count > 2 * asked)
    }

    @Test func oneQuestionServesAllWhoWait() {
        var finder = Finder(exampleZone)
        for _ in 0..<20 { finder.ask("example.test") }
        finder.run(for: .seconds(1))
        #expect(finder.results.count == 20)
        #expect(finder.asked.count == 5)
        #expect(finder.locator.isAtRest)
    }

    @Test(.proves(.rule(21)))
    func tooManySearchesAtOnceAreRefused() {
        var finder = Finder(exampleZone)
        finder.delay = { _ in nil }
        for number in 0..<300 { finder.ask("h\(number).test") }
        #expect(finder.results.count == 44)
        #expect(finder.results.allSatisfy { $0.failure == .overloaded })
        finder.run(for: .seconds(5))
        #expect(finder.results.count == 300 && finder.locator.isAtRest)
    }

    /// Any zone, with any answer late, lost or broken: every search ends within its time, with at most 16 servers, none
    /// of them where nothing can be.
    @Test func everySearchEnds() {
        for seed in 1...400 {
            var dice = Dice(seed: UInt64(seed))
            let records = (0..<dice.number(to: 40)).map { _ in dice.record() }
            let reach = Reach(
                transports: dice.pick([[.udp], [.udp, .tcp], [.tcp], []]), hasIPv4: true,
                hasIPv6: dice.pick([true, false]))
            var finder = Finder(records, reach: reach, seed: UInt64(seed))
            let delays = dice.delays()
            finder.delay = { delays[$0] ?? .zero }
            for _ in 0..<4 {
                let transport: Transport? = dice.pick([nil, nil, .udp, .tcp, .tls])
                let port: UInt16? = dice.pick([nil, nil, 5080])
                let search = finder.locate(
                    dice.pick(Dice.names), port: port, transport: transport, isSecure: dice.pick([false, false, true]))
                #expect(search.took <= .seconds(5))
                let servers = finder.results.last?.servers ?? []
                #expect(servers.count <= 16)
                for address in servers.map(\.server.address.address) {
                    #expect(address.reach != .multicast && address.reach != .unspecified)
                }
            }
            finder.run(for: .seconds(10))
            #expect(finder.locator.isAtRest)
        }
    }

    private struct Dice {
        static let names = ["d.test", "_sip._udp.d.test", "_sip._tcp.d.test", "h.test", "i.test", "x"]
        private var random: RandomSource

        init(seed: UInt64) { random = RandomSource(seed: seed) }

        mutating func number(to limit: Int) -> Int { Int.random(in: 0...limit, using: &random) }

        mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[number(to: choices.count - 1)] }

        mutating func record() -> ZoneRecord {
            let name = pick(Self.names)
            let target = pick(Self.names + ["."])
            switch number(to: 4) {
            case 0: return .a(name, [pick([0, 10, 127, 192, 224, 255]), 0, 2, 1])
            case 1: return .aaaa(name, last: pick([nil, 1, 2]), timeToLive: pick([0, 5, 5000]))
            case 2: return .srv(name, priority: pick([0, 1]), weight: pick([0, 9]), port: 5060, target: target)
            case 3:
                return .naptr(
                    name, order: pick([1, 2]), flags: pick(["s", "a", ""]),
                    service: pick(["SIP+D2U", "SIP+D2T", "SIPS+D2T", "junk"]), replacement: target)
            default: return .alias(name, of: target)
            }
        }

        mutating func delays() -> [NameQuestion: Duration?] {
            var delays: [NameQuestion: Duration?] = [:]
            for kind in DNSRecord.Kind.allCases {
                for question in Self.names.compactMap({ NameQuestion($0, .records(kind)) }) {
                    let delay: Duration? = pick([nil, .zero, .milliseconds(700), .seconds(4), .seconds(7)])
                    delays[question] = .some(delay)
                }
            }
            return delays
        }
    }
}
