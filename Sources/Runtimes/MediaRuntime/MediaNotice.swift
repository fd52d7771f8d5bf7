import RTPMedia

/// What the media engine tells the app, on a thread that is not real-time.
package struct MediaNotice: Equatable, Sendable {
    /// Nil: about the engine or its devices.
    package var call: UInt32?
    package var event: Event

    package enum Event: Equatable, Sendable {
        case media(MediaEvent)
        /// What `PlaySpec` names began to go out, and came to its end.
        case playStarted
        case playFinished(PlaySpec.Afterwards)
        /// Something that was listened for.
        case heard(HeardSound)
        /// A digit was refused: the peer takes none, or too many wait.
        case digitRefused(DTMFDigit)
        /// The recording ended before the call; the call goes on.
        case recordingFailed(AudioError)
        /// The call's media has ended; its last word.
        case stopped(MediaStatistics)
        /// Audio devices work, with the names that were asked for.
        case deviceOpened(String)
        /// The call goes on without them.
        case deviceLost(AudioError)
        /// stdin or a file as input came to its end; silence is sent.
        case inputEnded
        /// The file or stdout as output takes no more.
        case outputFailed(AudioError)
        /// The system refused real-time scheduling: a busy machine may be heard. Said once.
        case realtimeRefused
    }
}
