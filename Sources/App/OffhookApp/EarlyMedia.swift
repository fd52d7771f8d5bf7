import EngineKit
import SIPUserAgent

/// What the caller hears before the answer: our ringback tone, or the media of one early dialog (RFC 3960's subject).
///
/// A 180 without media starts our ringback. It stops when media of an early dialog is really played, not when a
/// description arrives; an early dialog that promised media and brings none for a second rings locally again. Of several
/// early dialogs the one that was last to send steadily is heard. The answer ends all of it at once.
struct EarlyMedia: Equatable, Sendable {
    /// How long a promise of media, or a pause in it, stands for media before we ring again.
    static let patience = Duration.seconds(1)

    private enum State: Equatable, Sendable {
        /// No sign of ringing.
        case quiet
        /// A description promised media; ringback starts at the deadline.
        case promised(until: Instant)
        case ringback
        /// Media of this dialog is played, or of nobody known where no description has come yet; it counts until the
        /// deadline.
        case playing(EarlyDialogID?, until: Instant)
        case over
    }

    private var state = State.quiet

    /// Whether our ringback tone is to be heard.
    var isRingingBack: Bool { state == .ringback }

    /// The early dialog whose media is heard.
    var heard: EarlyDialogID? {
        if case .playing(let dialog, _) = state { dialog } else { nil }
    }

    var isPlaying: Bool {
        if case .playing = state { true } else { false }
    }

    var deadline: Instant? {
        switch state {
        case .promised(let until), .playing(_, let until): until
        case .quiet, .ringback, .over: nil
        }
    }

    /// A 101 to 199 came.
    mutating func receiveProgress(isRinging: Bool, hasDescription: Bool, at now: Instant) {
        guard state == .quiet else {
            if case .promised = state, isRinging, !hasDescription { state = .ringback }
            return
        }
        if hasDescription {
            state = .promised(until: now + Self.patience)
        } else if isRinging {
            state = .ringback
        }
    }

    /// Valid media of an early dialog was played; nil: it came before any description.
    mutating func receiveMedia(of dialog: EarlyDialogID?, at now: Instant) {
        if state == .over { return }
        state = .playing(dialog, until: now + Self.patience)
    }

    /// The call was answered or has ended.
    mutating func end() {
        state = .over
    }

    mutating func handleDeadline(at now: Instant) {
        if let deadline, deadline <= now { state = .ringback }
    }
}
