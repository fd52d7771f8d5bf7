import SIPMessages

/// By what a response finds its client transaction (RFC 3261 §17.1.3). The sent-by is compared apart (§18.1.2).
struct ClientTransactionKey: Hashable, Sendable {
    let branch: String
    let method: Method
}

extension ClientTransactionKey {
    /// The key under which `request` goes out, or nil where its Via has no branch.
    init?(of request: Request) {
        guard let branch = request.vias.first?.branch else { return nil }
        self.init(branch: branch, method: request.method)
    }

    init?(of response: Response) {
        guard let branch = response.vias.first?.branch else { return nil }
        self.init(branch: branch, method: response.cSeq.method)
    }
}

/// By what a request finds its server transaction (RFC 3261 §17.2.3).
///
/// It is looked for many times from the first to the last of its transaction, so it brings its hash along.
package struct ServerTransactionKey: Sendable {
    private let identity: Identity
    private let digest: Int

    fileprivate enum Identity: Equatable, Sendable {
        /// The branch begins with the magic cookie, and names the transaction together with sent-by and method.
        case name([UInt8], Method)
        /// The peer follows RFC 2543: the transaction is known by the headers that a retransmission repeats.
        indirect case headers(HeaderIdentity)
    }

    private init(_ identity: Identity) {
        self.identity = identity
        // Seeded anew in each process: a peer that chooses its branches can't choose where they fall in our tables.
        var hasher = Hasher()
        switch identity {
        case .name(let name, let method):
            name.withUnsafeBytes { hasher.combine(bytes: $0) }
            hasher.combine(method)
        case .headers(let headers): hasher.combine(headers)
        }
        digest = hasher.finalize()
    }

    /// The headers that identify a transaction of an RFC 2543 peer. All of them are bounded by the message limits.
    fileprivate struct HeaderIdentity: Hashable, Sendable {
        let uri: URI
        let toTag: String?
        let fromTag: String?
        let callID: String
        let cSeqNumber: UInt32
        let method: Method
        let transport: Transport
        let sentBy: String
        let branch: String?
    }
}

extension ServerTransactionKey: Hashable {
    package static func == (left: Self, right: Self) -> Bool {
        left.digest == right.digest && left.identity == right.identity
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

extension ServerTransactionKey {
    /// The key of `request`, or of the INVITE that a CANCEL or ACK is about where `method` says so.
    package init?(of request: Request, as method: Method? = nil) {
        guard let via = request.vias.first else { return nil }
        let method = method ?? request.method
        if let name = via.transactionName {
            self.init(.name(name, method))
        } else {
            self.init(.headers(HeaderIdentity(request, via: via, toTag: request.to.tag, method: method)))
        }
    }

    /// The key by which the ACK of an RFC 2543 peer finds `invite` once `response` went out, as it carries the To tag
    /// of the response. Nil where the INVITE's own key serves.
    init?(ofAcknowledging response: Response, to invite: ServerTransactionKey) {
        guard case .headers(let identity) = invite.identity else { return nil }
        self.init(.headers(HeaderIdentity(acknowledging: identity, toTag: response.to.tag)))
    }

    /// Whether the branch alone tells the transaction of an ACK.
    var isName: Bool {
        if case .name = identity { true } else { false }
    }
}

extension ServerTransactionKey.HeaderIdentity {
    init(_ request: Request, via: Via, toTag: String?, method: Method) {
        self.init(
            uri: request.uri.detached, toTag: toTag, fromTag: request.from.tag, callID: request.callID,
            cSeqNumber: request.cSeq.number, method: method, transport: via.transport, sentBy: via.sentBy,
            branch: via.branch)
    }

    init(acknowledging invite: Self, toTag: String?) {
        self.init(
            uri: invite.uri, toTag: toTag, fromTag: invite.fromTag, callID: invite.callID,
            cSeqNumber: invite.cSeqNumber, method: .ack, transport: invite.transport, sentBy: invite.sentBy,
            branch: invite.branch)
    }
}

/// What stays the same in a request that reaches us by two paths (RFC 3261 §8.2.2.2).
struct RequestIdentity: Hashable, Sendable {
    let callID: String
    let fromTag: String?
    let cSeqNumber: UInt32
    let method: Method

    init(_ request: Request) {
        callID = request.callID
        fromTag = request.from.tag
        cSeqNumber = request.cSeq.number
        method = request.method
    }
}
