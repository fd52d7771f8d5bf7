import COpus
import EngineKit

/// What an encoder has put into an output.
package struct EncodedPacket: Equatable, Sendable {
    package var length: Int
    /// How much audio it stands for.
    package var sampleCount: Int
    /// It says no more than "as before": under DTX it need not be sent (`opus_encode`).
    package var isDispensable: Bool

    package init(length: Int, sampleCount: Int, isDispensable: Bool = false) {
        self.length = length
        self.sampleCount = sampleCount
        self.isDispensable = isDispensable
    }
}

/// Encodes one packet time of audio, of which Opus may have no frame: 30 ms are three frames of 10 ms in one packet
/// (RFC 6716 §3.2).
///
/// A packet has one configuration for all of its frames. Where the encoder turns to another within a packet time, it
/// makes two packets of it.
package struct OpusPacketizer: ~Copyable {
    /// 120 ms (RFC 7587 §4.2), in samples at 48 kHz.
    package static let maximumSampleCount = OpusDecoder.maximumSampleCount
    /// Twelve of 10 ms make the longest packet.
    private static let maximumFrameCount = 12
    /// Two octets for the table of contents and the count, two for the length of each frame.
    private static let frameRoom = 2

    package var encoder: OpusEncoder
    private let repacketizer: OpaquePointer
    /// The frames of one packet time, each as a packet of its own, in equal parts of the memory.
    private var memory = FixedBuffer<UInt8>(repeating: 0, count: OpusEncoder.maximumPacketLength)
    private var lengths = InlineArray<12, Int>(repeating: 0)
    private var part = 0
    private var frameSampleCount = 0
    private var frameCount = 0
    private var nextFrame = 0

    package init(_ encoder: consuming OpusEncoder) throws(OpusError) {
        guard let repacketizer = opus_repacketizer_create() else { throw OpusError(code: OPUS_ALLOC_FAIL) }
        self.encoder = encoder
        self.repacketizer = repacketizer
    }

    deinit { opus_repacketizer_destroy(repacketizer) }

    /// Samples in the longest packet not above a packet time in milliseconds: from 10 ms on whole tens, below the
    /// frames of 5 and 2.5 ms.
    package static func sampleCount(packetTime: Int) -> Int {
        switch packetTime {
        case 10...: min(packetTime, 120) / 10 * 480
        case 5..<10: 240
        default: 120
        }
    }

    /// The longest frame of which a packet is a multiple; nil for samples that no frames make up.
    private static func frameSampleCount(in sampleCount: Int) -> Int? {
        guard (1...maximumSampleCount).contains(sampleCount) else { return nil }
        if sampleCount % 2_880 == 0 { return 2_880 }
        if sampleCount % 1_920 == 0 { return 1_920 }
        if sampleCount % 960 == 0 { return 960 }
        if sampleCount % 480 == 0 { return 480 }
        return OpusEncoder.isFrame(sampleCount: sampleCount) ? sampleCount : nil
    }

    package mutating func reset() {
        encoder.reset()
        (frameCount, nextFrame) = (0, 0)
    }

    /// Encodes one packet time; `nextPacket` then gives what came of it. False for samples that no frames make up.
    package mutating func encode(_ samples: Span<Int16>) -> Bool {
        (frameCount, nextFrame) = (0, 0)
        guard let length = Self.frameSampleCount(in: samples.count) else { return false }
        frameSampleCount = length
        let count = samples.count / length
        part = count == 1 ? memory.count : (memory.count - 2) / count - Self.frameRoom
        for index in 0..<count {
            let room = memory.elements(index * part..<(index + 1) * part)
            var output = room.mutableSpan
            let frame = samples.extracting(index * length..<(index + 1) * length)
            guard let written = encoder.encode(frame, into: &output) else { return false }
            lengths[index] = written
        }
        frameCount = count
        return true
    }

    /// The next packet of the packet time, as many frames as go together; nil after the last one, and for an output
    /// that is too small.
    package mutating func nextPacket(into output: inout MutableSpan<UInt8>) -> EncodedPacket? {
        guard nextFrame < frameCount else { return nil }
        let first = nextFrame
        var isDispensable = true
        _ = opus_repacketizer_init(repacketizer)
        while nextFrame < frameCount {
            let frame = memory.elements(nextFrame * part..<nextFrame * part + lengths[nextFrame])
            guard let start = frame.baseAddress,
                opus_repacketizer_cat(repacketizer, start, Int32(frame.count)) == OPUS_OK
            else { break }
            if frame.count > 2 { isDispensable = false }
            nextFrame += 1
        }
        let length =
            nextFrame - first == 1 ? copy(first, into: &output) : pack(first..<nextFrame, into: &output)
        guard let length else { return nil }
        return EncodedPacket(
            length: length, sampleCount: (nextFrame - first) * frameSampleCount, isDispensable: isDispensable)
    }

    /// A frame that stays alone is a packet already.
    private func copy(_ index: Int, into output: inout MutableSpan<UInt8>) -> Int? {
        guard lengths[index] <= output.count else { return nil }
        for offset in 0..<lengths[index] { output[offset] = memory[index * part + offset] }
        return lengths[index]
    }

    private func pack(_ frames: Range<Int>, into output: inout MutableSpan<UInt8>) -> Int? {
        // Packing leaves out the padding by which a stream of constant bit rate has packets of constant length.
        let constant = frames.reduce(2) { $0 + lengths[$1] + Self.frameRoom }
        let isConstant = encoder.isConstantBitRate
        let length = output.withUnsafeMutableBufferPointer { bytes -> Int in
            guard let start = bytes.baseAddress else { return 0 }
            let length = opus_repacketizer_out(repacketizer, start, Int32(bytes.count))
            guard isConstant, length > 0, constant <= bytes.count else { return Int(length) }
            return opus_packet_pad(start, length, Int32(constant)) == OPUS_OK ? constant : Int(length)
        }
        return length > 0 ? length : nil
    }
}

// As of the encoder.
extension OpusPacketizer: @unchecked Sendable {}
