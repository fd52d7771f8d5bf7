/// ITU-T G.711: a 16-bit sample as 8 bits of a logarithmic scale, and back. Every byte is a sample.
package enum G711: UInt8, Equatable, Sendable {
    case muLaw
    case aLaw

    /// 8-bit codes to 16-bit linear, for which `samples` has to have room.
    package func decode(_ codes: Span<UInt8>, into samples: inout MutableSpan<Int16>) {
        precondition(codes.count <= samples.count, "no room for the speech")
        codes.withUnsafeBufferPointer { codes in
            samples.withUnsafeMutableBufferPointer { samples in
                for index in 0..<codes.count { samples[index] = decode(codes[index]) }
            }
        }
    }

    /// 16-bit linear to 8-bit codes, for which `codes` has to have room.
    package func encode(_ samples: Span<Int16>, into codes: inout MutableSpan<UInt8>) {
        precondition(samples.count <= codes.count, "no room for the codes")
        samples.withUnsafeBufferPointer { samples in
            codes.withUnsafeMutableBufferPointer { codes in
                for index in 0..<samples.count { codes[index] = encode(samples[index]) }
            }
        }
    }

    /// 8-bit code to 16-bit linear.
    @inline(__always)
    package func decode(_ code: UInt8) -> Int16 {
        switch self {
        case .muLaw: Self.decodeMuLaw(code)
        case .aLaw: Self.decodeALaw(code)
        }
    }

    /// 16-bit linear to 8-bit code.
    @inline(__always)
    package func encode(_ sample: Int16) -> UInt8 {
        switch self {
        case .muLaw: Self.encodeMuLaw(sample)
        case .aLaw: Self.encodeALaw(sample)
        }
    }

    // Both laws write a magnitude as a Float has it: a segment, which is an exponent, and four bits of the significand.
    // So a Float's own bits are the code and back, without a shift by a number that differs from sample to sample, and
    // many samples can be taken at a time.

    /// What the exponent and four bits of a Float of 128 are, which begins segment 0.
    private static let segmentBase: UInt32 = (127 + 7) << 4

    /// Segment and step, for a magnitude from 128 on.
    @inline(__always)
    private static func segmentAndStep(of magnitude: Int32) -> UInt32 {
        Float(magnitude).bitPattern >> 19 &- segmentBase
    }

    /// The middle of what segment and step stand for.
    @inline(__always)
    private static func magnitude(of segmentAndStep: UInt32) -> Int32 {
        let middle = Float(bitPattern: (segmentAndStep &+ segmentBase) << 19 | 1 << 18)
        // In a number of this size the last bit counts ones.
        return Int32(bitPattern: (middle + 8_388_608).bitPattern & 0xffff)
    }

    // µ-law: 14 bits of magnitude with a bias of 33, here scaled by 4 to fill 16 bits; all bits are sent inverted.
    private static let muLawBias: Int32 = 132

    @inline(__always)
    private static func decodeMuLaw(_ code: UInt8) -> Int16 {
        let bits = UInt32(~code)
        let magnitude = magnitude(of: bits & 0x7f) &- muLawBias
        return Int16(truncatingIfNeeded: bits & 0x80 == 0 ? magnitude : 0 &- magnitude)
    }

    @inline(__always)
    private static func encodeMuLaw(_ sample: Int16) -> UInt8 {
        let magnitude = min(abs(Int32(sample)), 32_635) &+ muLawBias
        let sign: UInt32 = sample < 0 ? 0x80 : 0
        return ~UInt8(truncatingIfNeeded: sign | segmentAndStep(of: magnitude))
    }

    // A-law: 13 bits, here scaled by 8 to fill 16; every second bit is sent inverted. Segment 0 has steps as large as
    // those of segment 1.
    private static let aLawMask: UInt8 = 0x55

    @inline(__always)
    private static func decodeALaw(_ code: UInt8) -> Int16 {
        let bits = UInt32(code ^ aLawMask)
        let segmentAndStep = bits & 0x7f
        let magnitude =
            segmentAndStep < 16 ? Int32(truncatingIfNeeded: segmentAndStep << 4 | 8) : magnitude(of: segmentAndStep)
        return Int16(truncatingIfNeeded: bits & 0x80 != 0 ? magnitude : 0 &- magnitude)
    }

    @inline(__always)
    private static func encodeALaw(_ sample: Int16) -> UInt8 {
        // The code for negative samples counts from -1, so that both zeros are used.
        let magnitude = Int32(sample >= 0 ? sample : ~sample)
        let segmentAndStep =
            magnitude < 256 ? UInt32(truncatingIfNeeded: magnitude >> 4) : segmentAndStep(of: magnitude)
        let sign: UInt32 = sample >= 0 ? 0x80 : 0
        return UInt8(truncatingIfNeeded: sign | segmentAndStep) ^ aLawMask
    }
}
