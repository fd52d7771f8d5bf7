import EngineKit
import EventPackages
import SIPMessages
import SIPTransactions

/// Those who watch us (RFC 6665 §4.2): packages `presence` and `dialog`.
extension UserAgentCore {
    /// The lifetime that a SUBSCRIBE gets, or the response that it gets instead.
    private func grant(_ request: Request) throws(RequestRefusal) -> UInt32 {
        let asked = (try? request.headers.first(Expires.self))?.seconds ?? Watcher.longest
        guard asked == 0 || asked >= Watcher.shortest else {
            var response = request.response(423)
            response.headers.append(MinExpires(Watcher.shortest))
            throw RequestRefusal(response: response)
        }
        return min(asked, Watcher.longest)
    }

    /// A SUBSCRIBE outside any dialog, of somebody who may.
    ///
    /// - Parameters:
    ///   - call: the only call that it may be told of; nil: all of its account's.
    ///   - isProven: it showed by digest who it is.
    mutating func receiveSubscribe(
        _ request: Request, toCall call: CallHandle?, isProven: Bool, in transaction: ServerTransactionID,
        over flow: Flow, at now: Instant
    ) {
        do throws(RequestRefusal) {
            let (watcher, expires) = try makeWatcher(
                request, ofCall: call, isProven: isProven, over: flow, at: now)
            watchers[watcher.id] = watcher
            watchersByTag[CallKey(callID: watcher.dialog.callID, localTag: watcher.dialog.localTag)] = watcher.id
            accept(request, expires: expires, of: watcher, in: transaction, over: flow, at: now)
            notify(watcher.id, at: now)
        } catch {
            refuse(.invalid, from: flow)
            respond(error.response, in: transaction, at: now)
        }
    }

    /// 489, with the packages that there are (RFC 6665 §8.3.2).
    private func badEvent(_ request: Request) -> Response {
        var response = request.response(489)
        response.headers.append(AllowEvents(WatchedPackage.allCases.map(\.rawValue)))
        return response
    }

    private mutating func makeWatcher(
        _ request: Request, ofCall call: CallHandle?, isProven: Bool, over flow: Flow, at now: Instant
    ) throws(RequestRefusal) -> (Watcher, expires: UInt32) {
        guard let event = try? request.headers.first(EventPackage.self),
            let package = WatchedPackage(rawValue: event.package.asciiLowercased)
        else {
            throw RequestRefusal(response: badEvent(request))
        }
        // Who talks to us is told of that call, and not whether we can be reached (RFC 4538 §2).
        guard call == nil || package == .dialog else { throw RequestRefusal(response: request.response(403)) }
        let accepted = (try? request.headers.all(Accept.self)) ?? []
        guard !request.headers.contains(.accept) || accepted.admit(package.contentType) else {
            throw RequestRefusal(response: request.response(406))
        }
        let expires = try grant(request)
        guard watchers.count < configuration.limits.watchers, shutDown == .no,
            let account = call.flatMap({ sessions[$0]?.account })
                ?? account(policy.reception(of: request, over: flow)?.account)
        else { throw RequestRefusal(response: request.response(503)) }
        let dialog = try dialog(askedBy: request, of: account.value, over: flow)
        lastWatcher &+= 1
        return (
            Watcher(
                id: WatcherID(rawValue: lastWatcher), account: account.value, call: call, event: event,
                package: package, dialog: dialog, knowsDialogs: isProven || call != nil,
                mayBeElsewhere: isProven || policy.isServer(flow), over: flow, expires: expires, at: now), expires
        )
    }

    private mutating func accept(
        _ request: Request, expires: UInt32, of watcher: Watcher, in transaction: ServerTransactionID, over flow: Flow,
        at now: Instant
    ) {
        var response = request.response(200, toTag: watcher.dialog.localTag)
        response.headers.copyRecordedRoute(of: request)
        response.headers.append(Expires(expires))
        response.headers.append(
            Contact.address(dialogContact(of: watcher.account, at: flow.local, over: flow.transport)))
        respond(response, in: transaction, at: now)
    }

    func watcher(callID: String, localTag: String?) -> WatcherID? {
        localTag.flatMap { watchersByTag[CallKey(callID: callID, localTag: $0)] }
    }

    /// A request in the dialog of a watcher: only SUBSCRIBE has a place there.
    mutating func receive(
        _ request: Request, of id: WatcherID, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        guard request.method == .subscribe, var watcher = watchers[id], watcher.ending == nil else {
            return respond(request.response(request.method == .subscribe ? 481 : 405), in: transaction, at: now)
        }
        do throws(RequestRefusal) {
            let event = try? request.headers.first(EventPackage.self)
            guard event?.belongs(to: watcher.event) == true else { throw RequestRefusal(response: badEvent(request)) }
            let expires = try grant(request)
            let status = watcher.refresh(request, expires: expires, over: flow, at: now)
            guard status == 200 else { return respond(request.response(status), in: transaction, at: now) }
            watchers[id] = watcher
            accept(request, expires: expires, of: watcher, in: transaction, over: flow, at: now)
            notify(id, at: now)
        } catch {
            respond(error.response, in: transaction, at: now)
        }
    }

    /// Sends the NOTIFY that is due, forgets a watcher that is gone, and sets its deadline.
    mutating func notify(_ id: WatcherID, at now: Instant) {
        guard var watcher = watchers[id] else { return }
        let state = watchedState(of: watcher)
        if watcher.call != nil, state.dialogs.isEmpty { watcher.end("noresource", at: now) }
        let request = watcher.notification(of: state, at: now)
        if watcher.isEnded {
            watchers[id] = nil
            watchersByTag[CallKey(callID: watcher.dialog.callID, localTag: watcher.dialog.localTag)] = nil
            return deadlines.cancel(.watcher(id))
        }
        watchers[id] = watcher
        deadlines.set(.watcher(id), at: watcher.deadline)
        if let request { send(request, for: .watcher(id), account: watcher.account, along: watcher.peer, at: now) }
    }

    mutating func notifyAnswered(_ id: WatcherID, _ status: StatusCode?, at now: Instant) {
        watchers[id]?.answered(status)
        notify(id, at: now)
    }

    /// A call of an account, or its presence, has changed.
    mutating func wakeWatchers(of account: AccountID, at now: Instant) {
        for id in watchers.keys.sorted() where watchers[id]?.account.id == account {
            watchers[id]?.wake()
            notify(id, at: now)
        }
    }

    mutating func setPresence(_ presence: OwnPresence, at now: Instant) {
        guard presence != ownPresence else { return }
        ownPresence = presence
        for account in configuration.accounts { wakeWatchers(of: account.id, at: now) }
    }

    // MARK: - What there is to tell

    private func watchedState(of watcher: Watcher) -> WatchedState {
        let account = watcher.account
        let calls = watcher.call.map { [$0] } ?? sessions.keys.sorted()
        let dialogs = calls.compactMap { handle in
            sessions[handle].flatMap { $0.account.id == account.id ? $0.watched : nil }
        }
        let isTalking = dialogs.contains { $0.state == .confirmed }
        return WatchedState(
            presence: PresenceDocument(of: account, ownPresence, isTalking: isTalking),
            dialogs: dialogs.filter(watcher.event.names).map { watcher.knowsDialogs ? $0 : $0.withoutIdentifiers })
    }

    /// Whether a call of the account is answered and up.
    func isTalking(_ account: AccountID) -> Bool {
        sessions.values.contains { $0.account.id == account && $0.isTalking }
    }
}

extension EventPackage {
    /// Whether a subscription is about a dialog: all, or one, or those of one INVITE (RFC 4235 §3.2). Our tag is the
    /// subscriber's `to-tag`.
    fileprivate func names(_ dialog: DialogInformation.Dialog) -> Bool {
        func agrees(_ name: String, _ value: String?) -> Bool {
            parameters[name].map { $0 == value } ?? true
        }
        return agrees("call-id", dialog.callID) && agrees("to-tag", dialog.localTag)
            && agrees("from-tag", dialog.remoteTag)
    }
}

extension DialogInformation.Dialog {
    /// The same for who is not to take part: whoever names Call-ID and both tags is believed to be in the dialog
    /// (RFC 4235 §6, RFC 3261 §12.2.2).
    fileprivate var withoutIdentifiers: Self {
        var dialog = self
        (dialog.callID, dialog.localTag, dialog.remoteTag) = (nil, nil, nil)
        return dialog
    }
}

extension PresenceDocument {
    /// The presence of an account, in one tuple.
    init(of account: Account, _ own: OwnPresence, isTalking: Bool) {
        let uri = account.address.uri.asParty.description
        self.init(
            entity: uri, tuples: [Tuple(id: "offhook", isOpen: own.isOpen, contact: uri)],
            notes: own.note.map { [$0] } ?? [], activities: isTalking ? ["on-the-phone"] : [])
    }
}

extension InviteSession {
    /// The call as a watcher sees it; nil once it is over.
    fileprivate var watched: DialogInformation.Dialog? {
        let state: DialogInformation.State
        switch phase {
        case .calling:
            guard let invitation else { return nil }
            state = !invitation.earlyDialogs.isEmpty ? .early : invitation.hasProvisional ? .proceeding : .trying
        case .alerting: state = .early
        case .accepted, .confirmed: state = .confirmed
        case .ended: return nil
        }
        let remote = dialog?.remoteParty ?? invitation?.request.to ?? arrival?.request.from
        return DialogInformation.Dialog(
            id: "c\(handle.rawValue)", state: state, isInitiator: invitation != nil, callID: callID, localTag: localTag,
            remoteTag: dialog?.remoteTag, remoteIdentity: remote?.uri.description, remoteName: remote?.displayName)
    }
}
