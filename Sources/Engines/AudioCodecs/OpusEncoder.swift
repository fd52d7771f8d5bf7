import COpus

/// A libopus error number, negative.
package struct OpusError: Error, Equatable, Sendable {
    package let code: Int32
}

/// Opus at 48 kHz mono for speech (RFC 6716), variable bit rate with in-band forward error correction.
package struct OpusEncoder: ~Copyable {
    /// Without other wish of the peer: what RFC 7587 §3.1.1 calls full-band speech (28 to 40 kbit/s).
    package static let usualBitRate = 42_000

    /// The largest packet that is made, which leaves room for headers in 1280 octets, the least MTU of IPv6.
    package static let maximumPacketLength = 1_200

    private let encoder: OpaquePointer
    private let settings: OpusSettings
    private(set) var isConstantBitRate = false
    private var playbackRate = 48_000
    private var band = FullBandDetector()

    /// - Parameters:
    ///   - preferences: what the peer asks for.
    ///   - settings: what is settled whatever the peer asks for.
    package init(
        preferences: OpusPreferences = OpusPreferences(), settings: OpusSettings = OpusSettings()
    ) throws(OpusError) {
        var code: Int32 = OPUS_OK
        guard let encoder = opus_encoder_create(48_000, 1, OPUS_APPLICATION_VOIP, &code), code == OPUS_OK else {
            throw OpusError(code: code)
        }
        (self.encoder, self.settings) = (encoder, settings)
        set(OPUS_SET_COMPLEXITY_REQUEST, Int32(settings.complexity.clamped(to: OpusSettings.complexities)))
        set(OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE)
        setExpectedLoss(percent: 10)
        apply(preferences)
    }

    deinit {
        opus_encoder_destroy(encoder)
    }

    /// Follows the peer's `fmtp`. Takes effect with the next frame.
    package mutating func apply(_ preferences: OpusPreferences) {
        let preferences = preferences.overridden(by: settings)
        let bitRate = settings.bitRate ?? min(preferences.maximumBitRate ?? Self.usualBitRate, Self.usualBitRate)
        set(OPUS_SET_BITRATE_REQUEST, Int32(bitRate.clamped(to: OpusSettings.bitRates)))
        isConstantBitRate = preferences.usesConstantBitRate
        set(OPUS_SET_VBR_REQUEST, isConstantBitRate ? 0 : 1)
        set(OPUS_SET_INBAND_FEC_REQUEST, preferences.usesInBandFEC ? 1 : 0)
        set(OPUS_SET_DTX_REQUEST, preferences.usesDTX ? 1 : 0)
        playbackRate = preferences.maximumPlaybackRate
        limitBandwidth()
    }

    /// The peer can't play more than it says, and the sound may have less.
    private func limitBandwidth() {
        let limit = Self.bandwidth(playbackRate: playbackRate)
        set(OPUS_SET_MAX_BANDWIDTH_REQUEST, band.isFullBand ? limit : min(limit, OPUS_BANDWIDTH_WIDEBAND))
    }

    /// How much loss the forward error correction is to be prepared for.
    package mutating func setExpectedLoss(percent: Int) {
        set(OPUS_SET_PACKET_LOSS_PERC_REQUEST, Int32(max(0, min(100, percent))))
    }

    package mutating func reset() {
        _ = copus_encoder_reset(encoder)
        band.reset()
        limitBandwidth()
    }

    /// By how many samples at 48 kHz the decoder's output lags the encoder's input, framing aside.
    package var lookahead: Int {
        var samples: Int32 = 0
        return copus_encoder_get(encoder, OPUS_GET_LOOKAHEAD_REQUEST, &samples) == OPUS_OK ? Int(samples) : 0
    }

    /// Whether Opus has a frame of that many samples at 48 kHz: 2.5, 5, 10, 20, 40 or 60 ms.
    package static func isFrame(sampleCount: Int) -> Bool {
        switch sampleCount {
        case 120, 240, 480, 960, 1_920, 2_880: true
        default: false
        }
    }

    /// Encodes one frame. Gives the packet's length, or nil for samples that are no frame or an output that is too
    /// small.
    package mutating func encode(_ samples: Span<Int16>, into output: inout MutableSpan<UInt8>) -> Int? {
        guard Self.isFrame(sampleCount: samples.count), !output.isEmpty else { return nil }
        let wasFullBand = band.isFullBand
        band.observe(samples)
        if band.isFullBand != wasFullBand { limitBandwidth() }
        let capacity = Int32(min(output.count, Self.maximumPacketLength))
        let length = samples.withUnsafeBufferPointer { input in
            output.withUnsafeMutableBufferPointer { bytes in
                guard let start = input.baseAddress, let packet = bytes.baseAddress else { return OPUS_BAD_ARG }
                return opus_encode(encoder, start, Int32(input.count), packet, capacity)
            }
        }
        return length > 0 ? Int(length) : nil
    }

    private func set(_ request: Int32, _ value: Int32) {
        // Only fails on a value out of range, which the callers above rule out.
        _ = copus_encoder_set(encoder, request, value)
    }

    private static func bandwidth(playbackRate: Int) -> Int32 {
        switch playbackRate {
        case ...8_000: OPUS_BANDWIDTH_NARROWBAND
        case ...12_000: OPUS_BANDWIDTH_MEDIUMBAND
        case ...16_000: OPUS_BANDWIDTH_WIDEBAND
        case ...24_000: OPUS_BANDWIDTH_SUPERWIDEBAND
        default: OPUS_BANDWIDTH_FULLBAND
        }
    }
}

// The owner is the only one that reaches the encoder's state, so that moving it to another thread moves all access.
extension OpusEncoder: @unchecked Sendable {}

extension Int {
    fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.max(range.lowerBound, Swift.min(self, range.upperBound))
    }
}
