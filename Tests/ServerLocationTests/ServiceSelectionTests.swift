import EngineKit
import Proofs
import Testing

@testable import ServerLocation

/// RFC 2782, "Usage rules", and RFC 6724 §6.
@Suite struct ServiceSelectionTests {
    private func record(_ target: String, priority: UInt16 = 0, weight: UInt16) -> ServiceRecord {
        ServiceRecord(priority: priority, weight: weight, port: 5060, target: target)
    }

    @Test(.proves(.row(37), .clause("RFC 2782")))
    func lowerPrioritiesComeFirstWhateverTheirWeight() {
        let records =
            [record("c", priority: 20, weight: 900), record("a", priority: 1, weight: 0)]
            + [record("b", priority: 10, weight: 1)]
        for seed in 1...50 {
            var random = RandomSource(seed: UInt64(seed))
            #expect(ServiceRecord.drawn(records, using: &random).map(\.target) == ["a", "b", "c"])
        }
    }

    @Test(.proves(.row(37), .clause("RFC 2782")))
    func weightsAreTheChanceToComeFirst() {
        let records = [record("a", weight: 10), record("b", weight: 60), record("c", weight: 30)]
        var random = RandomSource(seed: 2782)
        var first: [String: Int] = [:]
        var second: [String: Int] = [:]
        let draws = 20_000
        for _ in 0..<draws {
            let drawn = ServiceRecord.drawn(records, using: &random)
            #expect(drawn.count == 3)
            first[drawn[0].target, default: 0] += 1
            if drawn[0].target == "b" { second[drawn[1].target, default: 0] += 1 }
        }
        func share(_ counts: [String: Int], _ name: String, of total: Int) -> Double {
            Double(counts[name] ?? 0) / Double(total)
        }
        // The draw is over 0...100, so that the first one in the row has a hundredth more.
        #expect(abs(share(first, "a", of: draws) - 0.11) < 0.01)
        #expect(abs(share(first, "b", of: draws) - 0.59) < 0.01)
        #expect(abs(share(first, "c", of: draws) - 0.30) < 0.01)
        // Among those that are left the weights count again: 10 to 30.
        #expect(abs(share(second, "a", of: first["b"] ?? 1) - 0.27) < 0.02)
    }

    @Test(.proves(.row(37), .clause("RFC 2782")))
    func aWeightOfNoneHasASmallChance() {
        let records = [record("big", weight: 99), record("none", weight: 0)]
        var random = RandomSource(seed: 4)
        let wins = (0..<20_000).count { _ in
            ServiceRecord.drawn(records, using: &random).first?.target == "none"
        }
        #expect((100...300).contains(wins))
    }

    @Test func manyRecordsOfTheGreatestWeightAreDrawn() {
        let records = (0..<16).map { record("h\($0)", weight: .max) }
        var random = RandomSource(seed: 5)
        let drawn = ServiceRecord.drawn(records, using: &random)
        #expect(Set(drawn.map(\.target)).count == 16)
    }

    // MARK: - Addresses

    private func order(_ ways: [(to: String, from: String?)]) throws -> [String] {
        let servers = try ways.map {
            RankedServer(ServerAddress(.udp, SocketAddress(try #require(IPAddress($0.to)), port: 5060)), rank: 0)
        }
        return RankedServer.ordered(servers) { server in
            let way = ways.first { IPAddress($0.to) == server.address.address }
            return way?.from.flatMap { IPAddress($0) }.map { ($0, ()) }
        }.map { $0.server.address.address.description }
    }

    @Test(.proves(.clause("RFC 6724 §6")))
    func versionSixGoesFirstWhereItHasAWay() throws {
        #expect(
            try order([("192.0.2.1", "192.0.2.9"), ("2001:db8::1", "2001:db8::9")]) == ["2001:db8::1", "192.0.2.1"])
        #expect(try order([("2001:db8::1", nil), ("192.0.2.1", "192.0.2.9")]) == ["192.0.2.1"])
    }

    @Test(.proves(.clause("RFC 6724 §6")))
    func aSourceOfAnotherScopeOrKindGoesLast() throws {
        // Only link-local or private IPv6 of our own: not a way into the world.
        #expect(
            try order([("2001:db8::1", "fe80::9"), ("192.0.2.1", "10.0.0.9")]) == ["192.0.2.1", "2001:db8::1"])
        #expect(
            try order([("2001:db8::1", "fd00::9"), ("192.0.2.1", "10.0.0.9")]) == ["192.0.2.1", "2001:db8::1"])
    }

    @Test(.proves(.clause("RFC 6724 §6")))
    func equalsKeepTheOrderOfTheAnswer() throws {
        #expect(
            try order([("192.0.2.7", "192.0.2.9"), ("192.0.2.1", "192.0.2.9"), ("192.0.2.3", "192.0.2.9")])
                == ["192.0.2.7", "192.0.2.1", "192.0.2.3"])
    }

    @Test func ranksGoBeforeFamilies() throws {
        let four = RankedServer(ServerAddress(.udp, SocketAddress(.v4(0xc000_0201), port: 5060)), rank: 0)
        let six = RankedServer(ServerAddress(.udp, SocketAddress(.loopbackV6, port: 5060)), rank: 1)
        let ordered = RankedServer.ordered([six, four]) { ($0.address.address, ()) }
        #expect(ordered.map(\.server) == [four.server, six.server])
    }
}
