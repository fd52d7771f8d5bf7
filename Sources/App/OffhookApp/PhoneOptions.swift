import MediaRuntime

/// What the command line asks of a phone, as written. What it means, together with the configuration, is decided by
/// `PhoneSettings`, which also names what is wrong with it.
package struct PhoneOptions: Sendable {
    package enum LogLevel: String, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error
    }

    package var configurationPath: String?
    package var usesConfiguration = true
    package var json = false
    package var sipTrace = false
    package var logLevel = LogLevel.notice
    package var account: String?
    /// `ADDRESS:PORT[;transport=udp|tcp]` each.
    package var listen: [String] = []
    package var proxy: String?
    /// Whether calls do not say who calls.
    package var isAnonymous = false
    package var seed: UInt64?
    /// As `NetworkImpairment` reads it.
    package var impairment: String?
    package var timeout: Duration?
    /// What a password may be waited for.
    var passwordPatience: Duration { min(timeout ?? PasswordSource.patience, PasswordSource.patience) }
    package var limits: SIPSettings.Limits?
    /// What peers may do with calls; nil: as the configuration says.
    package var refer: SIPSettings.Verdict?
    package var replaces: SIPSettings.Verdict?
    /// Whether a person is there to be asked.
    package var isAttended = true
    package var audio: String?
    package var input: String?
    package var output: String?
    /// Words of `VoiceFeatures`, with commas between, or `none`.
    package var voiceProcessing: String?
    package var codecs: String?
    /// As `OpusSettings` reads it.
    package var opus: String?
    /// Milliseconds.
    package var packetTime: Int?
    package var rtpPorts: String?

    package init() {}
}

/// What `offhook answer` does with a call, as written.
package struct AnsweringOptions: Sendable {
    /// The final response.
    package var code = 200
    package var reason: String?
    /// Where callers are sent with 302 (Moved Temporarily).
    package var redirect: String?
    /// How long to ring before it.
    package var after: Duration?
    /// How many calls to take before the command ends; nil for no end.
    package var count: Int?
    package var maxCalls: Int?
    package var echo = false
    package var allow: [String] = []
    package var allowAny = false

    package init() {}
}

/// What `call` and `answer` do within a call, as written.
package struct CallScriptOptions: Sendable {
    package var play: String?
    package var moment = CallScript.PlayMoment.answered
    package var afterPlaying = PlaySpec.Afterwards.silence
    package var record: String?
    package var recordFormat: RecordSpec.Format?
    package var dtmf: String?
    package var digitMode = DigitMode.auto
    package var duration: Duration?
    package var ringTimeout: Duration?
    package var headers: [String] = []
    package var expectedStatus: Int?
    /// Hertz.
    package var expectedTone: Double?
    package var expectedDigits: String?
    package var expectsSpeech = false
    package var expectsSilence = false
    package var minimumMOS: String?
    /// With its percent sign.
    package var maximumLoss: String?
    package var maximumJitter: Duration?
    package var maximumLatency: Duration?
    /// Whom the peer is passed on to after the answer; at most one of the two.
    package var referTo: String?
    package var attended: String?
    /// How many targets of a 3xx are tried.
    package var redirections = 0

    package init() {}
}
