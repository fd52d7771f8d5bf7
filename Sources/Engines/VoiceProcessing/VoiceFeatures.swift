/// What is done to the sound of a microphone before anybody hears it.
package struct VoiceFeatures: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What the loudspeaker plays is taken out of what the microphone hears.
    package static let echoCancellation = VoiceFeatures(rawValue: 1)
    /// What goes on evenly, as fans do, is made quieter by 15 dB.
    package static let noiseSuppression = VoiceFeatures(rawValue: 2)
    /// Quiet voices are raised, by 24 dB at most, and loud ones lowered.
    package static let gainControl = VoiceFeatures(rawValue: 4)
}
