import EngineKit
import SIPMessages
import SIPTransactions

/// The provisional responses that a callee sends until they are acknowledged by PRACK (RFC 3262 §3): one at a time.
struct ReliableProvisionals: Sendable {
    /// How this caller takes provisional responses.
    enum Use: Equatable, Sendable {
        /// It does not know of PRACK, or we don't.
        case never
        /// It knows: what carries a description is worth it.
        case forDescriptions
        /// It requires it of all but the 100.
        case always
        /// It requires it, but may be sent so little (ROBUSTNESS S1) that the final response is all that it hears.
        case withheld
    }

    /// One that is on its way.
    struct Unacknowledged: Sendable {
        let response: Response
        let number: UInt32
        /// The next interval: T1, doubled each time and without a cap, as no PRACK waits for a repetition.
        var interval: Duration
        /// nil: the INVITE has its final response, and this one is not repeated any more.
        var repeatAt: Instant?
        let giveUpAt: Instant

        var bearsDescription: Bool { !response.body.isEmpty }
    }

    let use: Use
    /// The RSeq of the first is drawn by chance, each further one is one higher.
    private(set) var nextNumber: UInt32
    private(set) var unacknowledged: Unacknowledged?
    /// Those that wait for a PRACK, one of a status.
    private var waiting: [Response] = []
    /// Whether a first one was sent.
    private(set) var hasBegun = false

    init(use: Use, firstNumber: UInt32) {
        self.use = use
        nextNumber = firstNumber
    }

    /// Whether a response with a description goes reliably.
    var isReliableForDescriptions: Bool { use == .forDescriptions || use == .always }

    var deadline: Instant? {
        unacknowledged.flatMap { one in one.repeatAt.map { min($0, one.giveUpAt) } }
    }

    /// Whether a 2xx has to wait for a PRACK (§3, §5).
    var holdsBackAcceptance: Bool { unacknowledged?.bearsDescription ?? false }

    /// Takes a response, without RSeq, to be sent now or once the one before it is acknowledged.
    ///
    /// - Returns: the response to send, nil while it has to wait.
    mutating func send(_ response: Response, timers: TransactionTimers, at now: Instant) -> Response? {
        guard unacknowledged == nil else {
            waiting.removeAll { $0.status == response.status }
            waiting.append(response)
            return nil
        }
        var response = response
        response.headers.append(Require([.reliable]))
        response.headers.set(RSeq(nextNumber))
        unacknowledged = Unacknowledged(
            response: response, number: nextNumber, interval: timers.t1, repeatAt: now + timers.t1,
            giveUpAt: now + timers.giveUp)
        nextNumber &+= 1
        hasBegun = true
        return response
    }

    /// A PRACK came (§3).
    ///
    /// - Returns: the response that it acknowledges, nil where it acknowledges none.
    mutating func acknowledge(_ rack: RAck, invite: CSeq) -> Response? {
        guard let unacknowledged, rack.responseNumber == unacknowledged.number, rack.cSeq == invite else { return nil }
        self.unacknowledged = nil
        return unacknowledged.response
    }

    /// The next one that waited.
    mutating func nextWaiting() -> Response? {
        waiting.isEmpty || unacknowledged != nil ? nil : waiting.removeFirst()
    }

    /// The INVITE has its final response: nothing is repeated any more, but a PRACK is still understood.
    mutating func stop() {
        unacknowledged?.repeatAt = nil
        waiting = []
    }

    enum Expiry {
        case wait
        case retransmit(Response)
        /// 64*T1 passed without a PRACK.
        case giveUp
    }

    mutating func handleDeadline(at now: Instant) -> Expiry {
        guard var one = unacknowledged, let due = one.repeatAt else { return .wait }
        if now >= one.giveUpAt { return .giveUp }
        guard now >= due else { return .wait }
        one.interval *= 2
        one.repeatAt = now + one.interval
        unacknowledged = one
        return .retransmit(one.response)
    }
}
