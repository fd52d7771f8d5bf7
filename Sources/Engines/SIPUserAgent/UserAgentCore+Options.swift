import EngineKit
import SIPMessages
import SIPTransactions

/// OPTIONS, asked and answered (RFC 3261 §11).
extension UserAgentCore {
    // MARK: - Asking

    mutating func ask(_ query: OptionsQuery, as handle: OptionsHandle, at now: Instant) {
        guard let account = account(query.account), queries[handle] == nil, shutDown == .no else {
            return emit(.warning(.commandIgnored))
        }
        var from = account.address
        from.tag = random.hexadecimal(16)
        var request = Request(
            method: .options, uri: query.target.asRequestURI, from: from, to: NameAddress(uri: query.target.asParty),
            callID: random.hexadecimal(32), cSeq: CSeq(number: 1, method: .options))
        request.headers.append(Accept(.sdp))
        for (name, value) in query.headers.list { try? request.headers.append(name, value) }
        queries[handle] = now
        send(request, for: .options(handle), account: account, along: nil, at: now)
    }

    mutating func optionsAnswered(_ handle: OptionsHandle, _ response: Response, over flow: Flow, at now: Instant) {
        guard let asked = queries.removeValue(forKey: handle) else { return }
        emit(
            .optionsAnswered(
                handle,
                OptionsAnswer(
                    status: response.status, reason: response.reason, roundTrip: now - asked,
                    headers: response.headers, body: response.body, flow: flow)))
    }

    mutating func optionsFailed(_ handle: OptionsHandle, _ failure: RequestFailure, at now: Instant) {
        guard let asked = queries.removeValue(forKey: handle) else { return }
        emit(
            .optionsAnswered(
                handle,
                OptionsAnswer(
                    status: nil, reason: failure.reason, roundTrip: now - asked, headers: Headers(), body: [],
                    flow: nil)))
    }

    // MARK: - Answering

    /// Answers as an INVITE would be answered just now (§11.2); strangers learn no more than what they may send.
    mutating func answerOptions(
        _ request: Request, isMinimal: Bool, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        let isBusy = request.to.tag == nil && census.calls >= configuration.limits.calls
        var response = request.response(isBusy ? 486 : 200)
        response.headers.append(Allow(settings.capabilities.methods))
        if !isMinimal {
            response.headers.append(Accept(.sdp))
            try? response.headers.append(.acceptEncoding, "identity")
            try? response.headers.append(.acceptLanguage, "en")
            response.headers.append(Supported(settings.capabilities.optionTags))
            if let account = account(policy.reception(of: request, over: flow)?.account) {
                response.headers.append(Contact.address(contact(of: account, at: flow.local, over: flow.transport)))
            }
        }
        respond(response, in: transaction, at: now)
    }
}
