import EngineKit
import RTPMedia
import SIPMessages
import SIPUserAgent

/// What the phone reports: each case is an event of `Docs/Scripting.md`, for the screen and for scripts alike.
enum PhoneReport: Sendable {
    case ready(addresses: [Listener])
    /// The binding where it stands.
    case registration(account: String, RegistrationState, RegistrationBinding?)
    case call(CallIdentity, CallOccurrence)
    /// What a request that the user sent to `target` brought.
    case answered(target: String, RequestAnswer)
    case message(account: String, IncomingMessage)
    case composing(account: String, PeerComposing)
    case subscription(account: String, SubscriptionIdentity, SubscriptionStatus)
    case notified(account: String, EventNotification)
    case publication(account: String, PublicationStatus)
    case audioDevice(name: String, state: String, detail: String)
    case warning(String)
    case loopback(LoopbackReport)
    case verdict(failed: [String], exit: ExitStatus)
}

extension PhoneReport {
    /// The same of a registration that is given up where it fails.
    var withoutRetry: PhoneReport {
        guard case .registration(let account, .failed(let status, let reason, _), let binding) = self else {
            return self
        }
        return .registration(account: account, .failed(status, reason: reason, retryAfter: nil), binding)
    }
}

/// Of whom and what a subscription tells.
struct SubscriptionIdentity: Hashable, Sendable {
    var account: AccountID?
    var event: String
    var target: String
}

/// What every event of a call carries.
package struct CallIdentity: Hashable, Sendable {
    package var handle: CallHandle
    /// Counts the calls of this process from 1: `c1`.
    package var number: Int
    /// The SIP Call-ID, as soon as it is known.
    package var callID: String?
    package var account: String
    package var peer: String

    package var shortName: String { "c\(number)" }
}

/// What happened in a call.
enum CallOccurrence: Sendable {
    case outgoing
    /// `replaces`, `joins`: the short name of the call whose place it takes, or that it wants to be let into.
    case incoming(IncomingCall, replaces: String?, joins: String?)
    case trying
    case ringing(CallProgress)
    /// Media of an early dialog is heard.
    case early
    case answered(StatusCode, reason: String)
    case media(MediaAgreement)
    case held(by: CallEnd.Side)
    case resumed(by: CallEnd.Side)
    /// A re-INVITE was refused and the call goes on as before.
    case modifyFailed(StatusCode?)
    case peerMoved(SocketAddress)
    case digit(Character, sent: Bool, DigitMode, milliseconds: Int?)
    /// The peer takes no digits by INFO.
    case digitsRefused(Character, StatusCode?, reason: String)
    case statistics(MediaStatistics)
    case tone(hertz: Double, level: Double)
    /// Somebody was heard speaking.
    case speech
    /// There was to be none.
    case sound(level: Double)
    case playFinished
    /// No media for some seconds.
    case mediaSilent(seconds: Int)
    case transfer(TransferReport)
    /// The calls, by their short names, whose peers and this one's hear each other; none once that is over.
    case conference(with: [String])
    case ended(CallEnd, duration: Duration?, MediaStatistics?)
}
