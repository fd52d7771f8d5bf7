import EngineKit
import SIPMessages
import SIPUserAgent

/// What people do beside calling: they transfer calls, send digits, write, and watch each other.
///
/// It is drawn when the rest of the plan stands, and only ever added: one seed in three has none of it.
extension Plan {
    mutating func addErrands(drawnFrom random: inout RandomSource) {
        guard random.one(of: [true, true, false]) else { return }
        let errands = Set(Errand.allCases.filter { _ in Bool.random(using: &random) })
        var people = random.split()
        drawHabits(from: &people)
        var workload = random.split()
        var added = errandsInCalls(errands, &workload)
        for number in 0..<2 as Range<UInt32> {
            var source = random.split()
            if errands.contains(.transferring) { added += transfer(101 + 2 * number, &source) }
        }
        for number in 1...3 as ClosedRange<UInt32> {
            var source = random.split()
            if errands.contains(.watching) { added += watch(number, &source) }
        }
        var others = random.split()
        added += errandsWithoutCalls(errands, &others)
        var rogues = random.split()
        added += meetRogue(&rogues)
        // Drawn last, so that plans keep what they had before.
        var questions = random.split()
        added += questionsInCalls(&questions)
        var visitors = random.split()
        added += visits(&visitors)
        steps = (steps + added).enumerated().sorted {
            ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
        }.map(\.element)
    }

    private enum Errand: CaseIterable {
        case transferring, connecting, digits, writing, watching, publishing, appearing, deactivating
    }

    private mutating func drawHabits(from random: inout RandomSource) {
        for index in setting.phones.indices {
            var behaviour = setting.phones[index].behaviour
            behaviour.decidesTransfersAfter = random.one(of: [nil, .zero, .milliseconds(200), .seconds(3)])
            behaviour.takesTransfers = random.one(of: [true, true, true, false])
            behaviour.takesReplacementsAfter = random.one(of: [nil, .zero, .seconds(1)])
            setting.phones[index].behaviour = behaviour
            setting.phones[index].transfers = TransferRules(
                refer: random.one(of: [.ask, .allow, .ask, .deny]),
                replaces: random.one(of: [.ask, .allow, .allow, .deny]))
            setting.phones[index].takesMessages = Bool.random(using: &random)
        }
    }

    /// What anybody may be told of, the registrations of a domain aside.
    private static let topics: [Deed.Topic] = [.presence, .dialog, .messageSummary]

    func phone(_ random: inout RandomSource) -> Int { Int.random(in: setting.phones.indices, using: &random) }

    // MARK: - Calls

    /// What is done in the calls that are there.
    private func errandsInCalls(_ errands: Set<Errand>, _ random: inout RandomSource) -> [Step] {
        var added: [Step] = []
        for step in steps {
            guard case .deed(let caller, .call(let number, let callee, _)) = step.what else { continue }
            let other: Int? = if case .phone(let index) = callee { index } else { nil }
            for _ in 0..<random.one(of: [0, 1, 3]) {
                let at = step.at + .milliseconds(300) + random.duration(upTo: .seconds(30))
                let actor = random.one(of: [caller, other ?? caller, phone(&random)])
                let deeds: [(Errand, Deed)] = [
                    (
                        .transferring,
                        .transfer(number, to: .phone(phone(&random)), subscribes: random.one(of: [true, true, false]))
                    ),
                    (.connecting, .connect(number, with: UInt32.random(in: 1...3, using: &random))),
                    (.digits, .digits(number, random.one(of: [1, 4]))), (.digits, .digits(number, 2)),
                    (.writing, .write(number)),
                ]
                let (errand, deed) = random.one(of: deeds)
                if errands.contains(errand) { added.append(Step(at: at, what: .deed(actor, deed))) }
            }
        }
        return added
    }

    /// A call that its caller, or who was called, puts through to a third one: blindly, or after having asked there.
    private func transfer(_ number: UInt32, _ random: inout RandomSource) -> [Step] {
        let (one, other, target) = (phone(&random), phone(&random), phone(&random))
        guard one != other, target != one else { return [] }
        let start = Instant.zero + random.duration(upTo: .seconds(40))
        var at = start
        var added: [Step] = []
        func then(after delay: Duration, _ actor: Int, _ deed: Deed) {
            at += delay
            added.append(Step(at: at, what: .deed(actor, deed)))
        }
        then(after: .zero, one, .call(number, to: .phone(other), Deed.Placing()))
        then(after: .milliseconds(500) + random.duration(upTo: .seconds(4)), other, .answer(number))
        let transferor = random.one(of: [one, one, other])
        if Bool.random(using: &random) {
            let consultation = number + 1
            then(
                after: .milliseconds(500) + random.duration(upTo: .seconds(4)), transferor,
                .call(consultation, to: .phone(target), Deed.Placing()))
            then(after: .milliseconds(500) + random.duration(upTo: .seconds(4)), target, .answer(consultation))
            then(
                after: .milliseconds(500) + random.duration(upTo: .seconds(4)), transferor,
                .connect(number, with: consultation))
        } else {
            then(
                after: .milliseconds(500) + random.duration(upTo: .seconds(4)), transferor,
                .transfer(number, to: .phone(target), subscribes: random.one(of: [true, true, false])))
        }
        // Somebody may not wait for the end of it.
        if random.one(of: [true, false, false]) {
            then(after: random.duration(upTo: .seconds(6)), random.one(of: [one, other, target]), .hangUp(number))
        }
        return added
    }

    // MARK: - Watching

    /// A subscription, and what there is to be told.
    private func watch(_ number: UInt32, _ random: inout RandomSource) -> [Step] {
        let watcher = phone(&random)
        let start = Instant.zero + random.duration(upTo: .seconds(40))
        let topic = random.one(of: Self.topics)
        let watched = topic == .messageSummary ? watcher : phone(&random)
        let callee: Deed.Callee
        if !setting.rogues.isEmpty, random.one(of: [true, false, false, false]) {
            callee = .rogue(Int.random(in: setting.rogues.indices, using: &random))
        } else {
            callee =
                !setting.proxies.isEmpty && random.one(of: [true, false, false, false]) ? .everybody : .phone(watched)
        }
        let expires: UInt32 = random.one(of: [0, 30, 60, 60, 120])
        var added = [Step(at: start, what: .deed(watcher, .subscribe(number, to: callee, topic, expires: expires)))]
        if random.one(of: [true, true, false]) {
            let at = start + random.duration(upTo: .seconds(40))
            added.append(Step(at: at, what: .deed(watcher, .unsubscribe(number))))
        }
        return added
    }

    private func errandsWithoutCalls(_ errands: Set<Errand>, _ random: inout RandomSource) -> [Step] {
        var added: [Step] = []
        for _ in 0..<random.one(of: [0, 2, 6]) {
            let at = Instant.zero + random.duration(upTo: .seconds(60))
            let actor = phone(&random)
            let isOpen = Bool.random(using: &random)
            let callee = setting.proxies.isEmpty ? Deed.Callee.phone(phone(&random)) : .everybody
            let proxy = setting.proxies.isEmpty ? nil : Int.random(in: setting.proxies.indices, using: &random)
            var choices: [(Errand, What)] = [
                (.writing, .deed(actor, .message(to: random.one(of: [callee, .phone(phone(&random))])))),
                (.appearing, .deed(actor, .appear(isOpen: isOpen))),
            ]
            if let proxy {
                choices.append((.publishing, .deed(actor, .publish(isOpen: isOpen))))
                choices.append((.publishing, .deed(actor, random.one(of: [.retract, .publish(isOpen: isOpen)]))))
                choices.append((.deactivating, .fault(.deactivates(proxy))))
            }
            let (errand, what) = random.one(of: choices)
            if errands.contains(errand) { added.append(Step(at: at, what: what)) }
        }
        return added
    }

    // MARK: - Any other request

    /// Requests that nobody has a use for, in the calls that are there and outside any.
    private func questionsInCalls(_ random: inout RandomSource) -> [Step] {
        guard Bool.random(using: &random) else { return [] }
        let methods: [Method] = [.options, Deed.unknownMethod]
        var added: [Step] = []
        for step in steps {
            guard case .deed(let caller, .call(let number, let callee, _)) = step.what else { continue }
            let at = step.at + .milliseconds(300) + random.duration(upTo: .seconds(30))
            let other: Int? = if case .phone(let index) = callee { index } else { nil }
            let actor = random.one(of: [caller, other ?? caller])
            added.append(Step(at: at, what: .deed(actor, .ask(number, random.one(of: [.info] + methods)))))
        }
        for _ in 0..<3 {
            let callee = setting.proxies.isEmpty ? Deed.Callee.phone(phone(&random)) : .everybody
            let at = Instant.zero + random.duration(upTo: .seconds(60))
            added.append(Step(at: at, what: .deed(phone(&random), .inquire(random.one(of: methods), to: callee))))
        }
        return added
    }

    /// One more who breaks rules, and somebody who meets it.
    private mutating func meetRogue(_ random: inout RandomSource) -> [Step] {
        guard Bool.random(using: &random) else { return [] }
        let kind = random.one(of: Rogue.onErrands)
        let rogue = setting.rogues.count
        setting.rogues.append(kind)
        let actor = phone(&random)
        let start = Instant.zero + random.duration(upTo: .seconds(40))
        var added: [Step] = []
        if Bool.random(using: &random) {
            added.append(Step(at: start, what: .fault(.troubles(rogue: rogue, phone: actor))))
        }
        let number: UInt32 = 201
        added.append(Step(at: start, what: .deed(actor, .call(number, to: .rogue(rogue), Deed.Placing()))))
        var at = start
        for _ in 0..<4 {
            at += .milliseconds(400) + random.duration(upTo: .seconds(4))
            let deed = random.one(of: [
                Deed.hold(number), .resume(number), .reinvite(number), .update(number),
                .transfer(number, to: .phone(phone(&random)), subscribes: true),
            ])
            added.append(Step(at: at, what: .deed(actor, deed)))
        }
        let topic = random.one(of: Self.topics)
        added.append(
            Step(at: start, what: .deed(actor, .subscribe(201, to: .rogue(rogue), topic, expires: 60))))
        return added
    }
}
