import EngineKit
import SIPMessages
import SIPUserAgent

/// A plan put to the test.
package struct Trial: Sendable {
    package internal(set) var world: World
    let plan: Plan
    let phones: [HostID]
    /// Requests and digits of all phones so far.
    var queries: UInt32 = 0
    var digits = 0
    /// Numbers for calls that are not the plan's.
    var lastCall: UInt32 = 1_000_000

    package init(_ plan: Plan) {
        self.plan = plan
        world = World(seed: plan.seed, conditions: plan.conditions, setting: plan.setting)
        world.network.script = plan.mishaps
        world.logsEvents = plan.seed.isMultiple(of: 100)
        phones = plan.setting.phones.indices.map { HostID(index: $0) }
    }

    package init(seed: UInt64) {
        self.init(Plan(seed: seed))
    }

    package var violations: [Violation] { world.violations }

    /// What the conditions of the plan came to; with them in place of the conditions the run is the same.
    package var mishaps: [DatagramKey: [Mishap]] { world.network.mishaps }

    /// The plan, and the ladder of what was sent.
    package var story: String { "\(plan)\n\n\(world.ladder)" }

    /// Whether one seed in a hundred, played again, comes to the same messages and events at the same times.
    package var repeats: Bool {
        guard plan.seed.isMultiple(of: 100) else { return true }
        var again = Trial(plan)
        again.run()
        return again.world.fingerprint == world.fingerprint
    }

    /// Plays it to its end.
    package mutating func run() {
        playSteps()
        conclude()
    }

    mutating func playSteps() {
        for step in plan.steps {
            world.run(until: step.at)
            perform(step.what)
        }
        world.run(for: .seconds(5))
    }

    // MARK: - Steps

    private mutating func perform(_ what: Plan.What) {
        switch what {
        case .deed(let phone, let deed):
            if let command = command(for: deed, at: phone) { world.perform(command, at: phones[phone]) }
        case .fault(let fault):
            guard fault.places.allSatisfy(plan.setting.contains) else { return }
            world.ladder.remark("\(what)", at: world.now)
            perform(fault)
        }
    }

    private mutating func perform(_ fault: Fault) {
        switch fault {
        case .resets(let phone): world.resetConnections(of: phones[phone])
        case .stalls(let phone, let time): world.stallConnections(of: phones[phone], for: time)
        case .halfCloses(let phone): world.halfCloseConnections(of: phones[phone])
        case .cuts(let one, let other, let isBothWays, let time):
            world.cut(host(one), host(other), for: time)
            if isBothWays { world.cut(host(other), host(one), for: time) }
        case .rebinds(let phone): world.rebindNAT(of: phones[phone])
        case .moves(let phone, let address):
            if !world.isOff(phones[phone]) { world.move(phones[phone], to: address) }
        case .restarts(let proxy): world.restart(host(.proxy(proxy)))
        case .deactivates(let proxy): world.deactivate(host(.proxy(proxy)))
        case .refuses(let proxy, let time, let retryAfter):
            world.refuse(at: host(.proxy(proxy)), for: time, retryAfter: retryAfter)
        case .breaksResolver(let phone, let failure, let time):
            world.outages.breakResolver(of: phones[phone], failure, until: world.now + time)
        case .breaksSending(let phone, let failure, let time):
            world.outages.breakSending(of: phones[phone], failure, until: world.now + time)
        case .troubles(let rogue, let phone):
            world.letTrouble(host(.rogue(rogue)), phones[phone])
        }
    }

    private func host(_ place: Plan.Place) -> HostID {
        switch place {
        case .phone(let index): phones[index]
        case .proxy(let index): HostID(index: phones.count + index)
        case .rogue(let index): HostID(index: phones.count + plan.setting.proxies.count + index)
        }
    }
}
