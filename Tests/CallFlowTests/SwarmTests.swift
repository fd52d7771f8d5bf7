import Proofs
import Simulation
import Testing

/// The seeds that every test run plays; `callsim` plays any others.
@Suite struct SwarmTests {
    @Test(.proves(.incident(38), .incident(39), .incident(45), .incident(51)))
    func everyCallEndsOnBothSidesAndNothingIsLeft() {
        for seed in Seeds.upTo(100) {
            var trial = Trial(seed: seed)
            trial.run()
            #expect(trial.violations == [], "seed \(seed)")
        }
    }

    @Test func aRunRepeatsFromItsSeed() {
        for seed in 0..<20 as Range<UInt64> {
            var first = Trial(seed: seed)
            var second = Trial(seed: seed)
            first.run()
            second.run()
            #expect(first.world.ladder == second.world.ladder, "seed \(seed)")
            #expect(first.world.fingerprint == second.world.fingerprint, "seed \(seed)")
        }
    }

    @Test func aRunRepeatsFromItsMishapsSpelledOut() {
        for seed in 0..<20 as Range<UInt64> {
            var drawn = Trial(seed: seed)
            drawn.run()
            var plan = Plan(seed: seed)
            plan.mishaps = drawn.mishaps
            plan.conditions = plan.conditions.calm
            var spelledOut = Trial(plan)
            spelledOut.run()
            #expect(drawn.world.ladder == spelledOut.world.ladder, "seed \(seed)")
        }
    }
}
