import EngineKit
import SIPMessages

extension TransactionLayer {
    /// Answers a request. A response that the transaction can't send any more is dropped.
    package mutating func respond(_ response: Response, in id: ServerTransactionID, at now: Instant) {
        // In their places: a transaction is large, and a copy retains all that it holds.
        if let index = inviteServers.index(forKey: id) {
            let bytes = inviteServers.values[index].machine.respond(response, at: now)
            transmit(bytes, along: Self.route(of: &inviteServers.values[index]), for: id)
            if !response.status.isProvisional && !response.status.isSuccess {
                indexAcknowledgement(of: response, in: id, key: inviteServers.values[index].key)
            }
            settleInviteServer(id, at: index)
        } else if let index = nonInviteServers.index(forKey: id) {
            let bytes = nonInviteServers.values[index].machine.respond(response, at: now)
            transmit(bytes, along: Self.route(of: &nonInviteServers.values[index]), for: id)
            settleNonInviteServer(id, at: index)
        }
    }

    /// The flow of a request that stands outside any dialog and was not answered yet, not even by a 100.
    package func unansweredFlow(_ id: ServerTransactionID) -> Flow? {
        if let served = inviteServers[id], served.identity != nil, served.machine.isUnanswered {
            return served.route.flow
        }
        if let served = nonInviteServers[id], served.identity != nil, served.machine.isUnanswered {
            return served.route.flow
        }
        return nil
    }

    /// Whether an INVITE was refused and its ACK has not come, so that the refusal may have to be repeated (§17.2.1).
    package var awaitsAcknowledgement: Bool {
        inviteServers.values.contains { served in
            if case .completed = served.machine.state { true } else { false }
        }
    }

    /// Answers a request once and forgets it: a user agent server without state (RFC 3261 §8.2.7), which repeats
    /// nothing, waits for no ACK, and takes the request for a new one when it comes again.
    package mutating func respondStatelessly(_ response: Response, in id: ServerTransactionID) {
        if let served = inviteServers.removeValue(forKey: id) {
            transmit(response.bytes(), along: served.route, for: id)
            forget(id, key: served.key, identity: served.identity)
        } else if let served = nonInviteServers.removeValue(forKey: id) {
            transmit(response.bytes(), along: served.route, for: id)
            forget(id, key: served.key, identity: served.identity)
        }
    }

    /// Sends the last 2xx of an INVITE once more (RFC 3261 §13.3.1.4), without building it again.
    ///
    /// - Returns: false where the transaction is gone or holds no 2xx.
    @discardableResult
    package mutating func retransmitAcceptance(in id: ServerTransactionID) -> Bool {
        guard let served = inviteServers[id], let bytes = served.machine.acceptance else { return false }
        transmit(bytes, along: served.route, for: id)
        return true
    }

    /// Whether the request of `id`, outside any dialog, came before by another path: it is owed a 482 (§8.2.2.2).
    package func isMerged(_ id: ServerTransactionID) -> Bool {
        inviteServers[id]?.isMerged ?? nonInviteServers[id]?.isMerged ?? false
    }

    /// An ACK of RFC 2543 repeats the tag of our response, which the INVITE did not have.
    private mutating func indexAcknowledgement(
        of response: Response, in id: ServerTransactionID, key: ServerTransactionKey
    ) {
        guard case .completed = inviteServers[id]?.machine.state, inviteServers[id]?.acknowledgementKey == nil,
            let acknowledgementKey = ServerTransactionKey(ofAcknowledging: response, to: key),
            serverIndex[acknowledgementKey] == nil
        else { return }
        serverIndex[acknowledgementKey] = id
        inviteServers[id]?.acknowledgementKey = acknowledgementKey
    }

    // MARK: - Network

    /// Takes a request whose key is known; an ACK needs none.
    package mutating func receive(
        _ request: Request, as key: ServerTransactionKey?, over flow: Flow, at now: Instant
    ) {
        if request.method == .ack { return receiveAcknowledgement(request, over: flow, at: now) }
        guard let key else { return }
        guard serverRoom > 0, let via = request.vias.first else {
            if let id = serverIndex[key] { return receiveRetransmission(in: id) }
            tally.refusedRequests &+= 1
            return
        }
        guard let id = Self.number(&serverIndex[key], after: &lastID) else {
            if let id = serverIndex[key] { receiveRetransmission(in: id) }
            return
        }
        begin(request, id, key: key, route: ResponseRoute(of: via, over: flow), at: now)
        if request.method == .cancel, let inviteKey = ServerTransactionKey(of: request, as: .invite),
            let invite = serverIndex[inviteKey]
        {
            emit(.cancelled(invite: invite, cancel: id, request))
        } else {
            emit(.request(request, id, flow))
        }
    }

    private mutating func begin(
        _ request: Request, _ id: ServerTransactionID, key: ServerTransactionKey, route: ResponseRoute, at now: Instant
    ) {
        var identity: RequestIdentity?
        var isMerged = false
        if !request.to.hasTag && request.method != .cancel {
            let candidate = RequestIdentity(request)
            isMerged = !Self.claim(&originals[candidate], for: id)
            if !isMerged { identity = candidate }
        }
        let isReliable = route.flow.transport.isReliable
        if request.method == .invite {
            let machine = InviteServerTransaction(request, isReliable: isReliable, timers: timers, at: now)
            deadlines.set(.server(id), at: machine.deadline)
            inviteServers[id] = Served(
                machine: machine, key: key, identity: identity, isMerged: isMerged, route: route)
        } else {
            let machine = NonInviteServerTransaction(isReliable: isReliable, timers: timers, at: now)
            deadlines.set(.server(id), at: machine.deadline)
            nonInviteServers[id] = Served(
                machine: machine, key: key, identity: identity, isMerged: isMerged, route: route)
        }
    }

    /// Takes a place under the next number unless it is taken, and looks for it once.
    private static func number(
        _ place: inout ServerTransactionID?, after lastID: inout UInt64
    ) -> ServerTransactionID? {
        guard place == nil else { return nil }
        lastID &+= 1
        place = ServerTransactionID(rawValue: lastID)
        return place
    }

    /// Takes a place unless it is taken, and looks for it once.
    private static func claim(_ place: inout ServerTransactionID?, for id: ServerTransactionID) -> Bool {
        guard place == nil else { return false }
        place = id
        return true
    }

    private mutating func receiveRetransmission(in id: ServerTransactionID) {
        tally.absorbed &+= 1
        if let index = inviteServers.index(forKey: id) {
            let bytes = inviteServers.values[index].machine.receiveRetransmission()
            transmit(bytes, along: Self.route(of: &inviteServers.values[index]), for: id)
            settleInviteServer(id, at: index)
        } else if let served = nonInviteServers[id] {
            transmit(served.machine.retransmission, along: served.route, for: id)
        }
    }

    mutating func receiveAcknowledgement(_ request: Request, over flow: Flow, at now: Instant) {
        guard let id = serverOfAcknowledgement(request), let index = inviteServers.index(forKey: id) else {
            emit(.acknowledgement(request, flow))
            return
        }
        switch inviteServers.values[index].machine.receiveAcknowledgement(at: now) {
        case .absorb: tally.absorbed &+= 1
        case .deliver: emit(.acknowledgement(request, flow))
        }
        settleInviteServer(id, at: index)
    }

    private func serverOfAcknowledgement(_ request: Request) -> ServerTransactionID? {
        guard let key = ServerTransactionKey(of: request, as: .invite) else { return nil }
        if key.isName { return serverIndex[key] }
        return ServerTransactionKey(of: request).flatMap { serverIndex[$0] }
    }

    // MARK: - Time and failure

    mutating func handleDeadline(of id: ServerTransactionID, at now: Instant) {
        if let index = inviteServers.index(forKey: id) {
            switch inviteServers.values[index].machine.handleDeadline(at: now) {
            case .transmit(let bytes):
                transmit(bytes, along: Self.route(of: &inviteServers.values[index]), for: id)
            case .acknowledgementTimedOut: emit(.acknowledgementTimedOut(id))
            case .nothing, .terminated: break
            }
            settleInviteServer(id, at: index)
        } else if let index = nonInviteServers.index(forKey: id) {
            nonInviteServers.values[index].machine.handleDeadline(at: now)
            settleNonInviteServer(id, at: index)
        }
    }

    /// An INVITE server transaction stays, to absorb retransmissions of its INVITE (RFC 6026 §7.1).
    mutating func transportFailed(_ id: ServerTransactionID) {
        let tells = inviteServers[id] != nil || nonInviteServers[id]?.machine.transportFailed() ?? false
        if tells { emit(.transportFailed(.server(id))) }
        if let index = nonInviteServers.index(forKey: id) { settleNonInviteServer(id, at: index) }
    }

    // MARK: - Keeping the tables true

    // What is asked by reference: to read a part of a table's value, Swift copies all of it.

    private static func route<Machine>(of served: inout Served<Machine>) -> ResponseRoute { served.route }

    /// When a transaction has to be called again, if ever; without any value where it is over.
    private static func outlook<Machine: ServerMachine>(of served: inout Served<Machine>) -> Instant?? {
        served.machine.isTerminated ? nil : .some(served.machine.deadline)
    }

    private mutating func settleInviteServer(
        _ id: ServerTransactionID, at index: Dictionary<ServerTransactionID, Served<InviteServerTransaction>>.Index
    ) {
        if let deadline = Self.outlook(of: &inviteServers.values[index]) {
            return deadlines.set(.server(id), at: deadline)
        }
        let served = inviteServers.remove(at: index).value
        if let key = served.acknowledgementKey { serverIndex[key] = nil }
        forget(id, key: served.key, identity: served.identity)
    }

    private mutating func settleNonInviteServer(
        _ id: ServerTransactionID, at index: Dictionary<ServerTransactionID, Served<NonInviteServerTransaction>>.Index
    ) {
        if let deadline = Self.outlook(of: &nonInviteServers.values[index]) {
            return deadlines.set(.server(id), at: deadline)
        }
        let served = nonInviteServers.remove(at: index).value
        forget(id, key: served.key, identity: served.identity)
    }

    private mutating func forget(_ id: ServerTransactionID, key: ServerTransactionKey, identity: RequestIdentity?) {
        serverIndex[key] = nil
        if let identity { originals[identity] = nil }
        deadlines.cancel(.server(id))
        if inviteServers.isEmpty && nonInviteServers.isEmpty { giveBackServerTables() }
        emit(.terminated(.server(id)))
    }

    /// Tables keep the memory of the most that they ever held; empty ones that were long begin anew.
    private mutating func giveBackServerTables() {
        guard inviteServers.capacity + nonInviteServers.capacity > 256 else { return }
        inviteServers = [:]
        nonInviteServers = [:]
        serverIndex = [:]
        originals = [:]
    }

    private mutating func transmit(_ bytes: [UInt8]?, along route: ResponseRoute, for id: ServerTransactionID) {
        guard let bytes else { return }
        outputs.append(
            .transmit(Transmit(bytes: bytes, flow: route.flow, fallback: route.fallback, cause: .server(id))))
    }
}

/// What the two kinds of server transactions have in common.
private protocol ServerMachine {
    var isTerminated: Bool { get }
    var deadline: Instant? { get }
}

extension InviteServerTransaction: ServerMachine {}
extension NonInviteServerTransaction: ServerMachine {}
