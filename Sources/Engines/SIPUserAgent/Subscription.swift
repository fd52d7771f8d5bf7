import EngineKit
import EventPackages
import SIPMessages
import SIPTransactions

/// A subscription of ours (RFC 6665 §4.1), from the first SUBSCRIBE to the last NOTIFY, and from there to the next one.
///
/// ```
///   asking --NOTIFY--> standing --refresh--> standing
///     |  ^                |  \ unsubscribe
///  failure retry   terminated  \
///     v  |                v     v
///    waiting <--------- waiting leaving --NOTIFY, or timer N--> ended
/// ```
///
/// The dialog is made by the first NOTIFY, which may come before the 200 (§4.1.2.4).
struct Subscription: Sendable {
    enum Phase: Equatable, Sendable {
        /// The SUBSCRIBE that begins it is on its way, or its first NOTIFY.
        case asking
        case standing
        /// SUBSCRIBE with Expires 0 was sent.
        case leaving
        case waiting
        case ended
    }

    enum Action: Sendable {
        case send(Request)
        case event(Event)
    }

    let handle: SubscriptionHandle
    let account: Account
    let order: OutgoingSubscription
    /// 64*T1: timer N, how long a NOTIFY may take (§4.1.2.4).
    let patience: Duration
    var random: RandomSource
    var phase = Phase.ended
    var isWanted = true
    private(set) var callID = ""
    private(set) var localTag = ""
    private(set) var dialog: Dialog?
    /// The first SUBSCRIBE, as sent last.
    private var opening: Request?
    /// The dialog that its 2xx names. The first NOTIFY makes it, or another; who leaves before that leaves this one.
    private var acceptor: Dialog?
    /// Where the notifier's messages last came from.
    private(set) var peer: Flow?
    private var sequence: UInt32 = 0
    private var isOutstanding = false
    private var askedExpires: UInt32
    private var briefIntervals = 0
    private var refreshAt: Instant?
    private var expiresAt: Instant?
    private var notifyBy: Instant?
    private var retryAt: Instant?
    /// When one that had ended was last replaced at once.
    private var replacedAt: Instant?
    private var askedAt = Instant.zero
    private var backoff = RetryBackoff()
    private var told: SubscriptionStatus?
    private var dialogs = DialogTable()
    private var actions: [Action] = []

    init(
        _ order: OutgoingSubscription, handle: SubscriptionHandle, account: Account, patience: Duration,
        random: RandomSource
    ) {
        self.order = order
        self.handle = handle
        self.account = account
        self.patience = patience
        self.random = random
        askedExpires = order.expires
    }

    /// One request for the present state, and nothing after that (§4.4.3).
    private var isPoll: Bool { order.expires == 0 }

    var deadline: Instant? {
        [notifyBy, refreshAt, expiresAt, retryAt].lazy.compactMap { $0 }.min()
    }

    mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    // MARK: - What the user wants

    mutating func begin(at now: Instant) {
        callID = random.hexadecimal(32)
        localTag = random.hexadecimal(16)
        dialog = nil
        acceptor = nil
        peer = nil
        dialogs = DialogTable()
        sequence = 0
        (refreshAt, expiresAt, retryAt) = (nil, nil, nil)
        askedExpires = order.expires
        briefIntervals = 0
        phase = .asking
        ask(expires: askedExpires, at: now)
    }

    mutating func unsubscribe(at now: Instant) {
        guard isWanted else { return }
        isWanted = false
        switch phase {
        case .standing where !isOutstanding: leave(at: now)
        case .waiting: end(nil, "unsubscribed")
        case .asking where !isOutstanding && !isPoll: leaveUnnotified(at: now)
        // There is no dialog yet, or its refresh has no answer: what comes next tells.
        case .asking, .standing, .leaving, .ended: break
        }
    }

    /// We are reached elsewhere from now on.
    mutating func move(at now: Instant) {
        if phase == .standing, !isOutstanding, isWanted { ask(expires: askedExpires, at: now) }
    }

    private mutating func leave(at now: Instant) {
        phase = .leaving
        (refreshAt, expiresAt) = (nil, nil)
        ask(expires: 0, at: now)
    }

    /// Leaves a notifier that has accepted, and has told nothing yet.
    private mutating func leaveUnnotified(at now: Instant) {
        guard let acceptor else { return }
        dialog = acceptor
        leave(at: now)
    }

    private mutating func ask(expires: UInt32, at now: Instant) {
        var request: Request
        if let made = dialog?.request(.subscribe) {
            request = made
            sequence = made.cSeq.number
        } else {
            sequence += 1
            var from = account.address
            from.tag = localTag
            let target = order.target.dialled(by: account)
            request = Request(
                method: .subscribe, uri: target.asRequestURI, from: from, to: NameAddress(uri: target.asParty),
                callID: callID, cSeq: CSeq(number: sequence, method: .subscribe))
        }
        request.headers.append(order.event)
        request.headers.append(Expires(expires))
        for type in order.event.acceptedTypes { request.headers.append(Accept(type)) }
        for (name, value) in order.headers.list { try? request.headers.append(name, value) }
        if dialog == nil { opening = request }
        isOutstanding = true
        askedAt = now
        refreshAt = nil
        notifyBy = now + patience
        actions.append(.send(request))
    }

    /// The core sends a SUBSCRIBE anew with credentials.
    mutating func reissued(_ request: Request) {
        sequence = request.cSeq.number
        if dialog == nil { opening = request }
        while let dialog, dialog.localSequence < sequence { _ = self.dialog?.nextSequence() }
    }

    // MARK: - What comes back

    mutating func receive(_ response: Response, over flow: Flow, at now: Instant) {
        guard response.status.isFinal, phase != .ended, phase != .waiting else { return }
        isOutstanding = false
        switch response.status.value {
        case 200...299: accepted(response, at: now)
        case 423 where phase != .leaving: extend(response, at: now)
        case _ where phase == .leaving: end(nil, "unsubscribed")
        case 481 where dialog != nil: lose(response.status, response.reason, at: now)
        default: refused(response, at: now)
        }
    }

    /// Nothing came back, or the request could not be sent.
    mutating func fail(_ reason: String, at now: Instant) {
        guard phase != .ended, phase != .waiting else { return }
        isOutstanding = false
        if phase == .leaving || !isWanted { return end(nil, reason) }
        if phase == .standing { return retryRefresh(after: .zero, nil, reason, at: now) }
        wait(nil, reason, at: now)
    }

    private mutating func accepted(_ response: Response, at now: Instant) {
        if dialog == nil, let opening { acceptor = try? Dialog(of: opening, answeredBy: response) }
        if phase == .standing, !isWanted { return leave(at: now) }
        if phase == .asking, !isWanted, !isPoll { leaveUnnotified(at: now) }
        guard phase != .leaving, !isPoll else { return }
        // Until a NOTIFY says for how long, this is what the subscription has (§4.1.2.1).
        let granted = min((try? response.headers.first(Expires.self))?.seconds ?? askedExpires, max(askedExpires, 1))
        schedule(granted, at: now)
    }

    /// 423: for as long as the notifier wants at least, twice at most and up to a week (§4.2.1.1).
    private mutating func extend(_ response: Response, at now: Instant) {
        let least = (try? response.headers.first(MinExpires.self))?.seconds ?? 0
        guard least > askedExpires, least <= 604_800, briefIntervals < 2, isWanted else {
            return refused(response, at: now)
        }
        briefIntervals += 1
        askedExpires = least
        ask(expires: least, at: now)
    }

    private mutating func refused(_ response: Response, at now: Instant) {
        let asked = Duration.seconds(Int64(min(response.retryAfter ?? 0, 86_400)))
        switch response.status.value {
        case _ where !isWanted:
            end(response.status, response.reason)
        case 408, 480, 486, 500, 502...504, 600:
            // The subscription lives on for the time that it has (§4.1.2.2).
            if phase == .standing { return retryRefresh(after: asked, response.status, response.reason, at: now) }
            wait(response.status, response.reason, notBefore: asked, at: now)
        default:
            end(response.status, response.reason)
        }
    }

    /// The notifier knows nothing of it any more: a new one is made (RFC 6665 §4.1.2.2).
    private mutating func lose(_ status: StatusCode?, _ reason: String, at now: Instant) {
        guard isWanted, !isPoll else { return end(status, reason) }
        again(status, reason, at: now)
    }

    private mutating func retryRefresh(
        after asked: Duration, _ status: StatusCode?, _ reason: String, at now: Instant
    ) {
        notifyBy = nil
        guard let expiresAt, expiresAt > now else { return lose(status, reason, at: now) }
        let half = Duration.nanoseconds((expiresAt - now).saturatedNanoseconds / 2)
        refreshAt = now + max(asked, half, .seconds(5))
    }

    // MARK: - NOTIFY

    /// Takes a NOTIFY that names our Call-ID and tag.
    mutating func receive(_ request: Request, over flow: Flow, at now: Instant) -> Response {
        guard let event = try? request.headers.first(EventPackage.self) else {
            return request.response(489)
        }
        guard event.belongs(to: order.event) else { return request.response(481) }
        guard let state = try? request.headers.first(SubscriptionState.self) else {
            return request.response(400, reason: "Subscription-State Missing")
        }
        if let dialog {
            // Another notifier that our SUBSCRIBE was forked to: one is enough (§4.4.1).
            guard dialog.remoteTag == request.from.tag ?? "" else { return request.response(481) }
            guard self.dialog?.accept(request.cSeq.number) == .inOrder else { return request.response(500) }
            self.dialog?.refreshTarget(from: request.headers)
        } else {
            // The NOTIFYs of some notifiers name no Contact (§8.2.1 has it as needed), and their 2xx does.
            let target = acceptor?.remoteTag == request.from.tag ? acceptor?.remoteTarget : nil
            do throws(Dialog.Fault) {
                dialog = try Dialog(
                    of: request, localTag: localTag, localSequence: sequence, fallbackTarget: target)
            } catch {
                return request.response(400, reason: "Contact Unusable")
            }
        }
        peer = flow
        // Whoever leaves waits for the last one, and no longer than timer N whatever else comes.
        if phase != .leaving { notifyBy = nil }
        if phase == .asking { phase = .standing }
        let content = EventNotification.content(of: request, table: &dialogs)
        actions.append(
            .event(
                .notified(
                    handle,
                    EventNotification(account: account.id, target: order.target, event: event, content: content))))
        // After what was told: with the last NOTIFY the subscription ends.
        note(state, at: now)
        if dialogs.isIncomplete { askForAll() }
        return request.response(200)
    }

    private mutating func note(_ state: SubscriptionState, at now: Instant) {
        switch state.state.asciiLowercased {
        case "terminated":
            terminated(state, at: now)
        case let word:
            guard phase == .standing else { return }
            // The state was asked for once, and this was it, whatever else the notifier calls it (§4.4.3).
            guard !isPoll else { return end(nil, "asked once") }
            let granted = state.expires ?? remaining(at: now)
            schedule(granted, at: now)
            tell(word == "pending" ? .pending : .active(expires: granted))
            if !isWanted, !isOutstanding { leave(at: now) }
        }
    }

    /// What each reason asks of the subscriber (§4.1.3).
    private mutating func terminated(_ state: SubscriptionState, at now: Instant) {
        let reason = state.reason ?? "terminated"
        guard isWanted else { return end(nil, "unsubscribed") }
        let asked = state.retryAfter.map { Duration.seconds(Int64(min($0, 86_400))) }
        switch reason.asciiLowercased {
        case "rejected", "noresource", "invariant": end(nil, reason.asciiLowercased)
        case _ where isPoll: end(nil, "asked once")
        case "deactivated", "timeout": again(nil, reason, at: now)
        // probation, giveup and what we do not know.
        default: wait(nil, reason, notBefore: asked ?? .zero, at: now)
        }
    }

    // MARK: - Time

    mutating func handleDeadline(at now: Instant) {
        if let due = retryAt, now >= due { return begin(at: now) }
        if let due = notifyBy, now >= due {
            notifyBy = nil
            if phase == .leaving || !isWanted || isPoll { return end(nil, isPoll ? "no answer" : "unsubscribed") }
            return wait(nil, "no NOTIFY came", at: now)
        }
        if let due = expiresAt, now >= due { return lose(nil, "expired", at: now) }
        if let due = refreshAt, now >= due {
            refreshAt = nil
            if phase == .standing, !isOutstanding { ask(expires: askedExpires, at: now) }
        }
    }

    private func remaining(at now: Instant) -> UInt32 {
        guard let expiresAt else { return askedExpires }
        return UInt32(clamping: max(0, (expiresAt - now).saturatedNanoseconds / 1_000_000_000))
    }

    /// Early enough that a refresh that times out can be repeated, and never more often than each 5 s.
    private mutating func schedule(_ seconds: UInt32, at now: Instant) {
        let lifetime = Int64(min(seconds, 604_800))
        let margin = lifetime >= 160 ? max(80, lifetime / 10) : lifetime / 2
        let spread = Int64.random(in: 0...max(1, lifetime / 20), using: &random)
        expiresAt = now + .seconds(max(lifetime, 1))
        refreshAt = now + .seconds(max(5, lifetime - margin - spread))
    }

    /// Documents were missed, and a refresh has all of it told anew (RFC 4235 §4.3); not more often than each 5 s, however
    /// much the notifier leaves out.
    private mutating func askForAll() {
        guard phase == .standing, isWanted, !isOutstanding, !isPoll, let due = refreshAt else { return }
        refreshAt = min(due, askedAt + .seconds(5))
    }

    // MARK: - Ends

    /// At once, unless that was just done: a notifier that takes subscriptions and ends them would be asked in a loop.
    private mutating func again(_ status: StatusCode?, _ reason: String, at now: Instant) {
        if let replacedAt, now - replacedAt < .seconds(60) { return wait(status, reason, at: now) }
        replacedAt = now
        begin(at: now)
    }

    private mutating func wait(
        _ status: StatusCode?, _ reason: String, notBefore asked: Duration = .zero, at now: Instant
    ) {
        guard isWanted, !isPoll else { return end(status, reason) }
        let pause = backoff.next(notBefore: asked, random: &random)
        phase = .waiting
        isOutstanding = false
        (refreshAt, expiresAt, notifyBy, retryAt) = (nil, nil, nil, now + pause)
        tell(.waiting(status, reason: reason, retryAfter: pause))
    }

    private mutating func end(_ status: StatusCode?, _ reason: String) {
        phase = .ended
        (refreshAt, expiresAt, notifyBy, retryAt) = (nil, nil, nil, nil)
        tell(.ended(status, reason: reason))
    }

    /// Says how it stands, where that is news: a refresh alone is none.
    private mutating func tell(_ status: SubscriptionStatus) {
        if case .active? = told, case .active = status { return }
        if told == status { return }
        if case .active = status { backoff.reset() }
        told = status
        actions.append(.event(.subscription(handle, status)))
    }
}
