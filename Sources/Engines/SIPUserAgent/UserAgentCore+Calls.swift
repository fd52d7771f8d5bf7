import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// Calls, and what they ask of the core.
extension UserAgentCore {
    /// Places a call.
    ///
    /// - Parameter referrer: the call whose peer asked for it, and how many transfers have led here.
    mutating func place(
        _ call: OutgoingCall, as handle: CallHandle, referredBy referrer: (call: CallHandle, depth: Int)? = nil,
        at now: Instant
    ) {
        guard !handle.isIncoming, sessions[handle] == nil else { return emit(.warning(.commandIgnored)) }
        guard shutDown == .no, census.calls < configuration.limits.calls else {
            return emit(.ended(handle, CallEnd(cause: .limited, by: .local)))
        }
        guard let account = account(call.account) else {
            return emit(.ended(handle, CallEnd(cause: .unreachable, by: .local, reason: "there is no such account")))
        }
        var call = call
        call.target = call.target.dialled(by: account.value)
        var session = InviteSession(
            calling: call, handle: handle, account: account, settings: settings, random: random.split())
        session.referrer = referrer?.call
        session.referralDepth = referrer?.depth ?? 0
        emit(.placed(handle, callID: session.callID))
        add(Boxed(session))
        update(handle, at: now) { $0.start(at: now) }
    }

    mutating func add(_ session: consuming Boxed<InviteSession>) {
        let handle = session.handle
        if !handle.isIncoming { lastPlaced = max(lastPlaced ?? handle, handle) }
        census += session.value.census
        callsByTag[session.value.key] = handle
        sessions[handle] = session
    }

    /// Lets a call do what the user wants of it. One that was there has ended: the peer was faster, and its end is told.
    mutating func instruct(_ handle: CallHandle, at now: Instant, _ body: (inout InviteSession) -> Void) {
        guard sessions[handle] != nil else {
            if !hasBegun(handle) { emit(.warning(.commandIgnored)) }
            return
        }
        update(handle, at: now, body)
    }

    /// Lets a call do something, does what it asks for, and forgets it when it has nothing more to say.
    ///
    /// Inlined, so that what `body` is given by its surroundings is not copied for it.
    @inline(__always)
    mutating func update(_ handle: CallHandle, at now: Instant, _ body: (inout InviteSession) -> Void) {
        guard let index = sessions.index(forKey: handle) else { return }
        // In its place: a session is large, and a copy retains all that it holds.
        let step = Self.run(body, on: &sessions.values[index].value, census: &census)
        conclude(step, of: handle, at: now)
    }

    /// Does what a call asks for after a step.
    private mutating func conclude(_ step: Step, of handle: CallHandle, at now: Instant) {
        note(step.keys, instead: step.known, of: handle)
        noteProgress(of: handle, step.phase)
        for action in step.actions { perform(action, of: handle, at: now) }
        if !watchers.isEmpty { wakeWatchers(of: step.account, at: now) }
        if !publications.isEmpty { publishCalls(of: step.account, at: now) }
        guard let index = sessions.index(forKey: handle) else { return }
        if let deadline = Self.outlook(of: &sessions.values[index].value) {
            deadlines.set(.call(handle), at: deadline)
        } else {
            forget(handle, Self.remains(of: &sessions.values[index].value), at: now)
        }
    }

    /// When a call has to say something again, if ever; without any value where it never will.
    private static func outlook(of session: inout InviteSession) -> Instant?? {
        session.isFinished ? nil : .some(session.deadline)
    }

    /// Lets requests find a call that bear the names of a dialog beside its own.
    private mutating func note(_ keys: ReferralKeys, instead known: ReferralKeys, of handle: CallHandle) {
        guard keys != known else { return }
        for key in [known.sent, known.received].compactMap({ $0 }) { callsByTag[key] = nil }
        for key in [keys.sent, keys.received].compactMap({ $0 }) { callsByTag[key] = handle }
    }

    /// What a call did: what it asks for, and where it stands now.
    private struct Step {
        let actions: [InviteSession.Action]
        /// The names of its referrals' dialogs before and after.
        let known: ReferralKeys
        let keys: ReferralKeys
        let account: AccountID
        let phase: InviteSession.Phase
    }

    @inline(__always)
    private static func run(
        _ body: (inout InviteSession) -> Void, on session: inout InviteSession, census: inout Census
    ) -> Step {
        let known = session.referralKeys
        census -= session.census
        body(&session)
        census += session.census
        return Step(
            actions: session.takeActions(), known: known, keys: session.referralKeys, account: session.account.id,
            phase: session.phase)
    }

    /// A person or a rule takes a call.
    mutating func answer(
        _ handle: CallHandle, _ media: LocalMedia, headers: Headers, automatic: Bool, at now: Instant
    ) {
        if automatic, let arrival = sessions[handle]?.arrival, sessions[handle]?.phase == .alerting {
            guard !arrival.wantsToJoin else { return emit(.warning(.automaticAnswerDenied(handle))) }
            let verdict = policy.beginAutomaticAnswer(
                handle, trust: arrival.trust, from: arrival.request.from, provenAs: arrival.provenCaller,
                over: arrival.flow, replacing: arrival.replacement)
            switch verdict {
            case .allowed: break
            case .denied: return emit(.warning(.automaticAnswerDenied(handle)))
            case .limited:
                return update(handle, at: now) { $0.reject(486, reason: nil, headers: Headers(), at: now) }
            }
        }
        instruct(handle, at: now) { $0.answer(media, headers: headers, automatic: automatic, at: now) }
        replaceCall(by: handle, at: now)
    }

    /// Gives back what a call took of the limits.
    private mutating func noteProgress(of handle: CallHandle, _ phase: InviteSession.Phase) {
        if phase != .alerting, pendingArrivals.remove(handle) != nil, let arrival = sessions[handle]?.arrival {
            policy.endInvite(over: arrival.flow)
        }
        if phase == .ended { policy.endAutomaticAnswer(handle) }
    }

    private mutating func perform(_ action: InviteSession.Action, of handle: CallHandle, at now: Instant) {
        switch action {
        case .send(let request, let purpose, let flow):
            guard let account = sessions[handle]?.account else { return }
            send(request, for: .call(handle, purpose), account: account.value, along: flow, at: now)
        case .transmit(let transmit):
            outputs.append(.transmit(transmit))
        case .cancelInvite:
            cancelInvite(of: handle, at: now)
        case .respond(let response, let transaction):
            respond(response, in: transaction, at: now)
        case .repeatAcceptance(let transaction):
            transactions.retransmitAcceptance(in: transaction)
        case .tellReferrer(let status):
            tellReferrer(of: handle, status, at: now)
        case .event(let event):
            emit(event)
        }
    }

    /// CANCELs the INVITE of a call, withdraws it where it has not left, or leaves it to the next provisional response.
    private mutating func cancelInvite(of handle: CallHandle, at now: Instant) {
        guard let id = invite(of: handle) else { return }
        guard let transaction = outbound[id]?.transaction else {
            forgetOutbound(id)
            update(handle, at: now) { $0.fail(.invite, .withdrawn, at: now) }
            return
        }
        if transactions.cancel(transaction, at: now) != nil { sessions[handle]?.invitation?.isCancelSent = true }
    }

    /// By what a call is found, and the peer's tag of the dialog that it leaves behind.
    private static func remains(
        of session: inout InviteSession
    ) -> (census: Census, key: CallKey, invite: ServerTransactionID?, peerTag: String?) {
        (session.census, session.key, session.arrival?.transaction, session.dialog?.remoteTag)
    }

    private mutating func forget(
        _ handle: CallHandle,
        _ remains: (census: Census, key: CallKey, invite: ServerTransactionID?, peerTag: String?), at now: Instant
    ) {
        sessions[handle] = nil
        census -= remains.census
        callsByTag[remains.key] = nil
        if let invite = remains.invite { callsByInvite[invite] = nil }
        if let peerTag = remains.peerTag {
            endedDialogs.remember(remains.key, peerTag: peerTag, until: now + settings.timers.giveUp, at: now)
        }
        deadlines.cancel(.call(handle))
        if sessions.isEmpty, sessions.capacity > 256 { giveBackCallTables() }
        for id in requestsOfCall[handle] ?? [] {
            let query = outbound[id]?.owner.query
            // A 2xx that came under another branch decided the call, and its INVITE would wait on for a final response.
            if let transaction = outbound[id]?.transaction { transactions.stopWaiting(for: transaction, at: now) }
            forgetOutbound(id)
            if let query { failed(query, "the call ended", at: now) }
        }
    }
}

extension UserAgentCore {
    /// Tables keep the memory of the most that they ever held; empty ones that were long begin anew.
    private mutating func giveBackCallTables() {
        sessions = [:]
        if callsByTag.isEmpty { callsByTag = [:] }
        if callsByInvite.isEmpty { callsByInvite = [:] }
        if pendingArrivals.isEmpty { pendingArrivals = [] }
        if outputs.isEmpty { outputs = [] }
    }

    /// The INVITE of a call of ours that is on its way.
    func invite(of call: CallHandle) -> OutboundID? {
        requestsOfCall[call]?.last { outbound[$0]?.isInvite ?? false }
    }
}

/// What the core holds; everything but the registrations is gone when nothing goes on.
package struct Occupancy: Equatable, Sendable {
    package var calls = 0
    package var dialogNames = 0
    package var invites = 0
    package var requests = 0
    package var questions = 0
    package var clientTransactions = 0
    package var serverTransactions = 0
    package var subscriptions = 0
    package var watchers = 0
    package var publications = 0
    /// Whom the user writes to, and who writes to the user.
    package var conversations = 0
    /// Nonces that callers used; gone five minutes after the last of them.
    package var nonces = 0
    package var deadlines = 0

    package static let empty = Occupancy()
}

extension UserAgentCore {
    package var occupancy: Occupancy {
        let counts = transactions.counts
        return Occupancy(
            calls: sessions.count, dialogNames: callsByTag.count,
            invites: callsByInvite.count + outbound.values.count(where: \.isInvite),
            requests: outbound.count + outboundByTransaction.count + requestsOfCall.count + superseded.count,
            questions: outboundByResolution.count + queries.count + callQuestions.count,
            clientTransactions: counts.clientTransactions,
            serverTransactions: counts.serverTransactions,
            subscriptions: subscriptions.count + subscriptionsByTag.count,
            watchers: watchers.count + watchersByTag.count, publications: publications.count,
            conversations: composing.count + correspondents.count, nonces: policy.callers.nonceCount,
            deadlines: deadlines.count + counts.deadlines
        )
    }
}
