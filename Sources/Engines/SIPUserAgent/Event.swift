import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// What happened, for whoever runs the user agent. Held indirectly, as an event passes through several hands.
package indirect enum Event: Sendable {
    case registration(AccountID, RegistrationState)
    /// By what the account is reached, each time before it is told as registered.
    case registrationBound(AccountID, RegistrationBinding)
    case incomingCall(CallHandle, IncomingCall)
    /// A call of ours begins under this Call-ID.
    case placed(CallHandle, callID: String)
    /// An offer of ours is on its way. From now on the peer may send media, before any description of its own says from
    /// where (RFC 3264 §5.1).
    case offered(CallHandle, MediaAgreement)
    /// 100 Trying: somebody has the INVITE.
    case trying(CallHandle)
    /// A 101...199. Without a description it calls for a local ringback tone.
    case ringing(CallHandle, CallProgress)
    /// An early dialog agreed on media: what arrives by it may be played, and silence on it means ringback.
    case earlyMedia(CallHandle, EarlyDialogID, MediaAgreement)
    /// The call's media, first with the answer and again with each change.
    case mediaAgreed(CallHandle, MediaAgreement)
    /// The peer has shown that it receives what we send to it: media may leave (ROBUSTNESS S1).
    case pathProven(CallHandle)
    /// A 2xx came in, or was sent.
    case answered(CallHandle, CallAnswer)
    /// The ACK was sent, or came in.
    case established(CallHandle)
    case heldByPeer(CallHandle)
    case resumedByPeer(CallHandle)
    /// A re-INVITE or UPDATE of ours that offered was accepted.
    case modified(CallHandle)
    /// One failed and the call goes on as before.
    case modifyFailed(CallHandle, StatusCode?)
    /// In-dialog requests now come from another address.
    case peerMoved(CallHandle, SocketAddress)
    /// The peer sent a digit by INFO.
    case digitReceived(CallHandle, SignalledDigit)
    case digitSent(CallHandle, SignalledDigit)
    /// A digit was refused, or not answered; those that waited behind it are forgotten.
    case digitsRefused(CallHandle, SignalledDigit, StatusCode?, reason: String)
    /// How a transfer that we asked for goes on.
    case transferProgress(CallHandle, TransferProgress)
    /// The peer wants us to call somebody else: to be answered by `acceptTransfer` or `declineTransfer`.
    case transferRequested(CallHandle, TransferRequest)
    /// Nobody decided in time, and the peer was told no.
    case transferWithdrawn(CallHandle)
    case ended(CallHandle, CallEnd)
    /// What a request of the user's brought, once.
    case requestAnswered(RequestHandle, RequestAnswer)
    case messageReceived(IncomingMessage)
    /// Somebody began or stopped to write a message to us.
    case peerComposing(PeerComposing)
    case subscription(SubscriptionHandle, SubscriptionStatus)
    /// What a notifier told; without a handle, nobody subscribed to it.
    case notified(SubscriptionHandle?, EventNotification)
    case publication(AccountID, PublicationStatus)
    case warning(UserAgentWarning)
    /// A message was refused or dropped; counted in `UserAgentCore.counters`. `caller`: who says that it calls, where a
    /// call was refused and read so far.
    case refused(Refusal, from: SocketAddress, caller: NameAddress? = nil)
    case shutDownFinished
}

/// A call that somebody else placed.
package struct IncomingCall: Sendable {
    package var account: AccountID
    package var from: NameAddress
    package var to: NameAddress
    package var requestURI: URI
    package var callID: String
    package var flow: Flow
    package var trust: CallerTrust
    /// The user that the caller proved by digest to be; only with the trust `authenticated`.
    package var provenCaller: String?
    /// Whether the rules let this caller be answered without a person.
    package var mayAnswerAutomatically: Bool
    /// What the INVITE says of the caller and of its way here.
    package var information = CallerInformation()
    /// Whether the caller wants to be put through without a person, the rules let it, and the account obeys such
    /// wishes (ROBUSTNESS S2).
    package var isToBeAnsweredAtOnce = false
    /// Whether that is so whatever else goes on here: the caller has a privilege (RFC 5373).
    package var isPrivileged = false
    /// The peer's offer; nil: it waits for ours.
    package var offer: SessionDescription?
    /// Whether `progress` lets the caller hear us: it offered, or takes our offer reliably and answers it (RFC 3262 §5).
    package var takesEarlyMedia = false
    package var headers: Headers
    /// The call of ours whose place it takes when it is answered (RFC 3891).
    package var replacement: Replacement?
    /// The call of ours that the caller wants to be let into (RFC 3911).
    package var joining: CallHandle?
}

/// Why a caller is trusted, strongest reason first.
package enum CallerTrust: Hashable, Sendable {
    case loopback, registrarFlow, authenticated, allowListed, stranger
}

/// A provisional response to our INVITE.
package struct CallProgress: Sendable {
    package var status: StatusCode
    package var reason: String
    /// nil: the response had no To tag and made no dialog.
    package var earlyDialog: EarlyDialogID?
    package var hasDescription: Bool
}

/// Media that both sides agreed on.
package struct MediaAgreement: Equatable, Sendable {
    package var media: AgreedMedia
    /// Where the peer's signalling comes from, for the source rule of media (ROBUSTNESS S7).
    package var signallingPeer: SocketAddress
    /// false: nothing may be sent before `pathProven`.
    package var mayTransmit: Bool

    package init(media: AgreedMedia, signallingPeer: SocketAddress, mayTransmit: Bool) {
        self.media = media
        self.signallingPeer = signallingPeer
        self.mayTransmit = mayTransmit
    }
}

/// A 2xx to an INVITE.
package struct CallAnswer: Sendable {
    package var status: StatusCode
    package var reason: String
    /// The early dialog that it belongs to; nil for a call that came in.
    package var dialog: EarlyDialogID?
    package var headers: Headers
}

/// How a call ended.
package struct CallEnd: Equatable, Sendable {
    package enum Side: Hashable, Sendable { case local, remote }

    package enum Cause: Hashable, Sendable {
        /// BYE after an answer.
        case hungUp
        /// CANCEL before an answer.
        case cancelled
        /// CANCEL, as another phone of ours took the call (RFC 3326).
        case answeredElsewhere
        /// A final response of 300 or more, received or sent.
        case refused
        /// Nobody answered in time.
        case ringTimeout
        /// Nothing came back within 64*T1, to the INVITE or to a request within the call.
        case timedOut
        /// The peer's address is not known or not reachable.
        case unreachable
        /// The 200 was never acknowledged, or a reliable provisional response before it.
        case notAcknowledged
        /// The dialog is unknown to the peer (481), or a server on the way no longer finds the peer (408).
        case dialogLost
        /// The description that came back can't be used.
        case mediaRefused
        /// The peer's messages broke the protocol in a way that can't be repaired.
        case protocolFault
        /// The session timer ran out: nobody refreshed the session (RFC 4028 §10).
        case sessionExpired
        /// The call lasted as long as a call may.
        case tooLong
        /// A challenge was not ours to answer, or our answer was refused.
        case authenticationFailed
        /// More calls than the limits allow.
        case limited
        case shutDown
        /// The peer is with whom we transferred it to.
        case transferred
        /// Another call took the place of this one (RFC 3891).
        case replaced
    }

    package var cause: Cause
    package var by: Side
    package var status: StatusCode?
    /// The response's phrase, the Reason header of the peer's BYE (RFC 3326), or what kept the request from the peer.
    package var reason: String?
    /// Seconds after which the peer wants to be asked again.
    package var retryAfter: UInt32?
    /// The Contacts of a 3xx that was not followed.
    package var redirections: [URI]

    package init(
        cause: Cause, by: Side, status: StatusCode? = nil, reason: String? = nil, retryAfter: UInt32? = nil,
        redirections: [URI] = []
    ) {
        self.cause = cause
        self.by = by
        self.status = status
        self.reason = reason
        self.retryAfter = retryAfter
        self.redirections = redirections
    }
}

/// What a request of the user's brought.
package struct RequestAnswer: Sendable {
    package var method: Method
    /// nil: nothing came back.
    package var status: StatusCode?
    /// The response's phrase, or why there is none.
    package var reason: String
    package var roundTrip: Duration
    package var headers: Headers
    package var body: [UInt8]
    package var flow: Flow?
    /// It was not sent, as a message of that length may not be (RFC 3428 §8).
    package var isTooLong = false
}

package enum UserAgentWarning: Hashable, Sendable {
    /// A challenge named a realm that is not the account's; it was not answered (ROBUSTNESS S10).
    case foreignRealm(AccountID, String)
    /// A command named a call, account or state that does not fit; it had no effect. A call whose end it crossed fits.
    case commandIgnored
    /// A challenge was not answered for another reason, in words.
    case challengeNotAnswered(AccountID, String)
    /// One of several flows of a registered account failed, by its `reg-id`; it is made anew (RFC 5626 §4.5).
    case flowFailed(AccountID, Int, String)
    /// The rules let nobody but a person answer this call; it rings on (ROBUSTNESS S1).
    case automaticAnswerDenied(CallHandle)
    /// Our BYE was refused, or nobody answered it, in words: for all we know the peer still holds on to the call.
    case hangUpNotTaken(CallHandle, peer: URI, String)
}

/// Why a message was refused or dropped.
package enum Refusal: Hashable, Sendable, CaseIterable {
    case malformed, invalid, unknownDialog, unsupportedMethod, unsupportedExtension, merged, loop, forbidden
    case sourceRate, messageRate, pendingInvites, ringingCalls, calls, dialogs, transactions, strayResponse,
        strayAcknowledgement
    /// Credentials were asked for, or were wrong.
    case challenged, wrongCredentials
    case shuttingDown
    /// An invitation that was good for no time at all.
    case expired
    /// An offer with nothing that we could take, of a caller whom the rules let be answered without a person.
    case incompatibleMedia
}

/// What a registrar keeps of us, and the way by which it was told.
package struct RegistrationBinding: Equatable, Sendable {
    /// Where calls come to.
    package var contact: SIPURI
    package var flow: Flow
    /// Whether the registrar keeps the flow and reaches us by it (RFC 5626 §4.2.1).
    package var isOutbound: Bool
    /// Addresses of this phone that anybody can reach (RFC 5627 §3.1).
    package var publicGRUU: SIPURI?
    package var temporaryGRUU: SIPURI?
}

/// How an account stands with its registrar (RFC 3261 §10).
package enum RegistrationState: Hashable, Sendable {
    /// Not asked for, or removed.
    case unregistered
    case registering
    /// Bound for so many seconds.
    case registered(expires: UInt32)
    case unregistering
    /// Refused, or without an answer (no status); tried again after that time, nil: not by itself.
    case failed(StatusCode?, reason: String, retryAfter: Duration?)
}
