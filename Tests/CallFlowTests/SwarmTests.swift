import Proofs
import Simulation
import Testing

/// The seeds that every test run plays; `callsim` plays any others.
@Suite struct SwarmTests {
    @Test(.proves(.incident(38), .incident(39), .incident(45), .incident(51)))
    func everyCallEndsOnBothSidesAndNothingIsLeft() {
        for seed in Seeds.upTo(150) {
            var swarm = Swarm(seed: seed)
            swarm.run()
            #expect(swarm.failures == [], "seed \(seed)")
        }
    }

    @Test func aRunRepeatsFromItsSeed() {
        for seed in 0..<20 as Range<UInt64> {
            var first = Swarm(seed: seed)
            var second = Swarm(seed: seed)
            first.run()
            second.run()
            #expect(first.world.ladder == second.world.ladder, "seed \(seed)")
        }
    }
}
