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
        // Of several parts the first that is text is what it says.
        let parts = (try? request.headers.parts(of: request.body)) ?? []
        let part = parts.first { $0.contentType.type.equalsIgnoringCase("text") } ?? parts.first
        contentType = part?.contentType ?? .plainText
        body = part?.body ?? []
        headers = request.headers
    }

    /// The body as text; what is not UTF-8 becomes U+FFFD.
    package var text: String { String(decoding: body, as: UTF8.self) }
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
        respond(request.response(200), in: transaction, at: now)
        stopsComposing(message)
        emit(.messageReceived(message))
    }
}
