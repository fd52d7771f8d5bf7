import EngineKit
import SIPMessages
import SIPUserAgent

/// A plan put to the test.
package struct Trial: Sendable {
    package internal(set) var world: World
    let plan: Plan
    let phones: [HostID]
    private var queries: UInt32 = 0
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

    // MARK: - Deeds

    private mutating func command(for deed: Deed, at phone: Int) -> Command? {
        let account = AccountID(rawValue: 0)
        switch deed {
        case .register: return .register(account)
        case .unregister: return .unregister(account)
        case .call(let number, let callee, let placing):
            var call = OutgoingCall(
                target: plan.setting.target(callee, transport: placing.transport), media: World.media())
            call.offersInInvite = placing.offersInInvite
            call.redirectionLimit = placing.redirectionLimit
            return .call(CallHandle(rawValue: number), call)
        case .options(_, let callee):
            queries += 1
            let target = plan.setting.target(callee, transport: nil)
            return .request(RequestHandle(rawValue: queries), OutgoingRequest(.options, to: .address(target)))
        case .quit: return .shutDown
        case .ring(let number): return handle(number, at: phone).map { .ring($0) }
        case .progress(let number): return handle(number, at: phone).map { .progress($0, World.media()) }
        case .redirect(let number, let other):
            guard case .sip(let uri) = plan.setting.target(.phone(other), transport: nil) else { return nil }
            var headers = Headers()
            headers.append(Contact(uri))
            return handle(number, at: phone).map { .reject($0, 302, headers: headers) }
        case .answer(let number): return handle(number, at: phone).map { .answer($0, World.media()) }
        case .reject(let number, let status): return handle(number, at: phone).map { .reject($0, status) }
        case .hangUp(let number): return handle(number, at: phone).map { .hangUp($0) }
        case .hold(let number): return handle(number, at: phone).map { .hold($0) }
        case .resume(let number): return handle(number, at: phone).map { .resume($0) }
        case .reinvite(let number): return handle(number, at: phone).map { .reinvite($0, nil) }
        case .update(let number): return handle(number, at: phone).map { .update($0, nil) }
        }
    }

    /// The phone's own name for a call of the plan, on whichever side of it the phone is.
    private func handle(_ number: UInt32, at phone: Int) -> CallHandle? {
        let placed = CallHandle(rawValue: number)
        for host in phones {
            guard let callID = world.callID(of: placed, at: host) else { continue }
            return host == phones[phone] ? placed : world.handle(ofIncoming: callID, at: phones[phone])
        }
        return nil
    }
}
