extension ParseError.Kind {
    /// The status that a request with this fault is owed (RFC 3261 §21.4 and §21.5).
    package var status: StatusCode {
        switch self {
        case .version: 505
        case .tooLong(.message): 513
        case .tooLong(.body): 413
        case .tooLong(.uri), .tooLong(.startLine): 414
        case .tooLong, .tooMany, .tooCostly: 513
        default: 400
        }
    }

    /// The clause that the bytes break.
    package var clause: String {
        switch self {
        case .empty, .headerLine: "RFC 3261 §7.3"
        case .startLine: "RFC 3261 §7.1"
        case .version: "RFC 3261 §7.1, §21.5.6"
        case .statusCode: "RFC 3261 §7.2"
        case .controlCharacter, .unterminatedQuote: "RFC 3261 §25.1"
        case .lineEnding, .unfinishedHead: "RFC 3261 §7"
        case .missing: "RFC 3261 §8.1.1"
        case .repeated, .repeatedParameter: "RFC 3261 §7.3.1"
        case .expected(.host), .expected(.uri), .escape: "RFC 3261 §19.1.2"
        case .expected(.address), .expected(.angleBracket), .uriNeedsBrackets: "RFC 3261 §20"
        case .expected(.date), .timeZone: "RFC 3261 §20.17"
        case .expected: "RFC 3261 §25.1"
        case .numberOutOfRange: "RFC 3261 §20"
        case .uriScheme: "RFC 3261 §19.1.1"
        case .bodyTruncated: "RFC 3261 §18.3"
        case .tooLong(.uri): "RFC 3261 §21.4.15"
        case .tooLong(.body): "RFC 3261 §21.4.11"
        case .tooLong, .tooMany, .tooCostly: "RFC 3261 §21.5.7"
        }
    }
}

extension ParseError.Kind: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "there is no message"
        case .startLine: "the first line is neither a request line nor a status line"
        case .version: "the protocol version is not SIP/2.0"
        case .statusCode: "the status code is not within 100 to 699"
        case .headerLine: "the line is not a header field name, a colon and a value"
        case .controlCharacter: "a NUL outside a quoted pair"
        case .lineEnding: "a CR or LF that is not part of a CRLF"
        case .unfinishedHead: "no empty line ends the header fields"
        case .missing: "the header field is missing"
        case .repeated: "the header field may appear only once"
        case .repeatedParameter: "a parameter that may appear only once appears again"
        case .expected(let expectation): "expected \(expectation.rawValue)"
        case .numberOutOfRange: "the number is out of range"
        case .unterminatedQuote: "the quoted string is not closed"
        case .escape: "a % is not followed by two hexadecimal digits"
        case .uriScheme: "the URI scheme does not fit here"
        case .uriNeedsBrackets: "a URI with a question mark, semicolon or comma needs angle brackets"
        case .bodyTruncated: "the body is shorter than Content-Length says"
        case .timeZone: "the time zone is not GMT"
        case .tooLong(let limit): "the \(limit.rawValue) is longer than we accept"
        case .tooMany(let limit): "more \(limit.rawValue) than we accept"
        case .tooCostly: "the field takes more steps to read than its length allows"
        }
    }
}

extension ParseError: CustomStringConvertible {
    package var description: String {
        let place = header.map { "\($0): " } ?? ""
        return "\(place)\(kind) (octet \(offset), \(kind.clause))"
    }
}
