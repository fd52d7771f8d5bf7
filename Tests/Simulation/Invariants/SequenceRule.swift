import EngineKit
import SIPMessages
import SIPTransactions

/// I9: a request that comes behind a later one of its dialog is not taken (RFC 3261 §12.2.2).
struct SequenceRule {
    private struct Side: Hashable {
        let callID: String
        let localTag: String
        let remoteTag: String
    }

    /// The highest number of the peer's that was taken.
    private var taken: [Side: UInt32] = [:]
    /// Requests within dialogs, and whether a later one was taken when they first arrived.
    private var isLate: [TransactionName: Bool] = [:]

    mutating func arrived(_ traffic: Traffic) {
        guard let request = traffic.request, let tag = request.to.tag, request.method != .ack,
            request.method != .cancel
        else { return }
        let name = TransactionName(traffic.message)
        guard isLate[name] == nil else { return }
        let side = Side(callID: request.callID, localTag: tag, remoteTag: request.from.tag ?? "")
        isLate[name] = taken[side].map { request.cSeq.number <= $0 } ?? false
    }

    mutating func sent(_ traffic: Traffic, _ findings: inout Findings) {
        guard let response = traffic.response, let tag = response.to.tag, response.status != 100,
            response.status.value < 300, response.cSeq.method != .cancel
        else { return }
        let side = Side(callID: response.callID, localTag: tag, remoteTag: response.from.tag ?? "")
        if isLate[TransactionName(traffic.message)] == true {
            findings.add(
                .numbersAreFresh, "\(response.cSeq) taken, though \(taken[side] ?? 0) was taken before")
        }
        taken[side] = max(taken[side] ?? 0, response.cSeq.number)
    }
}
