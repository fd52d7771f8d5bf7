import EngineKit
import SIPMessages

extension TransactionLayer {
    /// Sends a request other than ACK in a client transaction of its own.
    ///
    /// The request carries its Via, whose branch names the transaction. Beyond `Limits.client`, or where the branch is
    /// missing or in use, nothing is sent, and the transaction ends at once by `.transportFailed`.
    package mutating func send(_ request: Request, over flow: Flow, at now: Instant) -> ClientTransactionID {
        let id = ClientTransactionID(rawValue: nextID())
        guard request.method != .ack, let key = ClientTransactionKey(of: request),
            clientIndex[key] == nil, makesRoom()
        else {
            tally.refusedSends &+= 1
            emit(.transportFailed(.client(id)))
            emit(.terminated(.client(id)))
            return id
        }
        let bytes = request.bytes()
        let isReliable = flow.transport.isReliable
        clientIndex[key] = id
        if request.method == .invite {
            let machine = InviteClientTransaction(
                request, bytes: bytes, isReliable: isReliable, timers: timers, at: now)
            inviteClients[id] = Hosted(machine, of: request, key: key, over: flow)
            deadlines.set(.client(id), at: machine.deadline)
        } else {
            let machine = NonInviteClientTransaction(bytes: bytes, isReliable: isReliable, timers: timers, at: now)
            nonInviteClients[id] = Hosted(machine, of: request, key: key, over: flow)
            deadlines.set(.client(id), at: machine.deadline)
        }
        transmit(bytes, over: flow, for: id)
        if request.method == .cancel { awaitCancellation(of: key.branch, at: now) }
        return id
    }

    /// Whether there is room for one more client transaction, if need be in place of the oldest that is answered: what it
    /// would still absorb comes as a stray response then.
    private mutating func makesRoom() -> Bool {
        guard inviteClients.count + nonInviteClients.count >= limits.client else { return true }
        while let oldest = answeredClients.popFirst() {
            guard nonInviteClients[oldest] != nil else { continue }
            abandon(oldest)
            return true
        }
        return false
    }

    /// Sends the CANCEL of an INVITE (RFC 3261 §9.1), which then waits 64*T1 for its final response.
    ///
    /// - Returns: the CANCEL's transaction; nil where the INVITE has no provisional response yet (the user asks again
    ///   when one comes) or already has a final one.
    package mutating func cancel(_ invite: ClientTransactionID, at now: Instant) -> ClientTransactionID? {
        guard let hosted = inviteClients[invite], let original = hosted.machine.cancellable else { return nil }
        return send(original.cancelRequest(), over: hosted.flow, at: now)
    }

    private mutating func awaitCancellation(of branch: String, at now: Instant) {
        guard let invite = clientIndex[ClientTransactionKey(branch: branch, method: .invite)] else { return }
        inviteClients[invite]?.machine.cancel(at: now)
        settleInviteClient(invite)
    }

    /// Gives up a server that is silent. An INVITE is not sent again, and lives on to its end: who took it in hand after
    /// all is to be told that it is not wanted any more. Of another request nothing has to be known later.
    package mutating func giveUp(_ id: ClientTransactionID) {
        guard inviteClients[id] != nil else { return abandon(id) }
        inviteClients[id]?.machine.stopRetransmitting()
        settleInviteClient(id)
    }

    /// The user waits no longer for the final response of an INVITE, which from now on has 64*T1 to come, as one that was
    /// cancelled has (§9.1). Other transactions end by themselves.
    package mutating func stopWaiting(for invite: ClientTransactionID, at now: Instant) {
        inviteClients[invite]?.machine.stopWaiting(at: now)
        settleInviteClient(invite)
    }

    /// Ends a client transaction of which the user wants to hear no more. A late 2xx to INVITE becomes a stray response.
    private mutating func abandon(_ id: ClientTransactionID) {
        guard let key = inviteClients[id]?.key ?? nonInviteClients[id]?.key else { return }
        remove(id, key: key)
    }

    // MARK: - Network

    mutating func receive(_ response: Response, over flow: Flow, at now: Instant) {
        guard let key = ClientTransactionKey(of: response), let id = clientIndex[key] else {
            emit(.strayResponse(response, flow))
            return
        }
        // One under another number answers something else: taken, it would end the wait for what was asked.
        guard inviteClients[id]?.matches(response) ?? nonInviteClients[id]?.matches(response) ?? false else {
            tally.mismatchedResponses &+= 1
            return
        }
        if key.method == .invite {
            receiveInInvite(response, id, over: flow, at: now)
        } else {
            let delivers = nonInviteClients[id]?.machine.receive(response, at: now) ?? false
            if delivers { emit(.response(response, id, flow)) } else { tally.absorbed &+= 1 }
            if delivers, nonInviteClients[id]?.machine.isAnswered == true { answeredClients.append(id) }
            settleNonInviteClient(id)
        }
    }

    private mutating func receiveInInvite(
        _ response: Response, _ id: ClientTransactionID, over flow: Flow, at now: Instant
    ) {
        guard let reaction = inviteClients[id]?.machine.receive(response, at: now) else { return }
        switch reaction {
        case .ignore:
            tally.absorbed &+= 1
        case .deliver:
            emit(.response(response, id, flow))
        case .stray:
            emit(.strayResponse(response, flow))
        case .acknowledge(let acknowledgement):
            tally.absorbed &+= 1
            if let flow = inviteClients[id]?.flow { transmit(acknowledgement, over: flow, for: id) }
        case .deliverAndAcknowledge(let acknowledgement):
            if let flow = inviteClients[id]?.flow { transmit(acknowledgement, over: flow, for: id) }
            emit(.response(response, id, flow))
        }
        settleInviteClient(id)
    }

    // MARK: - Time and failure

    mutating func handleDeadline(of id: ClientTransactionID, at now: Instant) {
        if let flow = inviteClients[id]?.flow {
            switch inviteClients[id]?.machine.handleDeadline(at: now) {
            case .retransmit(let bytes): transmit(bytes, over: flow, for: id)
            case .timedOut: emit(.timedOut(id))
            case .nothing, .terminated, nil: break
            }
            settleInviteClient(id)
        } else if let flow = nonInviteClients[id]?.flow {
            switch nonInviteClients[id]?.machine.handleDeadline(at: now) {
            case .retransmit(let bytes): transmit(bytes, over: flow, for: id)
            case .timedOut: emit(.timedOut(id))
            case .nothing, .terminated, nil: break
            }
            settleNonInviteClient(id)
        }
    }

    mutating func transportFailed(_ id: ClientTransactionID) {
        let tells =
            inviteClients[id]?.machine.transportFailed() ?? nonInviteClients[id]?.machine.transportFailed() ?? false
        if tells { emit(.transportFailed(.client(id))) }
        settleInviteClient(id)
        settleNonInviteClient(id)
    }

    // MARK: - Keeping the tables true

    private mutating func settleInviteClient(_ id: ClientTransactionID) {
        guard let hosted = inviteClients[id] else { return }
        if hosted.machine.state == .terminated {
            remove(id, key: hosted.key)
        } else {
            deadlines.set(.client(id), at: hosted.machine.deadline)
        }
    }

    private mutating func settleNonInviteClient(_ id: ClientTransactionID) {
        guard let hosted = nonInviteClients[id] else { return }
        if hosted.machine.state == .terminated {
            remove(id, key: hosted.key)
        } else {
            deadlines.set(.client(id), at: hosted.machine.deadline)
        }
    }

    private mutating func remove(_ id: ClientTransactionID, key: ClientTransactionKey) {
        inviteClients[id] = nil
        nonInviteClients[id] = nil
        clientIndex[key] = nil
        while let oldest = answeredClients.first, nonInviteClients[oldest] == nil { answeredClients.removeFirst() }
        deadlines.cancel(.client(id))
        emit(.terminated(.client(id)))
    }

    private mutating func transmit(_ bytes: [UInt8], over flow: Flow, for id: ClientTransactionID) {
        outputs.append(.transmit(Transmit(bytes: bytes, flow: flow, cause: .client(id))))
    }
}
