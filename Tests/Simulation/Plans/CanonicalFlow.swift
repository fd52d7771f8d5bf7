import EngineKit
import SIPMessages

/// The flows of which every message, and every pair of messages, is lost, doubled and delayed once.
package enum CanonicalFlow: String, CaseIterable, Sendable {
    case call, refusal, cancellation, cancelRace, holdAndResume, glare, offerless, reliableEarlyMedia
    case registration, callThroughProxy, forkedCall, redirection, options
    case blindTransfer, subscription

    package var plan: Plan {
        var plan = Plan(seed: 1, setting: setting, conditions: .perfect, mishaps: nil, steps: [])
        for (milliseconds, phone, deed) in deeds {
            plan.steps.append(Plan.Step(at: .zero + .milliseconds(milliseconds), what: .deed(phone, deed)))
        }
        return plan
    }

    private var setting: Setting {
        var setting = Setting()
        let count = [.forkedCall, .redirection, .blindTransfer].contains(self) ? 3 : 2
        for index in 0..<count {
            var behaviour = Behaviour(ringAfter: .zero)
            if self == .blindTransfer {
                behaviour.decidesTransfersAfter = .milliseconds(100)
                if index == 2 { behaviour.answerAfter = .milliseconds(500) }
            }
            setting.phones.append(Setting.Phone(behaviour: behaviour, user: Setting.names[index].lowercased()))
        }
        if [.registration, .callThroughProxy, .forkedCall, .subscription].contains(self) {
            setting.proxies = [
                Setting.Server(
                    challengesCalls: true, recordsRoute: true, minimumExpires: 60, maximumExpires: 3600,
                    algorithm: .sha256, usesPerNonce: 1000)
            ]
            for index in setting.phones.indices { setting.phones[index].proxy = 0 }
        }
        return setting
    }

    /// Milliseconds, the phone, and what its person does.
    private var deeds: [(Int, Int, Deed)] {
        let place = (0, 0, Deed.call(1, to: .phone(1), Deed.Placing()))
        let established = [place, (1000, 1, .answer(1))]
        let ends: [(Int, Int, Deed)] = [(9000, 0, .hangUp(1))]
        switch self {
        case .call: return established + ends
        case .refusal: return [place, (500, 1, .reject(1, 486))]
        case .cancellation: return [place, (1000, 0, .hangUp(1))]
        case .cancelRace: return [place, (1000, 1, .answer(1)), (1005, 0, .hangUp(1))]
        case .holdAndResume: return established + [(2000, 0, .hold(1)), (3000, 0, .resume(1))] + ends
        case .glare: return established + [(2000, 0, .reinvite(1)), (2005, 1, .hold(1))] + ends
        case .offerless:
            return [(0, 0, .call(1, to: .phone(1), Deed.Placing(offersInInvite: false))), (1000, 1, .answer(1))] + ends
        case .reliableEarlyMedia: return [place, (200, 1, .progress(1)), (1500, 1, .answer(1))] + ends
        case .registration: return [(0, 0, .register), (5000, 0, .unregister)]
        case .callThroughProxy:
            return [(0, 0, .register), (0, 1, .register), (1000, 0, .call(1, to: .phone(1), Deed.Placing()))]
                + [(2000, 1, .answer(1)), (5000, 0, .hangUp(1))]
        case .forkedCall:
            let registrations = (0..<3).map { (0, $0, Deed.register) }
            return registrations + [(1000, 0, .call(1, to: .everybody, Deed.Placing()))]
                + [(2000, 1, .answer(1)), (2005, 2, .answer(1)), (5000, 0, .hangUp(1))]
        case .redirection:
            return [(0, 0, .call(1, to: .phone(1), Deed.Placing(redirectionLimit: 5))), (500, 1, .redirect(1, to: 2))]
                + [(1500, 2, .answer(1)), (5000, 0, .hangUp(1))]
        case .blindTransfer: return established + [(2000, 0, .transfer(1, to: .phone(2), subscribes: true))]
        case .subscription:
            return [(0, 0, .register), (0, 1, .register)]
                + [(1000, 0, .subscribe(1, to: .phone(1), .presence, expires: 60)), (8000, 1, .appear(isOpen: false))]
                + [(9000, 0, .unsubscribe(1))]
        case .options: return [(0, 0, .options(1, to: .phone(1))), (2000, 1, .options(2, to: .phone(0)))]
        }
    }
}

/// One run of a flow, with what became of some of its datagrams.
package struct SweepCase: Sendable, CustomStringConvertible {
    package let flow: CanonicalFlow
    /// By number in the order of sending.
    package let mishaps: [Int: Mishap]

    package var description: String {
        let list = mishaps.sorted { $0.key < $1.key }.map { "message \($0.key + 1) \($0.value)" }
        return "\(flow.rawValue), \(list.joined(separator: ", "))"
    }

    /// The run, played to its end.
    package func played() -> Trial {
        var trial = Trial(flow.plan)
        trial.world.network.appointed = mishaps.mapValues { [$0] }
        trial.run()
        return trial
    }

    private static let kinds: [Mishap] = [
        .lost, .doubled(after: .milliseconds(300)), .late(by: .milliseconds(700)), .late(by: .seconds(6)),
    ]

    /// Every message of the flow, and every pair of them, with every mishap.
    package static func all(of flow: CanonicalFlow) -> [SweepCase] {
        // What is sent when all is over does not belong to the flow.
        let count = Trial.datagramsBeforeTheEnd(of: flow.plan)
        var cases = (0..<count).flatMap { number in kinds.map { SweepCase(flow: flow, mishaps: [number: $0]) } }
        for first in 0..<count {
            for second in first + 1..<count + 2 {
                for one in kinds.prefix(3) {
                    // In a long flow both meet with the same.
                    for other in count > 20 ? [one] : Array(kinds.prefix(3)) {
                        cases.append(SweepCase(flow: flow, mishaps: [first: one, second: other]))
                    }
                }
            }
        }
        return cases
    }
}

extension Trial {
    fileprivate static func datagramsBeforeTheEnd(of plan: Plan) -> Int {
        var trial = Trial(plan)
        trial.playSteps()
        return trial.world.datagrams
    }
}
