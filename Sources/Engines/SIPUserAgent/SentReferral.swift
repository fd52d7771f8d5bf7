import EngineKit
import SIPMessages

/// A REFER of ours and the subscription that it makes (RFC 3515 §2.4.4): the referrer's side.
struct SentReferral: Sendable {
    /// Whom the peer is to call.
    let target: URI
    /// The CSeq number of the REFER, which names the subscription (§2.4.6).
    var sequence: UInt32
    /// Its dialog, where that is not the call's.
    var beside: ReferralDialog?
    /// Whether we asked for notifications (RFC 4488).
    let subscribes: Bool
    /// Whether the REFER has its 2xx.
    var isAnswered = false
    /// Whether the notifier ended the subscription.
    var isTerminated = false
    /// What was last told of it.
    var told: TransferProgress?
    /// Whether a SUBSCRIBE of ours is on its way.
    var isRefreshing = false
    var refreshesLeft = Self.refreshLimit
    /// When to ask for more time.
    var refreshAt: Instant?
    /// When the subscription ends by itself: nothing was heard in time.
    var expiresAt: Instant?

    /// How often more time is asked for, so that no peer keeps a dialog alive for ever.
    static let refreshLimit = 10
    /// What is asked for, in seconds.
    static let lifetime: UInt32 = 60

    init(to target: URI, by request: Request, isBeside: Bool, subscribes: Bool) {
        self.target = target
        sequence = request.cSeq.number
        beside = isBeside ? ReferralDialog(of: request) : nil
        self.subscribes = subscribes
    }

    /// Whether the target gave its final answer, or the peer its refusal.
    var isDecided: Bool {
        switch told {
        case .succeeded, .failed, .unknown: true
        case .accepted, .progress, nil: false
        }
    }

    var isFinished: Bool { isAnswered && isTerminated && !isRefreshing }

    var deadline: Instant? { [refreshAt, expiresAt].lazy.compactMap { $0 }.min() }

    /// Takes the time that the notifier grants, in seconds.
    mutating func grant(_ seconds: UInt32, at now: Instant) {
        let granted = Int64(min(max(seconds, 1), 3600))
        expiresAt = now + .seconds(granted)
        // Early enough that the SUBSCRIBE may be lost a few times.
        refreshAt =
            isDecided || refreshesLeft == 0 ? nil : now + .milliseconds(1000 * granted - min(500 * granted, 5000))
    }
}
