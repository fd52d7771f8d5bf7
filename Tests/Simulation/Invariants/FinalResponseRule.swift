import EngineKit
import SIPMessages
import SIPTransactions

/// I3: a final response to an INVITE is repeated at T1, doubling up to T2, until its ACK comes, for 64*T1 at the
/// longest, and never after the ACK (RFC 3261 §13.3.1.4, §17.2.1).
struct FinalResponseRule {
    private struct Sent {
        let response: Response
        var first: Instant
        var last: Instant
        var count = 1
        let isReliable: Bool
        /// Whether a stranger was answered without a person, who gets fewer.
        let isBounded: Bool
        /// Whether nothing may be kept of it, as strangers came faster than they may: then it is said once each time.
        var isFleeting: Bool
        var acknowledgedAt: Instant?
        /// Whether the peer showed by something else than an ACK that it has it.
        var hasArrived = false
        /// When it was said again, as its INVITE came again: where nothing was kept of the first time, an INVITE that
        /// finds room begins a transaction of its own, and the repetitions count from there.
        var saidAgain: [Instant] = []
        /// Of `count`, those that were due just as the INVITE came again, and may have answered that one alone.
        var coincidences = 0

        var isAcknowledged: Bool { acknowledgedAt != nil }

        /// What was said before left nothing, and its ACK ended nothing.
        mutating func begin(at now: Instant) {
            (first, last, count, coincidences) = (now, now, 1, 0)
            (isFleeting, saidAgain) = (false, [])
            if let acknowledgedAt, acknowledgedAt < now { self.acknowledgedAt = nil }
        }
    }

    private struct Progress {
        let count: Int
        /// The last one.
        let bytes: [UInt8]
    }

    /// T1, the first interval of timer G.
    private static let interval = Duration.milliseconds(500)

    private var sent: [TransactionName: Sent] = [:]
    /// When the INVITE of a transaction arrived last: a refusal is sent again for each.
    private var invited: [TransactionName: Instant] = [:]
    /// What told of progress, beside the 100: it counts among what a stranger gets.
    private var told: [TransactionName: Progress] = [:]
    /// The INVITEs that began a call.
    private var beginnings: Set<TransactionName> = []
    private var byes: Set<String> = []
    private var crowd = Crowd()
    /// Whether the phone is being switched off: then a BYE waits for nothing.
    var isLeaving = false

    mutating func sent(_ traffic: Traffic, isBounded: Bool, _ findings: inout Findings) {
        // A BYE of either side ends it.
        if let request = traffic.request, request.method == .bye {
            byes.insert(request.callID)
            judgeBye(request, at: traffic.at, &findings)
        }
        guard let response = traffic.response, response.cSeq.method == .invite else { return }
        let name = TransactionName(traffic.message)
        guard response.status.isFinal else {
            // What comes again because its INVITE did is a repetition.
            let isRepetition = told[name]?.bytes == traffic.bytes && invited[name] == traffic.at
            if response.status.value > 100, !isRepetition {
                told[name] = Progress(count: (told[name]?.count ?? 0) + 1, bytes: traffic.bytes)
            }
            return
        }
        guard var known = sent[name], known.response == response else {
            sent[name] = Sent(
                response: response, first: traffic.at, last: traffic.at,
                isReliable: traffic.flow.transport.isReliable, isBounded: isBounded,
                isFleeting: !response.status.isSuccess && crowd.isFull(for: traffic.flow.remote, at: traffic.at))
            return
        }
        let due = min(Self.interval * (1 << min(known.count - 1, 16)), .seconds(4))
        var isDue = traffic.at - known.last == due
        if invited[name] == traffic.at, !response.status.isSuccess, !isDue {
            sent[name]?.saidAgain.append(traffic.at)
            return
        }
        let begunAgain = known.saidAgain.first { traffic.at - $0 == Self.interval }
        if !isDue, known.isFleeting, let begunAgain {
            known.begin(at: begunAgain)
            isDue = true
        }
        if known.isAcknowledged {
            findings.add(.finalResponsesAreRepeated, "\(response.status) repeated after its ACK")
        }
        if !isDue {
            findings.add(
                .finalResponsesAreRepeated, "\(response.status) after \(traffic.at - known.last), \(due) was due")
        }
        if traffic.at - known.first >= .seconds(32) {
            findings.add(.finalResponsesAreRepeated, "\(response.status) repeated after 64*T1")
        }
        known.last = traffic.at
        known.count += 1
        if invited[name] == traffic.at, !response.status.isSuccess { known.coincidences += 1 }
        sent[name] = known
    }

    /// Before the ACK of the first 2xx a callee sends no BYE, unless 64*T1 have passed (RFC 3261 §15).
    private func judgeBye(_ bye: Request, at now: Instant, _ findings: inout Findings) {
        guard !isLeaving else { return }
        for (name, known) in sent
        where known.response.status.isSuccess && known.response.callID == bye.callID
            && known.response.to.tag == bye.from.tag && beginnings.contains(name)
        {
            if !known.isAcknowledged, !known.hasArrived, now - known.first < .seconds(32) {
                findings.add(.finalResponsesAreRepeated, "BYE before the ACK of the \(known.response.status)")
            }
        }
    }

    mutating func arrived(_ traffic: Traffic) {
        guard let request = traffic.request else { return }
        crowd.arrived(from: traffic.flow.remote, at: traffic.at)
        switch request.method {
        case .invite:
            let name = TransactionName(traffic.message)
            invited[name] = traffic.at
            if request.to.tag == nil { beginnings.insert(name) }
            // A change of the call by whoever began it says that its 2xx arrived (RFC 5407 §3.1.4).
            for (name, known) in sent where isChange(request, of: known.response) { sent[name]?.hasArrived = true }
            // One that comes again when its transaction is gone (timers H and I) makes a new one.
            if let known = sent[name],
                traffic.at - known.last >= .seconds(5) || traffic.at - known.first >= .seconds(32)
            {
                (sent[name], told[name]) = (nil, nil)
            }
        case .ack:
            // That of a refusal acknowledges nothing else, though a 2xx may bear the same number by another way.
            let branch = request.vias.first?.branch
            let isOfRefusal = sent.contains { !$1.response.status.isSuccess && $0.branch == branch }
            for (name, known) in sent
            where acknowledges(request, known.response, name) && !(isOfRefusal && known.response.status.isSuccess) {
                sent[name]?.acknowledgedAt = traffic.at
            }
        case .bye:
            byes.insert(request.callID)
        default:
            break
        }
    }

    private func isChange(_ reinvite: Request, of response: Response) -> Bool {
        response.status.isSuccess && reinvite.callID == response.callID && reinvite.to.tag != nil
            && reinvite.to.tag == response.to.tag && reinvite.from.tag == response.from.tag
            && reinvite.cSeq.number > response.cSeq.number
    }

    private func acknowledges(_ ack: Request, _ response: Response, _ name: TransactionName) -> Bool {
        guard response.status.isSuccess else { return ack.vias.first?.branch == name.branch }
        return ack.callID == response.callID && ack.cSeq.number == response.cSeq.number
            && ack.to.tag == response.to.tag && ack.from.tag == response.from.tag
    }

    func atRest(endedAt end: Instant, mayMiss: Bool, _ findings: inout Findings) {
        guard !mayMiss else { return }
        for (name, known) in sent
        where !known.isAcknowledged && !known.hasArrived && !byes.contains(known.response.callID) {
            let status = known.response.status
            if known.isFleeting || (known.isReliable && !status.isSuccess) { continue }
            // What is refused without keeping any state is said once each time.
            let isOnce = known.count - known.coincidences == 1 && [403, 486].contains(status.value)
            if isOnce || [400, 503].contains(status.value) { continue }
            guard end - known.first > .seconds(32) else { continue }
            let bound = min(4, 5 - (told[name]?.count ?? 0))
            let due = known.isBounded && status.isSuccess ? bound : 11
            if known.count != due {
                findings.add(
                    .finalResponsesAreRepeated, "unacknowledged \(status) sent \(known.count) times, not \(due)")
            }
        }
    }
}
