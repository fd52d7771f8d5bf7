import EngineKit

/// A STUN Binding request and what answers it (RFC 8489 §5, §6; RFC 5626 §8): as much as keeps a flow alive.
package struct BindingRequest: Equatable, Sendable {
    /// 96 bits that nobody can guess.
    package let transaction: [UInt8]

    static let magicCookie: UInt32 = 0x2112_a442
    private static let headerLength = 20

    init(transaction: [UInt8]) { self.transaction = transaction }

    package init(random: inout RandomSource) {
        transaction = (0..<12).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    package var bytes: [UInt8] { [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + transaction }

    package enum Answer: Equatable, Sendable {
        /// Where the server sees us; nil where it does not say in a way that we read.
        case success(SocketAddress?)
        case failure
    }

    /// Whether a datagram is STUN: its first two bits are 0 and the cookie is in its place, which no SIP message has.
    package static func isSTUN(_ bytes: [UInt8]) -> Bool {
        bytes.count >= headerLength && bytes[0] & 0xc0 == 0
            && bytes[4..<8].elementsEqual([0x21, 0x12, 0xa4, 0x42])
    }

    /// Reads the answer to this request; nil where the bytes are something else, or broken.
    package func answer(in bytes: [UInt8]) -> Answer? {
        var reader = ByteReader(bytes.span)
        guard let type = reader.readUInt16(), let length = reader.readUInt16(), reader.readUInt32() == Self.magicCookie,
            bytes.dropFirst(8).prefix(12).elementsEqual(transaction), reader.skip(12) != nil,
            Int(length) == reader.remaining, length % 4 == 0
        else { return nil }
        switch type {
        case 0x0101: break
        case 0x0111: return .failure
        default: return nil
        }
        while let attribute = reader.readUInt16(), let size = reader.readUInt16() {
            let padded = (Int(size) + 3) & ~3
            guard padded <= reader.remaining else { return nil }
            let value = bytes.dropFirst(reader.position).prefix(Int(size))
            if attribute == 0x0020 { return .success(mappedAddress(in: Array(value))) }
            guard reader.skip(padded) != nil else { return nil }
        }
        return .success(nil)
    }

    /// XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
    private func mappedAddress(in value: [UInt8]) -> SocketAddress? {
        var reader = ByteReader(value.span)
        guard reader.readUInt8() != nil, let family = reader.readUInt8(), let port = reader.readUInt16() else {
            return nil
        }
        let mask = UInt16(truncatingIfNeeded: Self.magicCookie >> 16)
        switch family {
        case 1:
            guard let address = reader.readUInt32(), reader.remaining == 0 else { return nil }
            return SocketAddress(.v4(address ^ Self.magicCookie), port: port ^ mask)
        case 2:
            guard let high = reader.readUInt64(), let low = reader.readUInt64(), reader.remaining == 0 else {
                return nil
            }
            var key = ByteReader(transaction.span)
            guard let first = key.readUInt32(), let rest = key.readUInt64() else { return nil }
            return SocketAddress(
                .v6(high: high ^ (UInt64(Self.magicCookie) << 32 | UInt64(first)), low: low ^ rest), port: port ^ mask)
        default:
            return nil
        }
    }
}
