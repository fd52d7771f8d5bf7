import EngineKit
import SIPMessages

/// A REFER of the peer and the subscription that it makes (RFC 3515 §2.4.4): the notifier's side.
///
/// One NOTIFY is on its way at a time; what happens meanwhile is told by the next one, as each says all there is to say.
struct ReceivedReferral: Sendable {
    /// The CSeq number of the REFER, which names the subscription (§2.4.6).
    let sequence: UInt32
    let request: TransferRequest
    /// The URI as it came, with its headers.
    let uri: URI
    /// The value of Referred-By, to be copied (RFC 3892 §2.2).
    let referredBy: String?
    /// How many transfers led to the call that the REFER came by.
    let depth: Int
    /// Its dialog, where that is not the call's.
    var beside: ReferralDialog?
    /// Whether the peer wants to hear of it: it did not ask otherwise (RFC 4488), and did not unsubscribe.
    var isSubscribed: Bool
    var isDecided = false
    var latest = StatusFragment(100)
    private(set) var isOver = false
    /// The last NOTIFY is out, or none is owed.
    private(set) var isFinished = false
    private var isNotifying = false
    private var owesNotify: SubscriptionEnd?
    /// When the peer's subscription ends.
    private var expiresAt: Instant
    /// Until when a person may decide.
    private var decidesUntil: Instant?

    /// How long a subscription lasts that is not refreshed, and a person may think (ROBUSTNESS S3).
    static let lifetime = Duration.seconds(60)
    /// How many transfers may follow one another.
    static let depthLimit = 5

    /// What a NOTIFY says of the subscription.
    enum SubscriptionEnd: Equatable { case active, noResource, timeout }

    init(
        _ request: TransferRequest, uri: URI, referredBy: String?, sequence: UInt32, depth: Int, isSubscribed: Bool,
        beside: ReferralDialog? = nil, at now: Instant
    ) {
        self.request = request
        self.uri = uri
        self.referredBy = referredBy
        self.sequence = sequence
        self.depth = depth
        self.isSubscribed = isSubscribed
        self.beside = beside
        expiresAt = now + Self.lifetime
        decidesUntil = now + Self.lifetime
        if isSubscribed { owesNotify = .active }
    }

    var deadline: Instant? {
        [isSubscribed ? expiresAt : nil, decidesUntil].lazy.compactMap { $0 }.min()
    }

    /// Whether the peer waits for what came of it.
    var owesResult: Bool { isOver && !isFinished }

    // MARK: - What happens

    /// A person or rule said yes or no.
    mutating func decide() {
        isDecided = true
        decidesUntil = nil
    }

    /// Whether nobody decided in time.
    func isUndecided(at now: Instant) -> Bool { decidesUntil.map { now >= $0 } ?? false }

    /// How the call stands that the REFER led to.
    mutating func reach(_ status: StatusFragment) {
        guard !isOver else { return }
        guard status.status.isFinal || status != latest else { return }
        latest = status
        isOver = status.status.isFinal
        owe(isOver ? .noResource : .active)
        // A NOTIFY that is under way holds its place: its answer must not be taken for that of a referral to come.
        if isOver, !isSubscribed, !isNotifying { isFinished = true }
    }

    /// The peer asked for so many seconds more; 0 ends its subscription.
    ///
    /// - Returns: the seconds that it gets.
    mutating func refresh(_ seconds: UInt32?, at now: Instant) -> UInt32 {
        let granted = min(seconds ?? UInt32(Self.lifetime.components.seconds), UInt32(Self.lifetime.components.seconds))
        if granted == 0 {
            owe(.timeout)
        } else {
            expiresAt = now + .seconds(Int64(granted))
            owe(isOver ? .noResource : .active)
        }
        return granted
    }

    /// - Parameter mayNotify: whether nothing else has to be answered first.
    mutating func handleDeadline(mayNotify: Bool, at now: Instant) {
        guard isSubscribed, now >= expiresAt else { return }
        owe(.timeout)
        // What has not left by now finds nobody who waits for it.
        if isNotifying || !mayNotify { unsubscribe() }
    }

    private mutating func owe(_ state: SubscriptionEnd) {
        guard isSubscribed else { return }
        if owesNotify != .noResource { owesNotify = state }
    }

    // MARK: - NOTIFY

    /// The next NOTIFY, if one is due.
    mutating func nextNotification(at now: Instant) -> (state: SubscriptionState, body: StatusFragment)? {
        guard isSubscribed, !isNotifying, let owed = owesNotify else { return nil }
        owesNotify = nil
        isNotifying = true
        var parameters = Parameters()
        switch owed {
        case .active:
            // In whole seconds, rounded up.
            let left = (expiresAt - now + .milliseconds(999)).components.seconds
            parameters.append("expires", String(max(1, left)))
            return (SubscriptionState("active", parameters: parameters), latest)
        case .noResource, .timeout:
            parameters.append("reason", owed == .noResource ? "noresource" : "timeout")
            isSubscribed = false
            return (SubscriptionState("terminated", parameters: parameters), latest)
        }
    }

    /// A NOTIFY has its final response, or none will come. Any but a 2xx ends the subscription (RFC 6665 §4.2.2).
    mutating func notified(isTaken: Bool) {
        isNotifying = false
        if !isTaken { unsubscribe() }
        if !isSubscribed, isOver { isFinished = true }
    }

    /// The peer does not listen any more; the call that it asked for goes on (§2.4.4).
    private mutating func unsubscribe() {
        isSubscribed = false
        owesNotify = nil
        if isOver, !isNotifying { isFinished = true }
    }
}
