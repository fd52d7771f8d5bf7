import EngineKit

/// Audio at 48 kHz to G.711 at 8 kHz.
package struct G711Encoder: ~Copyable, Sendable {
    /// 120 ms at 8 kHz.
    package static let maximumSampleCount = 960

    private var downsampler = Downsampler()
    private var narrow = FixedBuffer<Int16>(repeating: 0, count: Self.maximumSampleCount)

    package init() {}

    /// Samples at 48 kHz in a packet of a packet time in milliseconds, held to 3...120.
    package static func sampleCount(packetTime: Int) -> Int {
        min(max(packetTime, 3), 120) * AudioCodec.sampleRate / 1_000
    }

    package mutating func reset() {
        downsampler.reset()
    }

    /// Encodes a frame. Gives the number of octets, a sixth of the samples; nil where they are not a multiple of six,
    /// more than 120 ms, or too many for `output`.
    package mutating func encode(
        _ samples: Span<Int16>, as law: G711, into output: inout MutableSpan<UInt8>
    ) -> Int? {
        let count = samples.count / AudioCodec.pcmu.samplesPerTick
        guard count * AudioCodec.pcmu.samplesPerTick == samples.count, count <= Self.maximumSampleCount,
            count <= output.count
        else { return nil }
        let memory = narrow.elements
        var span = memory.mutableSpan
        downsampler.process(samples, into: &span)
        for index in 0..<count { output[index] = law.encode(narrow[index]) }
        return count
    }
}

/// G.711 at 8 kHz to audio at 48 kHz, with concealment of what is lost.
package struct G711Decoder: ~Copyable, Sendable {
    /// The longest packet that is played: 120 ms.
    package static let maximumPacketLength = 960

    private var upsampler = Upsampler()
    private var concealment = WaveformConcealment()
    private var narrow = FixedBuffer<Int16>(repeating: 0, count: Self.maximumPacketLength)

    package init() {}

    package mutating func reset() {
        upsampler.reset()
        concealment.reset()
    }

    /// Decodes a packet. Gives the number of samples, or nil for an empty or over-long packet.
    package mutating func decode(
        _ packet: Span<UInt8>, as law: G711, into output: inout MutableSpan<Int16>
    ) -> Int? {
        guard (1...Self.maximumPacketLength).contains(packet.count), hasRoom(output.count, ticks: packet.count) else {
            return nil
        }
        for index in packet.indices { narrow[index] = law.decode(packet[index]) }
        let memory = narrow.elements(0..<packet.count)
        var frame = memory.mutableSpan
        concealment.receive(&frame)
        return widen(ticks: packet.count, into: &output)
    }

    /// Makes up audio for `ticks` of the 8 kHz clock. Gives the number of samples.
    package mutating func conceal(ticks: Int, into output: inout MutableSpan<Int16>) -> Int? {
        guard (1...Self.maximumPacketLength).contains(ticks), hasRoom(output.count, ticks: ticks) else { return nil }
        let memory = narrow.elements(0..<ticks)
        var frame = memory.mutableSpan
        concealment.conceal(&frame)
        return widen(ticks: ticks, into: &output)
    }

    private func hasRoom(_ count: Int, ticks: Int) -> Bool {
        count >= ticks * AudioCodec.pcmu.samplesPerTick
    }

    private mutating func widen(ticks: Int, into output: inout MutableSpan<Int16>) -> Int {
        let memory = narrow.elements(0..<ticks)
        upsampler.process(memory.span, into: &output)
        return ticks * AudioCodec.pcmu.samplesPerTick
    }
}
