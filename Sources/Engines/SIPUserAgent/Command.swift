import EngineKit
import SDP
import SIPMessages

/// What the user asks of the user agent.
package enum Command: Sendable {
    case register(AccountID)
    case unregister(AccountID)
    case call(CallHandle, OutgoingCall)
    /// Tells the caller with 180 that somebody is being alerted.
    case ring(CallHandle)
    /// Gives the caller early media: 183 with a description.
    case progress(CallHandle, LocalMedia)
    /// Takes a call. `automatic`: no person did it, so that an unproven caller costs at most what ROBUSTNESS S1 allows.
    case answer(CallHandle, LocalMedia, headers: Headers = Headers(), automatic: Bool = false)
    /// Refuses a ringing call with a status of 300 or more.
    case reject(CallHandle, StatusCode, reason: String? = nil, headers: Headers = Headers())
    /// Ends a call in whatever state it is: CANCEL, 603 or BYE.
    case hangUp(CallHandle)
    case hold(CallHandle)
    case resume(CallHandle)
    /// Offers the agreed or, where given, other media anew.
    case reinvite(CallHandle, LocalMedia?)
    case options(OptionsHandle, OptionsQuery)
    /// Ends every call and registration within two seconds, then `shutDownFinished`.
    case shutDown
}

/// A call to be placed.
package struct OutgoingCall: Sendable {
    /// nil: the first configured account.
    package var account: AccountID?
    package var target: URI
    /// Added to the INVITE as they are.
    package var headers: Headers
    package var media: LocalMedia
    /// false: the INVITE carries no description and the peer's 2xx offers (RFC 3261 §13.2.1).
    package var offersInInvite: Bool
    /// CANCEL after this time without an answer; nil: never.
    package var ringTimeout: Duration?
    /// How many targets of 3xx responses are tried, at most 5; 0 reports the redirection.
    package var redirectionLimit: Int

    package init(
        account: AccountID? = nil, target: URI, headers: Headers = Headers(), media: LocalMedia,
        offersInInvite: Bool = true, ringTimeout: Duration? = .seconds(120), redirectionLimit: Int = 0
    ) {
        self.account = account
        self.target = target
        self.headers = headers
        self.media = media
        self.offersInInvite = offersInInvite
        self.ringTimeout = ringTimeout
        self.redirectionLimit = min(max(redirectionLimit, 0), 5)
    }
}

/// A question for the capabilities of a SIP element (RFC 3261 §11).
package struct OptionsQuery: Sendable {
    package var account: AccountID?
    package var target: URI
    package var headers: Headers

    package init(account: AccountID? = nil, target: URI, headers: Headers = Headers()) {
        self.account = account
        self.target = target
        self.headers = headers
    }
}
