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
    init?(named bytes: [UInt8], _ range: Range<Int>) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        let code = bytes.withUnsafeBufferPointer { Self.code(of: UnsafeBufferPointer(rebasing: $0[range])) }
        self.init(rawValue: code)
    }

    /// The raw value of the known header of that name, or 0.
    @inline(__always)
    static func code(of name: UnsafeBufferPointer<UInt8>) -> UInt8 {
        guard name.count > 1 else { return name.isEmpty ? 0 : compactCodes[Int(name[0].lowercased & 127)] }
        guard name.count <= longest else { return 0 }
        var slot = hash(name[0].lowercased, name[name.count &- 1].lowercased, name.count)
        while slots[slot] != 0 {
            let code = slots[slot]
            if Int(lengths[Int(code)]) == name.count {
                let start = Int(code) &* longest
                var index = 0
                while index < name.count, name[index].lowercased == letters[start &+ index] { index &+= 1 }
                if index == name.count { return code }
            }
            slot = (slot &+ 1) & mask
        }
        return 0
    }

    @inline(__always)
    private static func hash(_ first: UInt8, _ last: UInt8, _ count: Int) -> Int {
        (Int(first) &* 37 &+ Int(last) &* 11 &+ count &* 5) & mask
    }

    private static let mask = 255
    private static let longest = 32

    /// An open-addressed hash table of raw values; it is at most a third full, so a probe ends. Inline arrays, as
    /// these are read for every header field and a heap array would be retained each time.
    private static let slots: InlineArray<256, UInt8> = {
        var slots = InlineArray<256, UInt8>(repeating: 0)
        for header in allCases {
            let name = header.spelling.utf8.map(\.lowercased)
            var slot = hash(name[0], name[name.count - 1], name.count)
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = header.rawValue
        }
        return slots
    }()

    private static let lengths: InlineArray<128, UInt8> = {
        var lengths = InlineArray<128, UInt8>(repeating: 0)
        for header in allCases { lengths[Int(header.rawValue)] = UInt8(header.spelling.utf8.count) }
        return lengths
    }()

    /// The lower-case spelling of each header at its raw value times `longest`.
    private static let letters: InlineArray<4096, UInt8> = {
        var letters = InlineArray<4096, UInt8>(repeating: 0)
        for header in allCases {
            for (index, letter) in header.spelling.utf8.enumerated() {
                letters[Int(header.rawValue) * longest + index] = letter.lowercased
            }
        }
        return letters
    }()

    private static let compactCodes: InlineArray<128, UInt8> = {
        var codes = InlineArray<128, UInt8>(repeating: 0)
        for header in allCases where header.compactForm != 0 { codes[Int(header.compactForm)] = header.rawValue }
        return codes
    }()
}
