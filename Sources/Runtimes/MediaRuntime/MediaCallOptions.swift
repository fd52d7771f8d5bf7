/// What a call sends in place of the microphone.
package struct PlaySpec: Hashable, Sendable {
    /// What follows the end of a file.
    package enum Afterwards: String, Hashable, Sendable, CaseIterable {
        /// The call is to be ended: `MediaNotice.Event.playFinished` asks for it.
        case hangUp = "hangup"
        case loop, silence
        /// The microphone.
        case live
    }

    package var source: AudioSpec
    package var afterwards: Afterwards

    package init(_ source: AudioSpec, afterwards: Afterwards = .silence) {
        self.source = source
        self.afterwards = afterwards
    }
}

/// What a call is recorded to.
package struct RecordSpec: Hashable, Sendable {
    package enum Format: String, Hashable, Sendable, CaseIterable {
        /// Left what was sent, right what was heard.
        case stereo
        /// Both in one.
        case mono
    }

    package var path: String
    package var format: Format

    package init(_ path: String, format: Format = .stereo) {
        self.path = path
        self.format = format
    }
}

/// What one call's media does besides talking.
package struct MediaCallOptions: Hashable, Sendable {
    /// Starts once the media path stands: the peer's media came, or half a second passed since ours may go out.
    package var play: PlaySpec?
    /// The play waits for `MediaEngine.beginPlaying` too: media may stand before the call is answered.
    package var waitsForCue: Bool
    package var recording: RecordSpec?
    /// What is received is sent back.
    package var echoes: Bool
    package var listening: Listening

    package init(
        play: PlaySpec? = nil, waitsForCue: Bool = false, recording: RecordSpec? = nil, echoes: Bool = false,
        listening: Listening = Listening()
    ) {
        self.play = play
        self.waitsForCue = waitsForCue
        self.recording = recording
        self.echoes = echoes
        self.listening = listening
    }
}
