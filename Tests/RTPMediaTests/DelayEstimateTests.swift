import EngineKit
import Testing

@testable import RTPMedia

struct DelayEstimateTests {
    /// What is needed after packets of 20 ms whose delays in milliseconds `delay` gives.
    private func needed(packets: Int, delay: (Int) -> Double) -> Double {
        var estimate = DelayEstimate()
        for index in 0..<packets {
            let sent = Duration.milliseconds(20 * index)
            _ = estimate.receive(
                mediaTime: sent, at: .zero + sent + .nanoseconds(Int64((50 + delay(index)) * 1e6)))
        }
        return estimate.needed.milliseconds
    }

    @Test func aSteadyNetworkNeedsNothing() {
        #expect(needed(packets: 1) { _ in 0 } == 2.5)
        #expect(needed(packets: 1_000) { _ in 0 } == 2.5)
    }

    @Test(arguments: [20.0, 50, 100, 300])
    func allButOneInAHundredKeepWithinIt(jitter: Double) {
        var random = RandomSource(seed: 4)
        var estimate = DelayEstimate()
        var late = 0
        for index in 0..<5_000 {
            let sent = Duration.milliseconds(20 * index)
            let needed = estimate.needed
            let way = Duration.nanoseconds(Int64.random(in: 0...Int64(jitter * 1e6), using: &random))
            let delay = estimate.receive(mediaTime: sent, at: .zero + sent + way)
            if index >= 1_000 && delay > needed { late += 1 }
        }
        let needed = estimate.needed.milliseconds
        #expect(late <= 60, "\(late) in 4,000 beyond what was needed")
        // No more than 1.3 times what the jitter itself forces.
        #expect(needed <= 1.3 * 0.99 * jitter)
    }

    @Test func whatIsRareIsNotWaitedFor() {
        #expect(needed(packets: 2_000) { $0 % 250 == 100 ? 200 : 0 } == 2.5)
    }

    @Test func theFirstPacketsAreBelieved() {
        #expect(needed(packets: 10) { Double($0 % 4) * 20 } == 62.5)
    }

    @Test(arguments: [-150.0, 150])
    func anotherRouteIsOfNoMatterTwoSecondsLater(change: Double) {
        #expect(needed(packets: 1_000) { $0 < 800 ? 0 : change } <= 5)
    }

    @Test func oneThatFoundAnEmptyQueueIsNoShorterWay() {
        // A queue that stands for 30 ms, which one packet in the middle does not meet.
        for packets in [302, 326, 350] { #expect(needed(packets: packets) { $0 == 300 ? 0 : 30 } == 32.5) }
        #expect(needed(packets: 600) { $0 == 300 ? 0 : 30 } == 2.5)
    }

    @Test func aPauseAndASlowPacketBehindItKeepWhatWasLearnt() {
        var random = RandomSource(seed: 8)
        var estimate = DelayEstimate()
        for index in 0..<500 {
            let sent = Duration.milliseconds(20 * index)
            let way = Duration.nanoseconds(Int64.random(in: 0...40_000_000, using: &random))
            _ = estimate.receive(mediaTime: sent, at: .zero + sent + way)
        }
        for index in 0..<40 {
            let sent = Duration.milliseconds(20 * index + 13_000)
            let way = index == 0 ? 60_000_000 : Int64.random(in: 0...40_000_000, using: &random)
            _ = estimate.receive(mediaTime: sent, at: .zero + sent + .nanoseconds(way))
            let needed = estimate.needed
            #expect(needed >= .milliseconds(37.5), "\(needed) after \(index)")
        }
    }

    @Test(arguments: [-200.0, 200])
    func anotherClockIsFollowed(partsPerMillion: Double) {
        #expect(needed(packets: 10_000) { Double($0) * 20 * partsPerMillion / 1e6 } <= 5)
    }

    @Test func anyTimesAreTaken() {
        var random = RandomSource(seed: 6)
        var estimate = DelayEstimate()
        for _ in 0..<20_000 {
            let media = Duration.nanoseconds(Int64.random(in: Int64.min...Int64.max, using: &random))
            _ = estimate.receive(
                mediaTime: media, at: Instant(nanoseconds: Int64.random(in: 0...Int64.max, using: &random)))
        }
        _ = estimate.receive(mediaTime: .zero, at: .distantFuture)
        _ = estimate.receive(mediaTime: .zero, at: .zero)
        _ = estimate.receive(mediaTime: .zero, at: .distantFuture)
        let needed = estimate.needed
        #expect(needed <= .milliseconds(500))
    }
}
