import EngineKit
import SIPMessages
import SIPTransactions

/// An instant message (RFC 3428 §7).
package struct IncomingMessage: Sendable {
    package var account: AccountID
    /// The call in whose dialog it came; nil: it stands alone.
    package var call: CallHandle?
    package var from: NameAddress
    package var requestURI: URI
    package var trust: CallerTrust
    package var flow: Flow
    /// `text/plain` where there is no body.
    package var contentType: ContentType
    package var body: [UInt8]
    package var headers: Headers

    init(_ request: Request, account: AccountID, call: CallHandle? = nil, trust: CallerTrust, over flow: Flow) {
        self.account = account
        self.call = call
        from = request.from
        requestURI = request.uri
        self.trust = trust
        self.flow = flow
        let parts = (try? request.headers.parts(of: request.body)) ?? []
        let texts = parts.filter { $0.contentType.type.equalsIgnoringCase("text") }
        let legible = texts.filter { TextCharset(of: $0.contentType) != nil }
        let plain = legible.filter { $0.contentType.isType("text", "plain") }
        let isAlternative = (try? request.headers.first(ContentType.self))?.isType("multipart", "alternative") ?? false
        if isAlternative {
            // The last is the richest that its sender has (RFC 2046 §5.1.4), of which we read plain text.
            (contentType, body) = Self.content(plain.last ?? legible.last ?? texts.last ?? parts.last)
        } else if plain.count > 1 {
            // They follow one another (§5.1.3).
            contentType = .utf8Text
            body = Array(plain.map { TextCharset.text(of: $0.body, as: $0.contentType) }.joined(separator: "\n").utf8)
        } else {
            (contentType, body) = Self.content(plain.first ?? legible.first ?? texts.first ?? parts.first)
        }
        headers = request.headers
    }

    private static func content(_ part: MultipartBody.Part?) -> (ContentType, [UInt8]) {
        (part?.contentType ?? .plainText, part?.body ?? [])
    }

    /// The body as text; what is not well formed in its charset becomes U+FFFD.
    package var text: String { TextCharset.text(of: body, as: contentType) }

    /// Whether it is in a charset that we read.
    fileprivate var isLegible: Bool { TextCharset(of: contentType) != nil }
}

/// MESSAGE, taken and answered.
extension UserAgentCore {
    /// A message that the policy lets in: the answer says that it was delivered, so 200 and not 202 (RFC 3428 §7).
    mutating func receiveMessage(
        _ request: Request, from provenCaller: String?, in transaction: ServerTransactionID, over flow: Flow,
        at now: Instant
    ) {
        guard let reception = policy.reception(of: request, provenAs: provenCaller, over: flow) else {
            refuse(.forbidden, from: flow)
            return respond(request.response(403), in: transaction, at: now)
        }
        take(
            IncomingMessage(request, account: reception.account, trust: reception.trust, over: flow),
            answering: request, in: transaction, at: now)
    }

    /// A message within the dialog of a call: whoever talks to us may also write.
    mutating func receiveMessage(
        _ request: Request, of call: CallHandle, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        guard let session = sessions[call]?.value else { return }
        take(
            IncomingMessage(
                request, account: session.account.id, call: call, trust: session.arrival?.trust ?? .stranger,
                over: flow), answering: request, in: transaction, at: now)
    }

    private mutating func take(
        _ message: IncomingMessage, answering request: Request, in transaction: ServerTransactionID, at now: Instant
    ) {
        guard !message.contentType.isComposing else {
            return respond(receive(message, answering: request, at: now), in: transaction, at: now)
        }
        guard message.isLegible else {
            // What need not be understood is passed over (RFC 3261 §20.11).
            let disposition = try? request.headers.first(ContentDisposition.self)
            if disposition?.isOptional == true { return respond(request.response(200), in: transaction, at: now) }
            refuse(.invalid, from: message.flow)
            return respond(illegible(request), in: transaction, at: now)
        }
        respond(request.response(200), in: transaction, at: now)
        stopsComposing(message)
        emit(.messageReceived(message))
    }

    /// 415 with the types that are taken, those of text in UTF-8 (RFC 3261 §21.4.13).
    private func illegible(_ request: Request) -> Response {
        var response = request.response(415)
        for var type in settings.capabilities.contentTypes(of: .message) {
            if type.type.equalsIgnoringCase("text") { type.parameters["charset"] = "utf-8" }
            response.headers.append(Accept(type))
        }
        response.headers.append(Accept(.mixed))
        return response
    }
}

extension ContentType {
    fileprivate static var utf8Text: ContentType {
        var type = plainText
        type.parameters["charset"] = "utf-8"
        return type
    }
}
