/// Why bytes are no SIP message, or a header field is not what its name promises.
package struct ParseError: Error, Sendable {
    package var kind: Kind
    /// The header field at fault, if one is.
    package var header: HeaderName?
    /// The octet of the message at which it was noticed.
    package var offset: Int
    private var owed: Owed?

    package init(_ kind: Kind, header: HeaderName? = nil, offset: Int, owedResponse: Response? = nil) {
        self.kind = kind
        self.header = header
        self.offset = offset
        self.owedResponse = owedResponse
    }

    /// The answer that the sender is owed: for a request other than ACK whose way back could be read.
    package var owedResponse: Response? {
        get { owed?.response }
        set { owed = newValue.map(Owed.answer) }
    }

    /// A response is ten times the size of the rest; in a box it does not weigh on every throw.
    private indirect enum Owed: Sendable {
        case answer(Response)

        var response: Response {
            switch self {
            case .answer(let response): response
            }
        }
    }

    package enum Kind: Hashable, Sendable {
        /// No message: nothing but line ends.
        case empty
        case startLine
        /// Not SIP/2.0.
        case version
        /// Not 100 to 699.
        case statusCode
        /// The line is no `name: value`.
        case headerLine
        /// NUL outside a quoted pair.
        case controlCharacter
        /// CR or LF alone.
        case lineEnding
        /// No empty line after the header fields.
        case unfinishedHead
        /// A header field that every message must have is not there.
        case missing
        /// A header field that may be there once is there again.
        case repeated
        /// A parameter that may be there once is there again.
        case repeatedParameter
        case expected(Expectation)
        case numberOutOfRange
        case unterminatedQuote
        /// `%` without two hexadecimal digits.
        case escape
        /// The scheme is not what the place demands.
        case uriScheme
        /// A URI with `?`, `;` or `,` that stands without angle brackets.
        case uriNeedsBrackets
        /// Fewer octets of body than Content-Length says.
        case bodyTruncated
        case timeZone
        case tooLong(Limit)
        case tooMany(Limit)
        /// The step budget is spent.
        case tooCostly
    }

    /// What the grammar wants at a place.
    package enum Expectation: String, Hashable, Sendable {
        case token, number, host, uri, address, quotedString = "quoted string", parameter, separator
        case angleBracket = "closing angle bracket", end = "end of the field", word, date, value
    }

    package enum Limit: String, Hashable, Sendable {
        case message, startLine = "start line", headerField = "header field", headerFields = "header fields"
        case headerFieldsPerName = "header fields of one name", foldedLines = "folded lines", method
        case elements = "elements of a list"
        case identifier, uri = "URI", vias = "Via values", routes = "Route values", contacts = "Contact values"
        case body, host
    }
}

extension ParseError: Equatable {
    /// Errors are equal by kind and header field, so that tests need not count octets.
    package static func == (left: ParseError, right: ParseError) -> Bool {
        left.kind == right.kind && left.header == right.header
    }
}
