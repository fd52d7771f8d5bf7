import EngineKit
import MediaRuntime
import RTPMedia
import SIPUserAgent

/// What the coordinator asks of the media engine.
enum MediaOrder: Sendable {
    /// Bind a port pair for a call that will send its media from our address towards `peer`.
    case open(CallHandle)
    /// Play, record and watch as the script says, once `update` has said with whom.
    case start(CallHandle, MediaPlan)
    case update(CallHandle, MediaAgreement)
    case close(CallHandle)
    case play(CallHandle, AudioSpec, loops: Bool)
    case live(CallHandle)
    case sendDigit(CallHandle, Character)
    case mute(CallHandle, Bool)
    case reportStatistics(CallHandle)
    /// The tone that this call makes on our own side.
    case alert(CallHandle, AlertTone?)
}

/// A tone for the person at the phone.
enum AlertTone: Equatable, Sendable {
    case ringing, ringback, callWaiting
}

/// What one call's media does beside carrying speech.
struct MediaPlan: Equatable, Sendable {
    var recordPath: String?
    var echoes = false
    /// Hertz that are to be looked for in what is heard.
    var expectedTones: [Double] = []
    /// Whether the microphone is sent; a scripted call with something to play sends silence around it.
    var sendsMicrophone = true
}

/// What the media engine tells about a call.
enum MediaReport: Sendable {
    /// The port pair that the call's media will use.
    case opened(rtpPort: UInt16, rtcpPort: UInt16)
    case openFailed(String)
    /// Valid media was played: with the first packet, and again while it goes on, from `source`.
    case heard(source: SocketAddress)
    case digit(Character, milliseconds: Int)
    case tone(hertz: Double, level: Double)
    case playFinished
    case playFailed(String)
    case recordFailed(String)
    /// No packet for this long; 30 s end the call.
    case silent(seconds: Int)
    case statistics(MediaStatistics)
}
