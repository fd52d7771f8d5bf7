import EngineKit
import SIPMessages
import SIPTransactions

/// Keep-alives of registered flows, and what follows when one fails (RFC 5626 §4.4, §4.5).
extension UserAgentCore {
    /// A REGISTER was answered over `flow`: from now on that is the flow to keep.
    mutating func keepFlow(of id: RegistrationID, _ flow: Flow, at now: Instant) {
        guard let registration = registrations[id], let account = account(id.account), registration.isStanding else {
            return
        }
        let (probe, intervals) = registration.keepAlive(by: account.keepAlive, over: flow)
        if let keeper = keepers[id], keeper.flow == flow, keeper.probe == probe, keeper.intervals == intervals {
            return
        }
        let keeper = FlowKeeper(flow: flow, probe: probe, intervals: intervals, at: now, random: &random)
        keepers[id] = keeper
        deadlines.set(.keepAlive(id), at: keeper.deadline)
    }

    mutating func endKeepAlive(of id: RegistrationID) {
        guard keepers.removeValue(forKey: id) != nil else { return }
        deadlines.cancel(.keepAlive(id))
    }

    mutating func keepAliveDue(_ id: RegistrationID, at now: Instant) {
        guard var keeper = keepers[id] else { return }
        let action = keeper.handleDeadline(at: now, random: &random)
        keepers[id] = keeper
        follow(action, of: id, at: now)
    }

    /// A blank line came on a connection.
    mutating func keepAliveAnswered(on connection: ConnectionID, at now: Instant) {
        for id in keepers.filter({ $0.value.flow.connection == connection }).keys.sorted() {
            keepers[id]?.receivePong(at: now, random: &random)
            follow(.none, of: id, at: now)
        }
    }

    /// A STUN message came; what answers none of our requests is nothing to us.
    mutating func receiveSTUN(_ bytes: [UInt8], over flow: Flow, at now: Instant) {
        let known = keepers.filter { $0.value.flow.remote == flow.remote && $0.value.flow.transport == flow.transport }
        for id in known.keys.sorted() {
            guard var keeper = keepers[id] else { continue }
            let action = keeper.receive(bytes, at: now, random: &random)
            keepers[id] = keeper
            follow(action, of: id, at: now)
        }
    }

    /// The connections of flows are gone with what they stood for.
    mutating func flowsClosed(on connection: ConnectionID, at now: Instant) {
        for (id, keeper) in keepers.filter({ $0.value.flow.connection == connection }).sorted(by: { $0.key < $1.key }) {
            guard keeper.probe != .answeredBlank else {
                flowFailed(id, at: now)
                continue
            }
            endKeepAlive(of: id)
            step(id, at: now) {
                $0.connectionClosed(isYoung: now - keeper.since < FlowKeeper.leastLife, at: now)
            }
        }
    }

    private mutating func follow(_ action: FlowKeeper.Action, of id: RegistrationID, at now: Instant) {
        guard let keeper = keepers[id] else { return }
        switch action {
        case .none: break
        case .send(let bytes): outputs.append(.transmit(Transmit(bytes: bytes, flow: keeper.flow)))
        case .fail:
            if let connection = keeper.flow.connection { outputs.append(.abandon(connection)) }
            return flowFailed(id, at: now)
        }
        deadlines.set(.keepAlive(id), at: keeper.deadline)
    }

    private mutating func flowFailed(_ id: RegistrationID, at now: Instant) {
        guard let keeper = keepers[id] else { return }
        endKeepAlive(of: id)
        step(id, at: now) { $0.flowFailed(hadWorked: keeper.isProven, at: now) }
    }
}

extension Registration {
    /// A flow whose keep-alives were never answered is believed dead so often; from then on none is waited for, as the
    /// server takes our requests and only can't do what it promised.
    private static let disbelief = 2

    /// How the flow is kept, and how often.
    fileprivate func keepAlive(
        by policy: KeepAlivePolicy, over flow: Flow
    ) -> (FlowKeeper.Probe, ClosedRange<Duration>) {
        let isStream = flow.transport.isReliable
        // RFC 5626 §4.4.1 and §4.4.2; where the server says how long it waits, 80 to 100 % of that (§4.4).
        var intervals = isStream ? Duration.seconds(95)...Duration.seconds(120) : .seconds(24)...(.seconds(29))
        if let timer = grant.flowTimer { intervals = timer * 4 / 5...timer }
        switch policy {
        case .off: return (.none, intervals)
        case .every(let most): intervals = most * 4 / 5...most
        case .automatic: break
        }
        if grant.isOutbound, unprovenFlows < Self.disbelief {
            return (isStream ? .answeredBlank : .binding, intervals)
        }
        let isNeeded = isStream || mapping != nil || grant.isOutbound || policy != .automatic
        return (isNeeded ? .blank : .none, intervals)
    }
}
