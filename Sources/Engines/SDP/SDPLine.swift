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
}

/// One line of a session description as it stood on the wire, so that writing gives the same bytes back.
package struct SDPLine: Hashable, Sendable {
    /// How a line ends. RFC 8866 §5 writes CRLF and has a parser take LF as well.
    package enum End: Hashable, Sendable {
        case crlf, lf
        /// The last line, cut short.
        case none
    }

    package let letter: Letter
    /// The bytes behind `=`; no NUL, CR or LF among them.
    package let value: [UInt8]
    package let end: End

    /// The caller has seen to it that `value` holds no NUL, CR or LF.
    init(_ letter: Letter, value: [UInt8], end: End = .crlf) {
        self.letter = letter
        self.value = value
        self.end = end
    }

    /// The caller has seen to it that `text` holds no NUL, CR or LF.
    init(_ letter: Letter, _ text: String) {
        self.init(letter, value: Array(text.utf8))
    }

    /// The value as text, ill-formed UTF-8 repaired.
    package var text: String { String(decoding: value, as: UTF8.self) }

    func write(to bytes: inout [UInt8]) {
        bytes.append(letter.rawValue)
        bytes.append(UInt8(ascii: "="))
        bytes += value
        switch end {
        case .crlf: bytes += [0x0d, 0x0a]
        case .lf: bytes.append(0x0a)
        case .none: break
        }
    }
}
