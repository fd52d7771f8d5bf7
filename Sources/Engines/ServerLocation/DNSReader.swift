import EngineKit

/// Reads the pieces of a DNS message (RFC 1035 §4). Total: past the end, and where a piece is none, it gives nil.
struct DNSReader {
    private let bytes: [UInt8]
    private(set) var position: Int
    private let end: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position >= end }

    private func byte(at index: Int) -> UInt8? {
        index >= 0 && index < bytes.count ? bytes[index] : nil
    }

    mutating func number16() -> UInt16? {
        guard position + 2 <= end, let high = byte(at: position), let low = byte(at: position + 1) else { return nil }
        position += 2
        return UInt16(high) << 8 | UInt16(low)
    }

    mutating func number32() -> UInt32? {
        guard position + 4 <= end, let high = number16(), let low = number16() else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    mutating func number64() -> UInt64? {
        guard position + 8 <= end, let high = number32(), let low = number32() else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    /// A reader of the next `count` octets alone; only names may lead out of them.
    mutating func part(_ count: Int) -> DNSReader? {
        guard count >= 0, count <= end - position else { return nil }
        defer { position += count }
        return DNSReader(bytes, position..<position + count)
    }

    /// A `<character-string>` of printable ASCII (RFC 1035 §3.3).
    mutating func characterString() -> String? {
        guard position < end, let count = byte(at: position), position + 1 + Int(count) <= end else { return nil }
        let start = position + 1
        position = start + Int(count)
        let text = bytes[start..<position]
        guard text.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    /// A domain name (RFC 1035 §4.1.4), in lower case, without a dot at its end; the root is empty.
    ///
    /// A pointer leads to before the piece of the name that it ends, so that no name is without end.
    mutating func name() -> String? {
        var text: [UInt8] = []
        var octets = 0
        var cursor = position
        var pieceStart = position
        var isElsewhere = false
        while true {
            guard isElsewhere || cursor < end, let length = byte(at: cursor) else { return nil }
            switch length {
            case 0:
                if !isElsewhere { position = cursor + 1 }
                return String(decoding: text, as: UTF8.self)
            case 1...63:
                octets += Int(length) + 1
                guard octets <= 254, cursor + 1 + Int(length) <= (isElsewhere ? bytes.count : end) else { return nil }
                if !text.isEmpty { text.append(UInt8(ascii: ".")) }
                for byte in bytes[(cursor + 1)...(cursor + Int(length))] {
                    // A dot within a label would make two of one.
                    guard (0x21...0x7e).contains(byte), byte != UInt8(ascii: ".") else { return nil }
                    text.append((byte &- 0x41) < 26 ? byte | 0x20 : byte)
                }
                cursor += 1 + Int(length)
            case 0xc0...:
                guard let low = byte(at: cursor + 1), isElsewhere || cursor + 2 <= end else { return nil }
                let target = Int(length & 0x3f) << 8 | Int(low)
                guard target < pieceStart else { return nil }
                if !isElsewhere { position = cursor + 2 }
                isElsewhere = true
                (cursor, pieceStart) = (target, target)
            default:
                return nil
            }
        }
    }
}
