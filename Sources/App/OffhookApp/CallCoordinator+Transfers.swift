import EngineKit
import SIPMessages
import SIPUserAgent

/// Calls that are passed on: by us, by the peer, and to us.
extension CallCoordinator {
    // MARK: - By us

    /// Asks the peer of a call to call `target` in our place.
    mutating func transfer(_ handle: CallHandle, to target: URI) {
        guard let call = calls[handle], call.isUp, call.transferTarget == nil else { return }
        calls[handle]?.transferTarget = target.shownText
        calls[handle]?.isTransferOpen = true
        emit(.signalling(.transfer(handle, .blind(target))))
        reportTransfer(handle, .requested)
    }

    /// Puts the peers of two calls together.
    mutating func transfer(_ handle: CallHandle, toPeerOf other: CallHandle) {
        guard let call = calls[handle], call.isUp, call.transferTarget == nil, handle != other,
            let target = calls[other], target.isUp
        else { return }
        calls[handle]?.transferTarget = target.identity.peer
        calls[handle]?.isTransferOpen = true
        calls[handle]?.consultation = other
        emit(.signalling(.transfer(handle, .attended(other))))
        reportTransfer(handle, .requested)
    }

    mutating func receiveProgress(_ handle: CallHandle, _ progress: TransferProgress) {
        switch progress {
        case .accepted:
            reportTransfer(handle, .accepted)
        case .progress(let line):
            reportTransfer(handle, .progress, line.status, line.reason)
        case .succeeded(let line):
            reportTransfer(handle, .succeeded, line.status, line.reason)
            calls[handle]?.isTransferOpen = false
            concludeTransfer(handle)
        case .failed(let status, let reason):
            reportTransfer(handle, .failed, status, reason)
            endTransfer(handle, as: status.map { ExitStatus(finalResponse: $0) } ?? .network)
        case .unknown:
            loseTransfer(handle)
        }
    }

    /// Nobody will say any more what came of a transfer.
    mutating func loseTransfer(_ handle: CallHandle) {
        reportTransfer(handle, .unknown)
        endTransfer(handle, as: .network)
    }

    /// The peer is where it was: a person goes on talking, a script has failed.
    private mutating func endTransfer(_ handle: CallHandle, as exit: ExitStatus) {
        let consultation = calls[handle]?.consultation
        calls[handle]?.transferTarget = nil
        calls[handle]?.isTransferOpen = false
        calls[handle]?.consultation = nil
        guard let call = calls[handle], call.script?.transfer != nil else { return }
        fail(handle, with: exit, "the transfer failed")
        guard call.phase == .ended else { return hangUp(handle) }
        if let consultation { hangUp(consultation) }
        concludeTransfer(handle)
    }

    /// What came of a transfer is known. Where its call ended before, a script is over now.
    private mutating func concludeTransfer(_ handle: CallHandle) {
        guard let call = calls[handle], call.phase == .ended else { return }
        if let consultation = call.consultation { hangUp(consultation) }
        if call.isConcluded { settle(handle) }
    }

    private mutating func reportTransfer(
        _ handle: CallHandle, _ state: TransferReport.State, _ status: StatusCode? = nil, _ reason: String? = nil
    ) {
        guard let target = calls[handle]?.transferTarget else { return }
        report(
            handle,
            .transfer(
                TransferReport(role: .transferor, state: state, target: target, code: status, reason: reason)))
    }

    /// What a script asks for once its call is up.
    mutating func beginTransfer(of handle: CallHandle, at now: Instant) {
        switch calls[handle]?.script?.transfer {
        case .blind(let target):
            transfer(handle, to: target)
        case .attended(let target):
            let account = calls[handle]?.accountID
            let consultation = dial(target, account: account, script: CallScript(), at: now)
            calls[consultation]?.consults = handle
        case nil:
            break
        }
    }

    /// A consultation was answered: the call that it was placed for goes there.
    mutating func consultationAnswered(_ handle: CallHandle) {
        guard let first = calls[handle]?.consults, calls[first]?.isUp ?? false else { return }
        transfer(first, toPeerOf: handle)
    }

    /// A call has ended that a transfer had a part in.
    mutating func transferEnded(_ handle: CallHandle, _ end: CallEnd) {
        guard let call = calls[handle] else { return }
        // It was never placed, so that nobody else tells who asked for it.
        if !call.isIncoming, !call.hasPorts, let referrer = call.continues {
            emit(.signalling(.declineTransfer(referrer)))
        }
        // What a script placed for this call alone goes with it, whether it came to a transfer or not.
        // While a transfer is under way its target is still to be found in the call that it takes the place of.
        if !call.awaitsTransfer {
            for other in order where other == call.consultation || calls[other]?.consults == handle { hangUp(other) }
        }
        if let first = call.consults, calls[first]?.transferTarget == nil, calls[first]?.isUp ?? false {
            // Nobody to put the peer through to.
            fail(first, with: status(of: call, end), "the consultation failed")
            hangUp(first)
        }
    }

    // MARK: - By the peer

    mutating func receiveRequest(_ handle: CallHandle, _ request: TransferRequest, at now: Instant) {
        guard let call = calls[handle] else { return emit(.signalling(.declineTransfer(handle))) }
        calls[handle]?.requestedTransfer = request
        reportRequest(handle, .requested)
        if request.isAllowed { return acceptTransfer(handle, at: now) }
        // Nobody is there to be asked.
        guard case .person = settings.attendant, call.script == nil else { return declineTransfer(handle) }
    }

    /// Calls whom the peer wants us to call.
    mutating func acceptTransfer(_ handle: CallHandle, at now: Instant) {
        guard let call = calls[handle], let request = call.requestedTransfer else { return }
        let script = call.script.map { script in
            var script = script
            script.transfer = nil
            script.headers = Headers()
            return script
        }
        let new = beginCall(.placing(target: request.target, account: call.accountID), script: script)
        calls[new]?.continues = handle
        reportRequest(handle, .accepted, newCall: calls[new]?.identity.shortName)
        decided(handle)
        emit(.media(.open(new)))
    }

    mutating func declineTransfer(_ handle: CallHandle) {
        guard calls[handle]?.requestedTransfer != nil else { return }
        emit(.signalling(.declineTransfer(handle)))
        reportRequest(handle, .declined)
        decided(handle)
    }

    mutating func withdrawTransfer(_ handle: CallHandle) {
        guard calls[handle]?.requestedTransfer != nil else { return }
        reportRequest(handle, .withdrawn)
        decided(handle)
    }

    private mutating func decided(_ handle: CallHandle) {
        calls[handle]?.requestedTransfer = nil
        settleOnceDecided(handle)
    }

    private mutating func reportRequest(
        _ handle: CallHandle, _ state: TransferReport.State, newCall: String? = nil
    ) {
        guard let request = calls[handle]?.requestedTransfer else { return }
        report(
            handle,
            .transfer(
                TransferReport(
                    role: .transferee, state: state, target: request.target.shownText,
                    targetName: request.targetName, newCall: newCall, referredBy: request.referredBy?.uri.shownText)))
    }

    /// What a call was to hear is expected of the one that goes on in its place.
    ///
    /// - Returns: whether there is one.
    mutating func passOn(_ call: Call) -> Bool {
        let next = order.first { calls[$0]?.continues == call.identity.handle && calls[$0]?.phase != .ended }
        guard let next, call.answeredAt != nil else { return false }
        guard var run = calls[next]?.run else { return false }
        run.hasHeardTone = run.hasHeardTone || call.run.hasHeardTone
        run.hasHeardSpeech = run.hasHeardSpeech || call.run.hasHeardSpeech
        run.soundLevel = call.run.soundLevel ?? run.soundLevel
        var digits = call.run.digits
        digits.append(run.digits, expecting: calls[next]?.script?.expectedDigits)
        run.digits = digits
        calls[next]?.run = run
        return true
    }

    // MARK: - To us

    /// Takes a call that the rules let take the place of another at once, in the way that the other was taken.
    ///
    /// - Returns: whether it was one.
    mutating func takeReplacement(_ handle: CallHandle, _ incoming: IncomingCall, at now: Instant) -> Bool {
        guard let replacement = incoming.replacement else { return false }
        calls[handle]?.continues = replacement.call
        guard replacement.isAllowed, let replaced = calls[replacement.call] else { return false }
        calls[handle]?.isAnsweredAutomatically = replaced.isAnsweredAutomatically
        answer(handle, at: now)
        return true
    }
}
