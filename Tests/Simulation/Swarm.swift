import EngineKit
import SIPMessages
import SIPUserAgent

/// Two phones whose people do anything at any time, over a network with any faults, all from a seed.
package struct Swarm {
    package private(set) var world: World
    let alice: HostID
    let bob: HostID
    private var random: RandomSource
    private var calls: UInt32 = 0
    private var placed: [HostID: [CallHandle]] = [:]

    package init(seed: UInt64) {
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
        let reliability = [Self.one(of: Self.reliability, &random), Self.one(of: Self.reliability, &random)]
        let timers = [Self.one(of: Self.timers, &random), Self.one(of: Self.timers, &random)]
        alice = world.addPhone("Alice", at: .v4(0xc000_0201), behaviour: first) {
            $0.reliableProvisionals = reliability[0]
            $0.sessionTimers = timers[0]
        }
        bob = world.addPhone("Bob", at: .v4(0xc000_0202), behaviour: second) {
            $0.reliableProvisionals = reliability[1]
            $0.sessionTimers = timers[1]
        }
    }

    private static let reliability: [ReliableProvisionalsPolicy] = [.supported, .supported, .required, .off]
    private static let timers = [
        SessionTimerPolicy.supported, SessionTimerPolicy(use: .wanted, interval: 90), SessionTimerPolicy(use: .off),
    ]

    private static func one<T>(of choices: [T], _ random: inout RandomSource) -> T {
        choices[Int.random(in: choices.indices, using: &random)]
    }

    /// Plays it to its end.
    package mutating func run() {
        for _ in 0..<Int.random(in: 3...14, using: &random) {
            act()
            world.run(for: .milliseconds(Int.random(in: 0...3000, using: &random)))
        }
        // Sometimes the sessions are refreshed before they end.
        if Int.random(in: 0..<4, using: &random) == 0 { world.run(for: .seconds(200)) }
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
            .answer(call, World.media()), .progress(call, World.media()),
            .update(call, nil),
        ]
        world.perform(Self.one(of: commands, &random), at: host)
    }

    /// What must hold once it has come to rest and does not: calls that did not end on both sides, state that was left,
    /// messages that do not parse back or break RFC 3261 §8.
    package var failures: [String] {
        var failures = world.faults.map { "\($0)" }
        for host in [alice, bob] where !world.isAtRest(host) {
            failures.append("left behind: \(String(describing: world.core(of: host)?.occupancy))")
        }
        for call in world.unendedCalls { failures.append("not ended: \(call)") }
        return failures
    }
}
