/// The type letters of RFC 8866 §5.
package enum Letter: UInt8, Hashable, Sendable, CustomStringConvertible {
    case version = 0x76  // v
    case origin = 0x6f  // o
    case sessionName = 0x73  // s
    case information = 0x69  // i
    case uri = 0x75  // u
    case emailAddress = 0x65  // e
    case phoneNumber = 0x70  // p
    case connection = 0x63  // c
    case bandwidth = 0x62  // b
    case timing = 0x74  // t
    case repeats = 0x72  // r
    case timeZones = 0x7a  // z
    case key = 0x6b  // k
    case attribute = 0x61  // a
    case media = 0x6d  // m

    package var description: String { "\(Character(UnicodeScalar(rawValue)))=" }

    /// Of the times of a session, their repeats and time zones.
    var isTiming: Bool { self == .timing || self == .repeats || self == .timeZones }
}

/// One line of a session description as it stood on the wire.
package struct SDPLine: Hashable, Sendable {
    /// How a line ends. RFC 8866 §5 writes CRLF and has a parser take LF as well.
    package enum End: UInt8, Hashable, Sendable {
        /// The last line, cut short.
        case none
        case lf, crlf

        /// The octets of the end.
        @inline(__always) var length: Int { Int(rawValue) }
    }

    package let letter: Letter
    /// The bytes behind `=`; no NUL, CR or LF among them.
    package let value: ArraySlice<UInt8>
    package let end: End

    /// The value as text, ill-formed UTF-8 repaired.
    package var text: String { value.text }
}
