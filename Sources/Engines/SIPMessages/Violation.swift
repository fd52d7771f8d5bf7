/// A rule that a request breaks, with the status that its sender is owed.
package struct Violation: Equatable, Sendable {
    package enum Kind: Hashable, Sendable {
        case methodUnknown
        case methodNotAllowed
        case methodMismatch
        case uriSchemeUnsupported
        case headersInRequestURI
        case emptyBranch
        /// Max-Forwards is beyond 255.
        case maxForwardsTooHigh
        case contactMissing
        case contactStar
        case toNotSIP
        case extensionRequired
        case contentTypeMissing
        case multipart(MultipartBody.Fault)
        case contentTypeUnsupported
        case contentEncodingUnsupported
        /// A session description that is required, and is said to be meant for something else than the session.
        case contentDispositionUnsupported
        case nothingAcceptable
        /// A header field that the request can't be understood without is not readable.
        case field(ParseError.Kind)

        /// Whether the request is as it should be, and only the recipient can do nothing with it (§8.2.1 to §8.2.3).
        package var isLackOfRecipient: Bool {
            switch self {
            case .methodUnknown, .methodNotAllowed, .uriSchemeUnsupported, .extensionRequired, .contentTypeUnsupported,
                .contentEncodingUnsupported, .contentDispositionUnsupported, .nothingAcceptable:
                true
            case .methodMismatch, .headersInRequestURI, .emptyBranch, .maxForwardsTooHigh, .contactMissing,
                .contactStar, .toNotSIP, .contentTypeMissing, .multipart, .field:
                false
            }
        }
    }

    package var kind: Kind
    package var status: StatusCode
    package var clause: String
    package var header: HeaderName?
    /// For 420: the option tags that are not understood.
    package var optionTags: [String] = []

    /// The response that the violation is owed, with the header fields that its status calls for (§21.4).
    package func response(to request: Request, _ capabilities: Capabilities, toTag: String?) -> Response {
        var response = request.response(status, toTag: toTag)
        switch kind {
        case .methodNotAllowed, .methodUnknown:
            response.headers.append(Allow(capabilities.methods))
        case .extensionRequired:
            response.headers.append(Unsupported(optionTags))
        case .contentTypeUnsupported, .contentTypeMissing, .contentDispositionUnsupported:
            for type in capabilities.contentTypes(of: request.method) {
                response.headers.append(Accept(type))
            }
            response.headers.append(Accept(.mixed))
        case .contentEncodingUnsupported:
            let codings = capabilities.contentEncodings.isEmpty ? ["identity"] : capabilities.contentEncodings
            response.headers.append(AcceptEncoding(codings))
        default:
            break
        }
        return response
    }
}

extension MultipartBody.Fault {
    fileprivate var words: String {
        switch self {
        case .boundary: "its type names no boundary of 1 to 70 characters"
        case .noPart: "it has no part"
        case .unterminated: "its last boundary is missing"
        case .tooManyParts: "it has more than \(MultipartBody.partLimit) parts"
        case .headerLine: "a line in the head of a part is no header field"
        }
    }
}

extension Violation: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .methodUnknown: "the method is unknown"
        case .methodNotAllowed: "the method is not allowed here"
        case .methodMismatch: "the method of the request line is not that of CSeq"
        case .uriSchemeUnsupported: "the scheme of the Request-URI is not supported"
        case .headersInRequestURI: "a Request-URI carries no headers"
        case .emptyBranch: "the branch is nothing but the magic cookie"
        case .maxForwardsTooHigh: "the number is not within 0 to 255"
        case .contactMissing: "the request can start a dialog and has no Contact"
        case .contactStar: "a Contact of * removes all bindings: alone, in a REGISTER, with Expires 0"
        case .toNotSIP: "the address of record to register is no SIP or SIPS URI"
        case .extensionRequired: "required extensions are not supported: \(optionTags.joined(separator: ", "))"
        case .multipart(let fault): "the body is no multipart: \(fault.words)"
        case .contentTypeMissing: "there is a body and no Content-Type"
        case .contentTypeUnsupported: "the type of the body is not supported"
        case .contentEncodingUnsupported: "the coding of the body is not supported"
        case .contentDispositionUnsupported: "the body is required and is for nothing that is done with its type"
        case .nothingAcceptable: "Accept admits no type of body that we send"
        case .field(let kind): kind.description
        }
    }
}

/// Something unusual that the recipient passes over (RFC 3261 §8.2.2: it "MUST ignore" what is not necessary).
package struct Remark: Equatable, Sendable {
    package var text: String
    package var clause: String
    package var header: HeaderName?
}
