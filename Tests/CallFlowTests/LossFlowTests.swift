import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Two phones over networks that lose, double and reorder.
@Suite struct LossFlowTests {
    /// A whole call: placed, answered after a second, hung up by the caller after 40.
    private static func call(
        seed: UInt64, conditions: NetworkConditions, losing numbers: Set<Int> = []
    ) -> (world: World, alice: HostID, bob: HostID) {
        var (world, alice, bob) = World.twoPhones(seed: seed, conditions: conditions)
        world.lose(numbers)
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.perform(.hangUp(handle), at: alice, after: .seconds(40))
        world.run(for: .seconds(200))
        return (world, alice, bob)
    }

    @Test(.proves(.row(6), .row(7)))
    func aLostAcceptanceIsRepeatedAndAcknowledged() {
        let (world, alice, bob) = Self.call(seed: 1, conditions: .perfect, losing: [2])
        #expect(world.count("200 INVITE +sdp", from: bob) == 2)
        #expect(world.count("ACK", from: alice) == 1)
        #expect(world.story(of: alice).contains("established") && world.story(of: bob).contains("established"))
        #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty)
    }

    @Test(.proves(.row(7)))
    func aLostAcknowledgementIsSentAgainWithTheRepeatedAcceptance() {
        let (world, alice, bob) = Self.call(seed: 1, conditions: .perfect, losing: [3])
        #expect(world.count("200 INVITE +sdp", from: bob) == 2)
        #expect(world.count("ACK", from: alice) == 2)
        #expect(world.story(of: bob).contains("established"))
        #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty)
    }

    @Test(.proves(.incident(38), .incident(39), .incident(50), .incident(51)))
    func losingAnyOneMessageStillGivesACallThatEnds() {
        let whole = Self.call(seed: 1, conditions: .perfect).world.datagrams
        #expect(whole == 6)
        for number in 0..<whole {
            let (world, alice, bob) = Self.call(seed: 1, conditions: .perfect, losing: [number])
            #expect(world.story(of: alice).contains("established"), "lost \(number)")
            #expect(world.story(of: bob).contains("established"), "lost \(number)")
            #expect(world.ends(at: alice).map(\.cause) == [.hungUp], "lost \(number)")
            #expect(world.ends(at: bob).map(\.cause) == [.hungUp], "lost \(number)")
            #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty, "lost \(number)")
        }
    }

    @Test(.proves(.incident(38), .incident(39), .incident(50), .incident(51)))
    func losingAnyTwoMessagesStillGivesACallThatEnds() {
        for first in 0..<8 {
            for second in first + 1..<9 {
                let (world, alice, bob) = Self.call(seed: 1, conditions: .perfect, losing: [first, second])
                let lost = "lost \(first) and \(second)"
                #expect(world.story(of: alice).contains("established"), "\(lost)")
                #expect(world.story(of: bob).contains("established"), "\(lost)")
                #expect(world.ends(at: alice).count == 1 && world.ends(at: bob).count == 1, "\(lost)")
                #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty, "\(lost)")
            }
        }
    }

    @Test(.proves(.incident(51)))
    func aFifthLostStillGivesACallOnEverySeed() {
        let conditions = NetworkConditions(loss: 0.2, delay: .milliseconds(5)...Duration.milliseconds(60))
        for seed in Seeds.upTo(100) {
            let (world, alice, bob) = Self.call(seed: seed, conditions: conditions)
            #expect(world.story(of: alice).contains("established"), "seed \(seed)\n\(world.ladder)")
            #expect(world.story(of: bob).contains("established"), "seed \(seed)\n\(world.ladder)")
            #expect(world.ends(at: alice).count == 1 && world.ends(at: bob).count == 1, "seed \(seed)")
            #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty, "seed \(seed)")
        }
    }

    @Test(.proves(.incident(51)))
    func everyCallEndsOnBothSidesOverANetworkThatDoesItsWorst() {
        let conditions = NetworkConditions(
            loss: 0.5, duplication: 0.2, reordering: 0.3, lateness: .seconds(4),
            delay: .milliseconds(1)...Duration.milliseconds(400))
        for seed in Seeds.upTo(100) {
            var (world, alice, bob) = Self.call(seed: seed, conditions: conditions)
            #expect(world.ends(at: alice).count == 1, "seed \(seed)")
            if !world.isAtRest(bob) {
                // Only where not one of the BYEs arrived may the callee be left in the call, for silence or the person to end.
                #expect(!world.ladder.lines.contains { $0.hasSuffix("Alice -> Bob  BYE") }, "seed \(seed)")
                for call in world.incomingCalls(at: bob) { world.perform(.hangUp(call), at: bob) }
                world.run(for: .seconds(100))
            }
            #expect(world.ends(at: bob).count == world.incomingCalls(at: bob).count, "seed \(seed)")
            #expect(world.isAtRest(alice) && world.isAtRest(bob), "seed \(seed)")
            #expect(world.violations.isEmpty, "seed \(seed): \(world.violations)")
        }
    }

    @Test func theSameSeedGivesTheSameLadder() {
        let conditions = NetworkConditions(loss: 0.3, duplication: 0.2, reordering: 0.3)
        let first = Self.call(seed: 7, conditions: conditions).world.ladder
        #expect(first == Self.call(seed: 7, conditions: conditions).world.ladder)
        #expect(first != Self.call(seed: 8, conditions: conditions).world.ladder)
    }
}
