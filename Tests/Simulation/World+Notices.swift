import EngineKit
import SIPMessages
import SIPUserAgent

extension World {
    /// The names of all that the phone told of, in order.
    package func story(of host: HostID) -> [String] {
        notices(of: host).map { notice in
            String(String(describing: notice.event).prefix { $0 != "(" })
        }
    }

    /// How the calls of the phone ended, in the order of ending.
    package func ends(at host: HostID) -> [CallEnd] {
        notices(of: host).compactMap { notice in
            if case .ended(_, let end) = notice.event { end } else { nil }
        }
    }

    /// The calls of the phone whose end was told.
    package func endedCalls(at host: HostID) -> Set<CallHandle> {
        Set(
            notices(of: host).compactMap { notice in
                if case .ended(let call, _) = notice.event { call } else { nil }
            })
    }

    /// The calls that came in at the phone, in order.
    package func incomingCalls(at host: HostID) -> [CallHandle] {
        notices(of: host).compactMap { notice in
            if case .incomingCall(let handle, _) = notice.event { handle } else { nil }
        }
    }

    /// Whether the phone keeps nothing any more: no call, no transaction, no question, no deadline.
    package func isAtRest(_ host: HostID) -> Bool {
        core(of: host)?.occupancy == .empty
    }

    /// How many messages with that summary the ladder shows from `sender`, lost ones too.
    package func count(_ summary: String, from sender: HostID) -> Int {
        let name = hosts[sender.index].name
        return ladder.lines.count { line in
            line.contains(" \(name) -") && line.hasSuffix("  \(summary)")
        }
    }

    /// The calls of all phones that were told of and whose end was never told, or told more than once.
    package var unendedCalls: [String] {
        hosts.flatMap { host in
            var open: [CallHandle: Int] = [:]
            var ends: [CallHandle: Int] = [:]
            for notice in host.notices {
                switch notice.event {
                case .incomingCall(let call, _), .trying(let call), .ringing(let call, _), .answered(let call, _):
                    open[call, default: 0] += 1
                case .ended(let call, _):
                    ends[call, default: 0] += 1
                default:
                    break
                }
            }
            let wrong = Set(open.keys).union(ends.keys).filter { ends[$0] != 1 }
            return wrong.sorted().map { "\(host.name): call \($0.rawValue) ended \(ends[$0] ?? 0) times" }
        }
    }
}
