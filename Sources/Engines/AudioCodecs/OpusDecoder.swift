import COpus

/// Opus to 48 kHz mono (RFC 6716); a stereo stream is mixed down. Any bytes: what libopus refuses gives nil.
package struct OpusDecoder: ~Copyable {
    /// 120 ms, the longest packet (RFC 6716 §3.2.5), in samples. Every output must have room for as many.
    package static let maximumSampleCount = 5_760

    /// The longest payload that is handed to libopus: nothing longer fits an Ethernet frame.
    package static let maximumPacketLength = 1_500

    private let decoder: OpaquePointer
    private let saved: UnsafeMutableRawBufferPointer

    package init() throws(OpusError) {
        var code: Int32 = OPUS_OK
        guard let decoder = opus_decoder_create(48_000, 1, &code), code == OPUS_OK else {
            throw OpusError(code: code)
        }
        self.decoder = decoder
        saved = .allocate(byteCount: Int(opus_decoder_get_size(1)), alignment: 16)
        save()
    }

    deinit {
        opus_decoder_destroy(decoder)
        saved.deallocate()
    }

    /// Keeps where the decoder is, to go back there with `restore`. Its state is one block that may be copied, says
    /// opus.h.
    package mutating func save() {
        saved.copyMemory(from: UnsafeRawBufferPointer(start: UnsafeRawPointer(decoder), count: saved.count))
    }

    /// Goes back to where the last `save` was.
    package mutating func restore() {
        guard let start = saved.baseAddress else { return }
        UnsafeMutableRawPointer(decoder).copyMemory(from: start, byteCount: saved.count)
    }

    package mutating func reset() {
        _ = copus_decoder_reset(decoder)
    }

    /// Decodes a packet. Gives the number of samples, or nil for a packet that is none.
    package mutating func decode(_ packet: Span<UInt8>, into output: inout MutableSpan<Int16>) -> Int? {
        guard let sampleCount = Self.sampleCount(of: packet), sampleCount <= output.count else { return nil }
        return decode(packet, sampleCount: sampleCount, redundancy: false, into: &output)
    }

    /// Brings back the `sampleCount` samples that went before `next`, out of the redundancy in `next`; where it has
    /// none, conceals them. To be called before `next` itself is decoded.
    package mutating func decodeRedundancy(
        of next: Span<UInt8>, sampleCount: Int, into output: inout MutableSpan<Int16>
    ) -> Int? {
        guard Self.sampleCount(of: next) != nil, Self.isDuration(sampleCount), sampleCount <= output.count else {
            return nil
        }
        return decode(next, sampleCount: sampleCount, redundancy: true, into: &output)
    }

    /// Makes up `sampleCount` samples, a multiple of 2.5 ms, for a packet that is missing.
    package mutating func conceal(sampleCount: Int, into output: inout MutableSpan<Int16>) -> Int? {
        guard Self.isDuration(sampleCount), sampleCount <= output.count else { return nil }
        let count = output.withUnsafeMutableBufferPointer { samples in
            guard let start = samples.baseAddress else { return OPUS_BAD_ARG }
            return opus_decode(decoder, nil, 0, start, Int32(sampleCount), 0)
        }
        return count > 0 ? Int(count) : nil
    }

    /// How many samples at 48 kHz a packet holds; nil where its length or its table of contents (RFC 6716 §3.1) rule
    /// it out.
    package static func sampleCount(of packet: Span<UInt8>) -> Int? {
        guard (1...maximumPacketLength).contains(packet.count) else { return nil }
        let count = packet.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return OPUS_BAD_ARG }
            return opus_packet_get_nb_samples(start, Int32(bytes.count), 48_000)
        }
        return (1...maximumSampleCount).contains(Int(count)) ? Int(count) : nil
    }

    /// What a packet says about the one before it.
    package enum Redundancy: Equatable, Sendable {
        /// Its speech once more.
        case copy
        /// Nothing.
        case none
        /// Nothing, but then it holds no speech itself, and where there is none nothing is copied.
        case silence
    }

    /// Whether a packet carries the speech of the one before it once more: the LBRR flag, which follows the flags of
    /// voice activity in the header bits of its first SILK frame (RFC 6716 §4.2.3 and §4.2.4).
    package static func redundancy(in packet: Span<UInt8>) -> Redundancy {
        guard sampleCount(of: packet) != nil, packet[0] & 0x80 == 0 else { return .none }
        // Table 2: configurations 12 to 15, the hybrid ones, have frames of 10 or 20 ms; those below of 10 to 60 ms.
        let configuration = packet[0] >> 3
        let silkFrames =
            configuration >= 12 ? 1 : max(1, Int(configuration & 3))
        let isStereo = packet[0] & 0x04 != 0
        var sizes = InlineArray<48, Int16>(repeating: 0)
        var offset: Int32 = 0
        let frameCount = packet.withUnsafeBufferPointer { bytes in
            var sizeSpan = sizes.mutableSpan
            return sizeSpan.withUnsafeMutableBufferPointer { sizes in
                guard let start = bytes.baseAddress, let sizes = sizes.baseAddress else { return OPUS_BAD_ARG }
                return opus_packet_parse(start, Int32(bytes.count), nil, nil, sizes, &offset)
            }
        }
        guard frameCount > 0, sizes[0] > 0, Int(offset) < packet.count else { return .silence }
        let header = packet[Int(offset)]
        if header >> UInt8(7 - silkFrames) & 1 == 1 { return .copy }
        if isStereo && 2 * silkFrames <= 6 && header >> UInt8(6 - 2 * silkFrames) & 1 == 1 { return .copy }
        return header >> UInt8(8 - silkFrames) == 0 ? .silence : .none
    }

    private static func isDuration(_ sampleCount: Int) -> Bool {
        (120...maximumSampleCount).contains(sampleCount) && sampleCount % 120 == 0
    }

    private mutating func decode(
        _ packet: Span<UInt8>, sampleCount: Int, redundancy: Bool, into output: inout MutableSpan<Int16>
    ) -> Int? {
        let count = packet.withUnsafeBufferPointer { bytes in
            output.withUnsafeMutableBufferPointer { samples in
                guard let start = samples.baseAddress else { return OPUS_BAD_ARG }
                return opus_decode(
                    decoder, bytes.baseAddress, Int32(bytes.count), start, Int32(sampleCount), redundancy ? 1 : 0)
            }
        }
        return count > 0 ? Int(count) : nil
    }
}

// The owner is the only one that reaches the decoder's state, so that moving it to another thread moves all access.
extension OpusDecoder: @unchecked Sendable {}
