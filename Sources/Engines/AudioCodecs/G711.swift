/// ITU-T G.711: a 16-bit sample as 8 bits of a logarithmic scale, and back. Every byte is a sample.
package enum G711: UInt8, Equatable, Sendable {
    case muLaw
    case aLaw

    /// 8-bit code to 16-bit linear.
    package func decode(_ code: UInt8) -> Int16 {
        switch self {
        case .muLaw: Self.decodeMuLaw(code)
        case .aLaw: Self.decodeALaw(code)
        }
    }

    /// 16-bit linear to 8-bit code.
    package func encode(_ sample: Int16) -> UInt8 {
        switch self {
        case .muLaw: Self.encodeMuLaw(sample)
        case .aLaw: Self.encodeALaw(sample)
        }
    }

    // µ-law: 14 bits of magnitude with a bias of 33, here scaled by 4 to fill 16 bits; all bits are sent inverted.
    private static let muLawBias = 132

    private static func decodeMuLaw(_ code: UInt8) -> Int16 {
        let bits = ~code
        let segment = Int(bits >> 4 & 7)
        let magnitude = (Int(bits & 15) << 3 + muLawBias) << segment - muLawBias
        return Int16(truncatingIfNeeded: bits & 0x80 == 0 ? magnitude : -magnitude)
    }

    private static func encodeMuLaw(_ sample: Int16) -> UInt8 {
        let magnitude = min(abs(Int(sample)), 32_635) + muLawBias
        // The segment is the place of the highest bit above the bias.
        let segment = max(0, Int.bitWidth - 1 - magnitude.leadingZeroBitCount - 7)
        let step = magnitude >> (segment + 3) & 15
        let sign = sample < 0 ? 0x80 : 0
        return ~UInt8(truncatingIfNeeded: sign | segment << 4 | step)
    }

    // A-law: 13 bits, here scaled by 8 to fill 16; every second bit is sent inverted.
    private static let aLawMask: UInt8 = 0x55

    private static func decodeALaw(_ code: UInt8) -> Int16 {
        let bits = code ^ aLawMask
        let segment = Int(bits >> 4 & 7)
        let step = Int(bits & 15) << 4
        let magnitude = segment == 0 ? step + 8 : (step + 0x108) << (segment - 1)
        return Int16(truncatingIfNeeded: bits & 0x80 != 0 ? magnitude : -magnitude)
    }

    private static func encodeALaw(_ sample: Int16) -> UInt8 {
        // The code for negative samples counts from -1, so that both zeros are used.
        let magnitude = sample >= 0 ? Int(sample) : -1 - Int(sample)
        let segment = max(0, Int.bitWidth - 1 - magnitude.leadingZeroBitCount - 7)
        let step = segment == 0 ? magnitude >> 4 & 15 : magnitude >> (segment + 3) & 15
        let sign = sample >= 0 ? 0x80 : 0
        return UInt8(truncatingIfNeeded: sign | segment << 4 | step) ^ aLawMask
    }
}
