/// Judges a request that could be read: the order is that of RFC 3261 §8.2, so the first violation decides.
///
/// An ACK is never answered (§17): one with violations is dropped.
package enum Validation {
    package static func violations(
        of request: Request, _ capabilities: Capabilities = Capabilities()
    ) -> [Violation] {
        var found: [Violation] = []
        checkMethod(request, capabilities, &found)
        checkRequestURI(request, capabilities, &found)
        if request.vias.first?.isBranchBare == true {
            found.append(Violation(kind: .emptyBranch, status: 400, clause: "RFC 3261 §8.1.1.7", header: .via))
        }
        if let maxForwards = request.maxForwards, maxForwards > 255 {
            found.append(
                Violation(kind: .maxForwardsTooHigh, status: 400, clause: "RFC 3261 §20.22", header: .maxForwards))
        }
        checkContact(request, &found)
        if request.method == .register, request.to.uri.sipURI == nil {
            found.append(Violation(kind: .toNotSIP, status: 400, clause: "RFC 3261 §10.2", header: .to))
        }
        found += faultsOfNeededFields(request.headers).map { Violation($0) }
        checkExtensions(request, capabilities, &found)
        checkBody(request, capabilities, &found)
        return found
    }

    /// Why a response is to be dropped without a word, or nil (§8.1.3.3, §17.1.3).
    package static func reasonToDiscard(_ response: Response) -> Remark? {
        if response.vias.count > 1 {
            return Remark(
                text: "a response with more than one Via is not for us", clause: "RFC 3261 §8.1.3.3", header: .via)
        }
        return nil
    }

    private static func checkMethod(
        _ request: Request, _ capabilities: Capabilities, _ found: inout [Violation]
    ) {
        if !capabilities.methods.contains(request.method) {
            found.append(
                request.method.isKnown
                    ? Violation(kind: .methodNotAllowed, status: 405, clause: "RFC 3261 §8.2.1")
                    : Violation(kind: .methodUnknown, status: 501, clause: "RFC 3261 §21.5.2"))
        }
        if request.cSeq.method != request.method {
            found.append(
                Violation(kind: .methodMismatch, status: 400, clause: "RFC 3261 §8.1.1.5", header: .cSeq))
        }
    }

    private static func checkRequestURI(
        _ request: Request, _ capabilities: Capabilities, _ found: inout [Violation]
    ) {
        if !capabilities.uriSchemes.contains(request.uri.scheme) {
            found.append(Violation(kind: .uriSchemeUnsupported, status: 416, clause: "RFC 3261 §8.2.2.1"))
        }
        if request.uri.sipURI?.escapedHeaders != nil {
            found.append(Violation(kind: .headersInRequestURI, status: 400, clause: "RFC 3261 §19.1.1"))
        }
    }

    private static func checkContact(_ request: Request, _ found: inout [Violation]) {
        let contacts: [Contact]
        do throws(ParseError) {
            contacts = try request.headers.all(Contact.self)
        } catch {
            return found.append(Violation(error))
        }
        let startsDialog = request.method == .invite || request.method == .subscribe || request.method == .refer
        // In RFC 2543 Contact was optional; a peer of that time has no magic cookie in its branch.
        if startsDialog, contacts.isEmpty, request.vias.first?.isBranchUnique == true {
            found.append(
                Violation(kind: .contactMissing, status: 400, clause: "RFC 3261 §8.1.1.8", header: .contact))
        }
        guard contacts.contains(.star) else { return }
        let expires = (try? request.headers.first(Expires.self))?.seconds
        if request.method != .register || contacts.count > 1 || expires != 0 {
            found.append(Violation(kind: .contactStar, status: 400, clause: "RFC 3261 §10.2.2", header: .contact))
        }
    }

    /// Fields that decide what a request means. The others are ignored where they can't be read.
    static func faultsOfNeededFields(_ headers: Headers) -> [ParseError] {
        var faults: [ParseError] = []
        func check<F: HeaderField>(_ type: F.Type) {
            if let fault = headers.fault(in: type) { faults.append(fault) }
        }
        check(Route.self)
        check(RecordRoute.self)
        check(Require.self)
        check(ContentType.self)
        check(ContentEncoding.self)
        check(ContentDisposition.self)
        check(Expires.self)
        return faults
    }

    /// Require is judged in all but ACK and CANCEL (§8.2.2.3).
    private static func checkExtensions(
        _ request: Request, _ capabilities: Capabilities, _ found: inout [Violation]
    ) {
        if request.method == .ack || request.method == .cancel { return }
        guard let tags = (try? request.headers.first(Require.self))?.tags else { return }
        let unknown = tags.filter { tag in !capabilities.optionTags.contains { $0.equalsIgnoringCase(tag) } }
        if unknown.isEmpty { return }
        found.append(
            Violation(
                kind: .extensionRequired, status: 420, clause: "RFC 3261 §8.2.2.3", header: .require,
                optionTags: unknown))
    }

    private static func checkBody(_ request: Request, _ capabilities: Capabilities, _ found: inout [Violation]) {
        // An empty Accept says that no type is acceptable, none at all that SDP is (§20.1).
        if request.method == .invite, request.headers.contains(.accept),
            let accepted = try? request.headers.all(Accept.self),
            !capabilities.contentTypes.contains(where: { accepted.admit($0) })
        {
            found.append(
                Violation(kind: .nothingAcceptable, status: 406, clause: "RFC 3261 §21.4.7", header: .accept))
        }
        if request.body.isEmpty { return }
        if (try? request.headers.first(ContentDisposition.self))?.isOptional == true { return }
        if !capabilities.decodes(request.headers) {
            found.append(bodyViolation(.contentEncodingUnsupported))
        }
        guard request.headers.contains(.contentType) else {
            return found.append(
                Violation(
                    kind: .contentTypeMissing, status: 415, clause: "RFC 3261 §20.15", header: .contentType))
        }
        guard let type = try? request.headers.first(ContentType.self) else { return }
        do throws(MultipartBody.Fault) {
            guard let kind = try obstacle(to: type, request, capabilities) else { return }
            found.append(bodyViolation(kind))
        } catch {
            found.append(
                Violation(kind: .multipart(error), status: 400, clause: "RFC 2046 §5.1", header: .contentType))
        }
    }
}

extension Validation {
    private static func bodyViolation(_ kind: Violation.Kind) -> Violation {
        switch kind {
        case .contentEncodingUnsupported:
            Violation(kind: kind, status: 415, clause: "RFC 3261 §8.2.3", header: .contentEncoding)
        case .contentDispositionUnsupported:
            Violation(kind: kind, status: 415, clause: "RFC 3261 §20.11", header: .contentDisposition)
        default:
            Violation(kind: kind, status: 415, clause: "RFC 3261 §8.2.3", header: .contentType)
        }
    }

    /// What keeps a body from being understood, or nil: of a multipart, every part that is not optional has to be
    /// understood, and one at least; of alternatives one, and of what is signed the first (RFC 5621 §8.2,
    /// RFC 1847 §2.1).
    private static func obstacle(
        to type: ContentType, _ request: Request, _ capabilities: Capabilities
    ) throws(MultipartBody.Fault) -> Violation.Kind? {
        guard type.isMultipart else {
            if !capabilities.takes(type, in: request.method) { return .contentTypeUnsupported }
            return request.headers.isDispositionTaken(of: type) ? nil : .contentDispositionUnsupported
        }
        let parts = try MultipartBody(parsing: request.body, type: type).parts
        // Who names multiparts, or takes anything, looks into them alone.
        if capabilities.takes(type, in: request.method) { return nil }
        let judged = parts.map { (isOptional: $0.isOptional, obstacle: capabilities.obstacle(to: $0, request.method)) }
        let isAnyTaken = judged.contains { $0.obstacle == nil }
        let none = judged.first?.obstacle ?? .contentTypeUnsupported
        switch type.subtype.asciiLowercased {
        case "alternative": return isAnyTaken ? nil : none
        case "signed": return judged.first.map(\.obstacle) ?? none
        default: return judged.first { !$0.isOptional && $0.obstacle != nil }?.obstacle ?? (isAnyTaken ? nil : none)
        }
    }
}

extension Capabilities {
    /// What keeps a part from being understood, or nil.
    fileprivate func obstacle(to part: MultipartBody.Part, _ method: Method) -> Violation.Kind? {
        let type = part.contentType
        if !takes(type, in: method) || !part.headers.hasPlainTransfer { return .contentTypeUnsupported }
        if !decodes(part.headers) { return .contentEncodingUnsupported }
        return part.headers.isDispositionTaken(of: type) ? nil : .contentDispositionUnsupported
    }

    /// Whether a body of those headers has codings that are taken alone.
    fileprivate func decodes(_ headers: Headers) -> Bool {
        headers.contentCodings.allSatisfy { coding in
            contentEncodings.contains { $0.equalsIgnoringCase(coding) }
        }
    }
}

extension Violation {
    init(_ error: ParseError) {
        self.init(
            kind: .field(error.kind), status: error.kind.status, clause: error.kind.clause, header: error.header)
    }
}
