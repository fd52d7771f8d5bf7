/// An IPv4 or IPv6 address as a number.
package enum IPAddress: Hashable, Sendable, BitwiseCopyable {
    /// The four octets in network order, the first one highest.
    case v4(UInt32)
    /// The sixteen octets in network order, and the interface index of a link-local address (else 0).
    case v6(high: UInt64, low: UInt64, scope: UInt32 = 0)

    package static let loopback = IPAddress.v4(0x7f00_0001)
    package static let unspecified = IPAddress.v4(0)
    package static let loopbackV6 = IPAddress.v6(high: 0, low: 1)
    package static let unspecifiedV6 = IPAddress.v6(high: 0, low: 0)

    package var isV4: Bool {
        if case .v4 = self { true } else { false }
    }

    /// How far an address reaches. A peer must not direct us to a narrower scope than it came from.
    package enum Scope: Int, Comparable, Sendable {
        case unspecified, loopback, linkLocal, privateNetwork, global, multicast, broadcast

        package static func < (left: Scope, right: Scope) -> Bool { left.rawValue < right.rawValue }
    }

    package var reach: Scope {
        switch unmapped {
        case .v4(let bits):
            switch bits >> 24 {
            case 0: return .unspecified
            case 127: return .loopback
            case 10: return .privateNetwork
            case 224...239: return .multicast
            default: break
            }
            if bits == 0xffff_ffff { return .broadcast }
            switch bits >> 16 {
            case 0xa9fe: return .linkLocal
            case 0xc0a8, 0xac10...0xac1f: return .privateNetwork
            case 0x6440...0x647f: return .privateNetwork  // RFC 6598, shared address space
            default: return .global
            }
        case .v6(let high, let low, _):
            if high == 0 && low == 0 { return .unspecified }
            if high == 0 && low == 1 { return .loopback }
            if high >> 56 == 0xff { return .multicast }
            if high >> 54 == 0xfe80 >> 6 { return .linkLocal }
            if high >> 57 == 0xfc >> 1 { return .privateNetwork }
            return .global
        }
    }

    package var isUnspecified: Bool { reach == .unspecified }
    package var isLoopback: Bool { reach == .loopback }

    /// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) as the IPv4 address that it stands for.
    package var unmapped: IPAddress {
        if case .v6(let high, let low, _) = self, high == 0, low >> 32 == 0xffff {
            return .v4(UInt32(truncatingIfNeeded: low))
        }
        return self
    }

    /// Whether this address lies in the network of `prefix` leading bits around `network`.
    package func isInside(_ network: IPAddress, prefix: Int) -> Bool {
        switch (self, network) {
        case (.v4(let left), .v4(let right)):
            return prefix <= 0 || (left ^ right) >> UInt32(max(0, 32 - min(prefix, 32))) == 0
        case (.v6(let leftHigh, let leftLow, _), .v6(let rightHigh, let rightLow, _)):
            if prefix <= 0 { return true }
            if prefix <= 64 { return (leftHigh ^ rightHigh) >> UInt64(64 - prefix) == 0 }
            return leftHigh == rightHigh && (leftLow ^ rightLow) >> UInt64(max(0, 128 - prefix)) == 0
        default:
            return false
        }
    }
}

// MARK: - Text

extension IPAddress: CustomStringConvertible {
    /// Reads dotted-quad IPv4 or IPv6 (RFC 4291 §2.2, without brackets and zone), or gives nil.
    package init?(_ text: some StringProtocol) {
        self.init(text: Array(text.utf8)[...])
    }

    /// As `init?(_:)`, from ASCII bytes.
    package init?(text: ArraySlice<UInt8>) {
        guard text.count <= 45 else { return nil }
        if text.contains(UInt8(ascii: ":")) {
            guard let groups = Self.groups(of: text) else { return nil }
            var halves = (UInt64(0), UInt64(0))
            for index in 0..<4 { halves.0 = halves.0 << 16 | UInt64(groups[index]) }
            for index in 4..<8 { halves.1 = halves.1 << 16 | UInt64(groups[index]) }
            self = .v6(high: halves.0, low: halves.1)
        } else {
            guard let bits = Self.dottedQuad(text) else { return nil }
            self = .v4(bits)
        }
    }

    private static func dottedQuad(_ text: ArraySlice<UInt8>) -> UInt32? {
        var bits: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                octet = octet * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                if digits > 3 || octet > 255 { return nil }
            case UInt8(ascii: "."):
                if digits == 0 || dots == 3 { return nil }
                bits = bits << 8 | octet
                (octet, digits, dots) = (0, 0, dots + 1)
            default:
                return nil
            }
        }
        guard dots == 3, digits > 0 else { return nil }
        return bits << 8 | octet
    }

    private static func groups(of text: ArraySlice<UInt8>) -> [UInt16]? {
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text
        if rest.starts(with: [UInt8(ascii: ":"), UInt8(ascii: ":")]) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            let piece = rest[rest.startIndex..<end]
            if piece.contains(UInt8(ascii: ".")) {
                guard end == rest.endIndex, let bits = dottedQuad(piece) else { return nil }
                groups += [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
                rest = []
                break
            }
            guard (1...4).contains(piece.count), let value = hexadecimal(piece) else { return nil }
            groups.append(value)
            if groups.count > 8 { return nil }
            if end == rest.endIndex { break }
            rest = rest[(end + 1)...]
            if rest.isEmpty { return nil }
            if rest.first == UInt8(ascii: ":") {
                if gap != nil { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            }
        }
        guard let gap else { return groups.count == 8 ? groups : nil }
        guard groups.count <= 7 else { return nil }
        let zeros = Array(repeating: UInt16(0), count: 8 - groups.count)
        return Array(groups[..<gap]) + zeros + Array(groups[gap...])
    }

    private static func hexadecimal(_ text: ArraySlice<UInt8>) -> UInt16? {
        var value: UInt16 = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }

    /// The canonical text: dotted quad, or RFC 5952 (lower case, the longest run of zeros shortened, no brackets).
    package var description: String {
        switch self {
        case .v4(let bits):
            return String(unsafeUninitializedCapacity: 15) { Self.write(bits, to: $0) }
        case .v6(let high, let low, _):
            if case .v4 = unmapped { return "::ffff:\(unmapped)" }
            let groups = (0..<8).map { index in
                UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
            }
            return Self.shortened(groups)
        }
    }

    /// Writes a dotted quad, and says how long it is; 15 octets have room for each.
    private static func write(_ bits: UInt32, to text: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var count = 0
        func put(_ byte: UInt32) {
            text[count] = UInt8(truncatingIfNeeded: byte)
            count += 1
        }
        for shift: UInt32 in [24, 16, 8, 0] {
            let octet = bits >> shift & 255
            if octet >= 100 { put(0x30 + octet / 100) }
            if octet >= 10 { put(0x30 + octet / 10 % 10) }
            put(0x30 + octet % 10)
            if shift > 0 { put(0x2e) }
        }
        return count
    }

    private static func shortened(_ groups: [UInt16]) -> String {
        var best = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8 && groups[end] == 0 { end += 1 }
            if end - index > max(best.count, 1) { best = index..<end }
            index = end + 1
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}
