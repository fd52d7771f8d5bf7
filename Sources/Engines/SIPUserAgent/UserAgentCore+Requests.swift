import EngineKit
import SIPMessages
import SIPTransactions

/// Requests that the user sends beside calls and registrations, and the answers to them.
extension UserAgentCore {
    /// A request that has no answer yet.
    struct Query: Sendable {
        let method: Method
        /// The conversation in which it says that the user writes; nil: it is the user's own.
        var conversation: Conversation?
        /// When it was last sent, for the round trip; before that, when it was asked for.
        var sentAt: Instant
    }

    mutating func ask(
        _ query: OutgoingRequest, as handle: RequestHandle, about conversation: Conversation? = nil, at now: Instant
    ) {
        guard queries[handle] == nil, shutDown == .no, query.method.mayBeSentAlone else {
            return emit(.warning(.commandIgnored))
        }
        switch query.recipient {
        case .address(let target):
            guard let account = account(query.account) else { return emit(.warning(.commandIgnored)) }
            let target = target.dialled(by: account.value)
            var from = account.address
            from.tag = random.hexadecimal(16)
            var request = Request(
                method: query.method, uri: target.asRequestURI, from: from, to: NameAddress(uri: target.asParty),
                callID: random.hexadecimal(32), cSeq: CSeq(number: 1, method: query.method))
            if query.method == .options { request.headers.append(Accept(.sdp)) }
            request.append(query)
            queries[handle] = Query(method: query.method, conversation: conversation, sentAt: now)
            send(request, for: .request(handle), account: account.value, along: nil, at: now)
        case .peer(let call):
            guard sessions[call]?.takesRequests == true else { return emit(.warning(.commandIgnored)) }
            queries[handle] = Query(method: query.method, conversation: conversation, sentAt: now)
            update(call, at: now) { $0.ask(query, as: handle) }
        }
    }

    mutating func answered(_ handle: RequestHandle, _ response: Response, over flow: Flow, at now: Instant) {
        guard let query = queries.removeValue(forKey: handle) else { return }
        if let conversation = query.conversation {
            return composingAnswered(response.status, in: conversation, at: now)
        }
        emit(
            .requestAnswered(
                handle,
                RequestAnswer(
                    method: query.method, status: response.status, reason: response.reason,
                    roundTrip: now - query.sentAt, headers: response.headers, body: response.body, flow: flow)))
    }

    mutating func failed(_ handle: RequestHandle, _ reason: String, isTooLong: Bool = false, at now: Instant) {
        guard let query = queries.removeValue(forKey: handle) else { return }
        if let conversation = query.conversation { return composingAnswered(nil, in: conversation, at: now) }
        emit(
            .requestAnswered(
                handle,
                RequestAnswer(
                    method: query.method, status: nil, reason: reason, roundTrip: now - query.sentAt,
                    headers: Headers(), body: [], flow: nil, isTooLong: isTooLong)))
    }
}

/// OPTIONS of others (RFC 3261 §11.2).
extension UserAgentCore {
    /// Answers as an INVITE would be answered just now; strangers learn no more than what they may send.
    mutating func answerOptions(
        _ request: Request, isMinimal: Bool, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        let isBusy = !request.to.hasTag && census.calls >= configuration.limits.calls
        var response = request.response(isBusy ? 486 : 200)
        response.headers.append(Allow(settings.capabilities.methods))
        if !isMinimal {
            for type in settings.capabilities.allContentTypes { response.headers.append(Accept(type)) }
            response.headers.append(Accept(.mixed))
            try? response.headers.append(.acceptEncoding, "identity")
            try? response.headers.append(.acceptLanguage, "en")
            response.headers.append(Supported(settings.capabilities.optionTags))
            if let account = account(policy.reception(of: request, over: flow)?.account) {
                let own = contact(of: account.value, at: flow.local, over: flow.transport)
                response.headers.append(Contact.address(own))
            }
        }
        respond(response, in: transaction, at: now)
    }
}

extension Method {
    /// Whether the user may send a bare request of this method: the others make dialogs or transactions that only a
    /// call or a subscription keeps, or belong to one.
    package var mayBeSentAlone: Bool {
        switch self {
        case .invite, .ack, .cancel, .bye, .prack, .update, .subscribe, .refer: false
        case .options, .register, .info, .notify, .publish, .message, .other: true
        }
    }
}

extension Request {
    /// Adds what the user gave: header fields and a body.
    mutating func append(_ query: OutgoingRequest) {
        for (name, value) in query.headers.list { try? headers.append(name, value) }
        guard !query.body.isEmpty else { return }
        if let type = query.contentType { headers.set(type) }
        body = query.body
    }
}
