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
    /// Gives the caller early media: 183 with a description. `automatic` as of `answer`.
    case progress(CallHandle, LocalMedia, automatic: Bool = false)
    /// Takes a call. `automatic`: no person did it, so that an unproven caller costs at most what ROBUSTNESS S1 allows.
    case answer(CallHandle, LocalMedia, headers: Headers = Headers(), automatic: Bool = false)
    /// Refuses a ringing call with a status of 300 or more.
    case reject(CallHandle, StatusCode, reason: String? = nil, headers: Headers = Headers())
    /// Ends a call in whatever state it is: CANCEL, 603 or BYE.
    case hangUp(CallHandle)
    /// Hold and resume go by re-INVITE; before the call is answered by UPDATE, once early media is agreed on reliably.
    case hold(CallHandle)
    case resume(CallHandle)
    /// Offers the agreed or, where given, other media anew.
    case reinvite(CallHandle, LocalMedia?)
    /// As `reinvite`, by UPDATE where the peer takes it (RFC 3311).
    case update(CallHandle, LocalMedia?)
    /// Asks the peer of a call to call somebody else. `subscribes` false: without being told how that goes (RFC 4488).
    case transfer(CallHandle, TransferTarget, subscribes: Bool = true)
    /// Places the call that the peer of the first one asked for, under a handle that was not used before.
    case acceptTransfer(CallHandle, as: CallHandle, LocalMedia, ringTimeout: Duration? = .seconds(120))
    /// Places no such call.
    case declineTransfer(CallHandle)
    /// Sends digits within a call by INFO, in their order.
    case sendDigits(CallHandle, [SignalledStep])
    case subscribe(SubscriptionHandle, OutgoingSubscription)
    case unsubscribe(SubscriptionHandle)
    /// What those who watch us see from now on.
    case setPresence(OwnPresence)
    /// Publishes the presence of an account, another one in its place, or with nil removes it (RFC 3903).
    case publish(AccountID, OwnPresence?)
    /// Sends a bare request: OPTIONS, MESSAGE, or any other that makes no dialog.
    case request(RequestHandle, OutgoingRequest)
    /// The user is typing a message to somebody, or has given it up: that one is told as far as RFC 3994 has it. With each
    /// key anew; sending the message ends it.
    case compose(OutgoingRequest.Recipient, account: AccountID?, isTyping: Bool)
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
        self.redirectionLimit = min(max(redirectionLimit, 0), Self.redirectionLimit)
    }

    /// As many targets as a call may be sent on to (ROBUSTNESS row 31).
    package static let redirectionLimit = 5
}

/// A request that stands alone, or is one of a call's dialog and changes nothing about it: OPTIONS (RFC 3261 §11),
/// MESSAGE (RFC 3428), INFO (RFC 6086), or a method that only the user knows.
package struct OutgoingRequest: Sendable {
    package enum Recipient: Hashable, Sendable {
        case address(URI)
        /// The other side of a call that stands, within its dialog.
        case peer(of: CallHandle)
    }

    package var method: Method
    /// nil: the first configured account; within a call, the call's.
    package var account: AccountID?
    package var recipient: Recipient
    /// Added to the request as they are.
    package var headers: Headers
    /// The type of `body`; without a body it is not sent.
    package var contentType: ContentType?
    package var body: [UInt8]

    package init(
        _ method: Method, account: AccountID? = nil, to recipient: Recipient, headers: Headers = Headers(),
        contentType: ContentType? = nil, body: [UInt8] = []
    ) {
        self.method = method
        self.account = account
        self.recipient = recipient
        self.headers = headers
        self.contentType = contentType
        self.body = body
    }

    /// An instant message of plain text (RFC 3428 §4).
    package static func message(
        _ text: String, account: AccountID? = nil, to recipient: Recipient, headers: Headers = Headers()
    ) -> OutgoingRequest {
        OutgoingRequest(
            .message, account: account, to: recipient, headers: headers, contentType: .plainText,
            body: Array(text.utf8))
    }
}
