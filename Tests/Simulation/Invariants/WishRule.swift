import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// I10: a phone offers what its person wants, and after a refusal what was agreed on before (RFC 3261 §14.1).
struct WishRule {
    private struct Wishes {
        /// Whether the peer is on hold by what was last accepted.
        var isHolding = false
        /// What was asked for and is in the offer on its way, or was.
        var offered: [Bool] = []
        /// What was asked for since.
        var asked: [Bool] = []
        /// What the last offer said.
        var said: Bool?
        var lastOffer: TransactionName?
    }

    /// By Call-ID.
    private var calls: [String: Wishes] = [:]

    mutating func commanded(_ command: Command, callID: (CallHandle) -> String?) {
        switch command {
        case .hold(let handle): if let callID = callID(handle) { calls[callID, default: Wishes()].asked.append(true) }
        case .resume(let handle):
            if let callID = callID(handle) { calls[callID, default: Wishes()].asked.append(false) }
        case .reinvite(let handle, _), .update(let handle, _):
            // Asks anew for what waits.
            if let callID = callID(handle), let wishes = calls[callID] { calls[callID]?.asked += wishes.offered }
        default: break
        }
    }

    mutating func sent(_ traffic: Traffic, _ findings: inout Findings) {
        guard let request = traffic.request, request.to.tag != nil, [.invite, .update].contains(request.method),
            let direction = (try? SessionDescription(parsing: request.body))?.direction
        else { return }
        var wishes = calls[request.callID] ?? Wishes()
        let name = TransactionName(traffic.message)
        guard wishes.lastOffer != name else { return }
        wishes.lastOffer = name
        wishes.offered += wishes.asked
        wishes.asked = []
        let isHolding = !direction.receives
        if isHolding != wishes.isHolding, !wishes.offered.contains(isHolding) {
            findings.add(
                .offersTakeTurns, "\(request.method) offers \(direction.rawValue), which is not wanted any more")
        }
        wishes.said = isHolding
        calls[request.callID] = wishes
    }

    mutating func told(_ event: Event, callID: (CallHandle) -> String?) {
        switch event {
        case .modified(let handle):
            guard let callID = callID(handle) else { return }
            if let said = calls[callID]?.said { calls[callID]?.isHolding = said }
            calls[callID]?.offered = []
        case .modifyFailed(let handle, _):
            guard let callID = callID(handle) else { return }
            calls[callID]?.offered = []
        default:
            break
        }
    }
}

extension SessionDescription {
    /// The direction of the first stream that is not removed.
    fileprivate var direction: Direction? {
        media.first { $0.port != 0 }.map(direction)
    }
}
