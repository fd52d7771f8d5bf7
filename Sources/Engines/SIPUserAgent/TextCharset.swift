import SIPMessages

/// How the octets of a text stand for its characters (RFC 2046 §4.1.2).
enum TextCharset: Hashable, Sendable {
    /// Also US-ASCII, which is a part of it.
    case utf8
    case latin1
    /// In the order of its byte order mark, without one as on the network (RFC 2781 §4.3).
    case utf16
    case utf16BigEndian
    case utf16LittleEndian

    /// That of a body of the given type: in SIP UTF-8 where it is not said (RFC 3261 §7.4.1); nil for one that we do not
    /// read.
    init?(of type: ContentType) {
        guard type.type.equalsIgnoringCase("text"), let name = type.parameters["charset"] else {
            self = .utf8
            return
        }
        switch name.asciiLowercased {
        case "utf-8", "utf8", "us-ascii", "ascii": self = .utf8
        case "iso-8859-1", "iso_8859-1", "latin1": self = .latin1
        case "utf-16": self = .utf16
        case "utf-16be": self = .utf16BigEndian
        case "utf-16le": self = .utf16LittleEndian
        default: return nil
        }
    }

    /// A body of the given type as text, in UTF-8 where its charset is none that we read.
    static func text(of octets: [UInt8], as type: ContentType) -> String {
        (TextCharset(of: type) ?? .utf8).text(of: octets)
    }

    /// What is not well formed becomes U+FFFD, as does an octet that is left over.
    func text(of octets: [UInt8]) -> String {
        switch self {
        case .utf8: return String(decoding: octets, as: UTF8.self)
        case .latin1: return String(String.UnicodeScalarView(octets.map { Unicode.Scalar($0) }))
        case .utf16BigEndian: return Self.text(of: octets[...], isBigEndian: true)
        case .utf16LittleEndian: return Self.text(of: octets[...], isBigEndian: false)
        case .utf16:
            if octets.starts(with: [0xff, 0xfe]) { return Self.text(of: octets.dropFirst(2), isBigEndian: false) }
            let isMarked = octets.starts(with: [0xfe, 0xff])
            return Self.text(of: octets.dropFirst(isMarked ? 2 : 0), isBigEndian: true)
        }
    }

    private static func text(of octets: ArraySlice<UInt8>, isBigEndian: Bool) -> String {
        var units: [UInt16] = []
        units.reserveCapacity(octets.count / 2 + 1)
        var first: UInt16?
        for octet in octets.lazy.map(UInt16.init) {
            if let pending = first {
                units.append(isBigEndian ? pending << 8 | octet : octet << 8 | pending)
                first = nil
            } else {
                first = octet
            }
        }
        // A surrogate that stands alone, which is read as U+FFFD.
        if first != nil { units.append(0xd800) }
        return String(decoding: units, as: UTF16.self)
    }
}
