/// The name of a header field: a token that compares without case and keeps its spelling (RFC 3261 §7.3.1).
///
/// Compact forms (§7.3.3) are the same name as the long ones.
package struct HeaderName: Sendable {
    /// The known name, or nil and then `text` is the name.
    let known: KnownHeader?
    private let text: String

    init(_ known: KnownHeader) {
        self.known = known
        text = ""
    }

    /// A name by its spelling or compact form; nil if it is no token.
    package init?(_ token: String) {
        guard !token.isEmpty, ByteSet.token.containsAll(token) else { return nil }
        let bytes = Array(token.utf8)
        known = KnownHeader(named: bytes, 0..<bytes.count)
        text = known == nil ? token : ""
    }

    /// The name as we write it.
    package var spelling: String { known?.spelling ?? text }

    /// The one-letter form, where there is one.
    package var compactForm: String? {
        guard let form = known?.compactForm, form != 0 else { return nil }
        return String(UnicodeScalar(form))
    }
}

extension HeaderName: Hashable {
    package static func == (left: HeaderName, right: HeaderName) -> Bool {
        left.known == right.known && (left.known != nil || left.text.equalsIgnoringCase(right.text))
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(known)
        if known == nil { hasher.combine(text.asciiLowercased) }
    }
}

extension HeaderName: CustomStringConvertible {
    package var description: String { spelling }
}

// MARK: - Lookup

extension KnownHeader {
    /// The known header of that name in any case, long or compact.
    @inline(__always)
    init?(named bytes: [UInt8], _ range: Range<Int>) {
        guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        let table = Self.table
        let first = bytes[range.lowerBound].lowercased
        if range.count == 1 {
            guard let known = KnownHeader(rawValue: table.compact[Int(first & 127)]), first < 128 else { return nil }
            self = known
            return
        }
        guard range.count < 32 else { return nil }
        var slot = Self.hash(first, bytes[range.upperBound &- 1].lowercased, range.count)
        while true {
            let entry = table.slots[slot]
            guard let known = KnownHeader(rawValue: entry.code) else { return nil }
            if Int(entry.length) == range.count {
                var index = 0
                while index < range.count,
                    bytes[range.lowerBound &+ index].lowercased == table.letters[Int(entry.start) &+ index]
                { index &+= 1 }
                if index == range.count {
                    self = known
                    return
                }
            }
            slot = (slot &+ 1) & Table.mask
        }
    }

    @inline(__always)
    private static func hash(_ first: UInt8, _ last: UInt8, _ count: Int) -> Int {
        (Int(first) &* 37 &+ Int(last) &* 11 &+ count &* 5) & Table.mask
    }

    /// An open-addressed hash table of the lower-case spellings; it is at most a third full, so a probe ends.
    private struct Table: Sendable {
        struct Slot: Sendable {
            var code: UInt8 = 0
            var length: UInt8 = 0
            var start: UInt16 = 0
        }

        static let mask = 255
        var slots = [Slot](repeating: Slot(), count: mask + 1)
        var letters: [UInt8] = []
        var compact = [UInt8](repeating: 0, count: 128)

        init() {
            for header in KnownHeader.allCases {
                let name = header.spelling.utf8.map(\.lowercased)
                var slot = KnownHeader.hash(name[0], name[name.count - 1], name.count)
                while slots[slot].code != 0 { slot = (slot + 1) & Self.mask }
                slots[slot] = Slot(
                    code: header.rawValue, length: UInt8(name.count), start: UInt16(letters.count))
                letters += name
                if header.compactForm != 0 { compact[Int(header.compactForm)] = header.rawValue }
            }
        }
    }

    private static let table = Table()
}
