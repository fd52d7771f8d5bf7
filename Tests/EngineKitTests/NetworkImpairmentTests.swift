import EngineKit
import Testing

@Suite struct NetworkImpairmentTests {
    /// Departures 20 ms apart, and when each arrived.
    private func arrivals(
        _ count: Int = 100_000, number: UInt64 = 1, _ change: (inout NetworkImpairment) -> Void
    ) -> [(departure: Instant, arrival: ImpairedPath.Arrival?)] {
        var impairment = NetworkImpairment()
        change(&impairment)
        var path = ImpairedPath(impairment, number: number)
        return (0..<count).map { index in
            let departure = Instant(nanoseconds: Int64(index) * 20_000_000)
            return (departure, path.arrival(of: departure))
        }
    }

    private func share(_ count: Int, of all: Int) -> Double { Double(count) / Double(all) }

    @Test func withoutAnyWishEverythingArrivesAtOnce() {
        let all = arrivals(1_000) { _ in }
        #expect(all.allSatisfy { $0.arrival?.first == $0.departure && $0.arrival?.copy == nil })
    }

    @Test(arguments: [(0.01, 1.0), (0.05, 3), (0.2, 3), (0.5, 1), (0.9, 2)])
    func losesTheShareInBurstsOfTheLength(loss: Double, burst: Double) {
        let all = arrivals(400_000) {
            $0.loss = loss
            $0.burst = burst
        }
        let lost = all.map { $0.arrival == nil }
        let count = lost.count { $0 }
        #expect(abs(share(count, of: all.count) - loss) < 0.05 * loss)
        let bursts = zip(lost, [false] + lost).count { $0 && !$1 }
        // What chance alone makes of it is more where much is lost.
        let expected = max(burst, 1 / (1 - loss))
        #expect(abs(share(count, of: bursts) - expected) < 0.05 * expected)
    }

    @Test func allMayBeLost() {
        #expect(arrivals(1_000) { $0.loss = 1 }.allSatisfy { $0.arrival == nil })
    }

    @Test func jitterKeepsTheOrder() throws {
        let all = arrivals {
            $0.delay = .milliseconds(80)
            $0.jitter = .milliseconds(50)
        }
        let times = try all.map { try #require($0.arrival).first }
        #expect(times == times.sorted())
        let delays = try all.map { try #require($0.arrival).first - $0.departure }
        #expect(delays.allSatisfy { $0 >= .milliseconds(80) && $0 <= .milliseconds(130) })
        #expect(delays.contains { $0 > .milliseconds(125) } && delays.contains { $0 < .milliseconds(95) })
    }

    @Test func theOvertakenComeBehindTheNext() throws {
        let all = arrivals { $0.reordering = 0.01 }
        let times = try all.map { try #require($0.arrival).first }
        let overtaken = zip(times, times.dropFirst()).count { $0 > $1 }
        #expect(abs(share(overtaken, of: all.count) - 0.01) < 0.002)
    }

    @Test func copiesArriveWithTheirOriginals() {
        let all = arrivals { $0.duplication = 0.05 }
        let copied = all.filter { $0.arrival?.copy != nil }
        #expect(abs(share(copied.count, of: all.count) - 0.05) < 0.005)
        #expect(copied.allSatisfy { $0.arrival?.copy == $0.arrival?.first })
    }

    @Test func aSeedIsTheSameNetworkAgain() {
        func lost(_ number: UInt64, _ seed: UInt64, jitter: Duration = .zero) -> [Bool] {
            arrivals(2_000, number: number) {
                $0.loss = 0.1
                $0.seed = seed
                $0.jitter = jitter
            }.map { $0.arrival == nil }
        }
        #expect(lost(1, 7) == lost(1, 7))
        #expect(lost(1, 7) != lost(2, 7) && lost(1, 7) != lost(1, 8))
        // What else is asked for does not change what is lost.
        #expect(lost(1, 7) == lost(1, 7, jitter: .milliseconds(30)))
    }
}
