import EngineKit
import SIPMessages
import SIPUserAgent

extension Plan {
    /// The plan of a seed. Every part is drawn from a source of its own, and every part may be missing altogether, so
    /// that seeds differ in kind and not only in degree.
    package init(seed: UInt64) {
        var root = RandomSource(seed: seed)
        var weather = root.split()
        var people = root.split()
        var workload = root.split()
        var calls = root.split()
        var faults = root.split()
        var errands = root.split()
        self.init(
            seed: seed, setting: Setting(drawnFrom: &people), conditions: NetworkConditions(drawnFrom: &weather),
            mishaps: nil, steps: [])
        let features = Set(Feature.allCases.filter { _ in Bool.random(using: &workload) })
        var steps = registrations(features, &workload)
        for number in 1...UInt32.random(in: 1...6, using: &workload) {
            var source = calls.split()
            steps += call(number, features, &source)
        }
        steps += troubles(&faults)
        self.steps = steps.enumerated().sorted {
            ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
        }.map(\.element)
        addErrands(drawnFrom: &errands)
    }

    /// What the people of a seed may do beside calling, answering and hanging up.
    enum Feature: CaseIterable {
        case holding, reinviting, rejecting, redirecting, offerless, streams, options, quitting, unregistering, forking
        case progressing
    }

    private func registrations(_ features: Set<Feature>, _ random: inout RandomSource) -> [Step] {
        var steps: [Step] = []
        for (index, phone) in setting.phones.enumerated() where phone.proxy != nil {
            let at = Instant.zero + random.duration(upTo: .seconds(3))
            steps.append(Step(at: at, what: .deed(index, .register)))
            if random.one(of: [true, false, false]), features.contains(.unregistering) {
                let at = Instant.zero + random.duration(upTo: .seconds(60))
                steps.append(Step(at: at, what: .deed(index, random.one(of: [.unregister, .register]))))
            }
        }
        return steps
    }

    /// A call, and what both sides do in it.
    private func call(_ number: UInt32, _ features: Set<Feature>, _ random: inout RandomSource) -> [Step] {
        let phones = setting.phones.count
        let caller = Int.random(in: 0..<phones, using: &random)
        let other = (caller + Int.random(in: 1..<phones, using: &random)) % phones
        let start = Instant.zero + random.duration(upTo: .seconds(40))
        var placing = Deed.Placing()
        if random.one(of: [true, false, false]), features.contains(.streams) { placing.transport = .tcp }
        if random.one(of: [true, false, false]), features.contains(.offerless) { placing.offersInInvite = false }
        placing.redirectionLimit = random.one(of: [0, 5])
        var callee = Deed.Callee.phone(other)
        if !setting.rogues.isEmpty, random.one(of: [true, false, false]) {
            callee = .rogue(Int.random(in: setting.rogues.indices, using: &random))
        } else if !setting.proxies.isEmpty, features.contains(.forking), Bool.random(using: &random) {
            callee = .everybody
        }
        var steps = [Step(at: start, what: .deed(caller, .call(number, to: callee, placing)))]
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let at = start + random.duration(upTo: .seconds(30))
            let phone = random.one(of: [caller, caller, other, Int.random(in: 0..<phones, using: &random)])
            let deeds: [(Feature?, Deed)] = [
                (nil, .ring(number)), (.progressing, .progress(number)), (.progressing, .progress(number)),
                (.redirecting, .redirect(number, to: Int.random(in: 0..<phones, using: &random))),
                (nil, .answer(number)), (nil, .answer(number)), (nil, .hangUp(number)),
                (.rejecting, .reject(number, random.one(of: [486, 603, 480, 404]))), (.holding, .hold(number)),
                (.holding, .resume(number)), (.reinviting, .reinvite(number)),
                (.reinviting, .update(number)), (.options, .options(number, to: callee)),
            ]
            let (feature, deed) = random.one(of: deeds)
            if feature.map(features.contains) ?? true { steps.append(Step(at: at, what: .deed(phone, deed))) }
        }
        if random.one(of: [true, false, false, false]), features.contains(.quitting) {
            let at = start + random.duration(upTo: .seconds(60))
            steps.append(Step(at: at, what: .deed(random.one(of: [caller, other]), .quit)))
        }
        return steps
    }

    // MARK: - Faults

    private func troubles(_ random: inout RandomSource) -> [Step] {
        var steps: [Step] = []
        for _ in 0..<random.one(of: [0, 0, 1, 3, 6]) {
            let at = Instant.zero + random.duration(upTo: .seconds(60))
            var source = random.split()
            if let fault = fault(&source) { steps.append(Step(at: at, what: .fault(fault))) }
        }
        return steps
    }

    private func fault(_ random: inout RandomSource) -> Fault? {
        let phone = Int.random(in: setting.phones.indices, using: &random)
        let proxy = setting.proxies.isEmpty ? nil : Int.random(in: setting.proxies.indices, using: &random)
        let rogue = setting.rogues.isEmpty ? nil : Int.random(in: setting.rogues.indices, using: &random)
        let time = random.duration(upTo: .seconds(45))
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return .resets(phone)
        case 1: return .stalls(phone, time)
        case 2: return .halfCloses(phone)
        case 3, 4:
            let other = proxy.map { Place.proxy($0) } ?? .phone((phone + 1) % setting.phones.count)
            let (one, two) = Bool.random(using: &random) ? (Place.phone(phone), other) : (other, Place.phone(phone))
            return .cuts(one, two, isBothWays: Bool.random(using: &random), time)
        case 5: return setting.phones[phone].natPatience == nil ? nil : .rebinds(phone)
        case 6:
            let network: UInt32 = setting.phones[phone].natPatience == nil ? 0xc633_6400 : 0x0a00_8000
            let address = network + UInt32(phone) << 4 + UInt32.random(in: 1...9, using: &random)
            return .moves(phone, to: .v4(address))
        case 7: return proxy.map { .restarts($0) }
        case 8: return proxy.map { .refuses($0, time, retryAfter: random.one(of: [0, 5, 40])) }
        case 9:
            let failures: [Outages.ResolverFailure] = [.notFound, .slow(time / 4), .silent]
            return .breaksResolver(phone, random.one(of: failures), time)
        case 10:
            return .breaksSending(
                phone, random.one(of: [.overloaded, .hostUnreachable, .networkUnreachable, .notPermitted]), time)
        default: return rogue.map { .troubles(rogue: $0, phone: phone) }
        }
    }
}

extension Setting {
    /// Two to six phones that call each other directly, through one proxy or through two, some of them behind NATs, and
    /// up to two that break rules.
    fileprivate init(drawnFrom random: inout RandomSource) {
        self.init()
        let servers = random.one(of: [0, 0, 0, 1, 1, 2])
        for _ in 0..<servers {
            proxies.append(
                Server(
                    challengesCalls: Bool.random(using: &random), recordsRoute: random.one(of: [true, true, false]),
                    minimumExpires: random.one(of: [0, 60, 900]), maximumExpires: random.one(of: [120, 3600]),
                    algorithm: random.one(of: [.md5, .sha256]), usesPerNonce: random.one(of: [1, 3, 1000])))
        }
        let keepsRoute = proxies.allSatisfy(\.recordsRoute)
        for index in 0..<random.one(of: [2, 2, 2, 3, 4, 6]) {
            var phone = Phone(behaviour: Behaviour(drawnFrom: &random), user: Self.name(index).lowercased())
            let wantsNAT = random.one(of: [true, false, false])
            let patience = random.one(of: [Duration.seconds(60), .seconds(300)])
            let sharesUser = random.one(of: [true, false, false, false])
            phone.visitsProxy = Bool.random(using: &random) || wantsNAT
            phone.expires = random.one(of: [60, 600, 3600])
            phone.isOpen = Bool.random(using: &random)
            phone.sessionTimers = random.one(of: [
                .supported, SessionTimerPolicy(use: .wanted, interval: 90), SessionTimerPolicy(use: .off),
            ])
            phone.reliableProvisionals = random.one(of: [.supported, .supported, .required, .off])
            if servers > 0 {
                phone.proxy = index % servers
                if wantsNAT, keepsRoute, phones.count(where: { $0.natPatience != nil }) < 2 {
                    phone.natPatience = patience
                }
                if sharesUser, index >= servers { phone.user = phones[index - servers].user }
            }
            phones.append(phone)
        }
        for _ in 0..<random.one(of: [0, 0, 1, 2]) { rogues.append(random.one(of: Rogue.usual)) }
        resolutionDelay = random.one(of: [.zero, .milliseconds(20), .seconds(2)])
    }
}

extension Behaviour {
    fileprivate init(drawnFrom random: inout RandomSource) {
        self.init(
            ringAfter: random.one(of: [nil, .zero, .milliseconds(150)]),
            answerAfter: random.one(of: [nil, .zero, .milliseconds(300), .seconds(2)]),
            isAutomatic: random.one(of: [true, false, false]))
    }
}

extension NetworkConditions {
    fileprivate init(drawnFrom random: inout RandomSource) {
        self.init(
            loss: random.one(of: [0, 0, 0.1, 0.3, 0.5]), duplication: random.one(of: [0, 0, 0.1, 0.5]),
            reordering: random.one(of: [0, 0, 0.2, 0.6]),
            lateness: random.one(of: [.seconds(1), .seconds(6), .seconds(40)]),
            corruption: random.one(of: [0, 0, 0, 0.05, 0.2]),
            delay: .milliseconds(1)...random.one(of: [.milliseconds(1), .milliseconds(80), .seconds(1)]),
            cutsStreams: Bool.random(using: &random))
    }
}

extension RandomSource {
    mutating func one<T>(of choices: [T]) -> T {
        choices[Int.random(in: choices.indices, using: &self)]
    }

    /// A duration up to `limit`, the short ones as likely as the long.
    mutating func duration(upTo limit: Duration) -> Duration {
        let scale = one(of: [limit, limit / 8, limit / 64])
        return .milliseconds(Int64.random(in: 0...scale.saturatedNanoseconds / 1_000_000, using: &self))
    }
}
