import CSpeexDSP
import EngineKit

/// Takes echo and noise out of a microphone's sound and levels it, by speexdsp, at 48 kHz.
///
/// Works in place, delays by 5 ms, and allocates at the start alone.
package struct VoiceProcessor: ~Copyable {
    /// The library could not have the memory that it works in.
    package struct NoMemory: Error {}

    /// 5 ms: what the library works on at once, and what it delays by.
    package static let blockLength = 240
    /// The longest way from the loudspeaker into the microphone that is followed, of which the first 10 ms and more are
    /// the uncertainty of when sound is played: a living room's.
    private static let tail = Duration.milliseconds(200)
    /// In dB: of even noise; of what is left of the echo, and of it while the near end speaks.
    private static let suppression: (noise: Int32, echo: Int32, echoUnderSpeech: Int32) = (-15, -60, -45)
    /// Of full scale, -23 dBFS as the mean of speech; dB; dB per second.
    private static let gain: (target: Int32, greatest: Int32, rise: Int32, fall: Int32) = (8_000, 24, 6, -40)

    package let features: VoiceFeatures
    private let preprocessor: OpaquePointer
    private let canceller: OpaquePointer?
    private var played = PlayedSound()
    private let reference = FixedBuffer<Int16>(repeating: 0, count: blockLength)
    private let result = FixedBuffer<Int16>(repeating: 0, count: blockLength)

    package init(_ features: VoiceFeatures) throws(NoMemory) {
        let length = Int32(Self.blockLength)
        var canceller: OpaquePointer?
        if features.contains(.echoCancellation) {
            canceller = speex_echo_state_init(length, Int32(Self.tail / .milliseconds(1)) * 48)
            guard canceller != nil else { throw NoMemory() }
        }
        guard let preprocessor = speex_preprocess_state_init(length, Int32(PlayedSound.rate)) else {
            if let canceller { speex_echo_state_destroy(canceller) }
            throw NoMemory()
        }
        (self.features, self.canceller, self.preprocessor) = (features, canceller, preprocessor)
        configure()
    }

    deinit {
        speex_preprocess_state_destroy(preprocessor)
        if let canceller { speex_echo_state_destroy(canceller) }
    }

    private func configure() {
        if let canceller {
            var rate = Int32(PlayedSound.rate)
            speex_echo_ctl(canceller, SPEEX_ECHO_SET_SAMPLING_RATE, &rate)
            speex_preprocess_ctl(preprocessor, SPEEX_PREPROCESS_SET_ECHO_STATE, UnsafeMutableRawPointer(canceller))
        }
        // What is left of the echo is only suppressed where noise is, if by nothing.
        let isSuppressing = !features.isDisjoint(with: [.echoCancellation, .noiseSuppression])
        set(SPEEX_PREPROCESS_SET_DENOISE, isSuppressing ? 1 : 0)
        set(SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, features.contains(.noiseSuppression) ? Self.suppression.noise : 0)
        set(SPEEX_PREPROCESS_SET_ECHO_SUPPRESS, Self.suppression.echo)
        set(SPEEX_PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE, Self.suppression.echoUnderSpeech)
        set(SPEEX_PREPROCESS_SET_AGC, features.contains(.gainControl) ? 1 : 0)
        set(SPEEX_PREPROCESS_SET_AGC_TARGET, Self.gain.target)
        set(SPEEX_PREPROCESS_SET_AGC_MAX_GAIN, Self.gain.greatest)
        set(SPEEX_PREPROCESS_SET_AGC_INCREMENT, Self.gain.rise)
        set(SPEEX_PREPROCESS_SET_AGC_DECREMENT, Self.gain.fall)
    }

    private func set(_ request: Int32, _ value: Int32) {
        var value = value
        speex_preprocess_ctl(preprocessor, request, &value)
    }

    /// Takes what the loudspeaker will play from `instant` on.
    package mutating func play(_ sound: Span<Int16>, heardAt instant: Instant) {
        if canceller != nil { played.append(sound, heardAt: instant) }
    }

    /// Cleans what the microphone heard from `instant` on.
    ///
    /// - Parameter sound: a multiple of `blockLength` samples; what is more than that stays as it is.
    package mutating func process(_ sound: UnsafeMutableBufferPointer<Int16>, spokenAt instant: Instant) {
        guard var block = sound.baseAddress else { return }
        var instant = instant
        for _ in 0..<sound.count / Self.blockLength {
            if let canceller {
                var span = reference.elements.mutableSpan
                played.read(into: &span, spokenAt: instant)
                speex_echo_cancellation(
                    canceller, block, reference.elements.baseAddress, result.elements.baseAddress)
                block.update(from: result.elements.baseAddress!, count: Self.blockLength)
            }
            speex_preprocess_run(preprocessor, block)
            block += Self.blockLength
            instant += .milliseconds(5)
        }
    }
}

// The library's states have one owner, so that moving it to another thread moves all access.
extension VoiceProcessor: @unchecked Sendable {}
