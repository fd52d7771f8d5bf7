import EngineKit

/// The host of a URI or a Via: a name or an address (RFC 3261 §25.1). Names compare without case and keep theirs.
package enum Host: Sendable {
    case name(String)
    case address(IPAddress)

    /// Reads a host name, an IPv4 address or an IPv6 address (brackets optional).
    package init(_ text: String) {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
        if let address = IPAddress(bare) { self = .address(address) } else { self = .name(text) }
    }

    package var address: IPAddress? {
        if case .address(let address) = self { address } else { nil }
    }
}

extension Host: Hashable {
    package static func == (left: Host, right: Host) -> Bool {
        switch (left, right) {
        case (.name(let left), .name(let right)): left.equalsIgnoringCase(right)
        case (.address(let left), .address(let right)): left == right
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .name(let name): hasher.combine(name.asciiLowercased)
        case .address(let address): hasher.combine(address)
        }
    }
}

extension Host: CustomStringConvertible {
    /// The host as the wire has it: IPv6 in brackets.
    package var description: String {
        switch self {
        case .name(let name): name
        case .address(let address): address.isV4 ? address.description : "[\(address)]"
        }
    }
}

extension Host {
    /// Passes over a host and gives where it stands.
    @inline(__always)
    static func range(_ cursor: inout FieldCursor) throws(FieldFault) -> Range<Int> {
        if cursor.next == UInt8(ascii: "[") { return try bracketed(&cursor) }
        if let address = try cursor.dottedQuad() { return address }
        let range = try cursor.run(of: .hostName)
        guard let first = cursor.byte(at: range.lowerBound), !range.isEmpty, first != UInt8(ascii: ".") else {
            throw FieldFault(.expected(.host), at: range.lowerBound)
        }
        if range.count > 255 { throw FieldFault(.tooLong(.host), at: range.lowerBound) }
        // The last label of a name starts with a letter (§25.1 toplabel), so 300.1.1.1 is neither.
        guard cursor.withBytes(in: range, lastLabel)?.isDigit == false else {
            throw FieldFault(.expected(.host), at: range.lowerBound)
        }
        return range
    }

    /// The host in a range that `range(_:)` gave, or that a host was written to.
    init(written bytes: [UInt8], _ range: Range<Int>) {
        let cursor = FieldCursor(bytes, range)
        if let first = cursor.next, first.isDigit, let bits = cursor.withBytes(in: range, Self.dottedQuad) {
            self = .address(.v4(bits))
        } else {
            self.init(cursor.text(range))
        }
    }

    private static func bracketed(_ cursor: inout FieldCursor) throws(FieldFault) -> Range<Int> {
        let start = cursor.position
        cursor.position += 1
        let inside = cursor.position
        while let byte = cursor.next, byte != UInt8(ascii: "]") { cursor.position += 1 }
        let range = inside..<cursor.position
        try cursor.spend(range.count)
        guard cursor.take(UInt8(ascii: "]")), range.count <= 45,
            let address = IPAddress(text: cursor.bytes[range]), !address.isV4
        else { throw FieldFault(.expected(.host), at: start) }
        return start..<cursor.position
    }

    private static func dottedQuad(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? {
        guard text.count <= 15 else { return nil }
        var (bits, octet, digits, dots): (UInt32, UInt32, Int, Int) = (0, 0, 0, 0)
        for byte in text {
            if byte.isDigit {
                octet = octet &* 10 &+ UInt32(byte &- 0x30)
                digits &+= 1
                if digits > 3 || octet > 255 { return nil }
            } else {
                guard byte == UInt8(ascii: "."), digits > 0, dots < 3 else { return nil }
                bits = bits << 8 | octet
                (octet, digits, dots) = (0, 0, dots &+ 1)
            }
        }
        return dots == 3 && digits > 0 ? bits << 8 | octet : nil
    }

    /// The first letter of the last label; a dot may end the name.
    private static func lastLabel(_ text: UnsafeBufferPointer<UInt8>) -> UInt8? {
        var index = text.count &- 1
        if index > 0, text[index] == UInt8(ascii: ".") { index &-= 1 }
        while index > 0, text[index &- 1] != UInt8(ascii: ".") { index &-= 1 }
        return index >= 0 ? text[index] : nil
    }

    func write(to writer: inout MessageWriter) {
        switch self {
        case .name(let name): writer.write(name)
        case .address(.v4(let bits)):
            writer.write(number: UInt64(bits >> 24))
            for shift: UInt32 in [16, 8, 0] {
                writer.write(byte: UInt8(ascii: "."))
                writer.write(number: UInt64(bits >> shift & 255))
            }
        case .address(let address):
            writer.write(fixed: "[")
            writer.write(address.description)
            writer.write(fixed: "]")
        }
    }
}

extension FieldCursor {
    /// Passes over four numbers of up to three digits, each at most 255, between dots, where nothing follows that a name
    /// could have; else stays.
    @inline(__always)
    fileprivate mutating func dottedQuad() throws(FieldFault) -> Range<Int>? {
        guard let first = next, first.isDigit else { return nil }
        let (start, end) = (position, end)
        let length = bytes.withUnsafeBufferPointer { buffer in
            var index = start
            var (octet, digits, dots): (UInt32, Int, Int) = (0, 0, 0)
            // `end` lies within the bytes by construction, so the buffer needs no check of its own.
            while index < end {
                let byte = buffer[index]
                if byte.isDigit {
                    octet = octet &* 10 &+ UInt32(byte &- 0x30)
                    digits &+= 1
                    if digits > 3 || octet > 255 { return 0 }
                } else if byte == UInt8(ascii: ".") {
                    guard digits > 0, dots < 3 else { return 0 }
                    (octet, digits, dots) = (0, 0, dots &+ 1)
                } else {
                    if ByteSet.hostName.contains(byte) { return 0 }
                    break
                }
                index &+= 1
            }
            return dots == 3 && digits > 0 ? index &- start : 0
        }
        guard length > 0 else { return nil }
        position = start &+ length
        try spend(length)
        return start..<position
    }
}
