import EngineKit
import SIPMessages
import SIPTransactions

/// From a server that fails to the next one, RFC 3263 §4.3 (ROBUSTNESS rows 17 and 37).
///
/// A server fails by a 503, by an error of the transport, or by silence. While others are left, silence is given up
/// long before timer B or F would fire, so that all of them have their turn within 64*T1. Whoever has given any response
/// keeps the request.
extension UserAgentCore {
    /// How long a silent server is waited for where there are others: four transmissions over UDP.
    private var patience: Duration { settings.timers.t1 * 8 }

    /// Says until when the destination that a request was just sent to may be silent.
    mutating func limitPatience(with id: OutboundID, at now: Instant) {
        guard let request = outbound[id] else { return }
        let isFirst = request.givesUpAt == nil
        let end = request.givesUpAt ?? now + settings.timers.giveUp
        outbound[id]?.givesUpAt = end
        let others = request.otherServers.count
        guard others > 0 else {
            // The only one has all the time of its transaction.
            return deadlines.set(.destination(id), at: isFirst ? nil : end)
        }
        let share = (end - now) / (others + 1)
        deadlines.set(.destination(id), at: min(end, now + min(patience, share)))
    }

    /// The request is with its destination now; what may follow, a challenge answered say, has its own time.
    mutating func destinationAnswered(_ id: OutboundID, _ response: Response) {
        outbound[id]?.isAnswered = true
        deadlines.cancel(.destination(id))
        if response.status != 503 { outbound[id]?.givesUpAt = nil }
    }

    mutating func destinationSilent(_ id: OutboundID, at now: Instant) {
        guard let request = outbound[id], let transaction = request.transaction, !request.isAnswered else { return }
        let isLate = now >= request.givesUpAt ?? .distantFuture
        guard stillWants(request) || isLate else {
            // A call that was taken back waits for somebody to send the CANCEL to (RFC 3261 §9.1), but not for ever.
            return deadlines.set(.destination(id), at: request.givesUpAt)
        }
        noteFailure(of: request)
        if request.request.method == .invite { superseded[transaction] = false }
        outboundByTransaction[transaction] = nil
        transactions.giveUp(transaction)
        outbound[id]?.destinations = request.otherServers
        if !request.otherServers.isEmpty, mayTryAnother(request, at: now) {
            failOverToNextDestination(id, at: now)
        } else {
            fail(id, .timedOut(request.destination), at: now)
        }
    }

    /// Sends the request to the next server after one that failed.
    mutating func failOverToNextDestination(_ id: OutboundID, at now: Instant) {
        renewCredentials(of: id, at: now)
        sendToNextDestination(id, at: now)
    }

    func mayTryAnother(_ request: OutboundRequest, at now: Instant) -> Bool {
        !request.destinations.isEmpty && now < request.givesUpAt ?? .distantFuture && stillWants(request)
    }

    mutating func noteFailure(of request: OutboundRequest, sparedFor duration: Duration? = nil) {
        guard let destination = request.destination else { return }
        outputs.append(.serverFailed(destination, sparedFor: duration))
    }

    /// A server that was given up speaks after all: what it began is cancelled, and where somebody has answered, that
    /// counts as one more answer to the call.
    mutating func receiveSuperseded(
        _ response: Response, in transaction: ClientTransactionID, over flow: Flow, at now: Instant
    ) {
        guard let isCancelled = superseded[transaction] else { return }
        if response.status.isSuccess {
            if let handle = receiveStray(response, over: flow, at: now) { supersedeInvite(of: handle, at: now) }
        } else if response.status.isProvisional, !isCancelled {
            superseded[transaction] = true
            _ = transactions.cancel(transaction, at: now)
        }
    }

    /// The call has its answer from a server that was given up: the one that has the INVITE now is to forget it.
    private mutating func supersedeInvite(of handle: CallHandle, at now: Instant) {
        guard let id = invite(of: handle), let transaction = outbound[id]?.transaction else { return }
        forgetOutbound(id)
        transactions.giveUp(transaction)
        superseded[transaction] = transactions.cancel(transaction, at: now) != nil
    }
}

extension OutboundRequest {
    /// The destinations that are left, without the one in use over another transport: what is silent by TCP, where a
    /// request went for its size, does not need it by UDP as well (RFC 3261 §18.1.1 wants an error for that).
    fileprivate var otherServers: [Destination] {
        destinations.filter { $0.remote != destination?.remote }
    }
}
