import EngineKit

/// Audio at 48 kHz to codes of its waveform.
package struct WaveformEncoder: ~Copyable, Sendable {
    /// 120 ms at 16 kHz.
    private static let maximumSampleCount = 1_920

    private var narrow = Downsampler(.narrow)
    private var wide = Downsampler(.wide)
    private var g722 = G722Encoder()
    private var samples = FixedBuffer<Int16>(repeating: 0, count: Self.maximumSampleCount)

    package init() {}

    /// Samples at 48 kHz in a packet of a packet time in milliseconds, held to 3...120.
    package static func sampleCount(packetTime: Int) -> Int {
        min(max(packetTime, 3), 120) * AudioCodec.sampleRate / 1_000
    }

    package mutating func reset() {
        narrow.reset()
        wide.reset()
        g722.reset()
    }

    /// Encodes a frame. Gives the number of octets; nil where its samples are no whole number of codes, more than 120 ms,
    /// or too many for `output`.
    package mutating func encode(
        _ frame: Span<Int16>, as code: WaveformCode, into output: inout MutableSpan<UInt8>
    ) -> Int? {
        let count = frame.count / code.band.ratio
        guard count * code.band.ratio == frame.count, count <= Self.maximumSampleCount,
            let octets = code.octets(of: count), octets <= output.count
        else { return nil }
        let memory = samples.elements(0..<count)
        var span = memory.mutableSpan
        if code.band == .narrow { narrow.process(frame, into: &span) } else { wide.process(frame, into: &span) }
        switch code {
        case .muLaw: G711.muLaw.encode(memory.span, into: &output)
        case .aLaw: G711.aLaw.encode(memory.span, into: &output)
        case .g722: g722.encode(memory.span, into: &output)
        case .linear:
            for index in 0..<count {
                output[2 * index] = UInt8(truncatingIfNeeded: memory[index] >> 8)
                output[2 * index + 1] = UInt8(truncatingIfNeeded: memory[index])
            }
        }
        return octets
    }
}

/// Codes of a waveform to audio at 48 kHz, with concealment of what is lost.
package struct WaveformDecoder: ~Copyable, Sendable {
    /// 120 ms at 16 kHz.
    private static let maximumSampleCount = 1_920
    /// The longest payload that is played: nothing longer fits an Ethernet frame.
    package static let maximumPacketLength = 1_500

    private var narrow = WaveformBand(.narrow)
    private var wide = WaveformBand(.wide)
    private var g722 = G722Decoder()
    private var samples = FixedBuffer<Int16>(repeating: 0, count: Self.maximumSampleCount)

    package init() {}

    package mutating func reset() {
        narrow.reset()
        wide.reset()
        g722.reset()
    }

    /// How many samples at 48 kHz a packet holds; nil for an empty one, one of more than 120 ms, or a broken sample.
    package static func sampleCount(of packet: Span<UInt8>, as code: WaveformCode) -> Int? {
        guard (1...maximumPacketLength).contains(packet.count), let count = code.samples(of: packet.count),
            count <= 120 * code.band.samplesPerMillisecond
        else { return nil }
        return count * code.band.ratio
    }

    /// Decodes a packet. Gives the number of samples, or nil for a packet that can't be played.
    package mutating func decode(
        _ packet: Span<UInt8>, as code: WaveformCode, into output: inout MutableSpan<Int16>
    ) -> Int? {
        guard let total = Self.sampleCount(of: packet, as: code), total <= output.count else { return nil }
        let memory = samples.elements(0..<total / code.band.ratio)
        var frame = memory.mutableSpan
        switch code {
        case .muLaw: G711.muLaw.decode(packet, into: &frame)
        case .aLaw: G711.aLaw.decode(packet, into: &frame)
        case .g722: g722.decode(packet, into: &frame)
        case .linear:
            for index in frame.indices {
                frame[index] = Int16(truncatingIfNeeded: Int(packet[2 * index]) << 8 | Int(packet[2 * index + 1]))
            }
        }
        if code.band == .narrow { narrow.receive(&frame, into: &output) } else { wide.receive(&frame, into: &output) }
        return total
    }

    /// Makes up `sampleCount` samples at 48 kHz, in whole samples of the code's band; nil where there are none or more
    /// than 120 ms.
    package mutating func conceal(
        sampleCount: Int, as code: WaveformCode, into output: inout MutableSpan<Int16>
    ) -> Int? {
        let count = sampleCount / code.band.ratio
        guard (1...120 * code.band.samplesPerMillisecond).contains(count), count * code.band.ratio <= output.count
        else {
            return nil
        }
        let memory = samples.elements(0..<count)
        var frame = memory.mutableSpan
        if code.band == .narrow { narrow.conceal(&frame, into: &output) } else { wide.conceal(&frame, into: &output) }
        return count * code.band.ratio
    }
}

/// The way from samples of one band to 48 kHz.
private struct WaveformBand: ~Copyable, Sendable {
    private var upsampler: Upsampler
    private var concealment: WaveformConcealment

    init(_ band: SpeechBand) {
        upsampler = Upsampler(band)
        concealment = WaveformConcealment(band)
    }

    mutating func reset() {
        upsampler.reset()
        concealment.reset()
    }

    mutating func receive(_ frame: inout MutableSpan<Int16>, into output: inout MutableSpan<Int16>) {
        concealment.receive(&frame)
        upsampler.process(frame.span, into: &output)
    }

    mutating func conceal(_ frame: inout MutableSpan<Int16>, into output: inout MutableSpan<Int16>) {
        concealment.conceal(&frame)
        upsampler.process(frame.span, into: &output)
    }
}
