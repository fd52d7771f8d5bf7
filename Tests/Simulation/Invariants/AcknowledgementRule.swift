import EngineKit
import SIPMessages
import SIPTransactions

/// I3: every final response to an INVITE that arrives is acknowledged, each time; and every dialog that a 2xx made is
/// ended by BYE, on one side or the other.
struct AcknowledgementRule {
    private struct Acceptance: Hashable {
        let callID: String
        let sequence: UInt32
        let remoteTag: String
    }

    private struct DialogName: Hashable {
        let callID: String
        let remoteTag: String
    }

    private struct Receipt {
        /// When it came first, and last.
        let first: Instant
        var arrivedAt: Instant
        var acknowledgedAt: Instant?
        /// Whether an ACK must go out, and not only may.
        var isOwed = true
    }

    /// The Call-ID and CSeq of the INVITEs that the phone sent, and when the first one of the call left.
    private var invites: [String: Set<UInt32>] = [:]
    /// Those of them that began a call, challenged ones too.
    private var beginnings: [String: Set<UInt32>] = [:]
    private var accepted: Set<TransactionName> = []
    private var acceptances: [Acceptance: Receipt] = [:]
    /// 2xx that bear the number of an INVITE and the branch of none.
    private var strays: Set<Acceptance> = []
    private var refusals: [TransactionName: (receipt: Receipt, first: Instant, isReliable: Bool)] = [:]
    /// When each INVITE left first, and whether anything came back in time.
    private var transactions: [TransactionName: (first: Instant, isAlive: Bool)] = [:]
    private var byes: Set<DialogName> = []
    private var forks: [String: Set<String>] = [:]
    /// Calls that came back to the phone that placed them.
    private var ownCalls: Set<String> = []
    private var endedAt: [String: Instant] = [:]

    mutating func ended(callID: String, at now: Instant) {
        endedAt[callID] = now
    }

    mutating func sent(_ traffic: Traffic, _ findings: inout Findings) {
        guard let request = traffic.request else {
            return
        }
        switch request.method {
        case .invite:
            invites[request.callID, default: []].insert(request.cSeq.number)
            if request.to.tag == nil { beginnings[request.callID, default: []].insert(request.cSeq.number) }
            let name = TransactionName(traffic.message)
            if transactions[name] == nil { transactions[name] = (traffic.at, false) }
        case .ack:
            let acceptance = acceptance(
                callID: request.callID, sequence: request.cSeq.number, remoteTag: request.to.tag ?? "")
            let refusal = TransactionName(traffic.message).of(.invite)
            if refusals[refusal] != nil {
                refusals[refusal]?.receipt.acknowledgedAt = traffic.at
            } else if acceptances[acceptance] != nil {
                acceptances[acceptance]?.acknowledgedAt = traffic.at
            } else if !strays.contains(acceptance) {
                findings.add(.acceptancesAreAcknowledged, "ACK of nothing that arrived")
            }
        case .bye:
            byes.insert(DialogName(callID: request.callID, remoteTag: request.to.tag ?? ""))
        default:
            break
        }
    }

    mutating func arrived(_ traffic: Traffic) {
        switch traffic.message {
        case .request(let request):
            if request.method == .invite, beginnings[request.callID] != nil { ownCalls.insert(request.callID) }
            if request.method == .bye {
                byes.insert(DialogName(callID: request.callID, remoteTag: request.from.tag ?? ""))
            }
        case .response(let response):
            let name = TransactionName(traffic.message)
            if let known = transactions[name], traffic.at - known.first < .seconds(32) {
                transactions[name]?.isAlive = true
            }
            guard response.cSeq.method == .invite, response.status.isFinal, response.vias.count == 1,
                invites[response.callID]?.contains(response.cSeq.number) == true
            else { return }
            if response.status.isSuccess {
                accepted.insert(name)
                acceptanceArrived(response, wasRefused: refusals[name] != nil, at: traffic.at)
            } else {
                refusalArrived(response, traffic)
            }
        }
    }

    /// A response that no request of the phone asked for as it stands. A 2xx may be acknowledged by its number all the same:
    /// it ends what the peer repeats, whatever became of the INVITE.
    mutating func strayed(_ response: Response) {
        guard response.cSeq.method == .invite, response.status.isSuccess,
            invites[response.callID]?.contains(response.cSeq.number) == true
        else { return }
        strays.insert(
            acceptance(
                callID: response.callID, sequence: response.cSeq.number, remoteTag: response.to.tag ?? ""))
    }

    /// Only an INVITE that began a call makes several dialogs; a change is known by its number.
    private func acceptance(callID: String, sequence: UInt32, remoteTag: String) -> Acceptance {
        let begins = beginnings[callID]?.contains(sequence) == true
        return Acceptance(callID: callID, sequence: sequence, remoteTag: begins ? remoteTag : "")
    }

    private mutating func acceptanceArrived(_ response: Response, wasRefused: Bool, at now: Instant) {
        let tag = response.to.tag ?? ""
        guard !tag.isEmpty || beginnings[response.callID]?.contains(response.cSeq.number) != true else { return }
        let name = acceptance(callID: response.callID, sequence: response.cSeq.number, remoteTag: tag)
        // Long after the end nobody remembers the call, a changed one is over with its BYE, and no more than 64 forks are
        // ended.
        let begins = beginnings[response.callID]?.contains(response.cSeq.number) == true
        if begins { forks[response.callID, default: []].insert(tag) }
        let isRemembered = endedAt[response.callID].map { begins && now - $0 < .seconds(32) } ?? true
        // The transaction of a change is over 64*T1 after its first 2xx (RFC 3261 §13.2.2.4).
        let first = acceptances[name]?.first ?? now
        let isOver = !begins && now - first >= .seconds(32)
        let isOwed = isRemembered && !isOver && !wasRefused && (forks[response.callID]?.count ?? 0) <= 64
        guard isOwed || acceptances[name] == nil else { return }
        let acknowledgedAt = acceptances[name]?.acknowledgedAt
        acceptances[name] = Receipt(first: first, arrivedAt: now, acknowledgedAt: acknowledgedAt, isOwed: isOwed)
    }

    private mutating func refusalArrived(_ response: Response, _ traffic: Traffic) {
        let name = TransactionName(traffic.message)
        // Timer B, a 2xx, and 64*T1 after CANCEL end the wait.
        let isOwed =
            transactions[name]?.isAlive == true && !accepted.contains(name)
            && (endedAt[response.callID].map { traffic.at - $0 < .seconds(32) } ?? true)
        if var known = refusals[name] {
            // Timer D: 32 s, or nothing over streams.
            guard isOwed, !known.isReliable, traffic.at - known.first < .seconds(32) else { return }
            known.receipt.arrivedAt = traffic.at
            refusals[name] = known
        } else {
            let receipt = Receipt(first: traffic.at, arrivedAt: traffic.at, isOwed: isOwed)
            refusals[name] = (receipt, traffic.at, traffic.flow.transport.isReliable)
        }
    }

    /// - Parameter mayMiss: the resolver failed or messages could not be sent, so that an ACK or BYE may be missing.
    func atRest(mayMiss: Bool, _ findings: inout Findings) {
        guard !mayMiss else { return }
        for (name, receipt) in acceptances where receipt.isOwed && !ownCalls.contains(name.callID) {
            // The ACK of a change may still have been looking for its way when the call ended.
            if beginnings[name.callID]?.contains(name.sequence) != true,
                let end = endedAt[name.callID], end - receipt.arrivedAt < .seconds(5)
            {
                continue
            }
            if receipt.acknowledgedAt.map({ $0 < receipt.arrivedAt }) ?? true {
                findings.add(
                    .acceptancesAreAcknowledged,
                    "2xx of \(name.sequence) INVITE came at \(Ladder.clock(receipt.arrivedAt)) and was not acknowledged"
                )
            }
            if !name.remoteTag.isEmpty, !byes.contains(DialogName(callID: name.callID, remoteTag: name.remoteTag)) {
                findings.add(.acceptancesAreAcknowledged, "the dialog of a 2xx was never ended by BYE")
            }
        }
        for (_, refusal) in refusals
        where refusal.receipt.isOwed && refusal.receipt.acknowledgedAt.map({ $0 < refusal.receipt.arrivedAt }) ?? true {
            findings.add(.acceptancesAreAcknowledged, "a refusal was not acknowledged")
        }
    }
}
