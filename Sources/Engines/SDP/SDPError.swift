/// Why bytes are not a session description that we take (RFC 8866 §5, §9), and on which line.
package struct SDPError: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Nothing but blank lines.
        case empty
        /// More of something than `SDPLimits` allows.
        case tooMany(Limit)
        /// A line that is not `letter=value`.
        case malformedLine
        /// NUL, or CR without LF, inside a value (RFC 8866 §9, `byte-string`).
        case forbiddenByte
        /// A type letter that RFC 8866 does not define; §5 has such a description ignored or rejected.
        case unknownLetter(UInt8)
        /// A `v=` other than 0.
        case unsupportedVersion
        /// A line that must be there is not.
        case missing(Letter)
        /// A line that may stand once stands twice.
        case repeated(Letter)
        /// A session-level line below an `m=` line.
        case misplaced(Letter)
        /// The value of a line breaks its grammar.
        case malformed(Letter)
    }

    package enum Limit: String, Hashable, Sendable {
        case bytes, lineBytes, mediaDescriptions, formats, attributes, cryptoAttributes, candidates
    }

    package var kind: Kind
    /// The line's number, from 1; 0 where no one line is at fault.
    package var line: Int

    package init(_ kind: Kind, line: Int) {
        self.kind = kind
        self.line = line
    }
}

extension SDPError: CustomStringConvertible {
    package var description: String {
        line > 0 ? "line \(line): \(kind)" : "\(kind)"
    }
}

extension SDPError.Kind: CustomStringConvertible {
    package var description: String { text + (clause.map { " (\($0))" } ?? "") }

    var text: String {
        switch self {
        case .empty: "an empty session description"
        case .tooMany(let limit): "too many \(limit)"
        case .malformedLine: "not a line of the form letter=value"
        case .forbiddenByte: "NUL, or CR without LF, in a value"
        case .unknownLetter(let byte):
            (0x21...0x7e).contains(byte)
                ? "unknown type letter \(Character(UnicodeScalar(byte)))" : "unknown type letter, byte \(byte)"
        case .unsupportedVersion: "a version other than v=0"
        case .missing(let letter): "no \(letter) line"
        case .repeated(let letter): "a second \(letter) line"
        case .misplaced(let letter): "a \(letter) line below an m= line"
        case .malformed(let letter): "a malformed \(letter) line"
        }
    }

    /// The clause that says so; nil for limits of ours.
    var clause: String? {
        switch self {
        case .tooMany: nil
        case .empty, .malformedLine, .unknownLetter, .missing, .repeated, .misplaced: "RFC 8866 §5"
        case .unsupportedVersion: "RFC 8866 §5.1"
        case .forbiddenByte, .malformed: "RFC 8866 §9"
        }
    }
}

extension SDPError.Limit: CustomStringConvertible {
    package var description: String {
        switch self {
        case .bytes: "bytes"
        case .lineBytes: "bytes in a line"
        case .mediaDescriptions: "media descriptions"
        case .formats: "formats in a media description"
        case .attributes: "attributes in a section"
        case .cryptoAttributes: "a=crypto attributes"
        case .candidates: "a=candidate attributes"
        }
    }
}
