import EngineKit
import EventPackages
import SIPMessages
import SIPTransactions

/// Subscriptions of ours (RFC 6665 §4.1), and what they ask of the core.
extension UserAgentCore {
    /// Each has a dialog of its own beside those that strangers make us keep (ROBUSTNESS S14).
    static let subscriptionLimit = 256

    mutating func subscribe(_ order: OutgoingSubscription, as handle: SubscriptionHandle, at now: Instant) {
        guard subscriptions[handle] == nil, subscriptions.count < Self.subscriptionLimit, shutDown == .no,
            let account = account(order.account)
        else { return emit(.warning(.commandIgnored)) }
        subscriptions[handle] = Subscription(
            order, handle: handle, account: account.value, patience: configuration.timers.giveUp, random: random.split()
        )
        update(handle, at: now) { $0.begin(at: now) }
    }

    mutating func unsubscribe(_ handle: SubscriptionHandle, at now: Instant) {
        guard subscriptions[handle] != nil else { return emit(.warning(.commandIgnored)) }
        update(handle, at: now) { $0.unsubscribe(at: now) }
    }

    func subscription(callID: String, localTag: String?) -> SubscriptionHandle? {
        localTag.flatMap { subscriptionsByTag[CallKey(callID: callID, localTag: $0)] }
    }

    /// Lets a subscription do something, does what it asks for, and forgets it when it is over.
    mutating func update(
        _ handle: SubscriptionHandle, at now: Instant, _ body: (inout Subscription) -> Void
    ) {
        guard var subscription = subscriptions.removeValue(forKey: handle) else { return }
        let before = CallKey(callID: subscription.callID, localTag: subscription.localTag)
        body(&subscription)
        let actions = subscription.takeActions()
        let after = CallKey(callID: subscription.callID, localTag: subscription.localTag)
        if before != after || subscription.phase == .ended || subscription.phase == .waiting {
            subscriptionsByTag[before] = nil
        }
        if subscription.phase == .ended {
            deadlines.cancel(.subscription(handle))
        } else {
            subscriptions[handle] = subscription
            if subscription.phase != .waiting { subscriptionsByTag[after] = handle }
            deadlines.set(.subscription(handle), at: subscription.deadline)
        }
        for action in actions {
            switch action {
            case .send(let request):
                send(
                    request, for: .subscription(handle), account: subscription.account, along: subscription.peer,
                    at: now)
            case .event(let event): emit(event)
            }
        }
    }

    /// A request in the dialog of a subscription: only NOTIFY has a place there.
    mutating func receive(
        _ request: Request, of handle: SubscriptionHandle, in transaction: ServerTransactionID, over flow: Flow,
        at now: Instant
    ) {
        guard request.method == .notify else {
            return respond(request.response(request.method == .bye ? 481 : 405), in: transaction, at: now)
        }
        var response = request.response(481)
        update(handle, at: now) { response = $0.receive(request, over: flow, at: now) }
        if response.status == 481 { refuse(.unknownDialog, from: flow) }
        respond(response, in: transaction, at: now)
    }

    /// Word of waiting messages that nobody subscribed to, as many registrars send it (RFC 3842 §4.1 by old custom).
    mutating func receiveUnsolicited(_ request: Request, over flow: Flow) {
        guard let event = try? request.headers.first(EventPackage.self),
            let account = policy.reception(of: request, over: flow)?.account ?? configuration.accounts.first?.id
        else { return }
        var table = DialogTable()
        let content = EventNotification.content(of: request, table: &table)
        emit(
            .notified(nil, EventNotification(account: account, target: request.to.uri, event: event, content: content)))
    }
}
