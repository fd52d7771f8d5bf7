/// A set of ASCII characters of the grammar (RFC 3261 §25.1) as two words, so that a test is a shift and no memory.
struct ByteSet: Sendable {
    private let low: UInt64
    private let high: UInt64
    /// The bit of the set in `table`.
    let bit: UInt16

    private init(_ low: UInt64, _ high: UInt64, _ bit: UInt16 = 0) {
        self.low = low
        self.high = high
        self.bit = bit
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        // One of two words is chosen without a branch: letters and digits take turns, which no predictor follows.
        let word = byte & 64 == 0 ? low : high
        return word &>> UInt64(byte & 63) & UInt64(~byte &>> 7) & 1 == 1
    }

    /// The sets that an octet is in, at its value: what a run of many octets is scanned by, a load and a test each.
    static let table = OctetTable { byte in
        scanned.reduce(0) { $0 | ($1.contains(byte) ? $1.bit : 0) }
    }

    private static var scanned: [ByteSet] {
        [
            .token, .word, .user, .bareUser, .password, .uriParameter, .uriHeader, .opaque, .bareOpaque, .hostName,
            .scheme, .parameterValue, .unquoted,
        ]
    }

    func containsAll(_ text: String) -> Bool {
        let octets = text.utf8.span
        for index in octets.indices where !contains(octets[index]) { return false }
        return true
    }

    /// `token`: method, header name, parameter name, tag, option tag.
    static var token: ByteSet { ByteSet(0x03ff_6ca2_0000_0000, 0x47ff_ffff_87ff_fffe, 1 << 0) }
    /// `word`, of which a Call-ID is made.
    static var word: ByteSet { ByteSet(0xd7ff_efa6_0000_0000, 0x6fff_ffff_bfff_fffe, 1 << 1) }
    /// `user` of a SIP URI, besides escapes.
    static var user: ByteSet { ByteSet(0xabff_ffd2_0000_0000, 0x47ff_fffe_87ff_fffe, 1 << 2) }
    /// `user` where the URI stands without angle brackets: no comma, semicolon or question mark (§20).
    static var bareUser: ByteSet { ByteSet(0x23ff_efd2_0000_0000, 0x47ff_fffe_87ff_fffe, 1 << 3) }
    /// `password` of a SIP URI, besides escapes.
    static var password: ByteSet { ByteSet(0x23ff_7fd2_0000_0000, 0x47ff_fffe_87ff_fffe, 1 << 4) }
    /// `paramchar`, besides escapes.
    static var uriParameter: ByteSet { ByteSet(0x07ff_efd2_0000_0000, 0x47ff_fffe_afff_fffe, 1 << 5) }
    /// `hname` and `hvalue`, besides escapes.
    static var uriHeader: ByteSet { ByteSet(0x87ff_ef92_0000_0000, 0x47ff_fffe_afff_fffe, 1 << 6) }
    /// What follows the colon of a URI whose scheme is not ours, besides escapes.
    static var opaque: ByteSet { ByteSet(0xafff_ffda_0000_0000, 0x47ff_fffe_afff_ffff, 1 << 7) }
    /// The same without angle brackets.
    static var bareOpaque: ByteSet { ByteSet(0x27ff_efda_0000_0000, 0x47ff_fffe_afff_ffff, 1 << 8) }
    /// A host name; the underscore is not in the grammar but is in use.
    static var hostName: ByteSet { ByteSet(0x03ff_6000_0000_0000, 0x07ff_fffe_87ff_fffe, 1 << 9) }
    static var scheme: ByteSet { ByteSet(0x03ff_6800_0000_0000, 0x07ff_fffe_07ff_fffe, 1 << 10) }
    /// An unquoted parameter value as peers write it: every visible character that does not end one.
    static var parameterValue: ByteSet { ByteSet(0xa7ff_effa_0000_0000, 0x7fff_ffff_efff_ffff, 1 << 11) }
    /// An unquoted parameter value as we write it: `token` or `host`.
    static var unquoted: ByteSet { ByteSet(0x07ff_6ca2_0000_0000, 0x47ff_ffff_afff_fffe, 1 << 12) }
}

extension UInt8 {
    @inline(__always) var isDigit: Bool { self &- 0x30 < 10 }

    @inline(__always) var isBlank: Bool { self == 0x20 || self == 0x09 }

    /// The lower-case form of an ASCII letter, other bytes unchanged.
    @inline(__always) var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// The value of a hexadecimal digit.
    var hexadecimalValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = self | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }
}

extension String {
    /// The lower-case form of the ASCII letters: the case-insensitive comparison of §7.3.1.
    package var asciiLowercased: String {
        guard utf8.contains(where: { $0 &- 0x41 < 26 }) else { return self }
        return String(decoding: utf8.map(\.lowercased), as: UTF8.self)
    }

    /// Case-insensitive equality of ASCII text (§7.3.1).
    package func equalsIgnoringCase(_ other: String) -> Bool {
        utf8.span.equalsIgnoringCase(other)
    }
}

extension Span<UInt8> {
    /// Case-insensitive equality of ASCII text (§7.3.1).
    @inline(__always)
    func equalsIgnoringCase(_ text: String) -> Bool {
        let other = text.utf8.span
        guard count == other.count else { return false }
        var index = 0
        while index < count, self[index].lowercased == other[index].lowercased { index &+= 1 }
        return index == count
    }
}
