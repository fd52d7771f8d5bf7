import EngineKit
import SIPMessages
import SIPTransactions

/// Registrations of the configured accounts (RFC 3261 §10).
extension UserAgentCore {
    mutating func register(_ account: AccountID, at now: Instant) { emit(.warning(.commandIgnored)) }
    mutating func unregister(_ account: AccountID, at now: Instant) {}
    mutating func registrationAnswered(_ account: AccountID, _ response: Response, over flow: Flow, at now: Instant) {}
    mutating func registrationFailed(_ account: AccountID, _ failure: RequestFailure, at now: Instant) {}
    mutating func localAddressesChanged(at now: Instant) {}
    mutating func authenticate(_ id: OutboundID, against response: Response, over flow: Flow, at now: Instant) -> Bool {
        false
    }
}
