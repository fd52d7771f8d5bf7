import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// One call as the protocol sees it: an INVITE with its dialogs, from the first message to the last retransmission
/// (RFC 3261 §13 to §15).
///
/// A value without network: requests leave as actions, and the core adds what only it knows (the next hop, Via, and
/// through `complete` our address). The verbs are in extensions, one for each topic.
struct InviteSession: Sendable {
    let handle: CallHandle
    /// Held as all other calls hold them: by reference.
    let account: Boxed<Account>
    let settings: Boxed<SessionSettings>
    var random: RandomSource

    /// How far the call is.
    enum Phase: Equatable, Sendable {
        /// Our INVITE has no final response.
        case calling
        /// Their INVITE has no final response.
        case alerting
        /// We sent a 2xx that is not acknowledged.
        case accepted
        case confirmed
        /// Nothing is left but to answer and repeat what stragglers ask for.
        case ended
    }

    var phase: Phase
    /// What a caller keeps of its INVITE; nil at the callee.
    var invitation: Invitation?
    /// What a callee keeps of the INVITE; nil at the caller. Behind one reference, as every verb of a callee reads it.
    var arrival: Boxed<Arrival>?
    /// The dialog of the call: at the callee from the start, at the caller with the first 2xx.
    var dialog: Dialog?
    /// Dialogs that exist only to be ended: further forks, and those that a cancelled INVITE made.
    var unwanted: [Dialog] = []
    var offerAnswer: OfferAnswer
    /// The direction that the user wants when nobody is on hold.
    var wish: Direction
    var agreed: AgreedMedia?
    /// Our address on the way to the peer; set before anything that carries it is built.
    var localAddress: IPAddress
    /// Where the peer's messages last came from.
    var peer: Flow?
    /// The 2xx of ours that waits for its ACK.
    var acceptance: Acceptance?
    /// The ACKs that we sent, to be repeated.
    var acknowledgements: [SentAcknowledgement] = []
    var modification = Modification()
    var digits = SignalledDigits()
    var sessionTimer: SessionTimer?
    /// The session interval that the last session refresh request of ours asked for.
    var askedInterval: UInt32?
    /// The largest Min-SE that the peer, or servers on the way, asked for: before the call is answered for the INVITE,
    /// then for the dialog (RFC 4028 §7.4).
    var minimumInterval: UInt32?
    /// How many more times a 422 is met with a longer session interval; each of the servers on the way may send one.
    var intervalsLeft = 5
    /// BYEs without a final response.
    var outstandingByes = 0
    /// A person or a limit wants the call ended, but a BYE may not go before the ACK (§15).
    var owesBye = false
    /// Whether somebody here hung up, and it is not known yet whether the peer took it.
    var isHangingUp = false
    var isPathProven: Bool
    /// When a call has lasted as long as it may.
    var lastsUntil: Instant?
    /// Until when late 2xx responses are acknowledged after the end, or PRACKs answered.
    var lingersUntil: Instant?

    /// A REFER of ours, with the subscription that it made.
    var sentReferral: SentReferral?
    /// A REFER of the peer, with the subscription that it made.
    var receivedReferral: ReceivedReferral?
    /// The call whose peer asked for this one, until it has heard how it went.
    var referrer: CallHandle?
    /// How many transfers led to this call.
    var referralDepth = 0

    private var actions: [Action] = []

    /// What the core does for a call. What is large is held indirectly, as lists move their elements about.
    enum Action: Sendable {
        indirect case send(Request, RequestPurpose, along: Flow?)
        case transmit(Transmit)
        /// CANCELs the INVITE, or withdraws it where it has not left yet.
        case cancelInvite
        indirect case respond(Response, ServerTransactionID)
        case repeatAcceptance(ServerTransactionID)
        /// Tells the peer that asked for this call how it stands.
        case tellReferrer(StatusFragment)
        case event(Event)
    }

    init(
        handle: CallHandle, account: Boxed<Account>, settings: Boxed<SessionSettings>, random: RandomSource,
        phase: Phase, offerAnswer: consuming OfferAnswer, localAddress: IPAddress, dialog: Dialog? = nil,
        peer: Flow? = nil, arrival: Boxed<Arrival>? = nil
    ) {
        self.handle = handle
        self.account = account
        self.settings = settings
        self.random = random
        self.phase = phase
        wish = offerAnswer.local.direction
        self.offerAnswer = offerAnswer
        self.localAddress = localAddress
        self.dialog = dialog
        self.peer = peer
        self.arrival = arrival
        isPathProven = phase == .calling
    }

    // MARK: - Face towards the core

    // What the core asks after each step is `mutating` to be asked by reference: to call a getter that is not, Swift
    // copies the whole session.

    /// All that was asked for since the last time, in its order.
    mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    /// When to call `handleDeadline`.
    var deadline: Instant? {
        mutating get {
            var next = acceptance?.deadline
            next.bringForward(to: invitation?.ringsUntil)
            next.bringForward(to: arrival?.deadline)
            next.bringForward(to: modification.retryAt)
            next.bringForward(to: sessionTimer?.deadline)
            next.bringForward(to: lastsUntil)
            next.bringForward(to: lingersUntil)
            next.bringForward(to: digits.deadline)
            next.bringForward(to: sentReferral?.deadline)
            next.bringForward(to: receivedReferral?.deadline)
            return next
        }
    }

    mutating func handleDeadline(at now: Instant) {
        handleAcceptanceDeadline(at: now)
        if let until = invitation?.ringsUntil, now >= until { giveUpRinging(at: now) }
        if let until = arrival?.ringingDeadline, now >= until { stopRinging(at: now) }
        handleProvisionalDeadline(at: now)
        if let until = modification.retryAt, now >= until {
            modification.retryAt = nil
            sendDueModification()
        }
        if let due = digits.deadline, now >= due { sendDueDigit(at: now) }
        handleSessionTimerDeadline(at: now)
        if let until = lastsUntil, now >= until {
            end(CallEnd(cause: .tooLong, by: .local), at: now)
        }
        if let until = lingersUntil, now >= until { lingersUntil = nil }
        handleReferralDeadline(at: now)
        handleReceivedReferralDeadline(at: now)
    }

    /// Whether nothing more will be said, so that the session can be forgotten.
    var isFinished: Bool {
        mutating get {
            phase == .ended && outstandingByes == 0 && !owesBye && acceptance == nil && lingersUntil == nil
                && !(invitation?.isPending ?? false) && sentReferral == nil && receivedReferral == nil
        }
    }

    /// Dialogs that count against the limit.
    var dialogCount: Int {
        mutating get {
            // While the call stands, only dialogs that are unwanted are sent BYE; they count until it is answered.
            var count = outstandingByes
            if case .some = dialog { count += 1 }
            if phase == .calling { count += invitation?.earlyDialogs.count ?? 0 }
            guard sentReferral != nil || receivedReferral != nil else { return count }
            if case .some(let referral) = sentReferral, referral.beside != nil { count += 1 }
            if case .some(let referral) = receivedReferral, referral.beside != nil { count += 1 }
            return count
        }
    }

    /// What the call counts as against the limits; nothing once it is over.
    var census: Census {
        mutating get {
            guard phase != .ended else {
                // A subscription may outlive the call in its dialog (RFC 5057).
                return Census(dialogs: sentReferral == nil && receivedReferral == nil ? 0 : 1)
            }
            return Census(calls: 1, ringing: phase == .alerting ? 1 : 0, dialogs: dialogCount)
        }
    }

    // MARK: - For the extensions

    mutating func act(_ action: Action) {
        // Room for what most steps ask for.
        if actions.isEmpty { actions.reserveCapacity(4) }
        actions.append(action)
    }

    mutating func emit(_ event: Event) {
        act(.event(event))
    }

    /// By what requests within the call find it.
    var key: UserAgentCore.CallKey {
        mutating get { UserAgentCore.CallKey(callID: callID, localTag: localTag) }
    }

    var callID: String { dialog?.callID ?? invitation?.request.callID ?? arrival?.request.callID ?? "" }

    /// The tag that we gave ourselves in this call.
    var localTag: String { dialog?.localTag ?? invitation?.request.from.tag ?? "" }

    /// Tells who runs the call what it now sounds like.
    mutating func announce(_ media: AgreedMedia) {
        agreed = media
        if let agreement = agreement(on: media) { emit(.mediaAgreed(handle, agreement)) }
    }

    func agreement(on media: AgreedMedia) -> MediaAgreement? {
        peer.map {
            MediaAgreement(media: media, signallingPeer: $0.remote, mayTransmit: isPathProven || !isBounded)
        }
    }

    /// Whether the peer is a stranger who was answered by no person, over UDP: it costs us little until it has shown
    /// that our answers reach it (ROBUSTNESS S1).
    var isBounded: Bool {
        guard let arrival else { return false }
        return arrival.isAutomatic && arrival.trust == .stranger && arrival.flow.transport == .udp
    }
}

/// Calls that are not over, those from outside that nobody has answered yet, and the dialogs of all.
struct Census: Equatable, Sendable {
    var calls = 0
    var ringing = 0
    var dialogs = 0

    static func += (left: inout Census, right: Census) {
        left.calls += right.calls
        left.ringing += right.ringing
        left.dialogs += right.dialogs
    }

    static func -= (left: inout Census, right: Census) {
        left.calls -= right.calls
        left.ringing -= right.ringing
        left.dialogs -= right.dialogs
    }
}

/// What a call has in common with all others of the core.
struct SessionSettings: Sendable {
    var timers: TransactionTimers
    var maximumDuration: Duration?
    var earlyDialogLimit: Int
    var capabilities: Capabilities
    var reliableProvisionals: ReliableProvisionalsPolicy
    var sessionTimers: SessionTimerPolicy
    /// Where we take datagrams; an unspecified address stands for every one of ours.
    var listeners: [SocketAddress] = []

    /// Where a peer may direct our media whose messages come from `source` to `local` (ROBUSTNESS S21).
    func mediaTargets(signalledFrom source: IPAddress, to local: IPAddress) -> MediaTargetPolicy {
        MediaTargetPolicy(
            signallingSource: source,
            ownListeners: listeners.map { $0.address.isUnspecified ? SocketAddress(local, port: $0.port) : $0 })
    }
}
