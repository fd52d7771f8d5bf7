import EngineKit

/// One call as the screen knows it.
package struct CallLine: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// Sent, and nothing but 100 heard.
        case calling
        /// The peer is alerted, or its network answers with another provisional phrase.
        case ringing(Printable)
        case earlyMedia
        /// Somebody calls us. `isSilenced`: the person let it be.
        case incoming(isSilenced: Bool)
        case established
        case ended(CallEnd)
    }

    package let reference: CallReference
    /// The number that the person uses for it: `1`, `2` ...
    package let number: Int
    package let account: Printable
    package let peer: Party
    package let incoming: IncomingCall?
    /// Since when the state is what it is; of an established call since its answer.
    package private(set) var since: Instant
    package private(set) var state: State
    package private(set) var holdState = HoldState.none
    package private(set) var heldSince: Instant
    /// The person asked for its end.
    package var isHangingUp = false
    package var isMuted = false
    /// The person let it wait, which its peer has not agreed to yet; it hears nothing from then on.
    package var isToBeHeld = false
    /// The person answered it and let the others hear on.
    var isAnsweredBeside = false
    /// Whether its peer hears those of other calls.
    var isInConference = false
    /// Whom the peer asks us to call in its place, until that is decided.
    package var requestedTransfer: Party?
    package var media: MediaSummary?
    package var quality: CallQuality?
    package var microphone = LevelTrace()
    package var ear = LevelTrace()
    package private(set) var digitsReceived = ""
    package private(set) var messages: [MessageSummary] = []
    /// How long it was up, once it has ended.
    package private(set) var duration: Duration?

    static let maximumMessages = 200
    static let maximumDigits = 32

    init(reference: CallReference, number: Int, account: Printable, peer: Party, state: State, at now: Instant) {
        self.reference = reference
        self.number = number
        self.account = account
        self.peer = peer
        self.state = state
        incoming = nil
        since = now
        heldSince = now
    }

    init(reference: CallReference, number: Int, incoming: IncomingCall, at now: Instant) {
        self.reference = reference
        self.number = number
        account = incoming.account
        peer = incoming.peer
        self.incoming = incoming
        state = .incoming(isSilenced: false)
        since = now
        heldSince = now
    }

    package var isLive: Bool {
        if case .ended = state { false } else { true }
    }

    /// It is over, and so is what its peer wanted.
    var isSettled: Bool { !isLive && requestedTransfer == nil }

    package var isEstablished: Bool { state == .established }

    /// Whether it rings here and waits for the person.
    package var isIncoming: Bool {
        if case .incoming = state { true } else { false }
    }

    package var isHeldByUs: Bool { holdState == .byUs || holdState == .byBoth }

    /// Whether digits and speech get through.
    package var isTalking: Bool { isEstablished && holdState == .none }

    mutating func enter(_ next: State, at now: Instant) {
        guard isLive, next != state else { return }
        if case .ended = next {
            if isEstablished { duration = now - since }
            microphone = LevelTrace()
            ear = LevelTrace()
        }
        // Silencing a call does not restart its clock.
        if !(isIncoming && next == .incoming(isSilenced: true)) { since = now }
        state = next
    }

    mutating func hold(_ next: HoldState, at now: Instant) {
        isToBeHeld = false
        guard next != holdState else { return }
        if holdState == .none { heldSince = now }
        holdState = next
        microphone = LevelTrace()
        ear = LevelTrace()
    }

    mutating func receive(digit: Printable) {
        digitsReceived = String((digitsReceived + digit.text).suffix(Self.maximumDigits))
    }

    mutating func append(_ message: MessageSummary) {
        guard messages.count < Self.maximumMessages else { return }
        messages.append(message)
    }
}

/// The last few levels of one direction, for a meter that shows how the sound went.
package struct LevelTrace: Hashable, Sendable {
    static let length = 8

    /// Oldest first, each 0 (silence) to 8 (full scale).
    package private(set) var heights = [UInt8](repeating: 0, count: length)

    /// Takes a peak in dBFS; -54 and less is silence, then 6.75 dB a step.
    mutating func append(decibels: Double) {
        let height: UInt8
        if decibels.isNaN || decibels <= -54 {
            height = 0
        } else {
            height = UInt8(min(8, 1 + (min(decibels, 0) + 54) / 54 * 8))
        }
        heights.removeFirst()
        heights.append(height)
    }
}
