import EngineKit
import RTPMedia
import SDP
import SIPMessages
import SIPUserAgent

/// One call as the app sees it.
struct Call: Sendable {
    enum Phase: Equatable, Sendable {
        /// We wait for RTP ports before the INVITE or the 200.
        case opening(Opening)
        case calling
        case incoming
        /// The 200 or our ACK is on its way.
        case answered
        case established
        case ended
    }

    enum Opening: Equatable, Sendable {
        case placing(target: URI, account: AccountID?)
        case answering
        case progressing
    }

    var identity: CallIdentity
    var phase: Phase
    let isIncoming: Bool
    var accountID: AccountID?
    /// Why the caller of an incoming call is trusted.
    var trust = CallerTrust.stranger
    /// No person took it, so that the peer is owed no more than ROBUSTNESS S1 allows.
    var isAnsweredAutomatically = false
    var script: CallScript?
    var run = ScriptRun()

    var earlyMedia = EarlyMedia()
    /// The media of each early dialog, in the order in which they came.
    var earlyAgreements: [(dialog: EarlyDialogID, agreement: MediaAgreement)] = []
    /// The early dialog that the media engine plays.
    var listensTo: EarlyDialogID?
    var agreement: MediaAgreement?
    var localMedia: LocalMedia?
    var hasPorts = false

    var answeredAt: Instant?
    var isMuted = false
    var isHeldByUs = false
    /// What was last asked for: whether it is to wait.
    var isToBeHeld = false
    var isHeldByPeer = false
    /// The calls that were put on hold for it, to be resumed if it is never answered.
    var letsWait: [CallHandle] = []
    var hasHeardMedia = false
    /// The longest silence that was warned of, in seconds.
    var silenceTold = 0
    var finalStatus: StatusCode?
    var statistics: MediaStatistics?
    var alert: AlertTone?
    /// The person wants to hear no more of its ringing.
    var isSilenced = false
    /// Somebody has answered our INVITE, if only with a provisional response.
    var hasProgress = false
    /// Whom the peer was asked to call in our place.
    var transferTarget: String?
    /// The peer was asked, and has not said what came of it.
    var isTransferOpen = false
    /// The other call of an attended transfer.
    var consultation: CallHandle?
    /// The call that is to be transferred to the peer of this one.
    var consults: CallHandle?
    /// Whom the peer asks us to call in its place, until somebody has decided.
    var requestedTransfer: TransferRequest?
    /// The call that this one follows: its peer asked for it, or it takes that one's place. To a script they are one.
    var continues: CallHandle?
    /// The call that this one wants to be let into, until both are answered.
    var joins: CallHandle?
    /// The conference that it is in.
    var conference: UInt32?
    /// How it ended, while its media is being closed.
    var end: CallEnd?
    /// The script was told to refuse it, and did.
    var isRefusedAsTold = false
    /// Its end was told.
    var isConcluded = false
    var duration: Duration?

    /// Somebody is being alerted, and nobody has answered yet.
    var isRinging: Bool { phase == .incoming }

    /// Whether the peer has been told nothing yet that the end of the process would take back.
    var isUndecided: Bool { phase == .incoming || phase == .opening(.progressing) }

    /// Whether the peer has described its media, if only for an early dialog.
    var hasAgreed: Bool { agreement != nil || !earlyAgreements.isEmpty }

    /// We call, and nobody has answered yet.
    var isBeingPlaced: Bool {
        if case .opening(.placing) = phase { true } else { phase == .calling }
    }

    /// Whether a script is not over with its call: the peer may still say what came of the transfer (RFC 5057 §5.1), and
    /// that decides.
    var awaitsTransfer: Bool { isTransferOpen && script?.transfer != nil }

    var isUp: Bool { phase == .answered || phase == .established }

    /// Takes a digit of the peer. One in the sound may be the shadow of one that comes beside it, before or after.
    ///
    /// - Returns: whether it counts.
    mutating func hear(_ digit: Character, _ mode: DigitMode, at now: Instant) -> Bool {
        if mode == .inband {
            guard !run.hasDigitsBesideSound else { return false }
            run.lastDigitInSound = (digit, now)
        } else if !run.hasDigitsBesideSound {
            run.hasDigitsBesideSound = true
            if let last = run.lastDigitInSound, last.digit == digit, now - last.at < .seconds(1) { return false }
        }
        run.digits.append(digit, expecting: script?.expectedDigits)
        return true
    }
}

/// How far a script has come.
struct ScriptRun: Sendable {
    var hasBegun = false
    var hasStartedPlaying = false
    var hasHeardTone = false
    var hasHeardSpeech = false
    /// dBFS of the first sound after the answer, where there was to be none.
    var soundLevel: Double?
    var digits = HeardDigits()
    /// A digit came as an event or by INFO.
    var hasDigitsBesideSound = false
    var lastDigitInSound: (digit: Character, at: Instant)?
    /// Nothing of the promised media came in time after the answer.
    var missedMedia = false
    /// A fault of our own that no response names.
    var fault: ExitStatus?
    var faultText: String?
}

/// What may fall due in a call.
enum CallTimer: Hashable, CaseIterable, Sendable {
    case ringback
    /// To look whether early media goes on.
    case earlyMedia
    case answer
    case ringTimeout
    case duration
    case mediaExpected
    case statistics
    /// The only one that outlives its call.
    case busyTone
}
