import EngineKit
import MediaRuntime
import RTPMedia
import SIPUserAgent

/// What the coordinator asks of the media engine.
enum MediaOrder: Sendable {
    /// Bind a port pair for a call that will send its media from our address towards `peer`.
    case open(CallHandle)
    /// Play, record and watch like this, as soon as `update` has said with whom.
    case start(CallHandle, MediaCallOptions)
    /// What was agreed on, and before the answer of a forked call where the other early dialogs send from.
    case update(CallHandle, MediaAgreement, alternates: AlternateSources = AlternateSources())
    case close(CallHandle)
    /// Begin what the plan plays.
    case play(CallHandle)
    /// Digits with their pauses, as `DigitStep` reads them.
    case sendDigits(CallHandle, String)
    /// A pressed key is heard on our own side.
    case soundKey(Character)
    case mute(CallHandle, Bool)
    /// Calls of one conference hear each other; nil is none.
    case conference(CallHandle, UInt32?)
    case reportStatistics(CallHandle)
    /// The tone that this call makes on our own side.
    case alert(CallHandle, AlertTone?)
}

/// A tone for the person at the phone.
enum AlertTone: Hashable, Sendable {
    case ringing, ringback, callWaiting, busy
}

/// What the media engine tells about a call.
enum MediaReport: Sendable {
    /// The port pair that the call's media will use.
    case opened(rtpPort: UInt16, rtcpPort: UInt16)
    case openFailed(String)
    /// The first valid packet of media was played.
    case heard
    /// Media is now taken from another address.
    case sourceChanged(SocketAddress)
    case digit(DTMFDigit, DigitWay, milliseconds: Int)
    /// Something that was listened for.
    case noticed(HeardSound)
    case digitSent(DTMFDigit, DigitWay, milliseconds: Int)
    case playFinished(PlaySpec.Afterwards)
    case playFailed(String)
    /// The call can have no media, for a reason of our own.
    case startFailed(String)
    case recordFailed(String)
    /// No packet for this long; 30 s end the call.
    case silent(seconds: Int)
    case statistics(MediaStatistics)
    /// The answer to `close`, with the last figures where there was media.
    case closed(MediaStatistics?)
}
