import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// Requests that start something: what is wrong with them, and new calls (RFC 3261 §8.2, §13.3).
extension UserAgentCore {
    /// The answer that a request is owed for what it is, before anybody looks at what it wants (§8.2.1 to §8.2.4).
    mutating func fault(of request: Request, in transaction: ServerTransactionID, over flow: Flow) -> Response? {
        if request.method == .cancel {
            refuse(.unknownDialog, from: flow)
            return request.response(481)
        }
        if case .other = request.method {
            refuse(.unsupportedMethod, from: flow)
            return request.response(501)
        }
        guard Capabilities.methods.contains(request.method) else {
            refuse(.unsupportedMethod, from: flow)
            var response = request.response(405)
            response.headers.set(Allow(Capabilities.methods))
            return response
        }
        if transactions.isMerged(transaction) {
            refuse(.merged, from: flow)
            return request.response(482)
        }
        if let required = try? request.headers.first(Require.self) {
            let unknown = required.tags.filter { !Capabilities.optionTags.contains($0) }
            if !unknown.isEmpty {
                refuse(.unsupportedExtension, from: flow)
                var response = request.response(420)
                response.headers.set(Unsupported(unknown))
                return response
            }
        }
        return bodyFault(of: request)
    }

    /// 415 where the body is one that we would have to understand and don't (§8.2.3).
    private func bodyFault(of request: Request) -> Response? {
        guard request.method == .invite, !request.body.isEmpty else { return nil }
        if let disposition = try? request.headers.first(ContentDisposition.self), disposition.isOptional { return nil }
        let encodings = (try? request.headers.first(ContentEncoding.self))?.tags ?? []
        if encodings.contains(where: { $0 != "identity" }) {
            var response = request.response(415)
            try? response.headers.append(.acceptEncoding, "identity")
            return response
        }
        if !request.headers.announcesDescription {
            var response = request.response(415)
            try? response.headers.append(.accept, "application/sdp")
            return response
        }
        return nil
    }

    mutating func receiveInvite(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        if let own = call(callID: request.callID, localTag: request.from.tag), sessions[own]?.dialog == nil {
            // Our own INVITE came back to us.
            refuse(.loop, from: flow)
            return respond(request.response(482), in: transaction, at: now)
        }
        guard let (account, trust) = addressee(of: request, over: flow) else {
            refuse(.notFound, from: flow)
            return respond(request.response(404), in: transaction, at: now)
        }
        let handle = nextIncomingHandle()
        let arrival = Arrival(
            request: request, transaction: transaction, flow: flow, trust: trust,
            contact: contact(of: account, at: flow.local, over: flow.transport),
            ringsUntil: configuration.incomingRingTimeout.map { now + $0 })
        do throws(InviteRefusal) {
            let session = try InviteSession(
                arriving: arrival, handle: handle, account: account, capabilities: configuration.capabilities,
                settings: settings, random: random.split())
            add(session)
            callsByInvite[transaction] = handle
            deadlines.set(.call(handle), at: session.deadline)
        } catch {
            refuse(.invalid, from: flow)
            return respond(request.response(error.status, reason: error.reason), in: transaction, at: now)
        }
        emit(
            .incomingCall(
                handle,
                IncomingCall(
                    account: account.id, from: request.from, to: request.to, requestURI: request.uri,
                    callID: request.callID, flow: flow, trust: trust,
                    mayAnswerAutomatically: mayAnswerAutomatically(trust),
                    offer: request.sessionDescription, headers: request.headers)))
    }
}
