import EngineKit
import SIPMessages
import SIPTransactions

/// I9: a request over UDP is repeated at T1, doubling, up to T2 where it is no INVITE, for 64*T1 while nothing comes
/// back; one over a stream is sent once (RFC 3261 §17.1).
struct RequestRepetitionRule {
    private struct Sent {
        var last: Instant
        var count = 1
        let isReliable: Bool
        let first: Instant
        /// When it was first sent anywhere: the next destination gets what is left of 64*T1.
        let begun: Instant
        let request: RequestName
    }

    /// One request, whichever way it goes.
    private struct RequestName: Hashable {
        let callID: String
        let toTag: String?
        let cSeq: CSeq

        init(_ request: Request) {
            (callID, toTag, cSeq) = (request.callID, request.to.tag, request.cSeq)
        }

        func isAnswered(by response: Response) -> Bool { callID == response.callID && cSeq == response.cSeq }
    }

    private var requests: [TransactionName: Sent] = [:]
    private var begun: [RequestName: Instant] = [:]
    private var answered: [TransactionName: Bool] = [:]
    private var troubled: Set<TransactionName> = []

    mutating func sent(_ traffic: Traffic, _ findings: inout Findings) {
        guard let request = traffic.request, request.method != .ack else { return }
        let name = TransactionName(traffic.message)
        guard var known = requests[name] else {
            let begun = begun[RequestName(request)] ?? traffic.at
            self.begun[RequestName(request)] = begun
            requests[name] = Sent(
                last: traffic.at, isReliable: traffic.flow.transport.isReliable, first: traffic.at, begun: begun,
                request: RequestName(request))
            return
        }
        if known.isReliable { findings.add(.requestsAreRepeated, "\(request.method) repeated over a stream") }
        if let isFinal = answered[name], isFinal || request.method == .invite {
            findings.add(.requestsAreRepeated, "\(request.method) repeated after a response")
        }
        let gap = traffic.at - known.last
        let doubled = Duration.milliseconds(500) * (1 << min(known.count - 1, 16))
        let due = request.method == .invite ? doubled : min(doubled, .seconds(4))
        // Once a provisional response came, T2 is the interval.
        if gap != due, !(answered[name] == false && gap == .seconds(4)) {
            findings.add(.requestsAreRepeated, "\(request.method) repeated after \(gap), \(due) was due")
        }
        if traffic.at - known.first >= .seconds(32) {
            findings.add(.requestsAreRepeated, "\(request.method) repeated after 64*T1")
        }
        known.last = traffic.at
        known.count += 1
        requests[name] = known
    }

    mutating func arrived(_ traffic: Traffic) {
        guard let response = traffic.response else { return }
        let name = TransactionName(traffic.message)
        answered[name] = response.status.isFinal || answered[name] == true
        // A 2xx answers its INVITE under whatever branch, where its Via is ours at all.
        guard response.status.isSuccess, response.cSeq.method == .invite, requests[name] == nil else { return }
        for (name, sent) in requests where sent.request.isAnswered(by: response) { troubled.insert(name) }
    }

    /// Something else than silence happened: the sender may have been told that nothing arrives.
    mutating func excuse(all: Bool) {
        guard all else { return }
        troubled.formUnion(requests.keys)
    }

    /// How often a request is sent, the first time counted.
    private func repetitions(of method: Method, within time: Duration) -> Int {
        var (count, elapsed, interval) = (0, Duration.zero, Duration.milliseconds(500))
        while elapsed < time {
            count += 1
            elapsed += interval
            interval = method == .invite ? interval * 2 : min(interval * 2, .seconds(4))
        }
        return count
    }

    /// - Parameter endedAt: when the phone was switched off, or now.
    func atRest(endedAt end: Instant, _ findings: inout Findings) {
        for (name, sent) in requests where answered[name] == nil && !sent.isReliable && !troubled.contains(name) {
            guard end - sent.first > .seconds(32) else { continue }
            let due = repetitions(of: name.method, within: .seconds(32) - (sent.first - sent.begun))
            if sent.count != due {
                findings.add(.requestsAreRepeated, "unanswered \(name.method) sent \(sent.count) times, not \(due)")
            }
        }
    }
}
