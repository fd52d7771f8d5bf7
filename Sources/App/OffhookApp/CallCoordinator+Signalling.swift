import EngineKit
import SDP
import SIPMessages
import SIPUserAgent

/// What the user agent tells.
extension CallCoordinator {
    mutating func receive(_ event: UserAgentEvent, at now: Instant) {
        // The verdict is the last word.
        guard !isFinished else { return }
        switch event {
        case .registrationBound(let account, let binding):
            bindings[account] = binding
        case .registration(let account, let state):
            var binding: RegistrationBinding?
            if case .registered = state { binding = bindings[account] }
            emit(.report(.registration(account: accountName(account), state, binding)))
            if case .registered = state { beginSubscriptions(of: account) }
        case .incomingCall(let handle, let incoming):
            receiveCall(handle, incoming, at: now)
        case .placed(let handle, let callID):
            calls[handle]?.identity.callID = callID
            report(handle, .outgoing)
        case .offered(let handle, let expected):
            // Whoever is offered to may send at once; what it says later replaces this.
            if calls[handle]?.hasAgreed == false { emit(.media(.update(handle, expected))) }
        case .trying(let handle):
            calls[handle]?.hasProgress = true
            report(handle, .trying)
        case .ringing(let handle, let progress):
            receiveProgress(handle, progress, at: now)
        case .earlyMedia(let handle, let dialog, let agreement):
            receiveEarlyMedia(handle, dialog, agreement, at: now)
        case .mediaAgreed(let handle, let agreement):
            receiveAgreement(handle, agreement, at: now)
        case .pathProven(let handle):
            guard var agreement = calls[handle]?.agreement, !agreement.mayTransmit else { return }
            agreement.mayTransmit = true
            calls[handle]?.agreement = agreement
            emit(.media(.update(handle, agreement)))
        case .answered(let handle, let answer):
            receiveAnswer(handle, answer, at: now)
        case .established(let handle):
            if calls[handle]?.phase == .answered { calls[handle]?.phase = .established }
            joinAsWished(handle)
            beginTransfer(of: handle, at: now)
            consultationAnswered(handle)
        case .heldByPeer(let handle):
            calls[handle]?.isHeldByPeer = true
            report(handle, .held(by: .remote))
        case .resumedByPeer(let handle):
            calls[handle]?.isHeldByPeer = false
            report(handle, .resumed(by: .remote))
        case .modified(let handle):
            receiveModified(handle)
        case .modifyFailed(let handle, let status):
            if let isHeld = calls[handle]?.isHeldByUs {
                calls[handle]?.isToBeHeld = isHeld
                refreshMute(of: handle)
            }
            report(handle, .modifyFailed(status))
        case .peerMoved(let handle, let address):
            report(handle, .peerMoved(address))
        case .digitReceived(let handle, let digit):
            guard calls[handle]?.hear(digit.digit, .info, at: now) == true else { return }
            report(handle, .digit(digit.digit, sent: false, .info, milliseconds: digit.milliseconds))
        case .digitSent(let handle, let digit):
            report(handle, .digit(digit.digit, sent: true, .info, milliseconds: digit.milliseconds))
        case .digitsRefused(let handle, let digit, let status, let reason):
            report(handle, .digitsRefused(digit.digit, status, reason: reason))
            let answer = status.map { "\($0.value) \(reason)" } ?? reason
            fail(
                handle, with: status.map { ExitStatus(finalResponse: $0) } ?? .network,
                "digit '\(digit.digit)' and those behind it were not taken: \(answer)")
        case .transferProgress(let handle, let progress):
            receiveProgress(handle, progress)
        case .transferRequested(let handle, let request):
            receiveRequest(handle, request, at: now)
        case .transferWithdrawn(let handle):
            withdrawTransfer(handle)
        case .ended(let handle, let end):
            finish(handle, end, at: now)
        case .messageReceived(let message):
            emit(.report(.message(account: accountName(message.account), message)))
        case .peerComposing(let news):
            emit(.report(.composing(account: accountName(news.account), news)))
        case .subscription(let handle, let status):
            let identity = subscriptionNames[handle] ?? SubscriptionIdentity(account: nil, event: "", target: "")
            emit(.report(.subscription(account: accountName(identity.account), identity, status)))
            if case .ended = status { subscriptionNames[handle] = nil }
        case .publication(let account, let status):
            emit(.report(.publication(account: accountName(account), status)))
        case .notified(_, let notification):
            emit(.report(.notified(account: accountName(notification.account), notification)))
        case .refused(.incompatibleMedia, let source, _):
            missCommonMedia(of: source)
        case .requestAnswered, .refused:
            break
        case .warning(let warning):
            emit(.report(.warning(text(of: warning))))
            switch warning {
            case .automaticAnswerDenied(let handle): returnToPerson(handle)
            case .hangUpNotTaken(let handle, _, _): hangUpNotTaken(handle, text(of: warning))
            default: break
            }
        case .shutDownFinished:
            finishProcess()
        }
    }

    /// Asks for what the account wants to be told of, once it can be reached.
    mutating func beginSubscriptions(of account: AccountID) {
        for command in subscriptions.begin(account) { subscribe(command) }
    }

    /// Removes the registration of an account, and before it what says that the account can be reached.
    mutating func unregister(_ account: AccountID) {
        for command in subscriptions.withdraw(account) + [.unregister(account)] { emit(.signalling(command)) }
    }

    mutating func subscribe(_ command: Command) {
        if case .subscribe(let handle, let order) = command {
            subscriptionNames[handle] = SubscriptionIdentity(
                account: order.account, event: order.event.package, target: order.target.shownText)
        }
        emit(.signalling(command))
    }

    private mutating func receiveCall(_ handle: CallHandle, _ incoming: IncomingCall, at now: Instant) {
        callsBegun += 1
        let identity = CallIdentity(
            handle: handle, number: callsBegun, callID: incoming.callID, account: accountName(incoming.account),
            peer: incoming.remoteParty.uri.shownText)
        var call = Call(identity: identity, phase: .incoming, isIncoming: true, script: settings.attendant.plan?.script)
        call.accountID = incoming.account
        call.trust = incoming.trust
        call.joins = incoming.joining
        call.isAnsweredAutomatically = settings.attendant.plan != nil
        calls[handle] = call
        order.append(handle)
        let replaced = incoming.replacement.flatMap { calls[$0.call]?.identity.shortName }
        let joined = incoming.joining.flatMap { calls[$0]?.identity.shortName }
        report(handle, .incoming(incoming, replaces: replaced, joins: joined))
        if takeReplacement(handle, incoming, at: now) { return }
        switch settings.attendant {
        case .plan(let plan): take(handle, incoming, by: plan, at: now)
        case .nobody: reject(handle, status: 486)
        case .person(let policies): attend(handle, incoming, by: policies[incoming.account] ?? .ask, at: now)
        }
    }

    /// Takes a call as its account says. Nobody is put through unasked while the person talks to somebody else.
    private mutating func attend(
        _ handle: CallHandle, _ incoming: IncomingCall, by policy: Account.AnswerPolicy, at now: Instant
    ) {
        let wish = incoming.information.answerWish
        let isIdle = !calls.values.contains { $0.isUp }
        switch policy {
        case _ where incoming.isPrivileged:
            holdOthers(than: handle)
            answerUnasked(handle, at: now)
        case .busy:
            reject(handle, status: 486)
        case .automatic where incoming.mayAnswerAutomatically && isIdle && wish?.isAutomatic != false,
            .ask where incoming.isToBeAnsweredAtOnce && isIdle:
            answerUnasked(handle, at: now)
        case .automatic, .ask:
            guard wish?.isAutomatic == true, wish?.isRequired == true else { return ask(handle) }
            reject(handle, status: 403, reason: "Automatic Answer Forbidden")
        }
    }

    private mutating func answerUnasked(_ handle: CallHandle, at now: Instant) {
        calls[handle]?.isAnsweredAutomatically = true
        answer(handle, at: now)
    }

    /// Lets a call ring for the person.
    private mutating func ask(_ handle: CallHandle) {
        emit(.signalling(.ring(handle)))
        refreshAlerts()
    }

    /// The limits of the protocol let nobody but a person answer this call after all.
    private mutating func returnToPerson(_ handle: CallHandle) {
        guard case .person = settings.attendant, calls[handle]?.isAnsweredAutomatically == true else { return }
        calls[handle]?.isAnsweredAutomatically = false
        calls[handle]?.phase = .incoming
        ask(handle)
    }

    private mutating func receiveProgress(_ handle: CallHandle, _ progress: CallProgress, at now: Instant) {
        guard var call = calls[handle], call.phase == .calling else { return }
        call.hasProgress = true
        call.earlyMedia.receiveProgress(
            isRinging: progress.status.value == 180, hasDescription: progress.hasDescription, at: now)
        calls[handle] = call
        report(handle, .ringing(progress))
        applyEarlyMedia(handle)
    }

    private mutating func receiveEarlyMedia(
        _ handle: CallHandle, _ dialog: EarlyDialogID, _ agreement: MediaAgreement, at now: Instant
    ) {
        guard var call = calls[handle] else { return }
        if call.isIncoming { return playEarly(handle, agreement) }
        guard call.phase == .calling else { return }
        if let index = call.earlyAgreements.firstIndex(where: { $0.dialog == dialog }) {
            call.earlyAgreements[index].agreement = agreement
        } else {
            call.earlyAgreements.append((dialog, agreement))
        }
        if call.listensTo == nil { call.listensTo = dialog }
        calls[handle] = call
        listen(handle)
        if call.script?.moment == .early { startPlaying(handle) }
        setTimer(.earlyMedia, of: handle, at: now + Self.earlyMediaInterval)
    }

    /// The caller hears us from now on: with our 183, or with its PRACK where it answers an offer of ours (RFC 3262 §5).
    private mutating func playEarly(_ handle: CallHandle, _ agreement: MediaAgreement) {
        guard calls[handle]?.isUp == false, calls[handle]?.phase != .ended else { return }
        calls[handle]?.agreement = agreement
        emit(.media(.update(handle, agreement)))
        startPlaying(handle)
    }

    private mutating func receiveAgreement(_ handle: CallHandle, _ agreement: MediaAgreement, at now: Instant) {
        guard calls[handle] != nil else { return }
        calls[handle]?.agreement = agreement
        emit(.media(.update(handle, agreement)))
        report(handle, .media(agreement))
        beginScript(of: handle, at: now)
    }

    private mutating func receiveAnswer(_ handle: CallHandle, _ answer: CallAnswer, at now: Instant) {
        guard var call = calls[handle], call.answeredAt == nil, call.phase != .ended else { return }
        call.earlyMedia.end()
        call.phase = .answered
        call.answeredAt = now
        call.finalStatus = answer.status
        calls[handle] = call
        setTimer(.ringback, of: handle, at: nil)
        setTimer(.ringTimeout, of: handle, at: nil)
        setAlert(nil, of: handle)
        refreshAlerts()
        report(handle, .answered(answer.status, reason: answer.reason))
        setTimer(.statistics, of: handle, at: now + settings.statisticsInterval)
        if call.script?.expectedStatus.map({ $0 != answer.status }) == true { return hangUp(handle) }
        beginScript(of: handle, at: now)
    }

    /// How often early media is asked whether it goes on.
    static let earlyMediaInterval = Duration.milliseconds(200)

    private mutating func receiveModified(_ handle: CallHandle) {
        guard let call = calls[handle], let direction = call.agreement?.media.direction else { return }
        let isHeld = direction == .sendOnly || direction == .inactive
        guard isHeld != call.isHeldByUs else { return }
        calls[handle]?.isHeldByUs = isHeld
        report(handle, isHeld ? .held(by: .local) : .resumed(by: .local))
    }

    private func text(of warning: UserAgentWarning) -> String {
        switch warning {
        case .foreignRealm(let account, let realm):
            "\(accountName(account)): a challenge for the realm '\(realm)' was not answered: it is not the account's"
        case .commandIgnored:
            "a command named a call or account that is not in that state; it had no effect"
        case .challengeNotAnswered(let account, let why):
            "\(accountName(account)): a challenge was not answered: \(why)"
        case .flowFailed(let account, let flow, let why):
            "\(accountName(account)): flow \(flow) to the registrar failed: \(why); it is made anew"
        case .automaticAnswerDenied:
            "a caller whom no rule lets in is not answered without a person (see --allow)"
        case .hangUpNotTaken(_, let peer, let why):
            "\(peer) did not take the hang-up: \(why)"
        }
    }

    /// Makes what is heard before the answer follow `EarlyMedia`.
    mutating func applyEarlyMedia(_ handle: CallHandle) {
        guard let call = calls[handle] else { return }
        setAlert(call.earlyMedia.isRingingBack ? .ringback : nil, of: handle)
        setTimer(.ringback, of: handle, at: call.earlyMedia.deadline)
    }

    mutating func sendAnswer(_ handle: CallHandle) {
        guard let call = calls[handle] else { return }
        let headers = call.script?.headers ?? Headers()
        emit(
            .signalling(
                .answer(
                    handle, call.localMedia ?? localMedia, headers: headers, automatic: call.isAnsweredAutomatically)))
    }
}
