import EngineKit
import SIPMessages

/// Whom the peer of a call is to call in our place (RFC 5589).
package enum TransferTarget: Sendable {
    /// A blind transfer: an address.
    case blind(URI)
    /// An attended transfer: the peer of another call of ours, where it takes our place in that call (RFC 3891).
    case attended(CallHandle)
}

/// How a transfer that we asked for goes on.
package enum TransferProgress: Hashable, Sendable {
    /// The peer took the request.
    case accepted
    /// How the peer's call stands, as it says: 100, 180 ...
    case progress(StatusFragment)
    /// The target answered the peer. The call ends.
    case succeeded(StatusFragment)
    /// The peer refused the request, or the target refused the peer; nil: no answer came. The call goes on.
    case failed(StatusCode?, reason: String)
    /// The peer took the request and says no more. Without a subscription the call ends, else it goes on.
    case unknown
}

/// A peer's wish that we call somebody in its place (RFC 3515).
package struct TransferRequest: Hashable, Sendable {
    package var target: URI
    package var targetName: String?
    /// Who asks, as it says itself (RFC 3892): nothing vouches for it.
    package var referredBy: NameAddress?
    /// Whether the call takes the place of another call of the target (RFC 3891).
    package var isAttended: Bool
    /// Whether the rules let it happen without a person.
    package var isAllowed: Bool

    package init(
        target: URI, targetName: String? = nil, referredBy: NameAddress? = nil, isAttended: Bool = false,
        isAllowed: Bool = false
    ) {
        self.target = target
        self.targetName = targetName
        self.referredBy = referredBy
        self.isAttended = isAttended
        self.isAllowed = isAllowed
    }
}

/// What peers may do with our calls (ROBUSTNESS S3, S4).
package struct TransferRules: Equatable, Sendable {
    package enum Verdict: Hashable, Sendable { case allow, ask, deny }

    /// REFER within a call.
    package var refer: Verdict
    /// An INVITE that takes the place of a call of ours; `ask` lets those do it unasked who are answered without a person.
    package var replaces: Verdict
    /// Whether there is a person who can let a caller into a call of ours, all of which it then hears (RFC 3911).
    /// Without one nobody gets in.
    package var joins: Bool

    package init(refer: Verdict, replaces: Verdict, joins: Bool = false) {
        self.refer = refer
        self.replaces = replaces
        self.joins = joins
    }

    package static let standard = TransferRules(refer: .ask, replaces: .ask)
}

/// A call of ours that an INVITE takes the place of once it is answered (RFC 3891 §3).
package struct Replacement: Hashable, Sendable {
    package var call: CallHandle
    /// Whether the rules let it happen without a person.
    package var isAllowed: Bool

    package init(call: CallHandle, isAllowed: Bool) {
        self.call = call
        self.isAllowed = isAllowed
    }
}
