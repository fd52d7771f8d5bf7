import EngineKit
import SIPMessages
import SIPTransactions
import ServerLocation

/// Requests of ours: from the next hop to the transaction, RFC 3261 §8.1.2, §18.1.1 and RFC 3263.
extension UserAgentCore {
    /// Begins to send a request: asks where its next hop is.
    mutating func send(
        _ request: Request, for owner: OutboundRequest.Owner, account: Account, along flow: Flow?, at now: Instant
    ) {
        let id = nextOutboundID()
        var hop: URI?
        if case .call(let handle, let purpose) = owner { hop = sessions[handle]?.value.nextHop(for: purpose) }
        if case .subscription(let handle) = owner { hop = subscriptions[handle]?.dialog?.nextHop }
        if case .watcher(let id) = owner { hop = watchers[id]?.nextHop }
        var outbound = OutboundRequest(request: request, owner: owner, account: account, hop: hop, along: flow)
        if !request.to.hasTag {
            for route in preloadedRoute(of: owner, account).reversed() { outbound.request.visitFirst(route) }
        }
        if !configuration.product.isEmpty { try? outbound.request.headers.set(.userAgent, configuration.product) }
        if request.method != .ack { outbound.request.setSupported(settings.capabilities) }
        self.outbound[id] = outbound
        if let call = owner.call { requestsOfCall[call, default: []].append(id) }
        ask(id, transport: nil, at: now)
    }

    /// Asks the resolver for the next hop, over `transport` or the one that the address or account asks for.
    private mutating func ask(_ id: OutboundID, transport: Transport?, at now: Instant) {
        guard let outbound = outbound[id] else { return }
        guard var request = outbound.location else {
            return fail(id, .unreachable(.notSIP(scheme: outbound.nextHop.scheme)), at: now)
        }
        let question = ResolveID(rawValue: id.rawValue)
        outboundByResolution[question] = id
        if let transport { request.transport = transport }
        outputs.append(.resolve(question, request))
    }

    mutating func resolved(
        _ question: ResolveID, _ result: Result<[Destination], LocationFailure>, at now: Instant
    ) {
        if let id = registrarQuestions.removeValue(forKey: question) {
            return registrarFound(id, result, at: now)
        }
        if let handle = callQuestions.removeValue(forKey: question) { return callFound(handle, result, at: now) }
        guard let id = outboundByResolution.removeValue(forKey: question) else { return }
        let destinations: [Destination]
        switch result {
        case .success(let found): destinations = found
        case .failure(let failure):
            destinations = []
            let obstacle = outbound[id]?.unresolved(failure)
            outbound[id]?.obstacle = obstacle
        }
        if let outbound = outbound[id] { noteServers(of: outbound, at: destinations) }
        if case .seekingStream(let datagrams)? = outbound[id]?.size {
            outbound[id]?.size = .settled
            outbound[id]?.destinations = destinations + datagrams
        } else {
            outbound[id]?.destinations = destinations
        }
        sendToNextDestination(id, at: now)
    }

    /// Sends the request to its next destination, under a new branch.
    mutating func sendToNextDestination(_ id: OutboundID, at now: Instant) {
        guard var outbound = outbound[id] else { return }
        if let last = outbound.transaction { outboundByTransaction[last] = nil }
        outbound.transaction = nil
        guard !outbound.destinations.isEmpty else {
            return fail(id, .unreachable(outbound.obstacle ?? outbound.unresolved(.noSuchName)), at: now)
        }
        let destination = outbound.destinations.removeFirst()
        let flow = outbound.flow(to: destination)
        let request = complete(outbound, towards: destination)
        if request.method == .message, request.isLong {
            return fail(id, .tooLarge(octets: request.bytes().count), at: now)
        }
        if destination.transport == .udp, case .undecided = outbound.size, request.method != .ack, request.isLong {
            outbound.size = .seekingStream([destination] + outbound.destinations)
            self.outbound[id] = outbound
            return ask(id, transport: .tcp, at: now)
        }
        outbound.destination = destination
        outbound.obstacle = nil
        outbound.flow = flow
        outbound.body = request.body
        guard request.method != .ack else {
            forgetOutbound(id)
            return sendAcknowledgement(request, outbound, over: flow, at: now)
        }
        if let query = outbound.owner.query { queries[query]?.sentAt = now }
        let transaction = transactions.send(request, over: flow, at: now)
        outbound.transaction = transaction
        outbound.isAnswered = false
        self.outbound[id] = outbound
        outboundByTransaction[transaction] = id
        limitPatience(with: id, at: now)
        if case .call(let handle, .invite) = outbound.owner {
            update(handle, at: now) { $0.inviteSent(to: destination.remote) }
        }
    }

    /// The ACK of a 2xx belongs to no transaction (§13.2.2.4). It stays on UDP at any size: nothing would tell of a
    /// TCP connection that fails in time to repeat it, while each repeated 2xx repeats it here.
    private mutating func sendAcknowledgement(
        _ request: Request, _ outbound: OutboundRequest, over flow: Flow, at now: Instant
    ) {
        var request = request
        if !policy.isServer(flow, of: outbound.account.id) {
            // The credentials of the INVITE (§22.1) are for the servers that asked, not for who was called (ROBUSTNESS S10).
            request.headers.removeAll(.authorization)
            request.headers.removeAll(.proxyAuthorization)
        }
        let transmit = Transmit(bytes: request.bytes(), flow: flow)
        outputs.append(.transmit(transmit))
        if case .call(let handle, let purpose) = outbound.owner, case .acknowledgement(let sequence) = purpose.kind,
            let remoteTag = purpose.remoteTag
        {
            update(handle, at: now) { $0.acknowledged(transmit, remoteTag: remoteTag, sequence: sequence) }
        }
    }

    /// Adds Via with a fresh branch (§8.1.1.7), `rport` (RFC 3581 §3), and what the owner puts in for this way.
    private mutating func complete(_ outbound: OutboundRequest, towards destination: Destination) -> Request {
        var request = outbound.request
        var contact = dialogContact(of: outbound.account, at: destination.local, over: destination.transport)
        switch outbound.owner {
        case .call(let handle, let purpose):
            if outbound.account.isAnonymous { contact = contact.anonymised }
            sessions[handle]?.value.complete(&request, for: purpose, at: destination.local, contact: contact)
        case .registration(let id):
            let own = self.contact(of: outbound.account, at: destination.local, over: destination.transport)
            if let uri = own.uri.sipURI { registrations[id]?.complete(&request, contact: uri) }
        case .request:
            // A MESSAGE has no Contact (RFC 3428 §4), and what other methods want the user knows.
            if request.method == .options { request.setCapabilities(settings.capabilities, contact: contact) }
        case .publication:
            break
        case .subscription, .watcher:
            request.headers.set(Contact.address(contact))
        }
        var via = Via(
            transport: destination.transport, host: .address(destination.local.address),
            port: destination.local.port, branch: "z9hG4bK" + random.hexadecimal(16))
        via.rport = .requested
        request.vias = [via]
        return request
    }

    // MARK: - What comes back

    mutating func receive(_ response: Response, in transaction: ClientTransactionID, over flow: Flow, at now: Instant) {
        guard let id = outboundByTransaction[transaction], let request = outbound[id] else {
            return receiveSuperseded(response, in: transaction, over: flow, at: now)
        }
        destinationAnswered(id, response)
        noteConnection(flow, of: request)
        noteMapping(in: response, to: request, over: flow, at: now)
        if [401, 407].contains(response.status.value), authenticate(id, against: response, at: now) {
            return
        }
        if response.status == 503 {
            noteFailure(of: request, sparedFor: response.retryAfter.map { .seconds(Int64($0)) })
            if mayTryAnother(request, at: now) { return failOverToNextDestination(id, at: now) }
        }
        if response.status.isFinal && !(request.request.method == .invite && response.status.isSuccess) {
            forgetOutbound(id)
        }
        deliver(response, to: request, over: flow, at: now)
    }

    private mutating func deliver(
        _ response: Response, to request: OutboundRequest, over flow: Flow, at now: Instant
    ) {
        switch request.owner {
        case .call(let handle, let purpose):
            update(handle, at: now) { $0.receive(response, to: purpose, over: flow, at: now) }
            if let query = request.owner.query, response.status.isFinal {
                answered(query, response, over: flow, at: now)
            }
        case .registration(let id):
            registrationAnswered(id, response, to: request, over: flow, at: now)
        case .request(let handle):
            if response.status.isFinal { answered(handle, response, over: flow, at: now) }
        case .subscription(let handle):
            update(handle, at: now) { $0.receive(response, over: flow, at: now) }
        case .watcher(let id):
            if response.status.isFinal { notifyAnswered(id, response.status, at: now) }
        case .publication(let id):
            publish(id, at: now) { $0.receive(response, at: now) }
        }
    }

    /// A transaction ended without a final response.
    mutating func transactionTimedOut(_ transaction: ClientTransactionID, at now: Instant) {
        guard let id = outboundByTransaction[transaction], let request = outbound[id] else { return }
        if !request.isAnswered { noteFailure(of: request) }
        fail(id, .timedOut(request.destination), at: now)
    }

    /// A transaction ended because its request can't be delivered: the next destination may do better.
    mutating func transactionUndelivered(_ transaction: ClientTransactionID, at now: Instant) {
        guard let id = outboundByTransaction[transaction], let request = outbound[id] else { return }
        // Without an obstacle it was the transaction layer that had no room.
        guard let obstacle = request.obstacle else { return fail(id, .limited, at: now) }
        noteFailure(of: request)
        if mayTryAnother(request, at: now) {
            failOverToNextDestination(id, at: now)
        } else {
            fail(id, .unreachable(obstacle), at: now)
        }
    }

    /// Whether the owner of a request still cares for it.
    func stillWants(_ request: OutboundRequest) -> Bool {
        guard case .call(let handle, let purpose) = request.owner else { return true }
        return sessions[handle]?.value.stillWants(purpose) ?? false
    }

    mutating func fail(_ id: OutboundID, _ failure: RequestFailure, at now: Instant) {
        guard let request = outbound[id] else { return }
        forgetOutbound(id)
        switch request.owner {
        case .call(let handle, let purpose):
            update(handle, at: now) { $0.fail(purpose, failure, at: now) }
            if let query = request.owner.query { failed(query, failure.reason, at: now) }
        case .registration(let id):
            registrationFailed(id, failure, at: now)
        case .request(let handle):
            failed(handle, failure.reason, isTooLong: failure.isTooLarge, at: now)
        case .subscription(let handle):
            update(handle, at: now) { $0.fail(failure.reason, at: now) }
        case .watcher(let id):
            notifyAnswered(id, nil, at: now)
        case .publication(let id):
            publish(id, at: now) { $0.fail(failure.reason, at: now) }
        }
    }

    mutating func forgetOutbound(_ id: OutboundID) {
        guard let request = outbound.removeValue(forKey: id) else { return }
        if let call = request.owner.call {
            requestsOfCall[call]?.removeAll { $0 == id }
            if requestsOfCall[call]?.isEmpty ?? false { requestsOfCall[call] = nil }
        }
        if let transaction = request.transaction { outboundByTransaction[transaction] = nil }
        deadlines.cancel(.destination(id))
        outboundByResolution[ResolveID(rawValue: id.rawValue)] = nil
    }

    /// A client transaction is gone: no more 2xx will come by it.
    mutating func transactionTerminated(_ transaction: ClientTransactionID) {
        superseded[transaction] = nil
        if let id = outboundByTransaction[transaction] { forgetOutbound(id) }
    }

    mutating func connectionClosed(_ connection: ConnectionID, _ failure: TransmitFailure, at now: Instant) {
        // What a dialog sends next goes to its target over a connection that is opened for it.
        for handle in sessions.keys where sessions[handle]?.peer?.connection == connection {
            sessions[handle]?.peer?.connection = nil
        }
        failRequests(failure, at: now) { $0.connection == connection }
        flowsClosed(on: connection, at: now)
    }

    /// Nothing reaches the other end of `flow` for now: ICMP, or a connection that ended before it gave any response.
    mutating func flowFailed(_ flow: Flow, _ failure: TransmitFailure, at now: Instant) {
        failRequests(failure, at: now) { $0 == flow }
    }

    /// A message of one transaction could not be sent.
    mutating func transmitFailed(_ id: TransactionID, over flow: Flow, _ failure: TransmitFailure, at now: Instant) {
        if case .client(let transaction) = id, let request = outboundByTransaction[transaction] {
            outbound[request]?.obstacle = .undelivered(flow.transport, flow.remote, failure)
        }
        transactions.transportFailed(id, at: now)
    }

    private mutating func failRequests(
        _ failure: TransmitFailure, at now: Instant, over isAffected: (Flow) -> Bool
    ) {
        var affected: [ClientTransactionID: Flow] = [:]
        for request in outbound.values where !isRinging(request) {
            guard let transaction = request.transaction, let flow = request.flow, isAffected(flow) else { continue }
            affected[transaction] = flow
        }
        for (transaction, flow) in affected.sorted(by: { $0.key < $1.key }) {
            transmitFailed(.client(transaction), over: flow, failure, at: now)
        }
    }

    /// Whether a request is an INVITE that somebody has in hand: its answer may come over a connection that the peer
    /// opens for it (§18.2.2).
    private func isRinging(_ request: OutboundRequest) -> Bool {
        guard case .call(let handle, .invite) = request.owner else { return false }
        return sessions[handle]?.invitation?.hasProvisional ?? false
    }
}

extension OutboundRequest {
    /// The way to a destination. A connection on which the peer speaks to us is used again (RFC 5923 §3 in spirit):
    /// many phones behind it accept none.
    func flow(to destination: Destination) -> Flow {
        if let along, along.connection != nil, along.transport == destination.transport,
            along.remote.address == destination.remote.address, along.local.address == destination.local.address
        {
            return along
        }
        return Flow(transport: destination.transport, local: destination.local, remote: destination.remote)
    }
}

extension Request {
    /// Whether it is longer than what may be sent where nothing controls congestion (RFC 3261 §18.1.1, RFC 3428 §8).
    var isLong: Bool { bytes().count > OutboundRequest.datagramLimit }

    /// Makes `proxy` the first hop, as a loose route (§8.1.2).
    mutating func visitFirst(_ proxy: URI) {
        guard case .sip(var uri) = proxy else { return }
        if !uri.isLooseRouter { uri.parameters.append("lr") }
        let others = (try? headers.all(Route.self)) ?? []
        headers.set(Route(NameAddress(uri: .sip(uri))))
        for route in others { headers.append(route) }
    }
}
