/// An IP address and a port.
package struct SocketAddress: Hashable, Sendable, BitwiseCopyable {
    package var address: IPAddress
    package var port: UInt16

    package init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension SocketAddress: CustomStringConvertible {
    /// Reads `192.0.2.1:5060` or `[2001:db8::1]:5060`; a port is required.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")), let port = Self.port(bytes[(colon + 1)...]) else {
            return nil
        }
        var host = bytes[..<colon]
        if host.first == UInt8(ascii: "[") {
            guard host.last == UInt8(ascii: "]") else { return nil }
            host = host.dropFirst().dropLast()
            guard let address = IPAddress(text: host), !address.isV4 else { return nil }
            self.init(address, port: port)
        } else {
            guard let address = IPAddress(text: host), address.isV4 else { return nil }
            self.init(address, port: port)
        }
    }

    private static func port(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...5).contains(digits.count) else { return nil }
        var value: UInt32 = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + UInt32(byte - UInt8(ascii: "0"))
        }
        return UInt16(exactly: value)
    }

    /// `192.0.2.1:5060` or `[2001:db8::1]:5060`.
    package var description: String {
        address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
