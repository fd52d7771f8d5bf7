import EngineKit
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Two phones whose people do anything at any time, over networks with any faults, all from a seed.
@Suite struct SwarmTests {
    /// What one seed makes of the world.
    private struct Swarm {
        var world: World
        let alice: HostID
        let bob: HostID
        private var random: RandomSource
        private var calls: UInt32 = 0
        private var placed: [HostID: [CallHandle]] = [:]

        init(seed: UInt64) {
            random = RandomSource(seed: seed)
            let conditions = NetworkConditions(
                loss: Self.one(of: [0, 0, 0.1, 0.3, 0.5], &random),
                duplication: Self.one(of: [0, 0.1, 0.5], &random),
                reordering: Self.one(of: [0, 0.2, 0.6], &random),
                lateness: Self.one(of: [.seconds(1), .seconds(6)], &random),
                delay: .milliseconds(1)...Self.one(of: [.milliseconds(1), .milliseconds(80), .seconds(1)], &random))
            world = World(seed: seed, conditions: conditions)
            let answers: [Duration?] = [nil, .zero, .milliseconds(300), .seconds(2)]
            let rings: [Duration?] = [nil, .zero, .milliseconds(150)]
            let first = Behaviour(
                ringAfter: Self.one(of: rings, &random), answerAfter: Self.one(of: answers, &random))
            let second = Behaviour(
                ringAfter: Self.one(of: rings, &random), answerAfter: Self.one(of: answers, &random))
            alice = world.addPhone("Alice", at: Scene.alice, behaviour: first)
            bob = world.addPhone("Bob", at: Scene.bob, behaviour: second)
        }

        private static func one<T>(of choices: [T], _ random: inout RandomSource) -> T {
            choices[Int.random(in: choices.indices, using: &random)]
        }

        mutating func run() {
            for _ in 0..<Int.random(in: 3...14, using: &random) {
                act()
                world.run(for: .milliseconds(Int.random(in: 0...3000, using: &random)))
            }
            // Both hang up whatever is left, twice: what was on its way the first time may have become a call, and a BYE
            // that never got through leaves one that only the person can end. Then the world must come to rest.
            for _ in 0..<2 {
                for host in [alice, bob] {
                    for call in handles(at: host) { world.perform(.hangUp(call), at: host) }
                }
                world.run(for: .seconds(100))
            }
        }

        private func handles(at host: HostID) -> [CallHandle] {
            let ended = world.endedCalls(at: host)
            let all = (placed[host] ?? []) + world.incomingCalls(at: host)
            return all.filter { !ended.contains($0) }
        }

        private mutating func act() {
            let (host, peer) = Bool.random(using: &random) ? (alice, bob) : (bob, alice)
            let known = handles(at: host)
            guard !known.isEmpty, Int.random(in: 0..<4, using: &random) > 0 else {
                calls += 1
                let transport = Self.one(of: [nil, nil, nil, "tcp"], &random)
                let target = world.uri(of: peer, user: "peer", transport: transport)
                placed[host, default: []].append(world.call(target, from: host, as: calls))
                return
            }
            if Int.random(in: 0..<12, using: &random) == 0 { return world.resetConnections(of: host) }
            let call = Self.one(of: known, &random)
            let commands: [Command] = [
                .hangUp(call), .hold(call), .resume(call), .reinvite(call, nil), .ring(call), .reject(call, 486),
                .answer(call, World.media()),
            ]
            world.perform(Self.one(of: commands, &random), at: host)
        }
    }

    @Test func everyCallEndsOnBothSidesAndNothingIsLeft() {
        for seed in Seeds.upTo(150) {
            var swarm = Swarm(seed: seed)
            swarm.run()
            let world = swarm.world
            for host in [swarm.alice, swarm.bob] {
                let rest = "seed \(seed): \(String(describing: world.core(of: host)?.occupancy))"
                #expect(world.isAtRest(host), "\(rest)")
            }
            #expect(world.faults.isEmpty, "seed \(seed): \(world.faults)")
            #expect(world.unendedCalls == [], "seed \(seed)")
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
