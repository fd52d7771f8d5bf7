import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// From bytes to calls, RFC 3261 §8.2, §12.2.2, §18.2.
extension UserAgentCore {
    mutating func receive(_ bytes: [UInt8], over flow: Flow, at now: Instant) {
        if BindingRequest.isSTUN(bytes) { return receiveSTUN(bytes, over: flow, at: now) }
        if dropsUnread(bytes, over: flow, at: now) { return }
        let message: Message
        do throws(ParseError) {
            message = try MessageParser.parse(bytes)
        } catch {
            refuse(.malformed, from: flow)
            // Answered within the rate of its source only, as everything that may bear a forged address.
            guard var response = error.owedResponse, let via = response.vias.first, policy.admit(over: flow, at: now)
            else { return }
            response.vias[0] = via.completed(over: flow)
            return answerStatelessly(response, over: flow)
        }
        switch consume message {
        case .response(let response):
            guard Validation.reasonToDiscard(response) == nil else { return refuse(.strayResponse, from: flow) }
            transactions.receive(.response(response), over: flow, at: now)
        case .request(var request):
            guard let via = request.vias.first else { return }
            request.vias[0] = via.completed(over: flow)
            let key = request.method == .ack ? nil : ServerTransactionKey(of: request)
            guard admits(request, as: key, size: bytes.count, over: flow, at: now) else { return }
            transactions.receive(request, as: key, over: flow, at: now)
        }
    }

    // MARK: - Events of the transaction layer

    mutating func receive(_ event: TransactionLayer.Event, at now: Instant) {
        switch event {
        case .request(let request, let transaction, let flow):
            receive(request, in: transaction, over: flow, at: now)
        case .cancelled(let invite, let cancel, let request):
            cancelled(invite, by: cancel, request, at: now)
        case .acknowledgement(let request, let flow):
            receiveAcknowledgement(request, over: flow, at: now)
        case .response(let response, let transaction, let flow):
            receive(response, in: transaction, over: flow, at: now)
        case .strayResponse(let response, let flow):
            if let call = receiveStray(response, over: flow, at: now) { endWait(of: call, for: response, at: now) }
        case .timedOut(let transaction):
            transactionTimedOut(transaction, at: now)
        case .transportFailed(.client(let transaction)):
            transactionUndelivered(transaction, at: now)
        case .terminated(.client(let transaction)):
            transactionTerminated(transaction)
        case .transportFailed(.server), .terminated(.server), .acknowledgementTimedOut:
            break
        }
    }

    private mutating func receive(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        let (verdict, provenCaller) = (self.verdict, self.provenCaller)
        self.verdict = nil
        self.provenCaller = nil
        if let response = fault(of: request, verdict, in: transaction, over: flow) {
            respond(response, in: transaction, at: now)
        } else if let tag = request.to.tag {
            receiveInDialog(request, tag: tag, in: transaction, over: flow, at: now)
        } else if request.method == .invite {
            receiveInvite(request, from: provenCaller, in: transaction, over: flow, at: now)
        } else {
            receiveStandAlone(request, verdict, from: provenCaller, in: transaction, over: flow, at: now)
        }
        // An INVITE that became no call does not wait for anything any more.
        if verdict == .invite, callsByInvite[transaction] == nil { policy.endInvite(over: flow) }
    }

    // MARK: - Within dialogs

    /// The call that a Call-ID and our tag name, from whatever address (ROBUSTNESS S6).
    func call(callID: String, localTag: String?) -> CallHandle? {
        localTag.flatMap { callsByTag[CallKey(callID: callID, localTag: $0)] }
    }

    private mutating func receiveInDialog(
        _ request: Request, tag: String, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        if let handle = subscription(callID: request.callID, localTag: tag) {
            return receive(request, of: handle, in: transaction, over: flow, at: now)
        }
        if let id = watcher(callID: request.callID, localTag: tag) {
            return receive(request, of: id, in: transaction, over: flow, at: now)
        }
        guard let handle = call(callID: request.callID, localTag: tag), let index = sessions.index(forKey: handle)
        else {
            refuse(.unknownDialog, from: flow)
            return respond(request.response(481), in: transaction, at: now)
        }
        if sessions.values[index].value.isBeside(request, to: tag) {
            guard let contact = dialogContact(of: handle, over: flow) else { return }
            return update(handle, at: now) {
                $0.receiveBeside(request, in: transaction, over: flow, contact: contact, at: now)
            }
        }
        var refusal: StatusCode?
        update(handle, at: now) { session in
            refusal = session.refusal(of: request, over: flow)
            // In the same step: nothing else comes between, and each step costs.
            if refusal == nil, request.method == .bye { session.receiveBye(request, in: transaction, at: now) }
        }
        if let refusal {
            if refusal == 481 { refuse(.unknownDialog, from: flow) }
            return respond(request.response(refusal), in: transaction, at: now)
        }
        switch request.method {
        case .bye:
            // Taken above.
            break
        case .invite, .update:
            guard let contact = dialogContact(of: handle, over: flow) else { return }
            update(handle, at: now) { session in
                if request.method == .invite {
                    session.receiveReinvite(request, in: transaction, over: flow, contact: contact, at: now)
                } else {
                    session.receiveUpdate(request, in: transaction, over: flow, contact: contact, at: now)
                }
            }
        case .prack:
            update(handle, at: now) { $0.receivePrack(request, in: transaction, over: flow, at: now) }
            // What waited for it may have been the answer.
            replaceCall(by: handle, at: now)
        case .info:
            update(handle, at: now) { $0.receiveInfo(request, in: transaction) }
        case .message:
            receiveMessage(request, of: handle, in: transaction, over: flow, at: now)
        case .refer:
            guard let contact = dialogContact(of: handle, over: flow) else { return }
            let verdict = configuration.transfers.refer
            update(handle, at: now) {
                $0.receiveRefer(request, in: transaction, contact: contact, verdict, at: now)
            }
        case .subscribe:
            guard let contact = dialogContact(of: handle, over: flow) else { return }
            update(handle, at: now) {
                $0.receiveSubscribe(request, in: transaction, over: flow, contact: contact, at: now)
            }
        case .notify:
            update(handle, at: now) { $0.receiveNotify(request, in: transaction, over: flow, at: now) }
        default:
            answerOptions(request, isMinimal: false, in: transaction, over: flow, at: now)
        }
    }

    /// Our address for the peer of a call.
    private func dialogContact(of call: CallHandle, over flow: Flow) -> NameAddress? {
        guard let account = sessions[call]?.account else { return nil }
        return dialogContact(of: account.value, at: flow.local, over: flow.transport)
    }

    private mutating func receiveAcknowledgement(_ request: Request, over flow: Flow, at now: Instant) {
        guard let handle = call(callID: request.callID, localTag: request.to.tag) else {
            if policy.isAcknowledgementOfStatelessRefusal(request) { return }
            return refuse(.strayAcknowledgement, from: flow)
        }
        update(handle, at: now) { $0.receiveAcknowledgement(request, over: flow, at: now) }
    }

    private mutating func cancelled(
        _ invite: ServerTransactionID, by cancel: ServerTransactionID, _ request: Request, at now: Instant
    ) {
        let handle = callsByInvite[invite]
        let tag = handle.flatMap { sessions[$0]?.localTag } ?? policy.tag(for: request)
        respond(request.response(200, toTag: tag), in: cancel, at: now)
        if let handle { update(handle, at: now) { $0.cancelled(by: request, at: now) } }
    }

    /// A 2xx whose transaction is gone is acknowledged and ended by the call that it belongs to (RFC 6026 §8.2).
    ///
    /// - Returns: the call whose first INVITE it answers, where it answers that.
    mutating func receiveStray(_ response: Response, over flow: Flow, at now: Instant) -> CallHandle? {
        guard response.cSeq.method == .invite, response.status.isSuccess,
            let handle = call(callID: response.callID, localTag: response.from.tag),
            sessions[handle]?.value.awaitsAnswer(toReinvite: response.cSeq) == false,
            bearsOurVia(response, of: handle, over: flow)
        else {
            refuse(.strayResponse, from: flow)
            return nil
        }
        let invitation = sessions[handle]?.value.invitation?.request.cSeq.number
        update(handle, at: now) { session in
            if let invitation, response.cSeq.number <= invitation {
                session.receiveSuccess(response, over: flow, at: now)
            } else {
                session.receiveReinviteResponse(response, over: flow, at: now)
            }
        }
        return response.cSeq.number == invitation ? handle : nil
    }

    /// The INVITE was answered under another branch than its own: it is not sent again, its server is no silent one, and
    /// what may come yet is not waited for.
    private mutating func endWait(of call: CallHandle, for response: Response, at now: Instant) {
        guard let id = invite(of: call), let transaction = outbound[id]?.transaction else { return }
        destinationAnswered(id, response)
        transactions.giveUp(transaction)
        transactions.stopWaiting(for: transaction, at: now)
    }

    /// Whether the topmost Via names an address of ours; else somebody else was to be answered (§18.1.2).
    private func bearsOurVia(_ response: Response, of handle: CallHandle, over flow: Flow) -> Bool {
        guard let host = response.vias.first?.host.address else { return false }
        let own =
            listeners.map(\.address.address) + [flow.local.address, sessions[handle]?.localAddress].compactMap { $0 }
        return own.contains { $0.unmapped == host.unmapped }
    }

    // MARK: - Responses

    /// Answers in a transaction; a response to a request without To tag gets one.
    mutating func respond(_ response: consuming Response, in transaction: ServerTransactionID, at now: Instant) {
        let isLast = endsStrangerInCrowd(response, transaction, at: now)
        if isLast { response.to.tag = policy.tag(for: response) }
        dress(&response)
        // What is taken is said of us, as most of it has no place in the dialog that it came in (RFC 3261 §21.4.6).
        if response.status == 405, !response.headers.contains(.allow) {
            response.headers.append(Allow(settings.capabilities.methods))
        }
        if isLast {
            transactions.respondStatelessly(response, in: transaction)
        } else {
            transactions.respond(response, in: transaction, at: now)
        }
    }

    /// Whether a response is the first and last word to a stranger of whom there are more than are let in: none of
    /// them may make us keep or repeat anything (ROBUSTNESS S11). Who sent its request over UDP sends it again where the
    /// response is lost, as no provisional response told it to wait. What was taken must be known when it comes again:
    /// it would be taken twice.
    private func endsStrangerInCrowd(
        _ response: borrowing Response, _ transaction: ServerTransactionID, at now: Instant
    ) -> Bool {
        guard response.status.value >= 300 || (response.cSeq.method == .options && response.status.isFinal),
            configuration.limits.requestRate != nil, let flow = transactions.unansweredFlow(transaction)
        else { return false }
        return !flow.transport.isReliable && !policy.admits(over: flow, at: now)
    }

    /// Answers without a transaction (§8.2.7).
    mutating func answerStatelessly(_ response: consuming Response, over flow: Flow) {
        guard let via = response.vias.first else { return }
        let route = ResponseRoute(of: via, over: flow)
        dress(&response)
        outputs.append(.transmit(Transmit(bytes: response.bytes(), flow: route.flow, fallback: route.fallback)))
    }

    private func dress(_ response: inout Response) {
        if !response.to.hasTag, response.status != 100 { response.to.tag = policy.tag(for: response) }
        if response.status.value < 300 { response.headers.set(.server, from: serverField) }
    }
}

extension Via {
    /// As §18.2.1 and RFC 3581 §4 complete it: `received` where sent-by does not name the source, or with `rport`.
    func completed(over flow: Flow) -> Via {
        let source = flow.remote.address.unmapped
        if rport != .absent { return completed(received: source, port: flow.remote.port) }
        return host.address?.unmapped == source ? self : completed(received: source, port: nil)
    }
}
