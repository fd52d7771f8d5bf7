import EngineKit
import SIPMessages
import SIPTransactions
import ServerLocation

/// When we are somewhere else than before: another interface, another address behind a translator, or after a sleep
/// (ROBUSTNESS rows 36, 38 and 59).
extension UserAgentCore {
    /// Every wanted registration is made anew at once; calls move whose way now leaves from another address.
    mutating func localAddressesChanged(at now: Instant) {
        for id in registrations.keys.sorted() where registrations[id]?.isWanted ?? false {
            findRegistrar(of: id, at: now)
        }
        for handle in subscriptions.keys.sorted() { update(handle, at: now) { $0.move(at: now) } }
        for handle in sessions.keys.sorted() where sessions[handle]?.mayMove ?? false { findCall(handle) }
    }

    /// The bindings aged while we slept, and nobody knows which calls still stand: all are asked.
    mutating func resumed(after duration: Duration, at now: Instant) {
        for id in registrations.keys { registrations[id]?.slept(for: duration) }
        for id in registrations.keys.sorted() where registrations[id]?.isWanted ?? false {
            findRegistrar(of: id, at: now)
        }
        for handle in subscriptions.keys.sorted() { update(handle, at: now) { $0.move(at: now) } }
        for handle in sessions.keys.sorted() where sessions[handle]?.isTalking ?? false {
            update(handle, at: now) { $0.reinvite(nil, at: now) }
        }
    }

    /// Asks by which address of ours a call goes now.
    private mutating func findCall(_ handle: CallHandle) {
        guard let session = sessions[handle], let hop = session.anyDialog?.nextHop.sipURI,
            !callQuestions.values.contains(handle)
        else { return }
        let question = ResolveID(rawValue: nextOutboundID().rawValue)
        callQuestions[question] = handle
        outputs.append(.resolve(question, hop.location(unlessSaid: session.account.transport)))
    }

    /// A call that now leaves from another address tells its peer by a request with a new Contact and description: by
    /// UPDATE while it is early, by re-INVITE from the answer on.
    mutating func callFound(
        _ handle: CallHandle, _ result: Result<[Destination], LocationFailure>, at now: Instant
    ) {
        // Without a way now there may be one at the next change.
        guard case .success(let destinations) = result, let first = destinations.first,
            let session = sessions[handle], session.mayMove, session.localAddress != first.local.address
        else { return }
        update(handle, at: now) { $0.move() }
    }

    // MARK: - Translators

    /// A response of the server that registered us tells by which address it sees us. Where that changed, the translator
    /// between has forgotten the old one: nothing reaches us by it (RFC 3581 §4).
    mutating func noteMapping(in response: Response, to request: OutboundRequest, over flow: Flow, at now: Instant) {
        if case .registration = request.owner { return }
        guard let seen = request.mapping(in: response) else { return }
        for id in flows(of: request.account.id) {
            guard let keeper = keepers[id], keeper.flow.remote == flow.remote, keeper.flow.transport == .udp,
                let known = registrations[id]?.mapping, known.local == seen.local, known.seen != seen.seen,
                keeper.mayRefresh(at: now)
            else { continue }
            keepers[id]?.refreshedAt = now
            step(id, at: now) { $0.remap(to: seen) }
            moveCalls(of: id.account, at: now)
        }
    }

    /// The calls of an account whose Contact has another address behind the translator.
    mutating func moveCalls(of account: AccountID, at now: Instant) {
        for handle in sessions.keys.sorted() {
            guard let session = sessions[handle], session.account.id == account, session.isTalking,
                session.peer?.transport == .udp
            else { continue }
            update(handle, at: now) { $0.reinvite(nil, at: now) }
        }
    }
}

extension OutboundRequest {
    /// What the topmost Via of a response says of our address (RFC 3581 §4). Over UDP alone: the port of a connection
    /// takes no requests.
    func mapping(in response: Response) -> AddressMapping? {
        guard let destination, destination.transport == .udp, let via = response.vias.first,
            case .value(let port) = via.rport, let address = via.received ?? via.host.address,
            port > 0, ![.unspecified, .multicast].contains(address.reach)
        else { return nil }
        return AddressMapping(local: destination.local, seen: SocketAddress(address.unmapped, port: port))
    }
}

extension InviteSession {
    /// Whether the call was answered and is not over.
    var isTalking: Bool { phase == .confirmed || phase == .accepted }

    /// Whether there is a peer to tell of another address of ours, now or when the call is answered.
    var mayMove: Bool { phase != .ended && anyDialog != nil }

    /// The dialog of the call, or of the callee that spoke last.
    var anyDialog: Dialog? { dialog ?? invitation?.earlyDialogs.last { !$0.isLost }?.dialog }

    /// Offers what there is from where we are now, as soon as there may be an offer.
    mutating func move() {
        modification.isWanted = true
        modification.prefersUpdate = false
        modification.attempts = 0
        sendDueModification()
    }
}
